//! The lists of a shop: which rows they are of, and what they can be sorted by.

use crate::{
    Actor, List, Money, Order, OrderStatus, Product, Refusal, Search, SortField, SortValue, UserId,
    searched_text,
};
use chrono::{DateTime, Utc};

/// Which products a list is of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ProductFilter {
    /// The archived ones instead of the catalogue.
    pub archived: bool,
    /// Those with these words in name or description.
    pub search: Search,
    /// Those at this price and above.
    pub min_price: Option<Money>,
    /// Those at this price and below.
    pub max_price: Option<Money>,
    /// Those with units on hand alone.
    pub in_stock: bool,
}

impl ProductFilter {
    /// The catalogue, or what is archived: all of it.
    #[must_use]
    pub fn all(archived: bool) -> Self {
        Self {
            archived,
            ..Self::default()
        }
    }

    /// What this actor may see of it: only staff see archived products. For anybody else the wish
    /// is as if it had not been made.
    #[must_use]
    pub fn seen_by(self, actor: Actor) -> Self {
        let archived = self.archived && actor.is_staff();
        Self { archived, ..self }
    }

    /// Whether a product is on the list.
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

/// What products can be sorted by.
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
    /// When it was created.
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

    /// Every sale changes the stock: an index of it would cost each of them.
    fn has_places(self) -> bool {
        self != Self::Stock
    }
}

/// A list of products.
pub type ProductList = List<ProductFilter, ProductField>;

/// Which orders a list is of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// One customer's, or everybody's.
    pub user: Option<UserId>,
    /// The deleted ones instead of those in sight.
    pub archived: bool,
    /// Those in this status.
    pub status: Option<OrderStatus>,
    /// Those placed at this time and later, to the microsecond.
    pub created_after: Option<DateTime<Utc>>,
    /// Those placed at this time and before, to the microsecond.
    pub created_before: Option<DateTime<Utc>>,
}

impl OrderFilter {
    /// What this actor may see of it: staff see everybody's orders, or those of one user, and
    /// deleted ones. For anybody else these wishes are as if they had not been made, and the list
    /// is of their own.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`].
    pub fn seen_by(self, actor: Actor) -> Result<Self, Refusal> {
        let own = actor.customer()?;
        if actor.is_staff() {
            return Ok(self);
        }
        Ok(Self {
            user: Some(own),
            archived: false,
            ..self
        })
    }

    /// Whether an order is on the list.
    #[must_use]
    pub fn matches(&self, order: &Order) -> bool {
        let at = order.created_at.timestamp_micros();
        let after = self.created_after.map(|after| after.timestamp_micros());
        let before = self.created_before.map(|before| before.timestamp_micros());
        order.archived == self.archived
            && self.user.is_none_or(|user| order.user == user)
            && self.status.is_none_or(|status| order.status == status)
            && after.is_none_or(|after| at >= after)
            && before.is_none_or(|before| at <= before)
    }
}

/// What orders can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// The id, which is the order of placing.
    Id,
    /// When it was placed.
    CreatedAt,
    /// The total.
    Total,
    /// The word of the status.
    Status,
}

impl SortField for OrderField {
    type Row = Order;
    const ALL: &'static [Self] = &[Self::Id, Self::CreatedAt, Self::Total, Self::Status];
    const ID: Self = Self::Id;

    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "created_at",
            Self::Total => "total_price",
            Self::Status => "status",
        }
    }

    fn value(self, order: &Order) -> SortValue {
        match self {
            Self::Id => SortValue::Number(order.id.get()),
            Self::CreatedAt => SortValue::Number(order.created_at.timestamp_micros()),
            Self::Total => SortValue::Number(order.total.minor()),
            Self::Status => SortValue::Text(order.status.as_str().to_owned()),
        }
    }
}

/// A list of orders.
pub type OrderList = List<OrderFilter, OrderField>;
