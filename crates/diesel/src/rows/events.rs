use super::{Source, insert_row, micros};
use crate::schema::events;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use tradepost_domain::decision::{Event, EventName};
use tradepost_domain::events::{EventColumns, LoggedEvent};
use tradepost_domain::kernel::{Currency, EventSeq, OrderId, ProductId, StoreError, UserId};

#[derive(QueryableByName)]
pub(crate) struct EventRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    order_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    product_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    user_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    actor_id: Option<i64>,
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    amount: Option<i64>,
    #[diesel(sql_type = BigInt)]
    at: i64,
}

impl EventRow {
    pub(crate) fn event(self, currency: Currency) -> Result<LoggedEvent, StoreError> {
        let from = Source::new("events", self.seq);
        let columns = EventColumns {
            name: from.good("kind", EventName::parse(&self.kind))?,
            order: self.order_id.and_then(OrderId::new),
            product: self.product_id.and_then(ProductId::new),
            user: self.user_id.and_then(UserId::new),
            detail: self.detail,
            amount: self.amount,
        };
        let event = Event {
            kind: from.good("detail", columns.kind(currency))?,
            actor: self.actor_id.and_then(UserId::new),
            at: from.at("at", self.at)?,
        };
        let seq = from.good("seq", EventSeq::new(self.seq))?;
        Ok(LoggedEvent { seq, event })
    }
}

insert_row! {
    /// An event to append. Its number is assigned later.
    NewEventRow: events {
        kind: &'static str,
        order_id: Option<i64>,
        product_id: Option<i64>,
        user_id: Option<i64>,
        actor_id: Option<i64>,
        detail: String,
        amount: Option<i64>,
        at: i64,
    }
}

impl From<&Event> for NewEventRow {
    fn from(event: &Event) -> Self {
        let columns = EventColumns::from(&event.kind);
        Self {
            kind: columns.name.as_str(),
            order_id: columns.order.map(OrderId::get),
            product_id: columns.product.map(ProductId::get),
            user_id: columns.user.map(UserId::get),
            actor_id: event.actor.map(UserId::get),
            detail: columns.detail,
            amount: columns.amount,
            at: micros(event.at),
        }
    }
}
