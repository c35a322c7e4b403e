//! Carts: what a customer means to buy. Each customer has one, and it is never shared.
//!
//! Prices in a cart are live until the order is placed, and nothing is reserved: reading a cart
//! reports what could not be ordered by now, and changes nothing.

use crate::{
    CartItemId, Keyed, Money, MoneyError, Problem, Product, ProductId, Quantity, Refusal, Seen,
    UserId,
};
use chrono::{DateTime, Utc};

/// The most lines in a cart.
pub const MAX_CART_LINES: usize = 100;

/// A line of a cart: some units of one product. A product has at most one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartLine {
    /// Its id.
    pub id: CartItemId,
    /// Whose cart it is in.
    pub user: UserId,
    /// Of what.
    pub product: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// When the product was put into the cart.
    pub created_at: DateTime<Utc>,
    /// When the quantity last changed.
    pub updated_at: DateTime<Utc>,
}

/// A line as its owner sees it, with the product as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartItem {
    /// The line.
    pub line: CartLine,
    /// Its product.
    pub product: Product,
}

/// What stands in the way of ordering a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartIssue {
    /// The product is no longer sold.
    ProductUnavailable,
    /// There is less on hand than the line holds.
    InsufficientStock,
}

impl CartIssue {
    /// Every issue.
    pub const ALL: [Self; 2] = [Self::ProductUnavailable, Self::InsufficientStock];
}

impl CartItem {
    /// What the line costs at the price of now.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`], which no price and quantity within their bounds reach.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.product.price.money().times(self.line.quantity)
    }

    /// What stands in the way of ordering it.
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

/// A whole cart, in the order in which its lines were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cart {
    /// At most [`MAX_CART_LINES`] items.
    pub items: Vec<CartItem>,
}

impl Cart {
    /// What the whole cart costs at the prices of now.
    ///
    /// # Errors
    /// [`MoneyError`], which no cart within its bounds reaches.
    pub fn total(&self, shop: crate::Currency) -> Result<Money, MoneyError> {
        self.items
            .iter()
            .try_fold(Money::zero(shop), |sum, item| sum.plus(item.total()?))
    }

    /// Units in the whole cart.
    #[must_use]
    pub fn units(&self) -> i64 {
        self.items
            .iter()
            .map(|item| item.line.quantity.units())
            .sum()
    }
}

/// What to do with a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartAction {
    /// Add units of a product, to the line that it has already if it has one.
    Add {
        /// The product.
        product: ProductId,
        /// Units to add.
        quantity: Quantity,
    },
    /// Set what a line holds.
    Set {
        /// The line.
        line: CartItemId,
        /// What it is to hold; `None` removes it. See [`Quantity::or_removal`].
        quantity: Option<Quantity>,
        /// The product that the client takes the line to be of, if it says so.
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
    /// Whose cart.
    pub user: UserId,
    /// What to do with it.
    pub action: CartAction,
    /// What the client saw of the line, if that has to be what is there: for [`CartAction::Set`]
    /// and [`CartAction::Remove`].
    pub seen: Option<Seen<CartLine>>,
    /// The idempotency key that the request came with; only adding has one.
    pub key: Option<Keyed<CartItem>>,
    /// When.
    pub at: DateTime<Utc>,
}

impl ChangeCart {
    /// The product that the rules have to see for this change, given the lines of the cart.
    #[must_use]
    pub fn product(&self, lines: &[CartLine]) -> Option<ProductId> {
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

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartDecision {
    /// A new line.
    Insert {
        /// Of what.
        product: ProductId,
        /// How many units.
        quantity: Quantity,
    },
    /// Another quantity in a line that is there: the line afterwards.
    Update(CartLine),
    /// The line holds that quantity already: nothing is to be written.
    Keep(CartLine),
    /// A line goes.
    Delete {
        /// The line.
        line: CartItemId,
    },
    /// Every line that was read goes.
    Clear,
}

/// Decides on a change of a cart that has these lines. `product` is the one that
/// [`ChangeCart::product`] names, as it is now.
///
/// # Errors
/// [`Refusal::NotFound`] for a line that is not in the cart; [`Refusal::Edited`]; [`Refusal::Invalid`] for an unknown
/// or archived product, another product than the line's and more units than a line may hold;
/// [`Refusal::CartFull`], [`Refusal::ProductUnavailable`] and [`Refusal::InsufficientStock`].
pub fn decide_cart(
    command: &ChangeCart,
    lines: &[CartLine],
    product: Option<&Product>,
) -> Result<CartDecision, Refusal> {
    match command.action {
        CartAction::Add {
            product: id,
            quantity,
        } => decide_add(id, quantity, lines, product, command.at),
        CartAction::Set {
            line,
            quantity,
            product: claimed,
        } => {
            let line = find(lines, line)?;
            Seen::check(command.seen.as_ref(), line)?;
            if claimed.is_some_and(|claimed| claimed != line.product) {
                return Err(Refusal::field("product_id", Problem::OtherProduct));
            }
            let Some(quantity) = quantity else {
                return Ok(CartDecision::Delete { line: line.id });
            };
            let product = product
                .filter(|product| !product.archived)
                .ok_or_else(|| Refusal::ProductUnavailable(vec![line.product]))?;
            check_stock(product, quantity)?;
            Ok(if quantity == line.quantity {
                CartDecision::Keep(*line)
            } else {
                CartDecision::Update(holding(line, quantity, command.at))
            })
        }
        CartAction::Remove { line } => {
            let line = find(lines, line)?;
            Seen::check(command.seen.as_ref(), line)?;
            Ok(CartDecision::Delete { line: line.id })
        }
        CartAction::Empty => Ok(CartDecision::Clear),
    }
}

fn decide_add(
    id: ProductId,
    quantity: Quantity,
    lines: &[CartLine],
    product: Option<&Product>,
    at: DateTime<Utc>,
) -> Result<CartDecision, Refusal> {
    let product = product
        .filter(|product| product.id == id && !product.archived)
        .ok_or_else(|| Refusal::field("product_id", Problem::UnknownProduct))?;
    if let Some(line) = lines.iter().find(|line| line.product == id) {
        let together = line
            .quantity
            .plus(quantity)
            .map_err(|problem| Refusal::field("quantity", problem))?;
        check_stock(product, together)?;
        return Ok(CartDecision::Update(holding(line, together, at)));
    }
    if lines.len() >= MAX_CART_LINES {
        return Err(Refusal::CartFull {
            limit: MAX_CART_LINES,
        });
    }
    check_stock(product, quantity)?;
    Ok(CartDecision::Insert {
        product: id,
        quantity,
    })
}

fn holding(line: &CartLine, quantity: Quantity, at: DateTime<Utc>) -> CartLine {
    CartLine {
        quantity,
        updated_at: at,
        ..*line
    }
}

fn check_stock(product: &Product, wanted: Quantity) -> Result<(), Refusal> {
    if product.stock.units() < wanted.units() {
        Err(Refusal::short(product.id, product.stock, wanted))
    } else {
        Ok(())
    }
}

fn find(lines: &[CartLine], id: CartItemId) -> Result<&CartLine, Refusal> {
    lines
        .iter()
        .find(|line| line.id == id)
        .ok_or(Refusal::NotFound)
}

#[cfg(test)]
#[path = "cart_tests.rs"]
mod tests;
