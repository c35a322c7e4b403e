//! Import of another shop: validation and the import port.

mod error;
mod repository;
mod rules;

pub use error::{ImportError, ImportErrorKind, ImportRefusal, ImportRow};
pub use repository::{ImportRepository, Imported};
pub use rules::{
    ExistingData, ImportDecision, ImportShop, LARGEST_IMPORTED_ID, decide_import, imported,
    imported_product, imported_user, sales_history,
};

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockImportRepository;
