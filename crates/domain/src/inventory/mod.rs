//! Stock levels, stock movements, and the ledger audit.

mod ledger;
mod refusal;
mod stock;

pub use ledger::{Audit, Discrepancy, Ledger};
pub use refusal::{InventoryRefusal, Shortage};
pub use stock::{
    AdjustStock, Adjusted, Adjustment, Movement, NewMovement, Reason, StockDelta, StockLevel,
    StockWrites, decide_adjustment, decide_stock_write,
};

#[cfg(any(test, feature = "mocks"))]
pub use ledger::MockLedger;
