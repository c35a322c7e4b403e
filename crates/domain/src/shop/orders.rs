use super::ShopError;
use crate::{
    Actor, ChangeOrder, Clock, Keyed, Money, Order, OrderAction, OrderFilter, OrderId,
    OrderRepository, OrderStatus, Page, PageRequest, PlaceOrder, PlacementIds, Refusal, Seen,
};
use std::sync::Arc;

/// Orders, from placing them to their end.
#[derive(Clone)]
pub struct Orders {
    orders: Arc<dyn OrderRepository>,
    placement_ids: Arc<dyn PlacementIds>,
    clock: Arc<dyn Clock>,
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
        }
    }

    /// A page of orders, newest first: everybody's for staff, else the actor's own. Only staff see
    /// deleted ones; for anybody else the wish is as if it had not been made.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::NotFound`] for a page that does not exist; if the
    /// store fails.
    pub fn list(
        &self,
        actor: Actor,
        archived: bool,
        page: PageRequest,
    ) -> Result<Page<Order>, ShopError> {
        let own = actor.customer()?;
        let staff = actor.is_staff();
        let user = if staff { None } else { Some(own) };
        let filter = OrderFilter {
            user,
            archived: archived && staff,
        };
        Ok(self.orders.list(filter, page)?.existing(page)?)
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
