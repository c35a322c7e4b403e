//! Products: rules, the repository port and the catalogue service.

mod filter;
mod product;
mod refusal;
mod repository;
mod service;
mod slice;

pub use filter::{ProductField, ProductFilter, ProductList};
pub use product::{
    ChangeProduct, CreateProduct, NewProduct, Price, Product, ProductChange, ProductDraft, Weight,
    decide_change, decide_creation,
};
pub use refusal::CatalogRefusal;
pub use repository::ProductRepository;
pub use service::{Catalogue, ProductEdit};
pub use slice::{CatalogState, decide_changes, decide_creations};

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockProductRepository;
