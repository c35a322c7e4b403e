//! Import of products from a file: rows with a sku as their key, which create and change products.
//!
//! The rows are staged in the store, checked against the products, and applied: all or none. The
//! same file twice changes nothing.

mod problem;
mod repository;
mod rules;
mod service;

pub use problem::{ProblemList, RowFault, RowProblem};
pub use repository::{
    ApplyProducts, ProductImportId, ProductImportRefusal, ProductImportRepository, Staged,
};
pub use rules::{
    ImportCounts, ImportTerms, ProductRow, ProductsDecision, RowEffect, acting_since_the_beginning,
    decide_product_rows,
};
pub use service::{ImportedBy, ProductImports, ReviewedImport, StageError, StagedImport};

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockProductImportRepository;
