//! Carts: the products that a customer intends to buy. Each customer has one cart, and it is never
//! shared.
//!
//! Prices in a cart are live until the order is placed, and nothing is reserved: reading a cart
//! reports the lines that cannot be ordered at present, and changes nothing.

use crate::cart::CartRefusal;
use crate::catalog::{CatalogRefusal, Product};
use crate::decision::{Decision, Outcome, StoredRows};
use crate::inventory::InventoryRefusal;
use crate::kernel::{
    CartItemId, FieldError, Idempotent, Money, MoneyError, Precondition, ProductId, Quantity,
    Refusal, UserId,
};
use chrono::{DateTime, Utc};

/// The most lines in a cart.
pub const MAX_CART_ITEMS: usize = 100;

/// A cart line: a number of units of one product. A product has at most one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartItem {
    /// Its id.
    pub id: CartItemId,
    /// Owner of the cart.
    pub user: UserId,
    /// The product.
    pub product: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// When the product was put into the cart.
    pub created_at: DateTime<Utc>,
    /// When the quantity last changed.
    pub updated_at: DateTime<Utc>,
}

/// A cart line with the current product, as shown to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartItemDetail {
    /// The line.
    pub line: CartItem,
    /// Its product.
    pub product: Product,
}

/// Why a line cannot be ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartIssue {
    /// The product is no longer sold.
    ProductUnavailable,
    /// Fewer units are on hand than the line holds.
    InsufficientStock,
}

impl CartIssue {
    /// Every issue.
    pub const ALL: [Self; 2] = [Self::ProductUnavailable, Self::InsufficientStock];
}

impl CartItemDetail {
    /// The cost of the line at the current price.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`], which no price and quantity within their bounds reach.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.product.price.money().times(self.line.quantity)
    }

    /// The reasons why the line cannot be ordered.
    #[must_use]
    pub fn issues(&self) -> Vec<CartIssue> {
        if self.product.archived {
            vec![CartIssue::ProductUnavailable]
        } else if self.product.stock.units() < self.line.quantity.units() {
            vec![CartIssue::InsufficientStock]
        } else {
            Vec::new()
        }
    }
}

/// A whole cart, its items in the order in which they were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cart {
    /// At most [`MAX_CART_ITEMS`] items.
    pub items: Vec<CartItemDetail>,
}

impl Cart {
    /// The cost of the whole cart at current prices.
    ///
    /// # Errors
    /// [`MoneyError`], which no cart within its bounds reaches.
    pub fn total(&self, currency: crate::kernel::Currency) -> Result<Money, MoneyError> {
        self.items
            .iter()
            .try_fold(Money::zero(currency), |sum, item| sum.plus(item.total()?))
    }

    /// Number of units in the whole cart.
    #[must_use]
    pub fn units(&self) -> i64 {
        self.items
            .iter()
            .map(|item| item.line.quantity.units())
            .sum()
    }
}

/// A change of a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartAction {
    /// Add units of a product: to its existing line, or as a new line.
    Add {
        /// The product.
        product: ProductId,
        /// Units to add.
        quantity: Quantity,
    },
    /// Set the quantity of a line.
    Set {
        /// The line.
        line: CartItemId,
        /// The new quantity; `None` removes the line. See [`Quantity::or_removal`].
        quantity: Option<Quantity>,
        /// The product that the client expects in the line, if the request names one.
        product: Option<ProductId>,
    },
    /// Remove a line.
    Remove {
        /// The line.
        line: CartItemId,
    },
    /// Remove every line.
    Empty,
}

/// Command: change a customer's cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeCart {
    /// Owner of the cart.
    pub user: UserId,
    /// The change.
    pub action: CartAction,
    /// Precondition on the line, if any (If-Match, RFC 9110): for [`CartAction::Set`] and
    /// [`CartAction::Remove`].
    pub seen: Option<Precondition<CartItem>>,
    /// Idempotency key of the request; only [`CartAction::Add`] has one.
    pub key: Option<Idempotent<CartItemDetail>>,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

impl ChangeCart {
    /// The product that the rules need for this change, given the lines of the cart.
    #[must_use]
    pub fn product(&self, lines: &[CartItem]) -> Option<ProductId> {
        match self.action {
            CartAction::Add { product, .. } => Some(product),
            CartAction::Set {
                line,
                quantity: Some(_),
                ..
            } => find(lines, line).ok().map(|line| line.product),
            CartAction::Set { quantity: None, .. }
            | CartAction::Remove { .. }
            | CartAction::Empty => None,
        }
    }
}

/// A cart line to insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewCartItem {
    /// Owner of the cart.
    pub user: UserId,
    /// The product.
    pub product: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// Time of the addition.
    pub at: DateTime<Utc>,
    /// When the quantity last changed: later, if commands of one slice add to the line.
    pub updated_at: DateTime<Utc>,
}

impl NewCartItem {
    /// The line, given its id.
    #[must_use]
    pub fn into_item(self, id: CartItemId) -> CartItem {
        CartItem {
            id,
            user: self.user,
            product: self.product,
            quantity: self.quantity,
            created_at: self.at,
            updated_at: self.updated_at,
        }
    }
}

/// Outcome of a change of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartOutcome {
    /// A new line.
    New {
        /// Position of its row among the new ones of the decision.
        row: usize,
        /// Its quantity after the command; later commands of a slice may add to it.
        quantity: Quantity,
        /// Time of the command.
        updated_at: DateTime<Utc>,
        /// Its product.
        product: Product,
    },
    /// An existing line, in its new state.
    Line(CartItemDetail),
    /// The line is gone, or all of them are.
    Gone,
}

impl Outcome for CartOutcome {
    type Stored = Option<CartItemDetail>;

    fn stored(self, new: &mut StoredRows<'_>) -> Option<Option<CartItemDetail>> {
        Some(match self {
            Self::New {
                row,
                quantity,
                updated_at,
                product,
            } => {
                let line = CartItem {
                    quantity,
                    updated_at,
                    ..new.cart_item(row)?
                };
                Some(CartItemDetail { line, product })
            }
            Self::Line(item) => Some(item),
            Self::Gone => None,
        })
    }
}

/// Decides a change of a cart that has these lines. `product` is the current product that
/// [`ChangeCart::product`] names.
///
/// # Errors
/// [`Refusal::NotFound`] for a line that is not in the cart; [`Refusal::PreconditionFailed`];
/// [`Refusal::Invalid`] for an unknown or archived product, a product other than the line's, and
/// more units than a line may hold; [`CartRefusal::Full`], [`CatalogRefusal::ProductUnavailable`] and
/// [`InventoryRefusal::InsufficientStock`](crate::inventory::InventoryRefusal::InsufficientStock).
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::cart::{CartAction, ChangeCart, decide_cart};
///
/// let command = ChangeCart {
///     user: user(1),
///     action: CartAction::Add { product: product_id(7), quantity: units(3) },
///     seen: None,
///     key: None,
///     at: at(0),
/// };
/// let mug = product(7, 1_250, 2);
/// let refused = decide_cart(&command, &[], Some(&mug)).unwrap_err();
/// assert_eq!(refused.to_string(), "There is not enough stock.");
/// ```
pub fn decide_cart(
    command: &ChangeCart,
    lines: &[CartItem],
    product: Option<&Product>,
) -> Result<Decision<CartOutcome>, Refusal> {
    decide_beside_new(command, lines, 0, product)
}

/// As [`decide_cart`], for a cart that has so many new lines besides, of other products, which have
/// no ids yet.
pub(super) fn decide_beside_new(
    command: &ChangeCart,
    lines: &[CartItem],
    new_lines: usize,
    product: Option<&Product>,
) -> Result<Decision<CartOutcome>, Refusal> {
    match command.action {
        CartAction::Add {
            product: id,
            quantity,
        } => {
            if let Some(line) = lines.iter().find(|line| line.product == id) {
                let product = sold(product, id)?;
                let together = line
                    .quantity
                    .plus(quantity)
                    .map_err(|problem| Refusal::field("quantity", problem))?;
                check_stock(product, together)?;
                return Ok(holding(line, together, product, command.at));
            }
            decide_new_line(
                command,
                sold(product, id)?,
                quantity,
                lines.len() + new_lines,
            )
        }
        CartAction::Set {
            line,
            quantity,
            product: claimed,
        } => {
            let line = find(lines, line)?;
            Precondition::check(command.seen.as_ref(), line)?;
            if claimed.is_some_and(|claimed| claimed != line.product) {
                return Err(Refusal::field("product_id", FieldError::OtherProduct));
            }
            let Some(quantity) = quantity else {
                return Ok(deleting(vec![*line]));
            };
            let product = product.filter(|product| !product.archived).ok_or_else(|| {
                Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![line.product]))
            })?;
            check_stock(product, quantity)?;
            Ok(holding(line, quantity, product, command.at))
        }
        CartAction::Remove { line } => {
            let line = find(lines, line)?;
            Precondition::check(command.seen.as_ref(), line)?;
            Ok(deleting(vec![*line]))
        }
        CartAction::Empty => Ok(deleting(lines.to_vec())),
    }
}

/// The product with this id, if it is sold.
fn sold(product: Option<&Product>, id: ProductId) -> Result<&Product, Refusal> {
    product
        .filter(|product| product.id == id && !product.archived)
        .ok_or_else(|| Refusal::field("product_id", FieldError::UnknownProduct))
}

fn decide_new_line(
    command: &ChangeCart,
    product: &Product,
    quantity: Quantity,
    lines: usize,
) -> Result<Decision<CartOutcome>, Refusal> {
    if lines >= MAX_CART_ITEMS {
        return Err(Refusal::Cart(CartRefusal::Full {
            limit: MAX_CART_ITEMS,
        }));
    }
    check_stock(product, quantity)?;
    let mut decision = Decision::of(CartOutcome::New {
        row: 0,
        quantity,
        updated_at: command.at,
        product: product.clone(),
    });
    decision.changes.new_cart_items.push(NewCartItem {
        user: command.user,
        product: product.id,
        quantity,
        at: command.at,
        updated_at: command.at,
    });
    Ok(decision)
}

/// The line holds this quantity. If it does already, there is nothing to write.
fn holding(
    line: &CartItem,
    quantity: Quantity,
    product: &Product,
    at: DateTime<Utc>,
) -> Decision<CartOutcome> {
    let mut after = *line;
    if quantity != line.quantity {
        after.quantity = quantity;
        after.updated_at = at;
    }
    let product = product.clone();
    let mut decision = Decision::of(CartOutcome::Line(CartItemDetail {
        line: after,
        product,
    }));
    if after != *line {
        decision.changes.cart_items.push(after);
    }
    decision
}

fn deleting(lines: Vec<CartItem>) -> Decision<CartOutcome> {
    let mut decision = Decision::of(CartOutcome::Gone);
    decision.changes.deleted_cart_items = lines;
    decision
}

pub(super) fn check_stock(product: &Product, wanted: Quantity) -> Result<(), Refusal> {
    if product.stock.units() < wanted.units() {
        Err(InventoryRefusal::short(product.id, product.stock, wanted).into())
    } else {
        Ok(())
    }
}

fn find(lines: &[CartItem], id: CartItemId) -> Result<&CartItem, Refusal> {
    lines
        .iter()
        .find(|line| line.id == id)
        .ok_or(Refusal::NotFound)
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
