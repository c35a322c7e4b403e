use super::ShopError;
use crate::{
    Actor, ChangeOrder, Clock, Keyed, Keyset, Money, Order, OrderAction, OrderField, OrderFilter,
    OrderId, OrderList, OrderQuota, OrderRepository, OrderStatus, Page, PageRequest, PlaceOrder,
    PlacementIds, Refusal, Seen, Slice, Span,
};
use std::sync::Arc;

/// Orders, from placing them to their end.
#[derive(Clone)]
pub struct Orders {
    orders: Arc<dyn OrderRepository>,
    placement_ids: Arc<dyn PlacementIds>,
    clock: Arc<dyn Clock>,
    quota: Option<OrderQuota>,
}

impl Orders {
    /// The orders kept in these ports.
    #[must_use]
    pub fn new(
        orders: Arc<dyn OrderRepository>,
        placement_ids: Arc<dyn PlacementIds>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            orders,
            placement_ids,
            clock,
            quota: None,
        }
    }

    /// The same with a quota for each customer. Staff are customers too when they order.
    #[must_use]
    pub fn with_quota(self, quota: Option<OrderQuota>) -> Self {
        Self { quota, ..self }
    }

    /// A page of orders, of those that the actor [may see](OrderFilter::seen_by).
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::NotFound`] for a page that does not exist; if the
    /// store fails.
    pub fn list(
        &self,
        actor: Actor,
        list: OrderList,
        page: PageRequest,
    ) -> Result<Page<Order>, ShopError> {
        let filter = list.filter.seen_by(actor)?;
        let list = OrderList { filter, ..list };
        Ok(self.orders.list(&list, page)?.existing(page)?)
    }

    /// A part of a list of orders, of those that the actor [may see](OrderFilter::seen_by).
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; if the store fails.
    pub fn slice(
        &self,
        actor: Actor,
        filter: OrderFilter,
        keyset: Keyset<OrderField>,
        span: &Span,
    ) -> Result<Slice<Order>, ShopError> {
        let filter = filter.seen_by(actor)?;
        Ok(self.orders.slice(&filter, keyset, span)?)
    }

    /// An order. `archived` asks for it even if it is deleted, which only staff see.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::NotFound`], for another customer's as well; if the
    /// store fails.
    pub fn order(&self, actor: Actor, id: OrderId, archived: bool) -> Result<Order, ShopError> {
        let own = actor.customer()?;
        let staff = actor.is_staff();
        let visible = |order: &Order| {
            (staff || order.user == own) && (!order.archived || (archived && staff))
        };
        Ok(self
            .orders
            .find(id)?
            .filter(visible)
            .ok_or(Refusal::NotFound)?)
    }

    /// The command that orders everything in the actor's cart, for
    /// [`OrderRepository::place`] to carry out together with others.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`].
    pub fn placing(
        &self,
        actor: Actor,
        expected_total: Option<Money>,
        key: Option<Keyed<Order>>,
    ) -> Result<PlaceOrder, Refusal> {
        let user = actor.customer()?;
        let placement = self.placement_ids.next();
        Ok(PlaceOrder {
            user,
            expected_total,
            key,
            placement,
            quota: self.quota,
            at: self.clock.now(),
        })
    }

    /// Takes an order to a status; only as it was `seen`, if that is given.
    ///
    /// # Errors
    /// See [`decide_order`](crate::decide_order); if the store fails.
    pub fn set_status(
        &self,
        actor: Actor,
        order: OrderId,
        status: OrderStatus,
        seen: Option<Seen<Order>>,
    ) -> Result<Order, ShopError> {
        self.change(actor, order, OrderAction::SetStatus(status), seen)
    }

    /// Deletes a pending order: cancels it and puts it out of sight. `seen` as there.
    ///
    /// # Errors
    /// See [`decide_order`](crate::decide_order); if the store fails.
    pub fn delete(
        &self,
        actor: Actor,
        order: OrderId,
        seen: Option<Seen<Order>>,
    ) -> Result<(), ShopError> {
        self.change(actor, order, OrderAction::Delete, seen)
            .map(drop)
    }

    fn change(
        &self,
        by: Actor,
        order: OrderId,
        action: OrderAction,
        seen: Option<Seen<Order>>,
    ) -> Result<Order, ShopError> {
        by.customer()?;
        Ok(self.orders.change(ChangeOrder {
            order,
            action,
            seen,
            by,
            at: self.clock.now(),
        })??)
    }
}

#[cfg(test)]
#[path = "orders_tests.rs"]
mod tests;
