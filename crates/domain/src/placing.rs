//! Placing orders: everything in the cart or nothing, and many carts at once.
//!
//! Requests that arrive together are decided together. Each sees what the ones before it did: two
//! clicks on one cart, or the last unit wanted twice, end as if they had come one after the other,
//! and a refused neighbour changes nothing for the others.

use crate::{
    CartItemId, CartLine, Currency, KeptAnswers, KeyRecord, KeyScope, Keyed, MAX_KEPT_BYTES, Money,
    NewMovement, ORDER_QUOTA_WINDOW, Order, OrderId, OrderLine, OrderQuota, OrderUsage, ProductId,
    ProductName, Reason, Refusal, Shortage, StockDelta, StockLevel, UserId, decide_keeping,
    decide_key, decide_order_quota, order,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A random name for one attempt to place an order, stored with the order. Whoever lost the
/// answer asks for it by this name instead of trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlacementId(u128);

impl PlacementId {
    /// The id of these 128 random bits.
    #[must_use]
    pub const fn new(random: u128) -> Self {
        Self(random)
    }
}

impl fmt::Display for PlacementId {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Command: order everything that is in a customer's cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Whose cart.
    pub user: UserId,
    /// The total that the customer agreed to, in minor units of the shop's currency.
    pub expected_total: Option<Money>,
    /// The idempotency key that the request came with.
    pub key: Option<Keyed<Order>>,
    /// The name of this attempt.
    pub placement: PlacementId,
    /// How many orders the customer may have; `None` for any number.
    pub quota: Option<OrderQuota>,
    /// When.
    pub at: DateTime<Utc>,
}

impl PlaceOrder {
    /// Since when orders count against [`OrderQuota::hourly`]: those that were placed later.
    #[must_use]
    pub fn quota_since(&self) -> DateTime<Utc> {
        self.at - ORDER_QUOTA_WINDOW
    }

    /// Up to when orders count against [`OrderQuota::hourly`]. The clock of another server may be
    /// ahead; an order from beyond the window was stored by a clock that was wrong, and would lock
    /// its customer out until its time has come.
    #[must_use]
    pub fn quota_until(&self) -> DateTime<Utc> {
        self.at + ORDER_QUOTA_WINDOW
    }
}

/// A product as far as placing an order needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub name: ProductName,
    /// What one unit costs.
    pub price: Money,
    /// Units on hand.
    pub stock: StockLevel,
    /// Whether it was taken out of the catalogue.
    pub archived: bool,
}

/// What a batch of placements touches, as read under lock: the carts of its users and every
/// product in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Floor {
    /// The users whose account is active, of those who placed the requests.
    pub active: BTreeSet<UserId>,
    /// The lines of each cart, in the order in which they were added.
    pub carts: BTreeMap<UserId, Vec<CartLine>>,
    /// The products; one that is not there counts as archived.
    pub offers: BTreeMap<ProductId, Offer>,
    /// What is stored under the idempotency keys of the requests.
    pub keys: BTreeMap<(UserId, KeyScope), KeyRecord>,
    /// What the users of requests with a quota have used of it.
    pub usage: BTreeMap<UserId, OrderUsage>,
    /// The answers that are kept for the users of requests with a key.
    pub kept: BTreeMap<UserId, KeptAnswers>,
}

/// An order to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Who orders.
    pub user: UserId,
    /// The idempotency key to store with it.
    pub key: Option<Keyed<Order>>,
    /// The name of the attempt.
    pub placement: PlacementId,
    /// Its lines.
    pub lines: Vec<OrderLine>,
    /// The sum of its lines.
    pub total: Money,
    /// The cart's lines that become the order's, and leave the cart.
    pub cart_lines: Vec<CartItemId>,
    /// When.
    pub at: DateTime<Utc>,
}

impl NewOrder {
    /// The ledger's entries for the stock that it takes, once it has an id.
    #[must_use]
    pub fn movements(&self, id: OrderId) -> Vec<NewMovement> {
        let units = self
            .lines
            .iter()
            .map(|line| (line.product, -line.quantity.units()));
        order::movements(id, units, Reason::Sale, self.user, self.at)
    }

    /// The order, once it has an id.
    #[must_use]
    pub fn into_order(self, id: OrderId) -> crate::Order {
        crate::Order {
            id,
            user: self.user,
            status: crate::OrderStatus::Pending,
            total: self.total,
            adjustment: Money::zero(self.total.currency()),
            lines: self.lines,
            archived: false,
            created_at: self.at,
            updated_at: self.at,
        }
    }
}

/// What becomes of one request of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlacingDecision {
    /// An order is to be written.
    Place(NewOrder),
    /// It was placed before, under the same key: the answer of then.
    Replay(String),
    /// It is the same attempt as an earlier request of this batch, by its position, and gets the
    /// answer of that order.
    SameAs(usize),
    /// Refused; nothing is to be written.
    Refuse(Refusal),
}

/// Decides on a batch, one decision for each request, in the order of the requests.
///
/// Refused are a user whose account is gone or deactivated ([`Refusal::InvalidToken`]), an empty cart ([`Refusal::EmptyCart`]), products that are not sold any more
/// ([`Refusal::ProductUnavailable`]) or short ([`Refusal::InsufficientStock`], with all of them), a
/// total that is not the expected one ([`Refusal::TotalChanged`]) or too large
/// ([`Refusal::TotalTooLarge`]), a key that was used for another command
/// ([`Refusal::IdempotencyKeyReused`]) or has no room for its answer ([`Refusal::TooManyKeys`]), and
/// orders beyond the [quota](decide_order_quota).
#[must_use]
pub fn decide_placing(
    requests: &[PlaceOrder],
    mut floor: Floor,
    shop: Currency,
) -> Vec<PlacingDecision> {
    let mut placed = BTreeMap::new();
    requests
        .iter()
        .enumerate()
        .map(
            |(position, request)| match decide_again(request, &floor, &placed) {
                Ok(Some(decision)) => decision,
                Ok(None) => match decide_one(request, &floor, shop) {
                    Ok(order) => {
                        floor.carts.remove(&request.user);
                        let usage = floor.usage.entry(request.user).or_default();
                        *usage = usage.and_one(request.at);
                        for line in &order.lines {
                            take(&mut floor, line);
                        }
                        if let Some(key) = &request.key {
                            let scope = (request.user, &key.scope);
                            placed.insert(scope, (position, key.fingerprint.as_str()));
                        }
                        PlacingDecision::Place(order)
                    }
                    Err(refusal) => PlacingDecision::Refuse(refusal),
                },
                Err(refusal) => PlacingDecision::Refuse(refusal),
            },
        )
        .collect()
}

type PlacedKeys<'a> = BTreeMap<(UserId, &'a KeyScope), (usize, &'a str)>;

/// Whether a request was placed before: by an earlier batch, or by an earlier request of this one.
fn decide_again(
    request: &PlaceOrder,
    floor: &Floor,
    placed: &PlacedKeys<'_>,
) -> Result<Option<PlacingDecision>, Refusal> {
    let Some(key) = &request.key else {
        return Ok(None);
    };
    if let Some((position, fingerprint)) = placed.get(&(request.user, &key.scope)) {
        return if *fingerprint == key.fingerprint {
            Ok(Some(PlacingDecision::SameAs(*position)))
        } else {
            Err(Refusal::IdempotencyKeyReused)
        };
    }
    let held = floor.keys.get(&(request.user, key.scope.clone()));
    if let Some(answer) = decide_key(Some(key), held)? {
        return Ok(Some(PlacingDecision::Replay(answer)));
    }
    let kept = floor.kept.get(&request.user).copied().unwrap_or_default();
    decide_keeping(kept, MAX_KEPT_BYTES)?;
    Ok(None)
}

fn decide_one(request: &PlaceOrder, floor: &Floor, shop: Currency) -> Result<NewOrder, Refusal> {
    if !floor.active.contains(&request.user) {
        return Err(Refusal::InvalidToken);
    }
    let cart = floor
        .carts
        .get(&request.user)
        .filter(|cart| !cart.is_empty());
    let cart = cart.ok_or(Refusal::EmptyCart)?;
    if let Some(quota) = request.quota {
        let usage = floor.usage.get(&request.user).copied().unwrap_or_default();
        decide_order_quota(quota, usage, request.at)?;
    }
    let lines = snapshot(cart, floor)?;
    check_stock(&lines, floor)?;
    let total = lines
        .iter()
        .try_fold(Money::zero(shop), |sum, line| sum.plus(line.total()?))
        .map_err(|_| Refusal::TotalTooLarge)?;
    if request
        .expected_total
        .is_some_and(|expected| expected != total)
    {
        return Err(Refusal::TotalChanged { current: total });
    }
    Ok(NewOrder {
        user: request.user,
        key: request.key.clone(),
        placement: request.placement,
        lines,
        total,
        cart_lines: cart.iter().map(|line| line.id).collect(),
        at: request.at,
    })
}

/// The cart's lines with the names and prices of now.
fn snapshot(cart: &[CartLine], floor: &Floor) -> Result<Vec<OrderLine>, Refusal> {
    let mut unavailable = BTreeSet::new();
    let mut lines = Vec::with_capacity(cart.len());
    for line in cart {
        match floor
            .offers
            .get(&line.product)
            .filter(|offer| !offer.archived)
        {
            Some(offer) => lines.push(OrderLine {
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
        Err(Refusal::ProductUnavailable(
            unavailable.into_iter().collect(),
        ))
    }
}

/// Checks each product's lines together: a store that held two lines of one product would still
/// not oversell.
fn check_stock(lines: &[OrderLine], floor: &Floor) -> Result<(), Refusal> {
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
        Err(Refusal::InsufficientStock(shortages))
    }
}

fn take(floor: &mut Floor, line: &OrderLine) {
    let delta = StockDelta::new(-line.quantity.units());
    if let (Some(offer), Some(delta)) = (floor.offers.get_mut(&line.product), delta) {
        // The check before has seen to it that there is enough.
        offer.stock = offer.stock.after(delta).unwrap_or(StockLevel::ZERO);
    }
}

#[cfg(test)]
#[path = "placing_tests.rs"]
mod tests;
