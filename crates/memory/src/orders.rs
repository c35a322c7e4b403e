use crate::keys::{Kept, kept};
use crate::{Defect, MemoryStore, State, count, next, slice_of, sorted_page};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::inventory::{Movement, StockLevel};
use tradepost_domain::kernel::{
    CartItemId, CursorPage, CursorRequest, Error, Execution, Keyset, OrderField, OrderFilter,
    OrderId, OrderList, Page, PageRequest, ProductId, StoreError,
};
use tradepost_domain::orders::{
    ChangeOrder, NewOrder, Order, OrderQuota, OrderRepository, OrderStatus, OrderUsage, PlaceOrder,
    Placement, PlacementDecision, PlacementId, PlacementState, ProductSnapshot, decide_order,
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
        let decisions = decide_placement(requests, floor, self.currency);
        let batch = state.batch(decisions)?;
        for placed in batch.placed {
            state.write_order(placed);
        }
        state.write_levels(batch.levels);
        Ok(batch.placements)
    }

    fn change(&self, command: ChangeOrder) -> Result<Order, Error> {
        let mut state = self.lock();
        let before = state.orders.get(&command.order);
        let acting = state.acting(command.by.customer().ok());
        let decision = decide_order(&command, acting, before)?;
        let returns = state.numbered(decision.returns)?;
        let mut levels = BTreeMap::new();
        state.move_levels(&mut levels, &returns)?;
        state
            .orders
            .insert(decision.order.id, decision.order.clone());
        state.write(returns);
        state.write_levels(levels);
        Ok(decision.order)
    }
}

/// A batch that is decided and can be written without a failure.
#[derive(Default)]
struct Batch {
    placements: Vec<Placement>,
    placed: Vec<Placed>,
    levels: Levels,
}

/// The writes of one order.
struct Placed {
    order: Order,
    placement: PlacementId,
    cart_lines: Vec<CartItemId>,
    movements: Vec<Movement>,
    kept: Kept,
}

type Levels = BTreeMap<ProductId, StockLevel>;

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

    fn batch(&mut self, decisions: Vec<PlacementDecision>) -> Result<Batch, StoreError> {
        let mut batch = Batch::default();
        let mut names = BTreeSet::new();
        // The stored response of each request, for later requests that are the same attempt.
        let mut answers = Vec::new();
        for decision in decisions {
            let mut answer = None;
            let placement = match decision {
                PlacementDecision::SortPosition(new) => {
                    if self.placements.contains_key(&new.placement) || !names.insert(new.placement)
                    {
                        return Err(Defect("a placement id was used before").into());
                    }
                    let placed = self.placed(new)?;
                    self.move_levels(&mut batch.levels, &placed.movements)?;
                    let order = placed.order.clone();
                    answer = placed
                        .kept
                        .as_ref()
                        .map(|(_, record)| record.answer.clone());
                    batch.placed.push(placed);
                    Ok(Execution::Executed(order))
                }
                PlacementDecision::Replay(answer) => Ok(Execution::Replayed(answer)),
                PlacementDecision::SameAs(position) => {
                    let earlier: Option<String> = answers.get(position).cloned().flatten();
                    let earlier = earlier.ok_or(Defect("what is the same has an answer"))?;
                    Ok(Execution::Replayed(earlier))
                }
                PlacementDecision::Refuse(refusal) => Err(refusal),
            };
            answers.push(answer);
            batch.placements.push(placement);
        }
        Ok(batch)
    }

    fn placed(&mut self, mut new: NewOrder) -> Result<Placed, StoreError> {
        let id = next(&mut self.last.order, OrderId::new)?;
        let movements = self.numbered(new.movements(id))?;
        let (user, key, placement, at) = (new.user, new.key.take(), new.placement, new.at);
        let cart_lines = std::mem::take(&mut new.cart_lines);
        let order = new.into_order(id);
        Ok(Placed {
            kept: kept(Some(user), key, &order, at),
            order,
            placement,
            cart_lines,
            movements,
        })
    }

    fn write_order(&mut self, placed: Placed) {
        let Placed {
            order,
            placement,
            cart_lines,
            movements,
            kept,
        } = placed;
        if let Some(cart) = self.carts.get_mut(&order.user) {
            cart.retain(|line, _| !cart_lines.contains(line));
        }
        self.write(movements);
        self.keep(kept);
        self.placements.insert(placement, order.id);
        self.orders.insert(order.id, order);
    }

    /// Applies movements to levels; a product that is missing in `levels` starts from its units on
    /// hand.
    fn move_levels(&self, levels: &mut Levels, movements: &[Movement]) -> Result<(), StoreError> {
        for Movement { entry, .. } in movements {
            let on_hand = self
                .products
                .get(&entry.product)
                .map(|product| product.stock);
            let before = levels.get(&entry.product).copied().or(on_hand);
            let after = before.and_then(|level| level.after(entry.delta));
            let after = after.ok_or(Defect("what was decided leads to a level of stock"))?;
            levels.insert(entry.product, after);
        }
        Ok(())
    }

    fn write_levels(&mut self, levels: Levels) {
        for (product, level) in levels {
            if let Some(product) = self.products.get_mut(&product) {
                product.stock = level;
            }
        }
    }
}
