use super::{Source, insert_row, micros};
use crate::schema::{ledger_checks, stock_movements};
use diesel::prelude::*;
use tradepost_domain::inventory::{
    LedgerCheck, LedgerCheckKind, Movement, NewMovement, Reason, StockAfter, StockDelta, StockLevel,
};
use tradepost_domain::kernel::{MovementId, Note, OrderId, ProductId, StoreError, UserId};

#[derive(Queryable, Selectable)]
#[diesel(table_name = stock_movements)]
pub(crate) struct MovementRow {
    id: i64,
    product_id: i64,
    order_id: Option<i64>,
    delta: i64,
    reason: String,
    note: Option<String>,
    actor_id: Option<i64>,
    created_at: i64,
}

impl MovementRow {
    pub(crate) fn movement(self) -> Result<Movement, StoreError> {
        let from = Source::new("stock_movements", self.id);
        let entry = NewMovement {
            product: from.good("product_id", ProductId::new(self.product_id))?,
            order: self.order_id.and_then(OrderId::new),
            delta: from.good("delta", StockDelta::new(self.delta))?,
            reason: from.good("reason", Reason::parse(&self.reason))?,
            note: from.text("note", self.note.as_deref(), Note::new)?,
            actor: self.actor_id.and_then(UserId::new),
            at: from.at("created_at", self.created_at)?,
        };
        Ok(Movement {
            id: from.good("id", MovementId::new(self.id))?,
            entry,
        })
    }
}

/// A level of stock after a change, with the threshold of low stock.
#[derive(Queryable)]
pub(crate) struct StockAfterRow {
    pub(crate) product_id: i64,
    pub(crate) on_hand: i64,
    pub(crate) threshold: i64,
}

impl StockAfterRow {
    pub(crate) fn after(self) -> Result<(ProductId, StockAfter), StoreError> {
        let from = Source::new("stock", self.product_id);
        let after = StockAfter {
            level: from.good("on_hand", StockLevel::new(self.on_hand))?,
            threshold: from.good("low_stock", StockLevel::new(self.threshold))?,
        };
        let product = from.good("product_id", ProductId::new(self.product_id))?;
        Ok((product, after))
    }
}

insert_row! {
    NewMovementRow<'a>: stock_movements {
        product_id: i64,
        order_id: Option<i64>,
        delta: i64,
        reason: &'static str,
        note: Option<&'a str>,
        actor_id: Option<i64>,
        created_at: i64,
    }
}

impl<'a> From<&'a NewMovement> for NewMovementRow<'a> {
    fn from(movement: &'a NewMovement) -> Self {
        Self {
            product_id: movement.product.get(),
            order_id: movement.order.map(OrderId::get),
            delta: movement.delta.units(),
            reason: movement.reason.as_str(),
            note: movement.note.as_ref().map(Note::as_str),
            actor_id: movement.actor.map(UserId::get),
            created_at: micros(movement.at),
        }
    }
}

/// The last result of a kind of ledger check.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = ledger_checks)]
pub(crate) struct LedgerCheckRow {
    kind: String,
    at: i64,
    products: i64,
    orders: i64,
    movements: i64,
    discrepancies: i64,
    first: String,
}

impl From<&LedgerCheck> for LedgerCheckRow {
    fn from(check: &LedgerCheck) -> Self {
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            kind: check.kind.as_str().to_owned(),
            at: micros(check.at),
            products: number(check.products),
            orders: number(check.orders),
            movements: number(check.movements),
            discrepancies: number(check.discrepancies),
            first: check.first.join("\n"),
        }
    }
}

impl LedgerCheckRow {
    pub(crate) fn check(self) -> Result<LedgerCheck, StoreError> {
        let from = Source::new("ledger_checks", 0);
        let number = |column, number| from.good(column, u64::try_from(number).ok());
        Ok(LedgerCheck {
            kind: from.good("kind", LedgerCheckKind::parse(&self.kind))?,
            at: from.at("at", self.at)?,
            products: number("products", self.products)?,
            orders: number("orders", self.orders)?,
            movements: number("movements", self.movements)?,
            discrepancies: number("discrepancies", self.discrepancies)?,
            first: self.first.lines().map(str::to_owned).collect(),
        })
    }
}
