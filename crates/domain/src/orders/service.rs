use crate::kernel::System;
use crate::kernel::{
    Actor, Clock, CursorPage, CursorRequest, Error, Execution, Idempotent, Keyset, Money, OrderId,
    Page, PageRequest, PlacementIds, Precondition, Refusal, settle, settle_one,
};
use crate::orders::{
    ChangeOrder, Order, OrderAction, OrderField, OrderFilter, OrderList, OrderQuota,
    OrderRepository, OrderStatus, PlaceOrder,
};
use crate::{Service, ServicesConfig, Stores};
use std::sync::Arc;

/// Order service: placement, lists and changes of status.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// # let grace = shop.accounts.create_staff(NewUser::new("grace", "staple of horses")?)?.actor();
/// # let ada = shop.accounts.register(NewUser::new("ada", "tea at ten")?)?.actor();
/// # let mug = ProductBuilder::new(1).price(1_250).stock(7).draft();
/// # let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
/// shop.carts.add(ada, mug.id, Quantity::new(2)?, None)?;
/// let order = shop.orders.place(ada, None, None)?.executed()?;
/// assert_eq!(order.total.to_string(), "25.00");
///
/// // The units of a cancelled order come back.
/// shop.orders.set_status(ada, order.id, OrderStatus::Cancelled, None)?;
/// let mug = shop.catalogue.product(ada, mug.id, false)?;
/// assert_eq!(mug.stock.units(), 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Orders {
    orders: Arc<dyn OrderRepository>,
    placement_ids: Arc<dyn PlacementIds>,
    clock: Arc<dyn Clock>,
    quota: Option<OrderQuota>,
}

impl Service for Orders {
    fn of(stores: &Stores, system: &System, config: &ServicesConfig) -> Self {
        let (orders, ids) = (stores.orders.clone(), system.placement_ids.clone());
        Self::new(orders, ids, system.clock.clone()).with_quota(config.order_quota)
    }
}

impl Orders {
    /// The service over these ports.
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

    /// The service with an order quota for each customer. It applies to the orders of staff users
    /// too.
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
    ) -> Result<Page<Order>, Error> {
        let filter = list.filter.seen_by(actor)?;
        let list = OrderList { filter, ..list };
        Ok(self.orders.list(&list, page)?.existing(page)?)
    }

    /// A cursor page of orders, of those that the actor [may see](OrderFilter::seen_by).
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; if the store fails.
    pub fn cursor_page(
        &self,
        actor: Actor,
        filter: OrderFilter,
        keyset: Keyset<OrderField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Order>, Error> {
        let filter = filter.seen_by(actor)?;
        Ok(self.orders.cursor_page(&filter, keyset, span)?)
    }

    /// An order. `archived` includes a deleted order, which only staff may see.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::NotFound`], for another customer's as well; if the
    /// store fails.
    pub fn order(&self, actor: Actor, id: OrderId, archived: bool) -> Result<Order, Error> {
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

    /// Builds the command that places an order for the actor's cart, for a batch of
    /// [`OrderRepository::place`].
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`].
    pub fn placing(
        &self,
        actor: Actor,
        expected_total: Option<Money>,
        key: Option<Idempotent<Order>>,
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

    /// Places an order for the actor's cart: [`Orders::placing`] and a batch of one.
    ///
    /// # Errors
    /// See [`decide_placement`](crate::orders::decide_placement); if the store fails.
    pub fn place(
        &self,
        actor: Actor,
        expected_total: Option<Money>,
        key: Option<Idempotent<Order>>,
    ) -> Result<Execution<Order>, Error> {
        let command = self.placing(actor, expected_total, key)?;
        settle_one(command, |slice| self.orders.place(slice))
    }

    /// Changes the status of an order, under the precondition `seen` if given.
    ///
    /// # Errors
    /// See [`decide_order`](crate::orders::decide_order); if the store fails.
    pub fn set_status(
        &self,
        actor: Actor,
        order: OrderId,
        status: OrderStatus,
        seen: Option<Precondition<Order>>,
    ) -> Result<Order, Error> {
        self.change(actor, order, OrderAction::SetStatus(status), seen)
    }

    /// Deletes a pending order: cancels and hides it. `seen` as for [`Orders::set_status`].
    ///
    /// # Errors
    /// See [`decide_order`](crate::orders::decide_order); if the store fails.
    pub fn delete(
        &self,
        actor: Actor,
        order: OrderId,
        seen: Option<Precondition<Order>>,
    ) -> Result<(), Error> {
        self.change(actor, order, OrderAction::Delete, seen)
            .map(drop)
    }

    /// Builds the command that changes an order, under the precondition `seen` if given, for a
    /// slice of [`OrderRepository::change_all`].
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`].
    pub fn changing(
        &self,
        by: Actor,
        order: OrderId,
        action: OrderAction,
        seen: Option<Precondition<Order>>,
    ) -> Result<ChangeOrder, Refusal> {
        by.customer()?;
        Ok(ChangeOrder {
            order,
            action,
            seen,
            by,
            at: self.clock.now(),
        })
    }

    /// Applies an action to each of these orders, under its precondition if given, in one slice:
    /// one result for each, in order.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; if the store fails for the whole slice.
    pub fn change_all(
        &self,
        by: Actor,
        changes: Vec<(OrderId, OrderAction, Option<Precondition<Order>>)>,
    ) -> Result<Vec<Result<Order, Error>>, Error> {
        let command = |(order, action, seen)| self.changing(by, order, action, seen);
        let commands = changes.into_iter().map(command);
        let commands = commands.collect::<Result<Vec<_>, _>>()?;
        settle(commands, |slice| self.orders.change_all(slice))
    }

    fn change(
        &self,
        by: Actor,
        order: OrderId,
        action: OrderAction,
        seen: Option<Precondition<Order>>,
    ) -> Result<Order, Error> {
        let command = self.changing(by, order, action, seen)?;
        settle_one(command, |slice| self.orders.change_all(slice))
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
