use crate::{MemoryStore, State, count, slice_of, sorted_page};
use chrono::{DateTime, Utc};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Keyset, OrderId, Outcomes, Page, PageRequest, StoreError,
};
use tradepost_domain::orders::{
    ChangeOrder, Order, OrderField, OrderFilter, OrderList, OrderQuota, OrderRepository,
    OrderStatus, OrderUsage, OrdersState, PlaceOrder, Placement, PlacementState, ProductSnapshot,
    decide_orders, decide_placement,
};

impl OrderRepository for MemoryStore {
    fn list(&self, list: &OrderList, page: PageRequest) -> Result<Page<Order>, StoreError> {
        let state = self.lock();
        let rows = state.orders.values();
        let rows = rows.filter(|order| list.filter.matches(order));
        Ok(sorted_page(rows, &list.sorting, page))
    }

    fn cursor_page(
        &self,
        filter: &OrderFilter,
        keyset: Keyset<OrderField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Order>, StoreError> {
        let state = self.lock();
        let rows = state.orders.values();
        let rows = rows.filter(|order| filter.matches(order));
        Ok(slice_of(rows, keyset, span))
    }

    fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.lock().orders.get(&id).cloned())
    }

    fn place(&self, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
        let mut state = self.lock();
        let floor = state.floor(requests);
        let decision = decide_placement(requests, floor, self.currency);
        state.apply_slice(requests, decision)
    }

    fn change_all(&self, commands: &[ChangeOrder]) -> Outcomes<Order> {
        let mut state = self.lock();
        let ids = commands.iter().map(|command| command.order);
        let orders = ids.filter_map(|id| Some((id, state.orders.get(&id)?.clone())));
        let floor = OrdersState {
            orders: orders.collect(),
            acting: state.all_acting(commands.iter().map(|command| command.by.customer().ok())),
        };
        state.apply(decide_orders(commands, floor))
    }
}

impl State {
    /// The state that these requests need: their carts, every product in them, and the stored
    /// responses under their keys.
    fn floor(&self, requests: &[PlaceOrder]) -> PlacementState {
        let mut floor = PlacementState {
            keys: self.stored_keys(requests),
            ..PlacementState::default()
        };
        for request in requests {
            let account = self.acting(Some(request.user));
            if account.is_some_and(|account| account.is_active) {
                floor.active.insert(request.user);
            }
            let lines = self.cart_lines(request.user);
            for product in lines
                .iter()
                .filter_map(|line| self.products.get(&line.product))
            {
                floor
                    .offers
                    .entry(product.id)
                    .or_insert_with(|| ProductSnapshot {
                        name: product.name.clone(),
                        price: product.price.money(),
                        stock: product.stock,
                        archived: product.archived,
                    });
            }
            floor.carts.insert(request.user, lines);
            let usage = request.quota.map(|quota| self.usage(request, quota));
            floor.usage.extend(usage.map(|usage| (request.user, usage)));
        }
        floor
    }

    /// A customer's usage of a quota.
    fn usage(&self, request: &PlaceOrder, quota: OrderQuota) -> OrderUsage {
        let limit = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let own = || {
            self.orders
                .values()
                .filter(|order| order.user == request.user)
        };
        let pending = own().filter(|order| order.status == OrderStatus::Pending);
        let placed = own().map(|order| order.created_at);
        let (since, until) = (request.quota_since(), request.quota_until());
        let counts = |at: &DateTime<Utc>| *at > since && *at <= until;
        let mut recent: Vec<_> = placed.filter(counts).collect();
        recent.sort_unstable_by_key(|at| std::cmp::Reverse(*at));
        recent.truncate(limit(quota.hourly));
        OrderUsage {
            open: count(pending.take(limit(quota.open)).count()),
            placed: count(recent.len()),
            oldest: recent.last().copied(),
        }
    }
}
