use super::{Source, micros};
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

/// An event to append. Its number is assigned later.
#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(crate) struct NewEventRow {
    pub(crate) kind: &'static str,
    pub(crate) order_id: Option<i64>,
    pub(crate) product_id: Option<i64>,
    pub(crate) user_id: Option<i64>,
    pub(crate) actor_id: Option<i64>,
    pub(crate) detail: String,
    pub(crate) amount: Option<i64>,
    pub(crate) at: i64,
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
