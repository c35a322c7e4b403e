use super::{Expected, Fresh, Model, staff, wrong};
use crate::command::Answer;
use chrono::{DateTime, Utc};
use tradepost_contract::usd;
use tradepost_domain::catalog::{NewProduct, Price, Product, ProductChange, ProductDraft};
use tradepost_domain::inventory::{
    Adjusted, InventoryRefusal, Movement, Reason, StockDelta, StockLevel,
};
use tradepost_domain::kernel::{
    Actor, Execution, FieldError, Idempotent, MovementId, Precondition, ProductId, Refusal, Sku,
};

impl Model {
    pub(super) fn create(
        &mut self,
        by: Actor,
        draft: &ProductDraft,
        key: Option<&Idempotent<Product>>,
        at: DateTime<Utc>,
        fresh: &Fresh,
    ) -> Expected {
        let user = staff(by)?;
        if let Some(answer) = self.replay(user, key)? {
            return Ok(Answer::Created(Execution::Replayed(answer)));
        }
        staff(self.acting(by)?)?;
        in_our_currency(draft.price)?;
        if self.holder(draft.sku.as_ref()).is_some() {
            return wrong("sku", FieldError::Taken);
        }
        let id = fresh.product.unwrap_or(ProductId::new(i64::MAX).unwrap());
        let new = NewProduct {
            draft: draft.clone(),
            by: Some(user),
            at,
        };
        let mut product = Product {
            stock: StockLevel::ZERO,
            ..new.into_product(id)
        };
        self.products.insert(id, product.clone());
        self.touched.products.push(id);
        let opening = (Reason::Opening, None);
        self.move_stock(id, draft.stock.units(), opening, user, at);
        product.stock = draft.stock;
        self.keep(user, key, &product, at);
        Ok(Answer::Created(Execution::Executed(product)))
    }

    pub(super) fn change(
        &mut self,
        by: Actor,
        id: ProductId,
        change: &ProductChange,
        seen: Option<&Precondition<Product>>,
        at: DateTime<Utc>,
    ) -> Expected {
        let user = staff(by)?;
        staff(self.acting(by)?)?;
        let before = self.products.get(&id).ok_or(Refusal::NotFound)?.clone();
        if before.archived && change.archived != Some(false) {
            return Err(Refusal::NotFound);
        }
        if seen.is_some_and(|seen| seen.tags != [(seen.tag.0)(&before)]) {
            return Err(Refusal::PreconditionFailed);
        }
        change.price.map_or(Ok(()), in_our_currency)?;
        let sku = change.sku.as_ref().and_then(Option::as_ref);
        if self.holder(sku).is_some_and(|holder| holder != id) {
            return wrong("sku", FieldError::Taken);
        }
        let mut after = before.clone();
        after.sku = change.sku.clone().unwrap_or(after.sku);
        after.name = change.name.clone().unwrap_or(after.name);
        after.description = change.description.clone().unwrap_or(after.description);
        after.price = change.price.unwrap_or(after.price);
        after.archived = change.archived.unwrap_or(after.archived);
        let units = change
            .stock
            .map_or(0, |stock| stock.units() - before.stock.units());
        if after != before || units != 0 {
            after.updated_at = at;
        }
        self.products.insert(id, after);
        self.touched.products.push(id);
        self.move_stock(id, units, (Reason::Set, None), user, at);
        Ok(Answer::Changed(self.products[&id].clone()))
    }

    pub(super) fn adjust(
        &mut self,
        by: Actor,
        id: ProductId,
        delta: StockDelta,
        key: Option<&Idempotent<Adjusted>>,
        at: DateTime<Utc>,
        fresh: &Fresh,
    ) -> Expected {
        let user = staff(by)?;
        if let Some(answer) = self.replay(user, key)? {
            return Ok(Answer::Adjusted(Execution::Replayed(answer)));
        }
        staff(self.acting(by)?)?;
        let level = match self.sold(id) {
            None => return Err(Refusal::NotFound),
            Some(product) => product.stock.units() + delta.units(),
        };
        if level < 0 {
            let shortage = self.short(id, -delta.units());
            return Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(
                vec![shortage],
            )));
        }
        if level > StockLevel::MAX && delta.units() > 0 {
            let max = StockLevel::MAX;
            return wrong("delta", FieldError::StockTooLarge { max });
        }
        self.move_stock(id, delta.units(), (Reason::Adjustment, None), user, at);
        let adjusted = Adjusted {
            movement: Movement {
                id: fresh.movement.unwrap_or(MovementId::new(i64::MAX).unwrap()),
                entry: self.ledger[&id].last().unwrap().clone(),
            },
            level: self.products[&id].stock,
        };
        self.keep(user, key, &adjusted, at);
        Ok(Answer::Adjusted(Execution::Executed(adjusted)))
    }

    fn holder(&self, sku: Option<&Sku>) -> Option<ProductId> {
        let mut products = self.products.values();
        let holder = products.find(|product| sku.is_some() && product.sku.as_ref() == sku);
        holder.map(|product| product.id)
    }
}

fn in_our_currency(price: Price) -> Expected<()> {
    if price.money().currency() == usd() {
        Ok(())
    } else {
        wrong("price", FieldError::OtherCurrency(usd()))
    }
}
