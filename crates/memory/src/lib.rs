//! Every port of the shop over plain maps and one mutex: a complete store that forgets everything
//! when it is dropped. It is held to the same contract as the databases.
//!
//! ```
//! use std::sync::Arc;
//! use tradepost_domain::{Currency, ProductFilter, PageRequest, Stores};
//! use tradepost_memory::MemoryStore;
//!
//! let usd = Currency::from_code("USD").ok_or("no such currency")?;
//! let stores = Stores::of(Arc::new(MemoryStore::new(usd)));
//! let first = PageRequest::new(1, 10).ok_or("no such page")?;
//! assert_eq!(stores.products.list(ProductFilter::default(), first)?.count, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accounts;
mod attempts;
mod carts;
mod keys;
mod ledger;
mod orders;
mod products;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tradepost_domain::{
    AttemptCount, AttemptKey, CartItemId, CartLine, Credentials, Currency, KeyRecord, KeyScope,
    Movement, MovementId, Order, OrderId, Page, PageRequest, PlacementId, Product, ProductId,
    StoreError, StoreErrorKind, UserId,
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
    emails: BTreeMap<String, UserId>,
    attempts: BTreeMap<AttemptKey, AttemptCount>,
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

/// A page of rows that come in ascending order, newest first.
fn page_of<'a, T: Clone + 'a>(
    rows: impl DoubleEndedIterator<Item = &'a T>,
    request: PageRequest,
) -> Page<T> {
    let rows: Vec<&T> = rows.rev().collect();
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
