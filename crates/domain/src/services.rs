use crate::Stores;
use crate::identity::{AccountSettings, AttemptSettings};
use crate::inventory::StockWrites;
use crate::kernel::System;
use crate::orders::OrderQuota;

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

/// A service, which takes its ports, its environment and its configuration from those of a shop.
pub(crate) trait Service {
    fn of(stores: &Stores, system: &System, config: &ServicesConfig) -> Self;
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $context:ident::$service:ident),+ $(,)?) => {
        /// The services of a shop, over one store and one environment. Cloning is cheap: clones
        /// share both.
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
            $($(#[$doc])* pub $name: crate::$context::$service,)+
        }

        impl Services {
            /// The services over a [`Store`](crate::Store), or over the ports of several
            /// ([`Stores`]).
            #[must_use]
            pub fn new(
                store: impl Into<Stores>,
                system: System,
                config: ServicesConfig,
            ) -> Self {
                let stores = store.into();
                Self {
                    $($name: Service::of(&stores, &system, &config),)+
                }
            }
        }
    };
}

each_service!(services);
