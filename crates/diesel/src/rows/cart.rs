use super::{Source, micros, new_row};
use crate::schema::cart_items;
use diesel::prelude::*;
use tradepost_domain::cart::{CartItem, NewCartItem};
use tradepost_domain::kernel::{CartItemId, ProductId, Quantity, StoreError, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = cart_items)]
pub(crate) struct CartItemRow {
    id: i64,
    user_id: i64,
    product_id: i64,
    quantity: i64,
    created_at: i64,
    updated_at: i64,
}

impl CartItemRow {
    pub(crate) fn line(self) -> Result<CartItem, StoreError> {
        let from = Source::new("cart_items", self.id);
        Ok(CartItem {
            id: from.good("id", CartItemId::new(self.id))?,
            user: from.good("user_id", UserId::new(self.user_id))?,
            product: from.good("product_id", ProductId::new(self.product_id))?,
            quantity: from.good("quantity", Quantity::new(self.quantity).ok())?,
            created_at: from.at("created_at", self.created_at)?,
            updated_at: from.at("updated_at", self.updated_at)?,
        })
    }
}

new_row! {
    NewCartItemRow, ImportedCartItem: cart_items {
        user_id: i64,
        product_id: i64,
        quantity: i64,
        created_at: i64,
        updated_at: i64,
    }
}

impl From<&NewCartItem> for NewCartItemRow {
    fn from(new: &NewCartItem) -> Self {
        Self {
            user_id: new.user.get(),
            product_id: new.product.get(),
            quantity: new.quantity.units(),
            created_at: micros(new.at),
            updated_at: micros(new.updated_at),
        }
    }
}

impl From<&CartItem> for NewCartItemRow {
    fn from(line: &CartItem) -> Self {
        Self {
            user_id: line.user.get(),
            product_id: line.product.get(),
            quantity: line.quantity.units(),
            created_at: micros(line.created_at),
            updated_at: micros(line.updated_at),
        }
    }
}
