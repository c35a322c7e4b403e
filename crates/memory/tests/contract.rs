//! The contract of the ports, run against the in-memory store.

use std::sync::Arc;
use tradepost_domain::Stores;
use tradepost_memory::MemoryStore;

fn memory() -> Stores {
    Stores::new(Arc::new(MemoryStore::new(tradepost_contract::usd())))
}

tradepost_contract::suite!(memory);
