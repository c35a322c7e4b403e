//! Everything that the shop says no to. A refusal is an answer, not a failure: nothing was
//! changed, and asking again gives the same until something else changes.

use crate::{FieldErrors, FieldName, Money, OrderStatus, Problem, ProductId, Quantity, StockLevel};

/// A product of which there is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product: ProductId,
    /// Units on hand.
    pub available: StockLevel,
    /// Units that the whole line would hold, or that would be taken.
    pub requested: i64,
}

/// Why the shop refuses. Its text is a sentence for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody signed in, where somebody has to.
    #[error("Sign in first.")]
    Unauthenticated,
    /// The token is forged, expired or of a session that has ended.
    #[error("The token is not valid, or no longer.")]
    InvalidToken,
    /// Username and password do not belong together, or the user is switched off.
    #[error("Unable to log in with provided credentials.")]
    InvalidCredentials,
    /// Too much was tried: nothing is looked at until then.
    #[error("There were too many attempts. Try again in {seconds} seconds.")]
    TooManyAttempts {
        /// How long to wait, rounded up.
        seconds: u64,
    },
    /// Signed in, but not allowed.
    #[error("You are not allowed to do this.")]
    Forbidden,
    /// Not there, archived, or somebody else's: which of them is nobody's business.
    #[error("There is nothing here.")]
    NotFound,
    /// The request has fields that are wrong.
    #[error("{0}")]
    Invalid(FieldErrors),
    /// More is wanted than there is; every short product is listed.
    #[error("There is not enough stock.")]
    InsufficientStock(Vec<Shortage>),
    /// Products in the cart that are no longer sold.
    #[error("A product in the cart is no longer sold.")]
    ProductUnavailable(Vec<ProductId>),
    /// The cart has as many lines as a cart may have.
    #[error("A cart holds at most {limit} lines.")]
    CartFull {
        /// The most lines.
        limit: usize,
    },
    /// There is nothing in the cart to order.
    #[error("The cart is empty.")]
    EmptyCart,
    /// The cart's total is not the one that the customer agreed to.
    #[error("The total is {current} by now.")]
    TotalChanged {
        /// The total now.
        current: Money,
    },
    /// The order's total is more than can be written down.
    #[error("The total is too large.")]
    TotalTooLarge,
    /// The order cannot go from one status to the other.
    #[error("An order that is {from} cannot become {to}.")]
    InvalidTransition {
        /// The status now.
        from: OrderStatus,
        /// The status asked for.
        to: OrderStatus,
        /// What this actor could choose instead.
        allowed: Vec<OrderStatus>,
    },
    /// Only a pending order can be deleted.
    #[error("An order that is {status} cannot be deleted.")]
    OrderNotPending {
        /// The status now.
        status: OrderStatus,
    },
    /// It is no longer what the client saw: somebody changed it since.
    #[error("It was changed since you read it. Read it again.")]
    Edited,
    /// The idempotency key was used for another command.
    #[error("This idempotency key was used for another request.")]
    IdempotencyKeyReused,
    /// So many answers are kept for this customer under idempotency keys that there is no room for
    /// another one.
    #[error(
        "You have sent too much under idempotency keys of late. Send it without one, or later."
    )]
    TooManyKeys,
    /// The customer has as many open orders as the [quota](crate::OrderQuota) allows.
    #[error("You have {limit} open orders, the most there may be. Cancel one, or try again later.")]
    TooManyOpenOrders {
        /// The most open orders.
        limit: u32,
        /// How long to wait.
        seconds: u64,
    },
    /// The customer placed as many orders within an hour as the [quota](crate::OrderQuota) allows.
    #[error(
        "You placed {limit} orders within an hour, the most there may be. Try again in {seconds} seconds."
    )]
    TooManyOrders {
        /// The most orders within an hour.
        limit: u32,
        /// How long to wait, rounded up.
        seconds: u64,
    },
    /// Stock was to be set without a precondition, which this shop requires.
    #[error(
        "Setting stock needs the ETag of the product that you read, in If-Match. To change it by an amount, post to its stock."
    )]
    PreconditionRequired,
    /// Somebody else is at work on what this needs, and nobody waits for them with other things in
    /// hand. Nothing was changed; a moment later it may go through.
    #[error("Somebody else is at work on this. Nothing was changed; try again.")]
    Contended,
    /// The last active member of the staff has to stay one.
    #[error("The last active staff user can neither be demoted nor switched off.")]
    LastStaff,
}

impl Refusal {
    /// One field is wrong.
    #[must_use]
    pub fn field(field: FieldName, problem: Problem) -> Self {
        Self::Invalid(FieldErrors::of(field, problem))
    }

    /// One product falls short of what is wanted of it.
    #[must_use]
    pub fn short(product: ProductId, available: StockLevel, wanted: Quantity) -> Self {
        Self::InsufficientStock(vec![Shortage {
            product,
            available,
            requested: wanted.units(),
        }])
    }
}
