//! In-memory store: every port of the shop over plain maps and one mutex. It is complete, and loses
//! its data when it is dropped. It passes the same contract tests as the databases.
//!
//! ```
//! use tradepost_domain::prelude::*;
//! use tradepost_memory::MemoryStore;
//!
//! let stores = Stores::from(MemoryStore::new("USD".parse()?));
//! let first = PageRequest::new(1, 10).ok_or("no such page")?;
//! assert_eq!(stores.products.list(&ProductList::default(), first)?.count, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod addresses;
mod apply;
mod audit;
mod cart;
mod catalog;
mod events;
mod idempotency;
mod identity;
mod import;
mod inventory;
mod orders;
mod reports;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::Product;
use tradepost_domain::events::LoggedEvent;
use tradepost_domain::identity::{
    AttemptCount, AttemptKey, Credentials, KnownNetwork, KnownNetworkKey, RefreshDigest,
    RefreshToken, SessionDigest, StaffSession,
};
use tradepost_domain::inventory::{
    DEFAULT_LOW_STOCK, LedgerCheck, LedgerCheckKind, Movement, StockLevel,
};
use tradepost_domain::kernel::{
    CartItemId, Currency, CursorPage, CursorRequest, Error, IdempotencyScope, Keyset, MovementId,
    OrderId, Page, PageRequest, ProductId, SortField, Sorting, StoreError, StoreErrorKind,
    StoredResponse, UserId,
};
use tradepost_domain::maintenance::ClockReading;
use tradepost_domain::orders::{Order, PlacementId};
use tradepost_domain::reports::Sums;

/// A shop in memory. One mutex serialises all commands.
pub struct MemoryStore {
    currency: Currency,
    feed: String,
    state: Mutex<State>,
}

impl MemoryStore {
    /// An empty shop with this currency.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self {
            currency,
            feed: events::new_feed(),
            state: Mutex::default(),
        }
    }

    /// Locks the state, also after a panic: each command does everything that can fail before its
    /// first write, so a poisoned lock still guards a consistent state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tables, ordered by id, which is the order of creation.
#[derive(Default)]
struct State {
    products: BTreeMap<ProductId, Product>,
    movements: BTreeMap<MovementId, Movement>,
    carts: BTreeMap<UserId, BTreeMap<CartItemId, CartItem>>,
    orders: BTreeMap<OrderId, Order>,
    placements: BTreeMap<PlacementId, OrderId>,
    keys: BTreeMap<(UserId, IdempotencyScope), StoredResponse>,
    accounts: BTreeMap<UserId, Credentials>,
    usernames: BTreeMap<String, UserId>,
    /// Skeletons of usernames. Usernames never change.
    skeletons: BTreeSet<String>,
    emails: BTreeMap<String, UserId>,
    addresses: addresses::Addresses,
    refresh_tokens: BTreeMap<RefreshDigest, RefreshToken>,
    staff_sessions: BTreeMap<SessionDigest, StaffSession>,
    attempts: BTreeMap<AttemptKey, AttemptCount>,
    clock_readings: Vec<ClockReading>,
    known_networks: BTreeMap<KnownNetworkKey, KnownNetwork>,
    events: Vec<LoggedEvent>,
    sums: Sums,
    low_stock: Option<StockLevel>,
    staged_products: import::products::StagedProducts,
    ledger_checks: BTreeMap<LedgerCheckKind, LedgerCheck>,
    last: LastIds,
}

impl State {
    /// The threshold of low stock, for products without their own.
    fn low_stock(&self) -> StockLevel {
        self.low_stock.unwrap_or(DEFAULT_LOW_STOCK)
    }
}

/// The last id assigned of each kind; ids are never reused.
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

/// A violated invariant: a bug in this crate.
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

impl From<Defect> for Error {
    fn from(defect: Defect) -> Self {
        StoreError::from(defect).into()
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

/// A cursor page of rows in this order.
fn slice_of<'a, F: SortField>(
    rows: impl Iterator<Item = &'a F::Row>,
    keyset: Keyset<F>,
    span: &CursorRequest,
) -> CursorPage<F::Row>
where
    F::Row: Clone + 'a,
{
    let held = rows.filter(|row| span.contains(keyset, &keyset.position(row)));
    CursorPage::new(held.cloned().collect(), keyset, span)
}

/// A page of sorted rows.
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

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
