//! Filter and sort fields of product lists.

use crate::catalog::Product;
use crate::kernel::{Actor, List, Money, Search, SortField, SortValue, searched_text};

/// Filter of a product list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ProductFilter {
    /// Archived products instead of the catalogue.
    pub archived: bool,
    /// Products with these words in name or description.
    pub search: Search,
    /// Minimum price, inclusive.
    pub min_price: Option<Money>,
    /// Maximum price, inclusive.
    pub max_price: Option<Money>,
    /// Only products with units on hand.
    pub in_stock: bool,
}

impl ProductFilter {
    /// The whole catalogue, or all archived products.
    #[must_use]
    pub fn all(archived: bool) -> Self {
        Self {
            archived,
            ..Self::default()
        }
    }

    /// The filter restricted to this actor: `archived` is ignored for actors other than staff.
    #[must_use]
    pub fn seen_by(self, actor: Actor) -> Self {
        let archived = self.archived && actor.is_staff();
        Self { archived, ..self }
    }

    /// Whether a product passes the filter.
    #[must_use]
    pub fn matches(&self, product: &Product) -> bool {
        let price = product.price.money().minor();
        product.archived == self.archived
            && self.min_price.is_none_or(|least| price >= least.minor())
            && self.max_price.is_none_or(|most| price <= most.minor())
            && (!self.in_stock || product.stock.units() > 0)
            && (self.search.words().is_empty()
                || (self.search).finds(&searched_text(&product.name, &product.description)))
    }
}

/// Sort fields of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProductField {
    /// The id, which is the order of creation.
    Id,
    /// The name, by code point.
    Name,
    /// The price.
    Price,
    /// Units on hand.
    Stock,
    /// Time of creation.
    CreatedAt,
}

impl SortField for ProductField {
    type Row = Product;
    const ALL: &'static [Self] = &[
        Self::Id,
        Self::Name,
        Self::Price,
        Self::Stock,
        Self::CreatedAt,
    ];
    const ID: Self = Self::Id;

    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Price => "price",
            Self::Stock => "stock",
            Self::CreatedAt => "created_at",
        }
    }

    fn value(self, product: &Product) -> SortValue {
        match self {
            Self::Id => SortValue::Number(product.id.get()),
            Self::Name => SortValue::Text(product.name.as_str().to_owned()),
            Self::Price => SortValue::Number(product.price.money().minor()),
            Self::Stock => SortValue::Number(product.stock.units()),
            Self::CreatedAt => SortValue::Number(product.created_at.timestamp_micros()),
        }
    }

    /// `false` for the stock: every sale changes it, and would have to update an index of it.
    fn supports_keyset(self) -> bool {
        self != Self::Stock
    }
}

/// A list of products.
pub type ProductList = List<ProductFilter, ProductField>;
