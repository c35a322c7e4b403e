//! Values and mechanisms that every context uses: ids, money, quantities, text, validation errors,
//! refusals and store errors, pagination, idempotency, preconditions, and the environment (clock,
//! randomness, signer).

mod actor;
pub mod deadline;
mod detail;
mod error;
mod idempotency;
#[macro_use]
mod ids;
mod money;
mod pagination;
mod precondition;
mod progress;
mod quantity;
mod refusal;
mod slice;
mod store_error;
mod system;
pub(crate) mod text;
mod validation;

pub use actor::{Access, Actor};
pub use detail::{Detail, DetailValue};
pub use error::Error;
pub use idempotency::{
    Execution, IDEMPOTENCY_KEY_TTL, IdempotencyKey, IdempotencyRefusal, IdempotencyScope,
    Idempotent, MAX_STORED_RESPONSE_BYTES, MAX_STORED_RESPONSE_BYTES_OF_STAFF, Replayed,
    ResponseEncoder, StoredResponse, StoredResponseUsage, check_replay_quota, decide_replay,
    stored_response_size,
};
pub use ids::{CartItemId, EventSeq, InvalidId, MovementId, OrderId, ProductId, UserId};
pub use money::{Currency, Money, MoneyError, UnknownCurrency};
pub use pagination::{
    CursorBound, CursorPage, CursorRequest, Keyset, List, Page, PageRequest, Search, SortField,
    SortKey, SortPosition, SortValue, Sorting, searched_text,
};
pub use precondition::Precondition;
pub use progress::{NoProgress, Progress};
pub use quantity::Quantity;
#[cfg(test)]
pub(crate) use refusal::assert_sampled;
pub use refusal::{ContextRefusal, Refusal};
pub use slice::{AllOrNone, Outcomes, Refusals, single};
pub(crate) use slice::{executed, settle, settle_one, settle_together};
pub use store_error::{StoreError, StoreErrorKind};
pub use system::{
    Clock, HashingFailed, MessageSigner, NoRandomness, PasswordHasher, PlacementIds, System,
    TokenService,
};
pub use text::{Description, Note, ProductName, Sku, UserSearch, fold_case, fold_for_search};
pub use validation::{FieldError, FieldName, NON_FIELD, ValidationErrors};

#[cfg(any(test, feature = "test-support"))]
pub use system::{
    MockClock, MockMessageSigner, MockPasswordHasher, MockPlacementIds, MockTokenService,
};
