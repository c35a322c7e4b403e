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
//! [`identity`], [`events`], [`reports`], [`mod@import`] and [`maintenance`]; [`kernel`] has the values that all of them use,
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

pub mod cart;
pub mod catalog;
pub mod decision;
pub mod events;
pub mod identity;
pub mod import;
pub mod inventory;
pub mod kernel;
pub mod maintenance;
pub mod orders;
pub mod prelude;
pub mod reports;
mod services;
mod stores;
#[cfg(any(test, feature = "test-support"))]
pub mod testing;

pub use services::{Services, ServicesConfig};
pub use stores::{Store, Stores};
