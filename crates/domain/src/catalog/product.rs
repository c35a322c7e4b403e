//! Products of the catalogue.
//!
//! A product is never deleted, as orders and the ledger refer to it. It is archived instead, which
//! removes it from the catalogue, and can be restored.

use super::{Measures, Price};
use crate::decision::{Created, Decision, Event, EventKind};
use crate::identity::{Account, decide_staff};
use crate::inventory::{NewMovement, Reason, StockDelta, StockLevel};
use crate::kernel::{
    Currency, Description, FieldError, Idempotent, ProductId, ProductName, Refusal, Sku, UserId,
};
use chrono::{DateTime, Utc};

/// A product with its units on hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Stock keeping unit, the shop's own code; unique, archived products included.
    pub sku: Option<Sku>,
    /// Its name.
    pub name: ProductName,
    /// Description.
    pub description: Description,
    /// Unit price.
    pub price: Price,
    /// Units on hand.
    pub stock: StockLevel,
    /// Its measures, such as its shipping weight.
    pub measures: Measures,
    /// Threshold of low stock; `None` for that of the shop.
    pub low_stock: Option<StockLevel>,
    /// Whether it is archived.
    pub archived: bool,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of the last change by staff; sales do not count.
    pub updated_at: DateTime<Utc>,
}

/// The fields of a new product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDraft {
    /// Stock keeping unit, the shop's own code.
    pub sku: Option<Sku>,
    /// Its name.
    pub name: ProductName,
    /// Description.
    pub description: Description,
    /// Unit price.
    pub price: Price,
    /// Initial units on hand.
    pub stock: StockLevel,
    /// Its measures, such as its shipping weight.
    pub measures: Measures,
    /// Threshold of low stock; `None` for that of the shop.
    pub low_stock: Option<StockLevel>,
}

impl ProductDraft {
    /// A product without sku, description, stock and measures.
    ///
    /// ```
    /// use tradepost_domain::prelude::*;
    ///
    /// let usd: Currency = "USD".parse()?;
    /// let mug = ProductDraft::new("Mug".parse()?, Price::parse("12.50", usd)?).with_stock(7)?;
    /// assert_eq!((mug.price.money().minor(), mug.stock.units()), (1_250, 7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(name: ProductName, price: Price) -> Self {
        Self {
            sku: None,
            name,
            description: Description::default(),
            price,
            stock: StockLevel::ZERO,
            measures: Measures::default(),
            low_stock: None,
        }
    }

    /// The product with so many units on hand.
    ///
    /// # Errors
    /// As [`StockLevel::requested`].
    pub fn with_stock(self, units: i64) -> Result<Self, FieldError> {
        let stock = StockLevel::requested(units)?;
        Ok(Self { stock, ..self })
    }
}

/// Command: create a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateProduct {
    /// The fields of the product.
    pub draft: ProductDraft,
    /// Idempotency key of the request; `None` for the shop itself.
    pub key: Option<Idempotent<Product>>,
    /// The acting user; `None` for the shop itself (the demo catalogue).
    pub by: Option<UserId>,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// A product to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// The fields of the product.
    pub draft: ProductDraft,
    /// The acting user; `None` for the shop itself.
    pub by: Option<UserId>,
    /// Time of creation.
    pub at: DateTime<Utc>,
}

impl NewProduct {
    /// The movement that explains the initial stock, unless it is zero.
    #[must_use]
    pub fn opening(&self, id: ProductId) -> Option<NewMovement> {
        StockLevel::ZERO
            .delta_to(self.draft.stock)
            .map(|delta| movement(id, delta, Reason::Opening, self.by, self.at))
    }

    /// `product.created`.
    #[must_use]
    pub fn event(&self, product: ProductId) -> Event {
        Event {
            kind: EventKind::ProductCreated { product },
            actor: self.by,
            at: self.at,
        }
    }

    /// The product, given its id.
    #[must_use]
    pub fn into_product(self, id: ProductId) -> Product {
        let ProductDraft {
            sku,
            name,
            description,
            price,
            stock,
            measures,
            low_stock,
        } = self.draft;
        Product {
            id,
            sku,
            name,
            description,
            price,
            stock,
            measures,
            low_stock,
            archived: false,
            created_at: self.at,
            updated_at: self.at,
        }
    }
}

/// Decides the creation of a product. `acting` is the account of the acting user under the
/// command's lock; `sku_holder` is the product that has the draft's sku.
///
/// # Errors
/// As [`decide_staff`], and [`Refusal::Invalid`] for a sku that is taken and a price in another
/// currency.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::catalog::{CreateProduct, decide_creation};
///
/// let draft = ProductBuilder::new(1).sku("MUG").draft();
/// let command = CreateProduct { draft, key: None, by: None, at: at(0) };
/// assert!(decide_creation(&command, None, None, usd()).is_ok());
/// // Another product has the sku.
/// assert!(decide_creation(&command, None, Some(product_id(2)), usd()).is_err());
/// ```
pub fn decide_creation(
    command: &CreateProduct,
    acting: Option<&Account>,
    sku_holder: Option<ProductId>,
    currency: Currency,
) -> Result<Decision<Created<Product>>, Refusal> {
    decide_staff(command.by, acting)?;
    check_currency(command.draft.price, currency)?;
    if sku_holder.is_some() {
        return Err(Refusal::field("sku", FieldError::Taken));
    }
    let mut decision = Decision::of(Created::new());
    decision.changes.new_products.push(NewProduct {
        draft: command.draft.clone(),
        by: command.by,
        at: command.at,
    });
    Ok(decision)
}

pub(super) fn check_currency(price: Price, currency: Currency) -> Result<(), Refusal> {
    if price.money().currency() == currency {
        Ok(())
    } else {
        Err(Refusal::field("price", FieldError::OtherCurrency(currency)))
    }
}

pub(super) fn movement(
    product: ProductId,
    delta: StockDelta,
    reason: Reason,
    actor: Option<UserId>,
    at: DateTime<Utc>,
) -> NewMovement {
    NewMovement {
        product,
        order: None,
        delta,
        reason,
        note: None,
        actor,
        at,
    }
}

#[cfg(test)]
#[path = "product_tests.rs"]
mod tests;
