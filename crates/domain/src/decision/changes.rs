//! The rows that a decision writes.

use crate::cart::{CartItem, NewCartItem};
use crate::catalog::{NewProduct, Product};
use crate::identity::{
    Account, Credentials, NewAccount, PasswordHash, RefreshDigest, RefreshToken,
};
use crate::kernel::{CartItemId, OrderId, ProductId, UserId};
use crate::orders::{NewOrder, Order};
use chrono::{DateTime, Utc};

/// The rows that a decision writes, by kind. Stock is not among them: its level changes by
/// movements alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Products to insert, with their search text and their level of stock.
    pub new_products: Vec<NewProduct>,
    /// Products to update.
    pub products: Vec<ProductUpdate>,
    /// Cart items to insert.
    pub new_cart_items: Vec<NewCartItem>,
    /// Cart items to update, in their new state.
    pub cart_items: Vec<CartItem>,
    /// Cart items to delete.
    pub deleted_cart_items: Vec<CartItem>,
    /// Orders to insert, with their lines.
    pub new_orders: Vec<NewOrder>,
    /// Orders to update, in their new state. Their lines never change.
    pub orders: Vec<Order>,
    /// Accounts to insert.
    pub new_accounts: Vec<NewAccount>,
    /// Accounts to update.
    pub accounts: Vec<AccountUpdate>,
    /// Refresh tokens to insert.
    pub new_refresh_tokens: Vec<RefreshToken>,
    /// Refresh tokens to mark as used.
    pub used_refresh_tokens: Vec<UsedToken>,
    /// Families of refresh tokens to delete.
    pub ended_families: Vec<RefreshDigest>,
}

/// An update of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductUpdate {
    /// The product before.
    pub before: Product,
    /// The product afterwards.
    pub after: Product,
}

impl ProductUpdate {
    /// Whether the search text changes.
    #[must_use]
    pub fn is_renamed(&self) -> bool {
        let text = |product: &Product| (product.name.clone(), product.description.clone());
        text(&self.before) != text(&self.after)
    }
}

/// An update of an account. Where the session epoch changes, the refresh tokens of every earlier
/// session are deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountUpdate {
    /// The account before.
    pub before: Account,
    /// The account afterwards.
    pub after: Account,
    /// A new password hash.
    pub password: Option<PasswordHash>,
}

impl AccountUpdate {
    /// Whether earlier sessions end.
    #[must_use]
    pub fn ends_sessions(&self) -> bool {
        self.before.session_epoch != self.after.session_epoch
    }
}

/// A refresh token that is used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedToken {
    /// Its digest.
    pub digest: RefreshDigest,
    /// The first token of its family.
    pub family: RefreshDigest,
    /// Time of use.
    pub at: DateTime<Utc>,
    /// Tokens of its family that were used before this time are purged.
    pub forget: DateTime<Utc>,
}

/// The ids of new rows, in the order of the rows of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewIds {
    /// Of [`Changes::new_products`].
    pub products: Vec<ProductId>,
    /// Of [`Changes::new_cart_items`].
    pub cart_items: Vec<CartItemId>,
    /// Of [`Changes::new_orders`].
    pub orders: Vec<OrderId>,
    /// Of [`Changes::new_accounts`].
    pub accounts: Vec<UserId>,
}

/// New rows with their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRows {
    /// Products.
    pub products: Vec<Product>,
    /// Cart items.
    pub cart_items: Vec<CartItem>,
    /// Orders.
    pub orders: Vec<Order>,
    /// Accounts.
    pub accounts: Vec<Credentials>,
}

impl Changes {
    /// Appends later changes. A row that is updated twice is written once, in its last state, and
    /// one that is deleted is not updated.
    pub(crate) fn append(&mut self, later: Self) {
        let Self {
            new_products,
            products,
            new_cart_items,
            cart_items,
            deleted_cart_items,
            new_orders,
            orders,
            new_accounts,
            accounts,
            new_refresh_tokens,
            used_refresh_tokens,
            ended_families,
        } = later;
        self.new_products.extend(new_products);
        for update in products {
            let id = update.after.id;
            match self.products.iter_mut().find(|other| other.after.id == id) {
                Some(earlier) => earlier.after = update.after,
                None => self.products.push(update),
            }
        }
        self.new_cart_items.extend(new_cart_items);
        for item in cart_items {
            put(&mut self.cart_items, item, |item| item.id);
        }
        for item in deleted_cart_items {
            self.cart_items.retain(|updated| updated.id != item.id);
            self.deleted_cart_items.push(item);
        }
        self.new_orders.extend(new_orders);
        for order in orders {
            put(&mut self.orders, order, |order| order.id);
        }
        self.new_accounts.extend(new_accounts);
        self.accounts.extend(accounts);
        self.new_refresh_tokens.extend(new_refresh_tokens);
        self.used_refresh_tokens.extend(used_refresh_tokens);
        self.ended_families.extend(ended_families);
    }

    /// By how much the number of products in the catalogue grows.
    #[must_use]
    pub fn catalogue_growth(&self) -> i64 {
        let added = i64::try_from(self.new_products.len()).unwrap_or(i64::MAX);
        let archived = |product: &Product| i64::from(product.archived);
        let restored = |update: &ProductUpdate| archived(&update.before) - archived(&update.after);
        self.products
            .iter()
            .map(restored)
            .fold(added, i64::saturating_add)
    }
}

/// Replaces the row with the same id, or adds it.
fn put<Row, Id: PartialEq>(rows: &mut Vec<Row>, row: Row, id: impl Fn(&Row) -> Id) {
    let key = id(&row);
    match rows.iter_mut().find(|other| id(other) == key) {
        Some(earlier) => *earlier = row,
        None => rows.push(row),
    }
}
