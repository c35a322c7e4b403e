//! Reports: sums that a shop's dashboard shows. They are kept up to date by the events, so that
//! reading them costs the same in a shop of ten orders and of ten million.

mod repository;
mod service;
mod sums;

pub use repository::SalesReport;
pub use service::Reports;
pub use sums::{SALES_BUCKET, SalesBucket, SalesSum, Sums};

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockSalesReport;
