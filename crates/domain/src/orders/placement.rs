//! Order placement: the whole cart or nothing, for a batch of carts at once.
//!
//! Requests of a batch are decided together. Each sees the effects of the earlier ones: two clicks
//! on one cart, or the last unit wanted twice, end as if the requests had come one after the other,
//! and a refused request does not affect its neighbours.

use crate::cart::{CartItem, CartRefusal};
use crate::catalog::CatalogRefusal;
use crate::decision::{
    Created, Decision, Event, EventKind, KeyedCommand, Settled, StoredKeys, decide_keyed_slice,
};
use crate::inventory::{InventoryRefusal, NewMovement, Reason, Shortage, StockDelta, StockLevel};
use crate::kernel::{
    Currency, Idempotent, MAX_STORED_RESPONSE_BYTES, Money, OrderId, ProductId, ProductName,
    Refusal, UserId,
};
use crate::orders::order;
use crate::orders::{
    ORDER_QUOTA_WINDOW, Order, OrderItem, OrderQuota, OrderRefusal, OrderStatus, OrderUsage,
    decide_order_quota,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Unique id of one attempt to place an order, stored with the order. After a lost response, the
/// outcome is looked up by this id instead of executing the command again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlacementId(u128);

impl PlacementId {
    /// The id with these 128 bits.
    #[must_use]
    pub const fn new(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Display for PlacementId {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Command: place an order for the whole cart of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Owner of the cart.
    pub user: UserId,
    /// The total that the customer agreed to.
    pub expected_total: Option<Money>,
    /// Idempotency key of the request.
    pub key: Option<Idempotent<Order>>,
    /// Id of this attempt.
    pub placement: PlacementId,
    /// Order quota of the customer; `None` for no limit.
    pub quota: Option<OrderQuota>,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

impl PlaceOrder {
    /// Start of the window of [`OrderQuota::hourly`], exclusive.
    #[must_use]
    pub fn quota_since(&self) -> DateTime<Utc> {
        self.at - ORDER_QUOTA_WINDOW
    }

    /// End of the window of [`OrderQuota::hourly`]. The clock of another server may be ahead. An
    /// order from beyond the window was stored by a wrong clock; counting it would lock its
    /// customer out until that time.
    #[must_use]
    pub fn quota_until(&self) -> DateTime<Utc> {
        self.at + ORDER_QUOTA_WINDOW
    }
}

/// The columns of a product that order placement reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductSnapshot {
    /// Its name.
    pub name: ProductName,
    /// Unit price.
    pub price: Money,
    /// Units on hand.
    pub stock: StockLevel,
    /// Whether it is archived.
    pub archived: bool,
}

/// The state that a batch of placements needs, loaded under lock: the carts of its users and every
/// product in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlacementState {
    /// Users of the batch whose accounts are active.
    pub active: BTreeSet<UserId>,
    /// The lines of each cart, in the order in which they were added.
    pub carts: BTreeMap<UserId, Vec<CartItem>>,
    /// The products; a missing one counts as archived.
    pub offers: BTreeMap<ProductId, ProductSnapshot>,
    /// Stored responses under the idempotency keys of the requests.
    pub keys: StoredKeys,
    /// Quota usage of the users of requests with a quota.
    pub usage: BTreeMap<UserId, OrderUsage>,
}

/// An order to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The customer.
    pub user: UserId,
    /// Id of the attempt.
    pub placement: PlacementId,
    /// Its lines.
    pub lines: Vec<OrderItem>,
    /// The sum of its lines.
    pub total: Money,
    /// Time of placing.
    pub at: DateTime<Utc>,
}

impl NewOrder {
    /// The movements of the stock that the order takes.
    #[must_use]
    pub fn sale(&self, id: OrderId) -> Vec<NewMovement> {
        let units = self
            .lines
            .iter()
            .map(|line| (line.product, -line.quantity.units()));
        order::movements(id, units, Reason::Sale, self.user, self.at)
    }

    /// `order.placed`.
    #[must_use]
    pub fn event(&self, order: OrderId) -> Event {
        Event {
            kind: EventKind::OrderPlaced {
                order,
                user: self.user,
                total: self.total,
            },
            actor: Some(self.user),
            at: self.at,
        }
    }

    /// The order, given its id.
    #[must_use]
    pub fn into_order(self, id: OrderId) -> Order {
        Order {
            id,
            user: self.user,
            status: OrderStatus::Pending,
            total: self.total,
            adjustment: Money::zero(self.total.currency()),
            lines: self.lines,
            archived: false,
            created_at: self.at,
            updated_at: self.at,
        }
    }
}

impl KeyedCommand for PlaceOrder {
    type Outcome = Order;
    type Response = Order;

    const QUOTA: u64 = MAX_STORED_RESPONSE_BYTES;

    fn key(&self) -> Option<(UserId, &Idempotent<Order>)> {
        Some((self.user, self.key.as_ref()?))
    }

    fn at(&self) -> DateTime<Utc> {
        self.at
    }

    fn response(outcome: &Order) -> Option<&Order> {
        Some(outcome)
    }
}

/// Decides a batch: one decision for all, with one outcome for each request, in the order of the
/// requests.
///
/// Refused are a user whose account is gone or deactivated ([`Refusal::InvalidToken`]), an empty
/// cart ([`CartRefusal::Empty`]), products that are no longer sold
/// ([`CatalogRefusal::ProductUnavailable`]) or short ([`InventoryRefusal::InsufficientStock`], with
/// all of them), a total that is not the expected one ([`OrderRefusal::TotalChanged`]) or too large
/// ([`OrderRefusal::TotalTooLarge`]), a key that was used for another command
/// ([`IdempotencyRefusal::KeyReused`](crate::kernel::IdempotencyRefusal::KeyReused)) or has no room for its response
/// ([`IdempotencyRefusal::TooManyKeys`](crate::kernel::IdempotencyRefusal::TooManyKeys)), and orders
/// beyond the [quota](decide_order_quota).
///
/// ```
/// # use tradepost_domain::testing::usd;
/// use tradepost_domain::orders::{PlacementState, decide_placement};
///
/// // A batch of no requests changes nothing.
/// let decision = decide_placement(&[], PlacementState::default(), usd());
/// assert!(decision.outcome.is_empty() && decision.events.is_empty());
/// ```
#[must_use]
pub fn decide_placement(
    requests: &[PlaceOrder],
    mut floor: PlacementState,
    currency: Currency,
) -> Decision<Vec<Settled<Created<Order>>>> {
    let keys = std::mem::take(&mut floor.keys);
    decide_keyed_slice(requests, &keys, |request, _| {
        let order = decide_one(request, &floor, currency)?;
        let mut decision = Decision::of(Created::new());
        let ordered = floor.carts.remove(&request.user).unwrap_or_default();
        decision.changes.deleted_cart_items = ordered;
        let usage = floor.usage.entry(request.user).or_default();
        *usage = usage.and_one(request.at);
        for line in &order.lines {
            take(&mut floor, line);
        }
        decision.changes.new_orders.push(order);
        Ok(decision)
    })
}

fn decide_one(
    request: &PlaceOrder,
    floor: &PlacementState,
    currency: Currency,
) -> Result<NewOrder, Refusal> {
    if !floor.active.contains(&request.user) {
        return Err(Refusal::InvalidToken);
    }
    let cart = floor
        .carts
        .get(&request.user)
        .filter(|cart| !cart.is_empty());
    let cart = cart.ok_or(Refusal::Cart(CartRefusal::Empty))?;
    if let Some(quota) = request.quota {
        let usage = floor.usage.get(&request.user).copied().unwrap_or_default();
        decide_order_quota(quota, usage, request.at)?;
    }
    let lines = snapshot(cart, floor)?;
    check_stock(&lines, floor)?;
    let total = lines
        .iter()
        .try_fold(Money::zero(currency), |sum, line| sum.plus(line.total()?))
        .map_err(|_| Refusal::Orders(OrderRefusal::TotalTooLarge))?;
    if request
        .expected_total
        .is_some_and(|expected| expected != total)
    {
        return Err(Refusal::Orders(OrderRefusal::TotalChanged {
            current: total,
        }));
    }
    Ok(NewOrder {
        user: request.user,
        placement: request.placement,
        lines,
        total,
        at: request.at,
    })
}

/// Order lines of the cart at current names and prices.
fn snapshot(cart: &[CartItem], floor: &PlacementState) -> Result<Vec<OrderItem>, Refusal> {
    let mut unavailable = BTreeSet::new();
    let mut lines = Vec::with_capacity(cart.len());
    for line in cart {
        match floor
            .offers
            .get(&line.product)
            .filter(|offer| !offer.archived)
        {
            Some(offer) => lines.push(OrderItem {
                product: line.product,
                name: offer.name.clone(),
                unit_price: offer.price,
                quantity: line.quantity,
            }),
            None => {
                unavailable.insert(line.product);
            }
        }
    }
    if unavailable.is_empty() {
        Ok(lines)
    } else {
        Err(Refusal::Catalog(CatalogRefusal::ProductUnavailable(
            unavailable.into_iter().collect(),
        )))
    }
}

/// Checks the lines of each product together: a store that held two lines of one product would
/// still not oversell.
fn check_stock(lines: &[OrderItem], floor: &PlacementState) -> Result<(), Refusal> {
    let mut wanted = BTreeMap::<ProductId, i64>::new();
    for line in lines {
        *wanted.entry(line.product).or_default() += line.quantity.units();
    }
    let shortages: Vec<_> = wanted
        .into_iter()
        .filter_map(|(product, requested)| {
            let available = floor
                .offers
                .get(&product)
                .map_or(StockLevel::ZERO, |offer| offer.stock);
            let short = available.units() < requested;
            short.then_some(Shortage {
                product,
                available,
                requested,
            })
        })
        .collect();
    if shortages.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(
            shortages,
        )))
    }
}

fn take(floor: &mut PlacementState, line: &OrderItem) {
    let delta = StockDelta::new(-line.quantity.units());
    if let (Some(offer), Some(delta)) = (floor.offers.get_mut(&line.product), delta) {
        // The check above ensures that there is enough.
        offer.stock = offer.stock.after(delta).unwrap_or(StockLevel::ZERO);
    }
}

#[cfg(test)]
#[path = "placement_tests.rs"]
mod tests;
