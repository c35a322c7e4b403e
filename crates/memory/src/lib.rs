//! Every port of the shop over plain maps and one mutex: a complete store that forgets everything
//! when it is dropped. It is held to the same contract as the databases.
//!
//! ```
//! use std::sync::Arc;
//! use tradepost_domain::{Currency, PageRequest, ProductList, Stores};
//! use tradepost_memory::MemoryStore;
//!
//! let usd = Currency::from_code("USD").ok_or("no such currency")?;
//! let stores = Stores::of(Arc::new(MemoryStore::new(usd)));
//! let first = PageRequest::new(1, 10).ok_or("no such page")?;
//! assert_eq!(stores.products.list(&ProductList::default(), first)?.count, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounts;
mod attempts;
mod carts;
mod imports;
mod keys;
mod ledger;
mod orders;
mod products;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tradepost_domain::{
    AttemptCount, AttemptKey, CartItemId, CartLine, ClockReading, Credentials, Currency, KeyRecord,
    KeyScope, Keyset, KnownNetwork, KnownNetworkKey, Movement, MovementId, Order, OrderId, Page,
    PageRequest, PlacementId, Product, ProductId, RefreshDigest, RefreshToken, Slice, SortField,
    Sorting, Span, StoreError, StoreErrorKind, UserId,
};

/// A shop in memory. One mutex is every lock: commands come one after the other.
pub struct MemoryStore {
    shop: Currency,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty shop with this currency.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self {
            shop: currency,
            state: Mutex::default(),
        }
    }

    /// Each command does all that can fail before it writes anything, so that the state is whole
    /// even if a thread panicked with the lock in its hands.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tables. Maps are in the order of ids, which is the order of creation.
#[derive(Default)]
struct State {
    products: BTreeMap<ProductId, Product>,
    movements: BTreeMap<MovementId, Movement>,
    carts: BTreeMap<UserId, BTreeMap<CartItemId, CartLine>>,
    orders: BTreeMap<OrderId, Order>,
    placements: BTreeMap<PlacementId, OrderId>,
    keys: BTreeMap<(UserId, KeyScope), KeyRecord>,
    accounts: BTreeMap<UserId, Credentials>,
    usernames: BTreeMap<String, UserId>,
    /// Of usernames. Names never change.
    skeletons: BTreeSet<String>,
    emails: BTreeMap<String, UserId>,
    refresh_tokens: BTreeMap<RefreshDigest, RefreshToken>,
    attempts: BTreeMap<AttemptKey, AttemptCount>,
    clock_readings: Vec<ClockReading>,
    known_networks: BTreeMap<KnownNetworkKey, KnownNetwork>,
    last: LastIds,
}

/// The last number given of each kind, so that none is given again.
#[derive(Default)]
struct LastIds {
    product: i64,
    movement: i64,
    cart_item: i64,
    order: i64,
    user: i64,
}

fn next<Id>(last: &mut i64, id: fn(i64) -> Option<Id>) -> Result<Id, StoreError> {
    let number = last.checked_add(1).ok_or(Defect("ids have run out"))?;
    let id = id(number).ok_or(Defect("ids are positive"))?;
    *last = number;
    Ok(id)
}

/// What cannot happen as long as this crate is right.
#[derive(Debug, Clone, Copy)]
struct Defect(&'static str);

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Defect {}

impl From<Defect> for StoreError {
    fn from(defect: Defect) -> Self {
        Self::caused(StoreErrorKind::Other, defect)
    }
}

/// A page of rows in this order.
fn sorted_page<'a, F: SortField>(
    rows: impl Iterator<Item = &'a F::Row>,
    sorting: &Sorting<F>,
    request: PageRequest,
) -> Page<F::Row>
where
    F::Row: Clone + 'a,
{
    let mut rows: Vec<&F::Row> = rows.collect();
    rows.sort_by(|one, other| sorting.compare(one, other));
    page_of(rows, request)
}

/// A part of rows in this order.
fn slice_of<'a, F: SortField>(
    rows: impl Iterator<Item = &'a F::Row>,
    keyset: Keyset<F>,
    span: &Span,
) -> Slice<F::Row>
where
    F::Row: Clone + 'a,
{
    let held = rows.filter(|row| span.holds(keyset, &keyset.place(row)));
    Slice::new(held.cloned().collect(), keyset, span)
}

/// A page of rows that are in order.
fn page_of<T: Clone>(rows: Vec<&T>, request: PageRequest) -> Page<T> {
    let before = usize::try_from(request.offset()).unwrap_or(usize::MAX);
    let size = usize::try_from(request.size()).unwrap_or(usize::MAX);
    Page {
        count: count(rows.len()),
        items: rows.into_iter().skip(before).take(size).cloned().collect(),
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
