use super::{Expected, Fresh, Model, somebody, wrong};
use crate::command::Answer;
use chrono::{DateTime, Utc};
use tradepost_domain::cart::{CartItem, CartItemDetail, CartRefusal};
use tradepost_domain::catalog::CatalogRefusal;
use tradepost_domain::inventory::InventoryRefusal;
use tradepost_domain::kernel::{
    Actor, CartItemId, Execution, FieldError, Idempotent, ProductId, Quantity, Refusal, UserId,
};

/// As in design.md, independent of the domain.
pub(crate) const MOST_LINES: usize = 100;
pub(crate) const MOST_UNITS: i64 = 9_999;

impl Model {
    pub(super) fn add(
        &mut self,
        by: Actor,
        product: ProductId,
        quantity: Quantity,
        key: Option<&Idempotent<CartItemDetail>>,
        at: DateTime<Utc>,
        fresh: &Fresh,
    ) -> Expected {
        let user = somebody(by)?;
        if let Some(answer) = self.replay(user, key)? {
            return Ok(Answer::Added(Execution::Replayed(answer)));
        }
        if self.sold(product).is_none() {
            return wrong("product_id", FieldError::UnknownProduct);
        }
        let lines = self.carts.get(&user).map_or(&[][..], Vec::as_slice);
        let held = lines.iter().find(|line| line.product == product);
        let before = held.map_or(0, |line| line.quantity.units());
        let wanted = before + quantity.units();
        if wanted > MOST_UNITS {
            let max = u32::try_from(MOST_UNITS).unwrap();
            let held = u32::try_from(before).unwrap();
            return wrong("quantity", FieldError::LineTooLarge { max, held });
        }
        if held.is_none() && lines.len() >= MOST_LINES {
            let limit = MOST_LINES;
            return Err(Refusal::Cart(CartRefusal::Full { limit }));
        }
        if wanted > self.on_hand(product) {
            let shortage = self.short(product, wanted);
            return Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(
                vec![shortage],
            )));
        }
        let line = CartItem {
            id: held
                .map(|line| line.id)
                .or(fresh.line)
                .unwrap_or(CartItemId::new(i64::MAX).unwrap()),
            user,
            product,
            quantity: Quantity::new(wanted).unwrap(),
            created_at: held.map_or(at, |line| line.created_at),
            updated_at: at,
        };
        self.write_line(line);
        let item = self.item(line);
        self.keep(user, key, &item, at);
        Ok(Answer::Added(Execution::Executed(item)))
    }

    pub(super) fn set(
        &mut self,
        by: Actor,
        line: CartItemId,
        quantity: Option<Quantity>,
        claimed: Option<ProductId>,
        at: DateTime<Utc>,
    ) -> Expected {
        let user = somebody(by)?;
        let line = self.line(user, line)?;
        if claimed.is_some_and(|claimed| claimed != line.product) {
            return wrong("product_id", FieldError::OtherProduct);
        }
        let Some(quantity) = quantity else {
            self.drop_line(user, line.id);
            return Ok(Answer::Line(None));
        };
        if self.sold(line.product).is_none() {
            return Err(Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![
                line.product,
            ])));
        }
        if quantity.units() > self.on_hand(line.product) {
            let shortage = self.short(line.product, quantity.units());
            return Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(
                vec![shortage],
            )));
        }
        let line = if quantity == line.quantity {
            line
        } else {
            CartItem {
                quantity,
                updated_at: at,
                ..line
            }
        };
        self.write_line(line);
        Ok(Answer::Line(Some(self.item(line))))
    }

    pub(super) fn remove(&mut self, by: Actor, line: CartItemId) -> Expected {
        let user = somebody(by)?;
        let line = self.line(user, line)?;
        self.drop_line(user, line.id);
        Ok(Answer::Done)
    }

    pub(super) fn empty(&mut self, by: Actor) -> Expected {
        let user = somebody(by)?;
        self.carts.remove(&user);
        self.touched.carts.push(user);
        Ok(Answer::Done)
    }

    pub(crate) fn item(&self, line: CartItem) -> CartItemDetail {
        let product = self.products[&line.product].clone();
        CartItemDetail { line, product }
    }

    fn line(&self, user: UserId, id: CartItemId) -> Expected<CartItem> {
        let mut lines = self.carts.get(&user).into_iter().flatten();
        let line = lines.find(|line| line.id == id);
        line.copied().ok_or(Refusal::NotFound)
    }

    fn write_line(&mut self, line: CartItem) {
        self.last_line = self.last_line.max(line.id.get());
        let cart = self.carts.entry(line.user).or_default();
        match cart.iter_mut().find(|held| held.id == line.id) {
            Some(held) => *held = line,
            None => cart.push(line),
        }
        self.touched.carts.push(line.user);
    }

    fn drop_line(&mut self, user: UserId, id: CartItemId) {
        let cart = self.carts.get_mut(&user).unwrap();
        cart.retain(|line| line.id != id);
        self.touched.carts.push(user);
    }
}
