//! The rules of a shop, without any I/O: products, stock, carts, orders and accounts.
//!
//! Every write is a value that this crate decides:
//!
//! ```text
//! request -> command (a value) -> repository port
//!                                   lock and load the state of the command  (adapter)
//!                                   decide(command, state) -> decision      (here, pure)
//!                                   write the decision, commit              (adapter)
//!            outcome (a value) <-
//! ```
//!
//! - The `decide` functions are pure and total: no clock, no randomness, no panic. Time, ids and
//!   hashes are arguments.
//! - The ports, such as [`OrderRepository`], are the traits that an adapter implements. An adapter
//!   never decides.
//! - The use cases ([`Catalogue`], [`Carts`], [`Orders`], [`Accounts`]) check authorisation, build
//!   the command and pass it to a port.
//!
//! # Example
//!
//! ```
//! use tradepost_domain::{Currency, Money, Quantity};
//!
//! let usd = Currency::from_code("USD").ok_or("no such currency")?;
//! let price = Money::parse("19.99", usd)?;
//! assert_eq!(price.times(Quantity::new(3)?)?.to_string(), "59.97");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod actor;
mod attempts;
mod cart;
pub mod deadline;
mod fields;
mod idempotency;
mod identity;
mod ids;
mod import;
mod known_networks;
mod lists;
mod money;
mod order;
mod order_quota;
mod order_status;
mod page;
mod password;
mod placing;
mod ports;
mod product;
mod quantity;
mod refresh;
mod refusal;
mod retention;
mod search;
mod seen;
mod shop;
mod slice;
mod sorting;
mod stock;
#[cfg(test)]
mod testing;
mod text;
mod whereabouts;

pub use account::{
    Account, ChangeEmail, ChangePassword, Credentials, Register, SwitchUser, TokenClaims,
    decide_email, decide_password, decide_role, decide_session, decide_staff, decide_switch,
};
pub use actor::{Access, Actor};
pub use attempts::{
    ATTEMPT_LIFE, Attempt, AttemptCount, AttemptKey, AttemptRule, AttemptSettings, Attempted,
    OnSuccess, decide_attempt,
};
pub use cart::{
    Cart, CartAction, CartDecision, CartIssue, CartItem, CartLine, ChangeCart, MAX_CART_LINES,
    decide_cart,
};
pub use fields::{FieldErrors, FieldName, NON_FIELD, Problem};
pub use idempotency::{
    IdempotencyKey, KEY_LIFE, KeptAnswers, KeyRecord, KeyScope, Keyed, MAX_KEPT_BYTES,
    MAX_KEPT_BYTES_OF_STAFF, Render, Written, decide_keeping, decide_key, kept_size,
};
pub use identity::{Email, LoginName, NameConflicts, Username, decide_names, trim_invisible};
pub use ids::{CartItemId, MovementId, OrderId, ProductId, UserId};
pub use import::{
    Ground, ImportDecision, ImportFault, ImportProblem, ImportRefusal, ImportRow, ImportShop,
    LARGEST_IMPORTED_ID, decide_import, sales_history,
};
pub use known_networks::{
    KNOWN_NETWORK_LIFE, KnownNetwork, KnownNetworkKey, MAX_KNOWN_NETWORKS, decide_known_network,
};
pub use lists::{OrderField, OrderFilter, OrderList, ProductField, ProductFilter, ProductList};
pub use money::{Currency, Money, MoneyError};
pub use order::{ChangeOrder, Order, OrderAction, OrderDecision, OrderLine, decide_order};
pub use order_quota::{ORDER_QUOTA_WINDOW, OrderQuota, OrderUsage, decide_order_quota};
pub use order_status::OrderStatus;
pub use page::{Page, PageRequest};
pub use password::{Password, PasswordHash};
pub use placing::{
    Floor, NewOrder, Offer, PlaceOrder, PlacementId, PlacingDecision, decide_placing,
};
pub use ports::*;
pub use product::{
    ChangeProduct, CreateProduct, Price, Product, ProductChange, ProductDecision, ProductDraft,
    decide_change, decide_creation,
};
pub use quantity::Quantity;
pub use refresh::{
    LONGEST_FAMILY, MAX_FAMILIES, REUSE_GRACE, Refresh, RefreshDecision, RefreshDigest,
    RefreshToken, decide_family_quota, decide_refresh,
};
pub use refusal::{Refusal, Shortage};
pub use retention::{ClockReading, decide_purge, latest_uptime};
pub use search::{Search, searched_text};
pub use seen::Seen;
pub use shop::{
    AccountSettings, Accounts, Attempts, Carts, Catalogue, HashedUser, NewUser, Orders, Session,
    ShopError, SignInPriority, SignedIn, TokenPair,
};
pub use slice::{Edge, Keyset, Place, Slice, Span};
pub use sorting::{List, SortField, SortKey, SortValue, Sorting};
pub use stock::{
    AdjustStock, Adjusted, Movement, NewMovement, Reason, StockDecision, StockDelta, StockLevel,
    StockWrites, decide_adjustment, decide_stock_write,
};
pub use text::{Description, Note, ProductName, Sku, UserSearch, fold_case, fold_for_search};
pub use whereabouts::Whereabouts;
