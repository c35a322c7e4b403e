//! Products of the catalogue.
//!
//! A product is never deleted, as orders and the ledger refer to it. It is archived instead, which
//! removes it from the catalogue, and can be restored.

use crate::identity::{Account, decide_staff};
use crate::inventory::{NewMovement, Reason, StockDelta, StockLevel};
use crate::kernel::{
    Currency, Description, FieldError, Idempotent, Money, Precondition, ProductId, ProductName,
    Refusal, Sku, UserId,
};
use chrono::{DateTime, Utc};

/// Unit price: greater than zero, at most [`Price::DIGITS`] digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(Money);

impl Price {
    /// Maximum digits of a price, those after the decimal point included.
    ///
    /// Enough for currencies of small units (IRR, IDR, LBP), and few enough for the total of a full
    /// cart: 100 lines of 9,999 units at 12 digits are below 10^18 minor units, and fit in 64 bits.
    pub const DIGITS: u32 = 12;

    /// # Errors
    /// [`FieldError::NotPositive`] and [`FieldError::TooManyDigits`].
    pub fn new(money: Money) -> Result<Self, FieldError> {
        if money.minor() <= 0 {
            Err(FieldError::NotPositive)
        } else if money.minor() >= 10_i64.pow(Self::DIGITS) {
            Err(FieldError::TooManyDigits)
        } else {
            Ok(Self(money))
        }
    }

    /// The amount.
    #[must_use]
    pub fn money(self) -> Money {
        self.0
    }
}

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

impl CreateProduct {
    /// The movement that explains the initial stock, unless it is zero.
    #[must_use]
    pub fn opening(&self, product: ProductId) -> Option<NewMovement> {
        StockLevel::ZERO
            .delta_to(self.draft.stock)
            .map(|delta| movement(product, delta, Reason::Opening, self.by, self.at))
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
    /// Archive, or restore.
    pub archived: Option<bool>,
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

/// A changed product, and the movement that explains its stock if that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDecision {
    /// The product afterwards.
    pub product: Product,
    /// The ledger entry.
    pub movement: Option<NewMovement>,
}

/// Decides whether a product may be created. `acting` is the account of the acting user under the
/// command's lock; `sku_holder` is the product that has the draft's sku.
///
/// # Errors
/// As [`decide_staff`], and [`Refusal::Invalid`] for a sku that is taken and a price in another
/// currency.
pub fn decide_creation(
    command: &CreateProduct,
    acting: Option<&Account>,
    sku_holder: Option<ProductId>,
    currency: Currency,
) -> Result<(), Refusal> {
    decide_staff(command.by, acting)?;
    check_currency(command.draft.price, currency)?;
    if sku_holder.is_some() {
        return Err(Refusal::field("sku", FieldError::Taken));
    }
    Ok(())
}

/// Decides a change of a product. `acting` is the account of the acting user under the command's
/// lock; `sku_holder` is the product that has the new sku, if the change names one.
///
/// # Errors
/// As [`decide_staff`]; [`Refusal::NotFound`] for an unknown product, or an archived one that this
/// change does not restore; [`Refusal::PreconditionFailed`]; [`Refusal::Invalid`] as for [`decide_creation`].
pub fn decide_change(
    command: &ChangeProduct,
    acting: Option<&Account>,
    product: Option<&Product>,
    sku_holder: Option<ProductId>,
    currency: Currency,
) -> Result<ProductDecision, Refusal> {
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
    let mut after = before.clone();
    if let Some(sku) = &change.sku {
        after.sku.clone_from(sku);
    }
    if let Some(name) = &change.name {
        after.name.clone_from(name);
    }
    if let Some(description) = &change.description {
        after.description.clone_from(description);
    }
    after.price = change.price.unwrap_or(before.price);
    after.stock = change.stock.unwrap_or(before.stock);
    after.archived = change.archived.unwrap_or(before.archived);
    if after != *before {
        after.updated_at = command.at;
    }
    let movement = before
        .stock
        .delta_to(after.stock)
        .map(|delta| movement(before.id, delta, Reason::Set, command.by, command.at));
    Ok(ProductDecision {
        product: after,
        movement,
    })
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
mod tests {
    use super::*;
    use crate::testing::{account, at, former_staff, product, usd};

    fn change(change: ProductChange) -> ChangeProduct {
        let product = ProductId::new(1).unwrap();
        ChangeProduct {
            seen: None,
            product,
            change,
            by: UserId::new(9),
            at: at(60),
        }
    }

    fn decide(command: &ChangeProduct, product: &Product) -> Result<ProductDecision, Refusal> {
        decide_change(
            command,
            Some(&account(9, true, true)),
            Some(product),
            None,
            usd(),
        )
    }

    #[test]
    fn a_price_is_more_than_nothing_and_has_ten_digits() {
        let price = |minor| Price::new(Money::from_minor(minor, usd()));
        assert!(price(1).is_ok() && price(999_999_999_999).is_ok());
        assert_eq!(price(0), Err(FieldError::NotPositive));
        assert_eq!(price(-1), Err(FieldError::NotPositive));
        assert_eq!(price(1_000_000_000_000), Err(FieldError::TooManyDigits));
    }

    #[test]
    fn a_change_leaves_unnamed_fields_unchanged() {
        let before = product(1, 100, 5);
        let name = ProductName::new("Cup").unwrap();
        let named = ProductChange {
            name: Some(name.clone()),
            ..ProductChange::default()
        };
        let decided = decide(&change(named), &before).unwrap();
        let expected = Product {
            name,
            updated_at: at(60),
            ..before
        };
        assert_eq!(
            decided,
            ProductDecision {
                product: expected,
                movement: None
            }
        );
    }

    #[test]
    fn a_change_that_changes_nothing_leaves_no_trace() {
        let before = product(1, 100, 5);
        let same = ProductChange {
            price: Some(before.price),
            stock: Some(before.stock),
            archived: Some(false),
            ..ProductChange::default()
        };
        let decided = decide(&change(same), &before).unwrap();
        assert_eq!(
            decided,
            ProductDecision {
                product: before,
                movement: None
            }
        );
    }

    #[test]
    fn setting_stock_writes_the_difference() {
        for (from, to, delta) in [(5, 8, Some(3)), (5, 0, Some(-5)), (5, 5, None)] {
            let level = StockLevel::requested(to).unwrap();
            let set = ProductChange {
                stock: Some(level),
                ..ProductChange::default()
            };
            let decided = decide(&change(set), &product(1, 100, from)).unwrap();
            assert_eq!(decided.product.stock.units(), to);
            let movement = decided.movement;
            assert_eq!(
                movement.as_ref().map(|movement| movement.delta.units()),
                delta
            );
            assert!(movement.is_none_or(|movement| movement.reason == Reason::Set));
        }
    }

    #[test]
    fn an_archived_product_is_not_found_until_it_is_restored() {
        let archived = Product {
            archived: true,
            ..product(1, 100, 5)
        };
        for (wish, found) in [(None, false), (Some(true), false), (Some(false), true)] {
            let wish = ProductChange {
                archived: wish,
                ..ProductChange::default()
            };
            let decided = decide(&change(wish), &archived);
            match decided {
                Ok(decision) => assert!(found && !decision.product.archived),
                Err(refusal) => assert!(!found && refusal == Refusal::NotFound),
            }
        }
        let nothing = change(ProductChange::default());
        assert_eq!(
            decide_change(&nothing, Some(&account(9, true, true)), None, None, usd()),
            Err(Refusal::NotFound)
        );
    }

    #[test]
    fn a_sku_has_one_holder() {
        let before = product(1, 100, 5);
        let sku = Some(Some(Sku::new("MUG").unwrap()));
        let command = change(ProductChange {
            sku,
            ..ProductChange::default()
        });
        for (holder, taken) in [(None, false), (Some(1), false), (Some(2), true)] {
            let holder = holder.and_then(ProductId::new);
            let decided = decide_change(
                &command,
                Some(&account(9, true, true)),
                Some(&before),
                holder,
                usd(),
            );
            assert_eq!(
                decided == Err(Refusal::field("sku", FieldError::Taken)),
                taken
            );
        }
    }

    #[test]
    fn only_current_staff_write_products() {
        let change = change(ProductChange::default());
        let model = product(1, 100, 5);
        let draft = ProductDraft {
            sku: None,
            name: model.name.clone(),
            description: model.description.clone(),
            price: model.price,
            stock: model.stock,
        };
        let create = CreateProduct {
            draft,
            key: None,
            by: change.by,
            at: at(0),
        };
        for (acting, expected) in former_staff(9) {
            let acting = acting.as_ref();
            let changed = decide_change(&change, acting, Some(&model), None, usd());
            assert_eq!(changed.err(), Some(expected.clone()), "{acting:?}");
            let created = decide_creation(&create, acting, None, usd());
            assert_eq!(created.err(), Some(expected), "{acting:?}");
        }
    }

    #[test]
    fn a_price_is_in_the_currency_of_the_shop() {
        let eur = Currency::from_code("EUR").unwrap();
        let price = Price::new(Money::from_minor(100, eur)).unwrap();
        let command = change(ProductChange {
            price: Some(price),
            ..ProductChange::default()
        });
        let refused = Refusal::field("price", FieldError::OtherCurrency(usd()));
        assert_eq!(decide(&command, &product(1, 100, 5)), Err(refused));
    }

    #[test]
    fn a_product_that_starts_with_stock_has_an_opening_movement() {
        let model = product(1, 100, 5);
        let draft = ProductDraft {
            sku: None,
            name: model.name,
            description: model.description,
            price: model.price,
            stock: model.stock,
        };
        let command = CreateProduct {
            draft,
            key: None,
            by: None,
            at: at(0),
        };
        assert_eq!(decide_creation(&command, None, None, usd()), Ok(()));
        let opening = command.opening(model.id).unwrap();
        assert_eq!(
            (opening.delta.units(), opening.reason),
            (5, Reason::Opening)
        );
        let draft = ProductDraft {
            stock: StockLevel::ZERO,
            ..command.draft
        };
        assert_eq!(CreateProduct { draft, ..command }.opening(model.id), None);
    }
}
