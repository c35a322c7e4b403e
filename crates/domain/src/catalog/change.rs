//! Changes of products.

use super::product::{check_currency, movement};
use super::{Measure, MeasureChanges, Price, Product};
use crate::decision::{Decision, Event, EventKind, ProductAttribute, ProductUpdate};
use crate::identity::{Account, decide_staff};
use crate::inventory::{NewMovement, Reason, StockDelta, StockLevel, decide_level};
use crate::kernel::{
    Currency, Description, FieldError, Note, Precondition, ProductId, ProductName, Refusal, Sku,
    UserId,
};
use chrono::{DateTime, Utc};

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
    /// New measures.
    pub measures: MeasureChanges,
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
        after.measures = self.measures.applied_to(before.measures);
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

/// Decides a change of a product. `acting` is the account of the acting user under the command's
/// lock; `sku_holder` is the product that has the new sku, if the change names one.
///
/// # Errors
/// As [`decide_staff`]; [`Refusal::NotFound`] for an unknown product, or an archived one that this
/// change does not restore; [`Refusal::PreconditionFailed`]; [`Refusal::Invalid`] as for
/// [`decide_creation`](crate::catalog::decide_creation); those of [`decide_level`] for an adjustment.
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
    ];
    let measures = Measure::ALL.iter().map(|measure| {
        let from = before.measures.get(*measure);
        let to = after.measures.get(*measure);
        let changed = ProductAttribute::Measure {
            measure: *measure,
            from,
            to,
        };
        (from != to, changed)
    });
    let low_stock = (
        before.low_stock != after.low_stock,
        ProductAttribute::LowStock {
            from: before.low_stock,
            to: after.low_stock,
        },
    );
    let changed = changed.into_iter().chain(measures).chain([low_stock]);
    let changed = changed.filter(|(changed, _)| *changed);
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
