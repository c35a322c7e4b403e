//! Products of the catalogue.
//!
//! A product is never deleted, as orders and the ledger refer to it. It is archived instead, which
//! removes it from the catalogue, and can be restored.

use super::{Price, Weight};
use crate::decision::{Created, Decision, Event, EventKind, ProductAttribute, ProductUpdate};
use crate::identity::{Account, decide_staff};
use crate::inventory::{NewMovement, Reason, StockDelta, StockLevel, decide_level};
use crate::kernel::{
    Currency, Description, FieldError, Idempotent, Note, Precondition, ProductId, ProductName,
    Refusal, Sku, UserId,
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
    /// Shipping weight of one unit.
    pub weight: Weight,
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
    /// Shipping weight of one unit.
    pub weight: Weight,
    /// Threshold of low stock; `None` for that of the shop.
    pub low_stock: Option<StockLevel>,
}

impl ProductDraft {
    /// A product without sku, description, stock and weight.
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
            weight: Weight::ZERO,
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
            weight,
            low_stock,
        } = self.draft;
        Product {
            id,
            sku,
            name,
            description,
            price,
            stock,
            weight,
            low_stock,
            archived: false,
            created_at: self.at,
            updated_at: self.at,
        }
    }
}

/// Changes to a product; `None` leaves a field unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductChange {
    /// A new sku, or `Some(None)` to remove it.
    pub sku: Option<Option<Sku>>,
    /// A new name.
    pub name: Option<ProductName>,
    /// A new description.
    pub description: Option<Description>,
    /// A new price.
    pub price: Option<Price>,
    /// A new level of stock, regardless of the current one.
    pub stock: Option<StockLevel>,
    /// A relative change of stock, after that to a new level. It is no edit, and leaves
    /// [`Product::updated_at`] unchanged.
    pub adjustment: Option<StockChange>,
    /// A new weight.
    pub weight: Option<Weight>,
    /// A new threshold of low stock, or `Some(None)` for that of the shop.
    pub low_stock: Option<Option<StockLevel>>,
    /// Archive, or restore.
    pub archived: Option<bool>,
}

impl ProductChange {
    /// The product with these changes, except the adjustment of its stock.
    fn edited(&self, before: &Product) -> Product {
        let mut after = before.clone();
        if let Some(sku) = &self.sku {
            after.sku.clone_from(sku);
        }
        if let Some(name) = &self.name {
            after.name.clone_from(name);
        }
        if let Some(description) = &self.description {
            after.description.clone_from(description);
        }
        after.price = self.price.unwrap_or(before.price);
        after.stock = self.stock.unwrap_or(before.stock);
        after.weight = self.weight.unwrap_or(before.weight);
        after.low_stock = self.low_stock.unwrap_or(before.low_stock);
        after.archived = self.archived.unwrap_or(before.archived);
        after
    }
}

/// A relative change of the stock of a product, as a part of a [`ProductChange`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockChange {
    /// The change in units.
    pub delta: StockDelta,
    /// Free-text reason.
    pub note: Option<Note>,
}

/// Command: change a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeProduct {
    /// The product.
    pub product: ProductId,
    /// The changes.
    pub change: ProductChange,
    /// Precondition on the product, if any (If-Match, RFC 9110).
    pub seen: Option<Precondition<Product>>,
    /// The acting user; `None` for the shop itself.
    pub by: Option<UserId>,
    /// Time of the command.
    pub at: DateTime<Utc>,
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

/// Decides a change of a product. `acting` is the account of the acting user under the command's
/// lock; `sku_holder` is the product that has the new sku, if the change names one.
///
/// # Errors
/// As [`decide_staff`]; [`Refusal::NotFound`] for an unknown product, or an archived one that this
/// change does not restore; [`Refusal::PreconditionFailed`]; [`Refusal::Invalid`] as for [`decide_creation`];
/// those of [`decide_level`] for an adjustment.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::catalog::{ChangeProduct, decide_change};
///
/// let command = ChangeProduct {
///     product: product_id(1),
///     change: ProductChange { stock: Some(level(9)), ..ProductChange::default() },
///     seen: None,
///     by: None,
///     at: at(60),
/// };
/// let decision = decide_change(&command, None, Some(&product(1, 1_250, 7)), None, usd())?;
/// assert_eq!(decision.outcome.stock, level(9));
/// // The movement explains the difference.
/// assert_eq!(decision.movements[0].delta.units(), 2);
/// # Ok::<(), Refusal>(())
/// ```
pub fn decide_change(
    command: &ChangeProduct,
    acting: Option<&Account>,
    product: Option<&Product>,
    sku_holder: Option<ProductId>,
    currency: Currency,
) -> Result<Decision<Product>, Refusal> {
    decide_staff(command.by, acting)?;
    let before = product.ok_or(Refusal::NotFound)?;
    let change = &command.change;
    if before.archived && change.archived != Some(false) {
        return Err(Refusal::NotFound);
    }
    Precondition::check(command.seen.as_ref(), before)?;
    if let Some(price) = change.price {
        check_currency(price, currency)?;
    }
    if sku_holder.is_some_and(|holder| holder != before.id) {
        return Err(Refusal::field("sku", FieldError::Taken));
    }
    let mut after = change.edited(before);
    if after != *before {
        after.updated_at = command.at;
    }
    let mut decision = Decision::of(after.clone());
    if let Some(delta) = before.stock.delta_to(after.stock) {
        let set = movement(before.id, delta, Reason::Set, command.by, command.at);
        decision.movements.push(set);
    }
    let event = |kind| Event {
        kind,
        actor: command.by,
        at: command.at,
    };
    decision.events.extend(events(before, &after).map(event));
    if after != *before {
        let before = before.clone();
        decision
            .changes
            .products
            .push(ProductUpdate { before, after });
    }
    if let Some(adjustment) = &change.adjustment {
        adjust(&mut decision, command, adjustment)?;
    }
    Ok(decision)
}

/// Adds an adjustment of stock to the decision about a change.
fn adjust(
    decision: &mut Decision<Product>,
    command: &ChangeProduct,
    adjustment: &StockChange,
) -> Result<(), Refusal> {
    let (by, at, reason) = (command.by, command.at, Reason::Adjustment);
    let product = &mut decision.outcome;
    product.stock = decide_level(product.id, product.stock, adjustment.delta)?;
    decision.movements.push(NewMovement {
        note: adjustment.note.clone(),
        ..movement(product.id, adjustment.delta, reason, by, at)
    });
    decision.events.push(Event {
        kind: EventKind::StockAdjusted {
            product: product.id,
            delta: adjustment.delta,
            reason,
        },
        actor: by,
        at,
    });
    Ok(())
}

/// The events of a change: one for each kind of it.
fn events(before: &Product, after: &Product) -> impl Iterator<Item = EventKind> + use<> {
    let product = before.id;
    let changed = [
        (before.sku != after.sku, ProductAttribute::Sku),
        (before.name != after.name, ProductAttribute::Name),
        (
            before.description != after.description,
            ProductAttribute::Description,
        ),
        (
            before.price != after.price,
            ProductAttribute::Price {
                from: before.price.money(),
                to: after.price.money(),
            },
        ),
        (
            before.weight != after.weight,
            ProductAttribute::Weight {
                from: before.weight,
                to: after.weight,
            },
        ),
        (
            before.low_stock != after.low_stock,
            ProductAttribute::LowStock {
                from: before.low_stock,
                to: after.low_stock,
            },
        ),
    ];
    let changed = changed.into_iter().filter(|(changed, _)| *changed);
    let attributes: Vec<_> = changed.map(|(_, attribute)| attribute).collect();
    let changed = (!attributes.is_empty()).then_some(EventKind::ProductChanged {
        product,
        attributes,
    });
    let adjusted = before.stock.delta_to(after.stock);
    let adjusted = adjusted.map(|delta| EventKind::StockAdjusted {
        product,
        delta,
        reason: Reason::Set,
    });
    let archived = match (before.archived, after.archived) {
        (false, true) => Some(EventKind::ProductArchived { product }),
        (true, false) => Some(EventKind::ProductRestored { product }),
        (true, true) | (false, false) => None,
    };
    changed.into_iter().chain(adjusted).chain(archived)
}

fn check_currency(price: Price, currency: Currency) -> Result<(), Refusal> {
    if price.money().currency() == currency {
        Ok(())
    } else {
        Err(Refusal::field("price", FieldError::OtherCurrency(currency)))
    }
}

fn movement(
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
