use crate::Stores;
use crate::cart::Carts;
use crate::catalog::Catalogue;
use crate::events::Events;
use crate::identity::{AccountSettings, Accounts, AttemptLimiter, AttemptSettings, StaffSessions};
use crate::inventory::{Inventory, StockWrites};
use crate::kernel::System;
use crate::orders::{OrderQuota, Orders};
use crate::reports::Reports;

/// Configuration of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServicesConfig {
    /// Lifetimes of tokens.
    pub accounts: AccountSettings,
    /// Limits on sign-ins and registrations; `None` for no limits.
    pub attempts: Option<AttemptSettings>,
    /// Limits on the orders of each customer; `None` for no limits.
    pub order_quota: Option<OrderQuota>,
    /// Whether stock may be set without a precondition.
    pub stock_writes: StockWrites,
}

impl Default for ServicesConfig {
    fn default() -> Self {
        Self {
            accounts: AccountSettings::default(),
            attempts: Some(AttemptSettings::default()),
            order_quota: Some(OrderQuota::default()),
            stock_writes: StockWrites::default(),
        }
    }
}

/// The services of a shop, over one store and one environment. Cloning is cheap: clones share both.
///
/// ```
/// use tradepost_domain::catalog::ProductList;
/// use tradepost_domain::prelude::*;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let usd = Currency::from_code("USD").ok_or("USD")?;
/// # let store = tradepost_memory::MemoryStore::new(usd);
/// # let system = tradepost_domain::testing::system();
/// let shop = Services::new(store, system, ServicesConfig::default());
///
/// let first = PageRequest::new(1, 10).ok_or("page")?;
/// let page = shop.catalogue.list(Actor::Anonymous, ProductList::default(), first)?;
/// assert_eq!(page.count, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Services {
    /// Products.
    pub catalogue: Catalogue,
    /// Stock of the products, and its ledger.
    pub inventory: Inventory,
    /// Carts.
    pub carts: Carts,
    /// Orders.
    pub orders: Orders,
    /// Event log: feed, histories and audit.
    pub events: Events,
    /// Sums of orders, and products low in stock.
    pub reports: Reports,
    /// Accounts, sign-ins and tokens.
    pub accounts: Accounts,
    /// Sessions of staff in the admin interface.
    pub staff_sessions: StaffSessions,
    /// Login throttling.
    pub attempts: AttemptLimiter,
}

impl Services {
    /// The services over a [`Store`](crate::Store), or over the ports of several ([`Stores`]).
    #[must_use]
    pub fn new(store: impl Into<Stores>, system: System, config: ServicesConfig) -> Self {
        let stores = store.into();
        let System {
            clock,
            placement_ids,
            hasher,
            tokens,
        } = system;
        let attempts = match config.attempts {
            Some(limits) => AttemptLimiter::new(stores.attempts, clock.clone(), limits),
            None => AttemptLimiter::unlimited(),
        };
        Self {
            events: Events::new(
                stores.events,
                stores.orders.clone(),
                stores.products.clone(),
            ),
            reports: Reports::new(stores.reports),
            catalogue: Catalogue::new(stores.products, clock.clone())
                .with_stock_writes(config.stock_writes),
            inventory: Inventory::new(stores.inventory, clock.clone()),
            carts: Carts::new(stores.carts, clock.clone()),
            orders: Orders::new(stores.orders, placement_ids, clock.clone())
                .with_quota(config.order_quota),
            staff_sessions: StaffSessions::new(
                stores.staff_sessions,
                stores.accounts.clone(),
                clock.clone(),
            ),
            accounts: Accounts::new(stores.accounts, hasher, tokens, clock, config.accounts),
            attempts,
        }
    }
}
