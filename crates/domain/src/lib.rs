//! The rules of a shop, without any I/O: products, stock, carts, orders and accounts.
//!
//! Every write is a value that this crate decides:
//!
//! ```text
//! request -> command (a value) -> repository port
//!                                   lock and load the state of the command  (adapter)
//!                                   decide(command, state) -> decision      (here, pure)
//!                                   write the decision, commit              (adapter)
//!            outcome (a value) <-
//! ```
//!
//! - The `decide` functions are pure and total: no clock, no randomness, no panic. Time, ids and
//!   hashes are arguments.
//! - The ports, such as [`OrderRepository`](orders::OrderRepository), are the traits that an adapter
//!   implements. An adapter never decides.
//! - The services of [`Services`] check authorisation, build the command and pass it to a port.
//!
//! The modules are the contexts of a shop: [`catalog`], [`inventory`], [`cart`], [`orders`],
//! [`identity`], [`addresses`], [`events`], [`reports`], [`mod@import`] and [`maintenance`];
//! [`kernel`] has the values that all of them use,
//! and [`prelude`] the names that most programs need.
//!
//! # Placing an order
//!
//! [`Services::new`] takes a store, an environment ([`System`](kernel::System)) and a configuration.
//! The store is `MemoryStore` of `tradepost-memory`, or what `tradepost_diesel::open` gives for a
//! database; `tradepost_auth::system` is the environment of a real program: the system's clock,
//! random ids, bcrypt and JWT.
//!
//! ```
//! use tradepost_auth::{BcryptHasher, JwtTokens, system};
//! use tradepost_domain::prelude::*;
//! use tradepost_memory::MemoryStore;
//!
//! let usd: Currency = "USD".parse()?;
//! let system = system(BcryptHasher::default(), JwtTokens::with_random_key()?)?;
//! let shop = Services::new(MemoryStore::new(usd), system, ServicesConfig::default());
//!
//! let grace = NewUser::new("grace", "staple of horses")?;
//! let grace = shop.accounts.create_staff(grace)?.actor();
//! let ada = shop.accounts.register(NewUser::new("ada", "tea at ten")?)?;
//!
//! let mug = ProductDraft::new("Mug".parse()?, Price::parse("12.50", usd)?).with_stock(7)?;
//! let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
//! shop.carts.add(ada.actor(), mug.id, Quantity::new(2)?, None)?;
//! let order = shop.orders.place(ada.actor(), None, None)?.executed()?;
//! assert_eq!(order.total.to_string(), "25.00");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A write returns [`Error::Refused`](kernel::Error::Refused) with the rule that it breaks, and has
//! then changed nothing:
//!
//! ```
//! use tradepost_domain::prelude::*;
//! # use tradepost_domain::testing::system;
//! # use tradepost_memory::MemoryStore;
//! # let usd: Currency = "USD".parse()?;
//! # let shop = Services::new(MemoryStore::new(usd), system(), ServicesConfig::default());
//! # let ada = shop.accounts.register(NewUser::new("ada", "tea at ten")?)?;
//!
//! match shop.orders.place(ada.actor(), None, None) {
//!     Err(Error::Refused(refusal)) => assert_eq!(refusal.to_string(), "The cart is empty."),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Testing a program
//!
//! The feature `test-support` has a `Mock*` of each port (mockall), and the module `testing` with
//! fixed values, builders, a clock that tests set and cheap fakes. `MemoryStore` is a complete
//! store, and the better fake where a test writes and reads; a mock is better for one call, and for
//! failures. Both can be combined: [`Stores`] has the ports by name.
//!
//! ```
//! use std::sync::Arc;
//! use tradepost_domain::catalog::MockProductRepository;
//! use tradepost_domain::prelude::*;
//! use tradepost_domain::testing::{page, system, usd};
//! use tradepost_memory::MemoryStore;
//!
//! let mut products = MockProductRepository::new();
//! let busy = |_: &ProductList, _| Err(StoreError::new(StoreErrorKind::Busy));
//! products.expect_list().returning(busy);
//! let stores = Stores {
//!     products: Arc::new(products),
//!     ..MemoryStore::new(usd()).into()
//! };
//! let shop = Services::new(stores, system(), ServicesConfig::default());
//! let listed = shop.catalogue.list(Actor::Anonymous, ProductList::default(), page(1, 10));
//! assert!(matches!(listed, Err(Error::Store(_))));
//! ```
//!
//! # Writing a repository
//!
//! Implement the port; the compiler lists its methods, and their documentation says what each MUST
//! do. A read asks the domain which rows match ([`ProductFilter::matches`]), which comes first
//! ([`Sorting::compare`]) and which belong to a page. A write locks and loads what its command
//! touches, calls the `decide` function and writes the [`Decision`](decision::Decision) in one
//! transaction. `tradepost-memory` is the shortest complete example, and `tradepost-contract` the
//! suite that every store runs. A type that implements every port is a [`Store`].
//!
//! The folder `examples` has a service tested against mocks (`mocked_repositories`) and a repository
//! (`own_repository`).
//!
//! [`ProductFilter::matches`]: catalog::ProductFilter::matches
//! [`Sorting::compare`]: kernel::Sorting::compare

/// Passes the list of the ports of a store to a macro: the name and the trait of each.
macro_rules! each_port {
    ($then:ident) => {
        $then! {
            /// Products.
            products: catalog::ProductRepository,
            /// Stock of the products, and its ledger.
            inventory: inventory::InventoryRepository,
            /// Carts.
            carts: cart::CartRepository,
            /// Orders.
            orders: orders::OrderRepository,
            /// Event log.
            events: events::EventRepository,
            /// Sums of orders, and products low in stock.
            reports: reports::SalesReport,
            /// Accounts.
            accounts: identity::AccountRepository,
            /// Address books.
            addresses: addresses::AddressRepository,
            /// Sessions of staff in the admin interface.
            staff_sessions: identity::StaffSessionRepository,
            /// Import of another shop.
            imports: import::ImportRepository,
            /// Import of products from a file.
            product_imports: import::ProductImportRepository,
            /// Counts of attempts at limited actions.
            attempts: identity::AttemptRepository,
            /// Ledger audit.
            ledger: inventory::Ledger,
            /// Health check and pool statistics.
            health: maintenance::HealthCheck,
            /// Retention: purges and clock readings.
            retention: maintenance::Retention,
        }
    };
}

/// Passes the list of the services to a macro: the name and the type of each.
macro_rules! each_service {
    ($then:ident) => {
        $then! {
            /// Products.
            catalogue: catalog::Catalogue,
            /// Stock of the products, and its ledger.
            inventory: inventory::Inventory,
            /// Carts.
            carts: cart::Carts,
            /// Orders.
            orders: orders::Orders,
            /// Event log: feed, histories and audit.
            events: events::Events,
            /// Sums of orders, and products low in stock.
            reports: reports::Reports,
            /// Accounts, sign-ins and tokens.
            accounts: identity::Accounts,
            /// Address books.
            addresses: addresses::Addresses,
            /// Sessions of staff in the admin interface.
            staff_sessions: identity::StaffSessions,
            /// Login throttling.
            attempts: identity::AttemptLimiter,
        }
    };
}

/// Passes the list of the contexts with refusals to a macro: the variant of
/// [`Refusal`](kernel::Refusal) and the type of each.
macro_rules! each_refusal {
    ($then:ident) => {
        $then! {
            /// Of idempotency keys.
            Idempotency(kernel::IdempotencyRefusal),
            /// Of the catalogue.
            Catalog(catalog::CatalogRefusal),
            /// Of stock.
            Inventory(inventory::InventoryRefusal),
            /// Of carts.
            Cart(cart::CartRefusal),
            /// Of orders.
            Orders(orders::OrderRefusal),
            /// Of the event log.
            Events(events::EventRefusal),
            /// Of accounts and sign-in.
            Identity(identity::IdentityRefusal),
            /// Of address books.
            Addresses(addresses::AddressRefusal),
        }
    };
}

#[macro_use]
pub mod kernel;

pub mod addresses;
pub mod cart;
pub mod catalog;
pub mod decision;
pub mod events;
pub mod identity;
pub mod import;
pub mod inventory;
pub mod maintenance;
pub mod orders;
pub mod prelude;
pub mod reports;
mod services;
mod stores;
#[cfg(any(test, feature = "test-support"))]
pub mod testing;

pub(crate) use services::Service;
pub use services::{Services, ServicesConfig};
pub use stores::{Store, Stores};

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
