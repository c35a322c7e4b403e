//! Ports: the shop's interfaces to stores, clock, randomness and cryptography, as traits that
//! adapters implement.
//!
//! They are synchronous, object-safe and shared between threads. In their results
//! - `Ok(None)` is absence,
//! - `Err(StoreError)`, of a method that only reads, is a failure of the store,
//! - `Err(Error::Refused)`, of a write, is a rejection by the rules: nothing was changed.
//!
//! A write of several commands has one result for each of them.
//!
//! Each MUST clause of a method names the test of `tradepost-contract` that pins it; every adapter
//! runs that suite.
//!
//! # How to add a write
//! Make its command a value, write its `decide` function with a table of tests, add a method to the
//! port that takes the command, and implement it in each adapter as: lock and load the state that
//! the command needs, call `decide`, write the decision, commit.

use std::sync::Arc;

macro_rules! stores {
    ($($(#[$doc:meta])* $name:ident: $context:ident::$port:ident),+ $(,)?) => {
        /// A store: every port. Implemented by each type that implements them all.
        pub trait Store: $(crate::$context::$port +)+ {}

        impl<S> Store for S where S: $(crate::$context::$port +)+ {}

        /// The ports of a store, each by its name. Ports of different stores can be combined, such
        /// as a mock and a store in memory: `Stores { products: Arc::new(mock), ..stores }`.
        #[derive(Clone)]
        pub struct Stores {
            $($(#[$doc])* pub $name: Arc<dyn crate::$context::$port>,)+
        }

        impl Stores {
            /// The ports of this store.
            #[must_use]
            pub fn new(store: Arc<dyn Store>) -> Self {
                Self {
                    $($name: store.clone(),)+
                }
            }
        }
    };
}

each_port!(stores);

impl<S: Store + 'static> From<S> for Stores {
    fn from(store: S) -> Self {
        Self::new(Arc::new(store))
    }
}

impl From<Arc<dyn Store>> for Stores {
    fn from(store: Arc<dyn Store>) -> Self {
        Self::new(store)
    }
}
