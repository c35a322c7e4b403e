use crate::catalog::ProductRepository;
use crate::decision::{Event, EventName};
use crate::events::{
    EventFilter, EventQuery, EventRange, EventRefusal, EventRepository, FeedId, LoggedEvent,
    MAX_EVENTS,
};
use crate::kernel::{Actor, Error, EventSeq, OrderId, ProductId, Refusal, StoreError, System};
use crate::orders::OrderRepository;
use crate::{Service, ServicesConfig, Stores};
use std::sync::Arc;

/// A query on the feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedQuery {
    /// Position of the last event that the reader has; `None` for a reader that has none.
    pub after: Option<EventSeq>,
    /// The names; empty for every name.
    pub names: Vec<EventName>,
    /// Maximum number of events, at most [`MAX_EVENTS`].
    pub limit: u32,
}

/// A part of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Identity of the log.
    pub id: FeedId,
    /// The events, ascending.
    pub events: Vec<LoggedEvent>,
    /// Position of the last event of the log, whether or not it is selected; 0 for an empty log.
    pub last: i64,
}

/// Event service: the feed, the histories of orders and products, and the audit log.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// # let grace = shop.accounts.create_staff(NewUser::new("grace", "staple of horses")?)?.actor();
/// # let mug = ProductBuilder::new(1).price(1_250).stock(7).draft();
/// # let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
/// let history = shop.events.product_history(grace, mug.id, None, 10)?;
/// assert_eq!(history[0].event.kind.name().as_str(), "product.created");
/// assert_eq!(history[0].event.actor, Some(grace.staff()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Events {
    events: Arc<dyn EventRepository>,
    orders: Arc<dyn OrderRepository>,
    products: Arc<dyn ProductRepository>,
}

impl Service for Events {
    fn of(stores: &Stores, _: &System, _: &ServicesConfig) -> Self {
        let (orders, products) = (stores.orders.clone(), stores.products.clone());
        Self::new(stores.events.clone(), orders, products)
    }
}

impl Events {
    /// The service over these ports.
    #[must_use]
    pub fn new(
        events: Arc<dyn EventRepository>,
        orders: Arc<dyn OrderRepository>,
        products: Arc<dyn ProductRepository>,
    ) -> Self {
        Self {
            events,
            orders,
            products,
        }
    }

    /// The events after the last one that a reader has.
    ///
    /// # Errors
    /// For actors other than staff; [`EventRefusal::FeedRewound`]; if the store fails.
    pub fn feed(&self, actor: Actor, query: &FeedQuery) -> Result<Feed, Error> {
        actor.staff()?;
        let after = query.after;
        // Read before the events, so that a later one is not beyond the end.
        let last = self.last_position()?;
        if after.is_some_and(|after| after.get() > last) {
            return Err(Refusal::Events(EventRefusal::FeedRewound { last }).into());
        }
        let events = self.events.read(&EventQuery {
            filter: EventFilter {
                names: query.names.clone(),
                ..EventFilter::default()
            },
            range: after.map_or(EventRange::Oldest, EventRange::After),
            limit: query.limit.min(MAX_EVENTS),
        })?;
        let read = events.last().map_or(0, |event| event.seq.get());
        Ok(Feed {
            id: self.events.feed_id()?,
            events,
            last: last.max(read),
        })
    }

    /// Position of the last event; 0 for an empty log.
    ///
    /// # Errors
    /// If the store fails.
    pub fn last_position(&self) -> Result<i64, StoreError> {
        Ok(self.events.last()?.map_or(0, EventSeq::get))
    }

    /// Identity of the log.
    ///
    /// # Errors
    /// If the store fails.
    pub fn feed_id(&self) -> Result<FeedId, StoreError> {
        self.events.feed_id()
    }

    /// The events of an order, oldest first. Only staff see the actors.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::NotFound`] for an order that the actor may not see;
    /// if the store fails.
    pub fn order_history(&self, actor: Actor, order: OrderId) -> Result<Vec<LoggedEvent>, Error> {
        let user = actor.customer()?;
        let staff = actor.is_staff();
        let found = self.orders.find(order)?;
        let visible = found.filter(|order| staff || (order.user == user && !order.archived));
        let order = visible.ok_or(Refusal::NotFound)?.id;
        let mut events = self.events.read(&EventQuery {
            filter: EventFilter {
                order: Some(order),
                ..EventFilter::default()
            },
            range: EventRange::Oldest,
            limit: MAX_EVENTS,
        })?;
        if !staff {
            for LoggedEvent { event, .. } in &mut events {
                *event = Event {
                    actor: None,
                    ..event.clone()
                };
            }
        }
        Ok(events)
    }

    /// The events of a product, newest first, from the one before `before`.
    ///
    /// # Errors
    /// For actors other than staff; [`Refusal::NotFound`]; if the store fails.
    pub fn product_history(
        &self,
        actor: Actor,
        product: ProductId,
        before: Option<EventSeq>,
        limit: u32,
    ) -> Result<Vec<LoggedEvent>, Error> {
        actor.staff()?;
        if self.products.find_all(&[product])?.is_empty() {
            return Err(Refusal::NotFound.into());
        }
        let filter = EventFilter {
            product: Some(product),
            ..EventFilter::default()
        };
        let range = before.map_or(EventRange::Newest, EventRange::Before);
        self.audit(
            actor,
            &EventQuery {
                filter,
                range,
                limit,
            },
        )
    }

    /// The events that a query selects.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails.
    pub fn audit(&self, actor: Actor, query: &EventQuery) -> Result<Vec<LoggedEvent>, Error> {
        actor.staff()?;
        let query = EventQuery {
            limit: query.limit.min(MAX_EVENTS),
            ..query.clone()
        };
        Ok(self.events.read(&query)?)
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
