//! Stock levels, stock movements, the inventory service and its repository port, and the ledger
//! audit.

mod crossing;
mod ledger;
mod ledger_check;
mod refusal;
mod repository;
mod service;
mod slice;
mod stock;

pub use crossing::{DEFAULT_LOW_STOCK, StockAfter, crossings};
pub use ledger::{Audit, Discrepancy, Ledger};
pub use ledger_check::{LedgerCheck, LedgerCheckKind, StockAudit, decide_stock_check};
pub use refusal::{InventoryRefusal, Shortage};
pub use repository::InventoryRepository;
pub use service::{Inventory, StockAdjustment};
pub use slice::{StockState, decide_adjustments};
pub use stock::{
    AdjustStock, Adjusted, Adjustment, Movement, NewMovement, Reason, StockDelta, StockLevel,
    StockWrites, decide_adjustment, decide_level, decide_stock_write,
};

#[cfg(any(test, feature = "test-support"))]
pub use {ledger::MockLedger, repository::MockInventoryRepository};
