use crate::idempotency::kept;
use crate::{MemoryStore, State, count, slice_of, sorted_page};
use chrono::{DateTime, Utc};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Error, Execution, Keyset, OrderId, Page, PageRequest, StoreError,
};
use tradepost_domain::orders::{
    ChangeOrder, Order, OrderField, OrderFilter, OrderList, OrderQuota, OrderRepository,
    OrderStatus, OrderUsage, PlaceOrder, Placement, PlacementState, ProductSnapshot, decide_order,
    decide_placement,
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
        let keep = |placements: &Vec<Placement>| {
            let kept = |(request, placement): (&PlaceOrder, &Placement)| match placement {
                Ok(Execution::Executed(order)) => {
                    kept(Some(request.user), request.key.clone(), order, request.at)
                }
                _ => Vec::new(),
            };
            requests.iter().zip(placements).flat_map(kept).collect()
        };
        state.apply_keeping(decision, keep)
    }

    fn change(&self, command: ChangeOrder) -> Result<Order, Error> {
        let mut state = self.lock();
        let before = state.orders.get(&command.order);
        let acting = state.acting(command.by.customer().ok());
        let decision = decide_order(&command, acting, before)?;
        Ok(state.apply(decision)?)
    }
}

impl State {
    /// The state that these requests need: their carts, every product in them, and the stored
    /// responses under their keys.
    fn floor(&self, requests: &[PlaceOrder]) -> PlacementState {
        let mut floor = PlacementState::default();
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
            if request.key.is_some() {
                floor.kept.insert(request.user, self.kept(request.user));
            }
            let scope = request.key.as_ref().map(|key| key.scope.clone());
            let scope = scope.map(|scope| (request.user, scope));
            let held = scope.and_then(|scope| self.keys.get_key_value(&scope));
            floor
                .keys
                .extend(held.map(|(scope, record)| (scope.clone(), record.clone())));
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
