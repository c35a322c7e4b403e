//! Imports: of another shop, and of products from a file.

mod error;
pub mod products;
mod repository;
mod rules;

pub use error::{ImportError, ImportErrorKind, ImportRefusal, ImportRow};
pub use products::ProductImportRepository;
pub use repository::{ImportRepository, Imported};
pub use rules::{
    ExistingData, ImportDecision, ImportShop, LARGEST_IMPORTED_ID, decide_import, imported,
    imported_product, imported_user, sales_history,
};

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockImportRepository;
