//! Products: rules, the repository port and the catalogue service.

mod change;
mod filter;
mod measure;
mod product;
mod refusal;
mod repository;
mod service;
mod slice;
mod values;

pub use change::{ChangeProduct, ProductChange, StockChange, decide_change};
pub use filter::{ProductField, ProductFilter, ProductList};
pub use measure::{Measure, MeasureChanges, Measures};
pub use product::{CreateProduct, NewProduct, Product, ProductDraft, decide_creation};
pub use refusal::CatalogRefusal;
pub use repository::ProductRepository;
pub use service::{Catalogue, ProductEdit};
pub use slice::{CatalogState, decide_changes, decide_changes_together, decide_creations};
pub use values::Price;

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockProductRepository;
