//! Commands that a client can send, and their responses.

use tradepost_domain::cart::CartItemDetail;
use tradepost_domain::catalog::{Product, ProductChange, ProductDraft};
use tradepost_domain::identity::{
    Account, ChangePassword, NewUser, Password, SignedIn, TokenPair, UserChange,
};
use tradepost_domain::inventory::{Adjusted, StockDelta, StockLevel};
use tradepost_domain::kernel::{
    Actor, CartItemId, Execution, IdempotencyKey, IdempotencyScope, Idempotent, Money, OrderId,
    Precondition, ProductId, Quantity, Refusal, ResponseEncoder, UserId,
};
use tradepost_domain::orders::{Order, OrderStatus, PlaceOrder};

/// A command and its sender.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) by: Actor,
    pub(crate) command: Command,
}

#[derive(Debug, Clone)]
pub(crate) enum Command {
    Create {
        draft: ProductDraft,
        key: Option<Idempotent<Product>>,
    },
    Change {
        product: ProductId,
        change: ProductChange,
        seen: Option<Precondition<Product>>,
    },
    Adjust {
        product: ProductId,
        delta: StockDelta,
        key: Option<Idempotent<Adjusted>>,
    },
    Add {
        product: ProductId,
        quantity: Quantity,
        key: Option<Idempotent<CartItemDetail>>,
    },
    Set {
        line: CartItemId,
        quantity: Option<Quantity>,
        product: Option<ProductId>,
    },
    Remove {
        line: CartItemId,
    },
    Empty,
    Checkout {
        expected: Option<Money>,
        key: Option<Idempotent<Order>>,
    },
    SetStatus {
        order: OrderId,
        status: OrderStatus,
    },
    Delete {
        order: OrderId,
    },
    Register {
        user: NewUser,
        staff: bool,
    },
    Switch(UserId, UserChange),
    ChangePassword {
        current: String,
        new: Password,
    },
    ResetPassword {
        username: String,
        new: Password,
    },
    /// The second half of a change of password; other commands may run between the two.
    StorePassword(ChangePassword),
    SignIn {
        username: String,
        password: String,
    },
    Authenticate {
        token: String,
    },
    OpenSession {
        username: String,
        password: String,
    },
    Refresh {
        token: String,
    },
    SignOut {
        token: String,
    },
    ForgetKeys,
    ForgetTokens,
}

impl Command {
    /// Its name in the coverage tally.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Change { seen: Some(_), .. } => "change as seen",
            Self::Change { change, .. } => match (change.archived, change.stock) {
                (Some(true), _) => "archive",
                (Some(false), _) => "restore",
                (None, Some(_)) => "set stock",
                (None, None) => "change",
            },
            Self::Adjust { key: None, .. } => "adjust",
            Self::Adjust { .. } => "adjust under a key",
            Self::Add { key: None, .. } => "add",
            Self::Add { .. } => "add under a key",
            Self::Set { .. } => "set",
            Self::Remove { .. } => "remove",
            Self::Empty => "empty",
            Self::Checkout { .. } => "place",
            Self::SetStatus { .. } => "set status",
            Self::Delete { .. } => "delete",
            Self::Register { .. } => "register",
            Self::Switch(..) => "switch",
            Self::ChangePassword { .. } => "change password",
            Self::ResetPassword { .. } => "reset password",
            Self::StorePassword(_) => "store password",
            Self::SignIn { .. } => "sign in",
            Self::Authenticate { .. } => "authenticate",
            Self::OpenSession { .. } => "open a session",
            Self::Refresh { .. } => "refresh",
            Self::SignOut { .. } => "sign out",
            Self::ForgetKeys => "forget keys",
            Self::ForgetTokens => "forget tokens",
        }
    }

    /// All values of [`Command::name`].
    pub(crate) const NAMES: [&str; 28] = [
        "create",
        "archive",
        "restore",
        "set stock",
        "change",
        "change as seen",
        "adjust",
        "adjust under a key",
        "add",
        "add under a key",
        "set",
        "remove",
        "empty",
        "place",
        "set status",
        "delete",
        "register",
        "switch",
        "change password",
        "reset password",
        "store password",
        "sign in",
        "authenticate",
        "open a session",
        "refresh",
        "sign out",
        "forget keys",
        "forget tokens",
    ];
}

/// The outcome of a command, as its sender gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Created(Execution<Product>),
    Changed(Product),
    Adjusted(Execution<Adjusted>),
    Added(Execution<CartItemDetail>),
    Line(Option<CartItemDetail>),
    Ordered(Order),
    Account(Account),
    SignedIn(SignedIn),
    Session(tradepost_domain::identity::Session),
    Pair(TokenPair),
    Forgotten(u64),
    TokensForgotten(u64),
    Done,
}

impl Answer {
    /// Whether it is a replay.
    pub(crate) fn is_replay(&self) -> bool {
        matches!(
            self,
            Self::Created(Execution::Replayed(_))
                | Self::Adjusted(Execution::Replayed(_))
                | Self::Added(Execution::Replayed(_))
        )
    }
}

/// An idempotency key, with the command as its fingerprint.
pub(crate) fn keyed<T>(
    path: &str,
    key: &str,
    fingerprint: String,
    render: fn(&T) -> String,
) -> Idempotent<T> {
    Idempotent {
        scope: IdempotencyScope {
            path: path.to_owned(),
            key: IdempotencyKey::new(key).unwrap(),
        },
        fingerprint,
        render: ResponseEncoder(render),
    }
}

/// Precondition on a product as a client read it. Sales are ignored unless the client sets the
/// stock.
pub(crate) fn as_seen(product: &Product, sets_stock: bool) -> Precondition<Product> {
    let tag = if sets_stock { all_of } else { edits_of };
    Precondition {
        tags: vec![tag(product)],
        tag: ResponseEncoder(tag),
    }
}

fn all_of(product: &Product) -> String {
    format!("{product:?}")
}

fn edits_of(product: &Product) -> String {
    all_of(&Product {
        stock: StockLevel::ZERO,
        ..product.clone()
    })
}

pub(crate) fn render_product(product: &Product) -> String {
    let Product { id, name, .. } = product;
    format!("product {id} {name} {}", product.stock)
}

pub(crate) fn render_adjusted(adjusted: &Adjusted) -> String {
    format!("movement {} to {}", adjusted.movement.id, adjusted.level)
}

pub(crate) fn render_item(item: &CartItemDetail) -> String {
    format!("line {} of {}", item.line.id, item.line.quantity)
}

pub(crate) fn render_order(order: &Order) -> String {
    format!("order {} for {} {}", order.id, order.total, order.status)
}

/// The code of a refusal; of an invalid request, the name of each field.
pub(crate) fn refusal_names(refusal: &Refusal) -> Vec<&'static str> {
    match refusal {
        Refusal::Invalid(errors) => errors.iter().map(|(field, _)| field).collect(),
        other => vec![other.code()],
    }
}

/// Every refusal that the simulation reaches. The others are [`UNREACHED`].
pub(crate) const REACHED: [&str; 23] = [
    "not_authenticated",
    "invalid_token",
    "invalid_credentials",
    "forbidden",
    "not_found",
    "insufficient_stock",
    "product_unavailable",
    "cart_full",
    "empty_cart",
    "total_changed",
    "invalid_transition",
    "order_not_pending",
    "precondition_failed",
    "idempotency_key_reused",
    "last_staff",
    // Fields.
    "sku",
    "price",
    "delta",
    "product_id",
    "quantity",
    "username",
    "email",
    "current_password",
];

/// Unreached, as no cart within its bounds costs more than 64 bits of minor units, one mutex has no
/// lock conflicts, and no command list has ten thousand keys. Orders have no quota here, sign-in has
/// no limit, and stock may be set.
pub(crate) const UNREACHED: [&str; 6] = [
    "total_too_large",
    "busy",
    "throttled",
    "too_many_attempts",
    "too_many_orders",
    "precondition_required",
];

/// A queued request.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) client: usize,
    pub(crate) request: PlaceOrder,
}
