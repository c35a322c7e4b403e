//! The contract of the ports, kept by the store in memory.

use std::sync::Arc;
use tradepost_domain::Stores;
use tradepost_memory::MemoryStore;

fn memory() -> Stores {
    Stores::of(Arc::new(MemoryStore::new(tradepost_contract::usd())))
}

tradepost_contract::suite!(memory);
