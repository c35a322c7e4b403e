//! Refusals: expected rejections by the rules. Nothing was changed, and the same command is refused
//! again until the state changes.

use crate::inventory::StockLevel;
use crate::kernel::{FieldError, FieldName, Money, ProductId, Quantity, ValidationErrors};
use crate::orders::OrderStatus;

/// A product whose stock is insufficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product: ProductId,
    /// Units on hand.
    pub available: StockLevel,
    /// Units that the whole line would hold, or that would be taken.
    pub requested: i64,
}

/// A rejection by the rules. Its text is a sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Authentication is required.
    #[error("Sign in first.")]
    Unauthenticated,
    /// The token is forged or expired, or its session has ended.
    #[error("The token is not valid, or no longer.")]
    InvalidToken,
    /// Wrong username or password, or a deactivated user.
    #[error("Unable to log in with provided credentials.")]
    InvalidCredentials,
    /// Throttled: further attempts are refused without a check until then.
    #[error("There were too many attempts. Try again in {seconds} seconds.")]
    TooManyAttempts {
        /// Time to wait, rounded up.
        seconds: u64,
    },
    /// Authenticated, but not authorised.
    #[error("You are not allowed to do this.")]
    Forbidden,
    /// Missing, archived, or owned by another user: the response does not reveal which.
    #[error("There is nothing here.")]
    NotFound,
    /// The request has invalid fields.
    #[error("{0}")]
    Invalid(ValidationErrors),
    /// The request exceeds the stock; every short product is listed.
    #[error("There is not enough stock.")]
    InsufficientStock(Vec<Shortage>),
    /// The cart has products that are no longer sold.
    #[error("A product in the cart is no longer sold.")]
    ProductUnavailable(Vec<ProductId>),
    /// The cart has the maximum number of lines.
    #[error("A cart holds at most {limit} lines.")]
    CartFull {
        /// Maximum number of lines.
        limit: usize,
    },
    /// The cart is empty.
    #[error("The cart is empty.")]
    EmptyCart,
    /// The cart's total is not the one that the customer agreed to.
    #[error("The total is {current} by now.")]
    TotalChanged {
        /// The current total.
        current: Money,
    },
    /// The order's total overflows.
    #[error("The total is too large.")]
    TotalTooLarge,
    /// The order's status does not allow this transition.
    #[error("An order that is {from} cannot become {to}.")]
    InvalidTransition {
        /// The current status.
        from: OrderStatus,
        /// The requested status.
        to: OrderStatus,
        /// The statuses open to this actor.
        allowed: Vec<OrderStatus>,
    },
    /// Only a pending order can be deleted.
    #[error("An order that is {status} cannot be deleted.")]
    OrderNotPending {
        /// The current status.
        status: OrderStatus,
    },
    /// Precondition failed: the resource changed since the client read it (optimistic concurrency).
    #[error("It was changed since you read it. Read it again.")]
    PreconditionFailed,
    /// The idempotency key was used for another command.
    #[error("This idempotency key was used for another request.")]
    IdempotencyKeyReused,
    /// Quota of stored responses: so many are stored for this customer under idempotency keys that
    /// there is no room for another one.
    #[error(
        "You have sent too much under idempotency keys of late. Send it without one, or later."
    )]
    TooManyKeys,
    /// The customer has the maximum number of open orders (see the [quota](crate::orders::OrderQuota)).
    #[error("You have {limit} open orders, the most there may be. Cancel one, or try again later.")]
    TooManyOpenOrders {
        /// Maximum number of open orders.
        limit: u32,
        /// Time to wait.
        seconds: u64,
    },
    /// The customer placed the maximum number of orders within an hour (see the
    /// [quota](crate::orders::OrderQuota)).
    #[error(
        "You placed {limit} orders within an hour, the most there may be. Try again in {seconds} seconds."
    )]
    TooManyOrders {
        /// Maximum number of orders within an hour.
        limit: u32,
        /// Time to wait, rounded up.
        seconds: u64,
    },
    /// Setting stock without a precondition, which this shop requires.
    #[error(
        "Setting stock needs the ETag of the product that you read, in If-Match. To change it by an amount, post to its stock."
    )]
    PreconditionRequired,
    /// Lock conflict: a row that the command needs is locked by another transaction. Commands do
    /// not wait for a row while they hold others. Nothing was changed; retry.
    #[error("Somebody else is at work on this. Nothing was changed; try again.")]
    LockConflict,
    /// The last active staff user can be neither demoted nor deactivated.
    #[error("The last active staff user can neither be demoted nor switched off.")]
    LastStaff,
}

impl Refusal {
    /// One invalid field.
    #[must_use]
    pub fn field(field: FieldName, problem: FieldError) -> Self {
        Self::Invalid(ValidationErrors::of(field, problem))
    }

    /// Insufficient stock of one product.
    #[must_use]
    pub fn short(product: ProductId, available: StockLevel, wanted: Quantity) -> Self {
        Self::InsufficientStock(vec![Shortage {
            product,
            available,
            requested: wanted.units(),
        }])
    }
}
