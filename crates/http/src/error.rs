//! API errors, and their mapping to HTTP status codes and error codes.
//!
//! No other file names the status of a failure. A refusal of the domain carries its code, whose row
//! in the table below has the status and the title; a test holds that no row is missing or unused.
//! The golden files in `tests/golden/` pin each code to its status.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::{HttpResponse, ResponseError};
use std::fmt;
use tradepost_domain::identity::IdentityRefusal;
use tradepost_domain::kernel::{
    Error, HashingFailed, MoneyError, Refusal, StoreError, StoreErrorKind,
};

macro_rules! codes {
    ($($name:ident = $status:ident $word:literal $title:literal at $path:literal),+ $(,)?) => {
        /// Error code: a stable identifier that clients can rely on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $name),+
        }

        impl Code {
            pub(crate) const ALL: &[Self] = &[$(Self::$name),+];

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status),+
                }
            }

            /// The stable word of the code.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word),+
                }
            }

            /// A title for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title),+
                }
            }

            /// A path whose requests can fail so, for the example in the OpenAPI document.
            pub(crate) const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path),+
                }
            }
        }
    };
}

impl Code {
    /// The code of a refusal. A test holds that each refusal has a row in the table.
    pub(crate) fn of(refusal: &Refusal) -> Self {
        let word = refusal.code();
        let row = Self::ALL.iter().find(|code| code.word() == word);
        row.copied().unwrap_or(Self::InternalError)
    }
}

codes! {
    Invalid = BAD_REQUEST "invalid" "The request is not valid" at "/api/products/",
    MalformedBody = BAD_REQUEST "malformed_body" "The body cannot be read" at "/api/products/",
    BadRequest = BAD_REQUEST "bad_request" "The request cannot be understood" at "/api/cart/",
    BadHost = BAD_REQUEST "bad_host" "Unknown host" at "/api/products/",
    EmptyCart = BAD_REQUEST "empty_cart" "The cart is empty" at "/api/orders/",
    InvalidCredentials = BAD_REQUEST "invalid_credentials" "Signing in failed" at "/api-token-auth/",
    NoActiveAccount = UNAUTHORIZED "no_active_account" "Signing in failed" at "/api/token/",
    NotAuthenticated = UNAUTHORIZED "not_authenticated" "Signing in is required" at "/api/cart/",
    InvalidToken = UNAUTHORIZED "invalid_token" "The token is not valid" at "/api/cart/",
    Forbidden = FORBIDDEN "forbidden" "Not allowed" at "/api/products/",
    NotFound = NOT_FOUND "not_found" "Not found" at "/api/products/12/",
    MethodNotAllowed = METHOD_NOT_ALLOWED "method_not_allowed" "Method not allowed" at "/api/register/",
    RequestTimeout = REQUEST_TIMEOUT "request_timeout" "The request took too long to arrive" at "/api/cart/",
    InsufficientStock = CONFLICT "insufficient_stock" "Not enough stock" at "/api/cart/",
    ProductUnavailable = CONFLICT "product_unavailable" "Product no longer sold" at "/api/orders/",
    CartFull = CONFLICT "cart_full" "The cart is full" at "/api/cart/",
    AddressBookFull = CONFLICT "address_book_full" "The address book is full" at "/api/users/me/addresses/",
    TotalChanged = CONFLICT "total_changed" "The total has changed" at "/api/orders/",
    TotalTooLarge = CONFLICT "total_too_large" "The total is too large" at "/api/orders/",
    InvalidTransition = CONFLICT "invalid_transition" "Transition not allowed" at "/api/orders/1/",
    OrderNotPending = CONFLICT "order_not_pending" "The order is no longer pending" at "/api/orders/1/",
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY "idempotency_key_reused" "The idempotency key was used before" at "/api/orders/",
    FeedRewound = CONFLICT "feed_rewound" "The event log ends earlier" at "/api/events/",
    LastStaff = CONFLICT "last_staff" "The last staff user has to stay" at "/api/users/1/",
    PreconditionFailed = PRECONDITION_FAILED "precondition_failed" "It was changed since" at "/api/products/12/",
    PreconditionRequired = PRECONDITION_REQUIRED "precondition_required" "A precondition is required" at "/api/products/12/",
    TooManyAttempts = TOO_MANY_REQUESTS "too_many_attempts" "Too many attempts" at "/api/token/",
    TooManyOrders = TOO_MANY_REQUESTS "too_many_orders" "Too many orders" at "/api/orders/",
    Throttled = TOO_MANY_REQUESTS "throttled" "Too many requests" at "/api/cart/",
    BodyTooLarge = PAYLOAD_TOO_LARGE "body_too_large" "The body is too large" at "/api/products/",
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "unsupported_media_type" "Unsupported media type" at "/api/products/",
    InternalError = INTERNAL_SERVER_ERROR "internal_error" "Internal error" at "/api/cart/",
    Busy = SERVICE_UNAVAILABLE "busy" "Too busy" at "/api/orders/",
    Unavailable = SERVICE_UNAVAILABLE "unavailable" "Unavailable" at "/api/orders/",
    ListTimeout = SERVICE_UNAVAILABLE "list_timeout" "The list took too long" at "/api/products/",
    Schema = SERVICE_UNAVAILABLE "schema" "The database is of another version" at "/readyz",
    OutcomeUnknown = SERVICE_UNAVAILABLE "outcome_unknown" "The outcome is not known" at "/api/orders/",
    StorageFull = INSUFFICIENT_STORAGE "storage_full" "No room left" at "/api/orders/",
}

/// Lists every error code: its status, the code, and its title.
pub fn error_codes() -> impl Iterator<Item = (u16, &'static str, &'static str)> {
    Code::ALL
        .iter()
        .map(|code| (code.status().as_u16(), code.word(), code.title()))
}

/// The reason why a request failed.
#[derive(Debug, Clone)]
pub enum ApiError {
    /// A rejection by the domain.
    Refused(Refusal),
    /// Username and password do not match, where that is 401: at `/api/token/`.
    NoActiveAccount,
    /// The store failed.
    Store(StoreError),
    /// A password could not be hashed.
    Hashing(HashingFailed),
    /// An amount overflows 64 bits: a defect, as all stored amounts have bounds.
    Amount(MoneyError),
    /// The body is malformed; the sentence says why.
    MalformedBody(&'static str),
    /// The body is larger than its route allows.
    BodyTooLarge,
    /// The media type of the body is not supported.
    UnsupportedMediaType,
    /// The body has a `Content-Encoding`, such as gzip.
    UnsupportedEncoding,
    /// The body did not arrive in time.
    BodyTimeout,
    /// 405; carries the value of the `Allow` header.
    MethodNotAllowed(HeaderValue),
    /// The request is for a host that is not served.
    BadHost,
    /// CORS rejects a request of a page from another origin.
    CrossOrigin,
    /// The queue is full, or the request waited in it until its deadline. Nothing was begun.
    Busy,
    /// The rate limit is exceeded; carries the seconds until a request may succeed.
    Throttled {
        /// Seconds until a request may succeed.
        seconds: u64,
    },
    /// A query did not end by its deadline.
    Overdue,
    /// A list was interrupted at its deadline.
    ListOverdue,
    /// A command was begun and did not end by its deadline.
    OutcomeUnknown,
    /// The readiness check of the store failed.
    NotReady(StoreError),
    /// A handler panicked.
    Panicked,
    /// A defect of this crate; the text is for the log.
    Defect(String),
    /// The framework answered with this status itself.
    Framework(StatusCode),
}

impl ApiError {
    /// The code, which has the status.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => Code::of(refusal),
            Self::NoActiveAccount => Code::NoActiveAccount,
            Self::Store(error) => match error.kind() {
                StoreErrorKind::Busy => Code::Busy,
                StoreErrorKind::Unavailable | StoreErrorKind::DeadlineExceeded => Code::Unavailable,
                StoreErrorKind::Full => Code::StorageFull,
                StoreErrorKind::OutcomeUnknown => Code::OutcomeUnknown,
                StoreErrorKind::SchemaMismatch => Code::Schema,
                StoreErrorKind::Corrupt { .. } | StoreErrorKind::Other => Code::InternalError,
            },
            Self::NotReady(error) => match error.kind() {
                StoreErrorKind::Busy => Code::Busy,
                StoreErrorKind::SchemaMismatch => Code::Schema,
                StoreErrorKind::Unavailable
                | StoreErrorKind::DeadlineExceeded
                | StoreErrorKind::Full
                | StoreErrorKind::OutcomeUnknown
                | StoreErrorKind::Corrupt { .. }
                | StoreErrorKind::Other => Code::Unavailable,
            },
            Self::MalformedBody(_) => Code::MalformedBody,
            Self::BodyTooLarge => Code::BodyTooLarge,
            Self::UnsupportedMediaType | Self::UnsupportedEncoding => Code::UnsupportedMediaType,
            Self::BodyTimeout => Code::RequestTimeout,
            Self::MethodNotAllowed(_) => Code::MethodNotAllowed,
            Self::BadHost => Code::BadHost,
            Self::CrossOrigin => Code::BadRequest,
            Self::Throttled { .. } => Code::Throttled,
            Self::Busy => Code::Busy,
            Self::Overdue => Code::Unavailable,
            Self::ListOverdue => Code::ListTimeout,
            Self::OutcomeUnknown => Code::OutcomeUnknown,
            Self::Hashing(_) | Self::Amount(_) | Self::Panicked | Self::Defect(_) => {
                Code::InternalError
            }
            Self::Framework(status) => framework_code(*status),
        }
    }

    /// The `Retry-After` header: seconds after which a retry may succeed. `has_key` says that the
    /// request carried an idempotency key: only then may a command with an unknown outcome be sent
    /// again, and clients that look at nothing else but this header do so.
    pub(crate) fn retry_after(&self, has_key: bool) -> Option<HeaderValue> {
        let known = match self {
            Self::Refused(refusal) => refusal.retry_after(),
            Self::Throttled { seconds } => Some(*seconds),
            _ => None,
        };
        if let Some(seconds) = known {
            return Some(HeaderValue::from(seconds));
        }
        match self.code() {
            Code::Busy => Some(HeaderValue::from_static("1")),
            Code::OutcomeUnknown if has_key => Some(HeaderValue::from_static("1")),
            // An unavailable database takes longer to come back than a queue to drain.
            Code::Unavailable | Code::ListTimeout => Some(HeaderValue::from_static("5")),
            // Too many idempotency keys: they expire by the hour.
            Code::Throttled => Some(HeaderValue::from_static("3600")),
            _ => None,
        }
    }

    /// The `WWW-Authenticate` challenge of a 401 (RFC 6750).
    pub(crate) fn challenge(&self) -> Option<HeaderValue> {
        match self.code() {
            Code::NotAuthenticated | Code::NoActiveAccount => {
                Some(HeaderValue::from_static("Bearer"))
            }
            Code::InvalidToken => Some(HeaderValue::from_static(r#"Bearer error="invalid_token""#)),
            _ => None,
        }
    }

    /// Logs the details that the client does not get. Called once for each error.
    pub(crate) fn log(&self, request_id: &str) {
        match self {
            Self::Store(error) => match error.kind() {
                StoreErrorKind::Busy
                | StoreErrorKind::Unavailable
                | StoreErrorKind::DeadlineExceeded => {
                    log::warn!(id = request_id; "request {request_id}: {error}");
                }
                StoreErrorKind::Full
                | StoreErrorKind::OutcomeUnknown
                | StoreErrorKind::Corrupt { .. }
                | StoreErrorKind::SchemaMismatch
                | StoreErrorKind::Other => {
                    log::error!(id = request_id; "request {request_id}: {error}")
                }
            },
            Self::NotReady(error) => {
                log::warn!(id = request_id; "request {request_id}: not ready: {error}")
            }
            Self::Hashing(error) => log::error!(id = request_id; "request {request_id}: {error}"),
            Self::Amount(error) => log::error!(id = request_id; "request {request_id}: {error}"),
            Self::Defect(cause) => log::error!(id = request_id; "request {request_id}: {cause}"),
            Self::Panicked => {
                log::error!(id = request_id; "request {request_id}: a handler panicked")
            }
            Self::Overdue => {
                log::warn!(id = request_id; "request {request_id}: a query took too long")
            }
            Self::ListOverdue => {
                log::warn!(id = request_id; "request {request_id}: a list took too long")
            }
            Self::OutcomeUnknown => {
                log::error!(id = request_id; "request {request_id}: a command took too long")
            }
            Self::Framework(status) if status.is_server_error() => {
                log::error!(id = request_id; "request {request_id}: the framework answered {status}");
            }
            Self::Refused(_)
            | Self::NoActiveAccount
            | Self::MalformedBody(_)
            | Self::BodyTooLarge
            | Self::UnsupportedMediaType
            | Self::UnsupportedEncoding
            | Self::BodyTimeout
            | Self::MethodNotAllowed(_)
            | Self::BadHost
            | Self::CrossOrigin
            | Self::Throttled { .. }
            | Self::Busy
            | Self::Framework(_) => {}
        }
    }
}

/// The code for a response that the framework gave itself.
fn framework_code(status: StatusCode) -> Code {
    match status {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::REQUEST_TIMEOUT => Code::RequestTimeout,
        StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        status if status.is_client_error() => Code::BadRequest,
        _ => Code::InternalError,
    }
}

impl fmt::Display for ApiError {
    /// A sentence for the client, which never names an internal cause.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NoActiveAccount => Refusal::Identity(IdentityRefusal::InvalidCredentials).fmt(f),
            Self::MalformedBody(why) => f.write_str(why),
            Self::CrossOrigin => f.write_str(
                "Pages of this origin may not send such a request: its origin, method or headers are not allowed.",
            ),
            Self::UnsupportedEncoding => f.write_str(
                "Compressed bodies are not read. Send the body without a Content-Encoding.",
            ),
            Self::Store(_)
            | Self::Hashing(_)
            | Self::Amount(_)
            | Self::BodyTooLarge
            | Self::UnsupportedMediaType
            | Self::BodyTimeout
            | Self::MethodNotAllowed(_)
            | Self::BadHost
            | Self::Throttled { .. }
            | Self::Busy
            | Self::Overdue
            | Self::ListOverdue
            | Self::OutcomeUnknown
            | Self::NotReady(_)
            | Self::Panicked
            | Self::Defect(_)
            | Self::Framework(_) => f.write_str(sentence(self.code())),
        }
    }
}

/// The sentence for a code whose error carries none that is meant for clients.
fn sentence(code: Code) -> &'static str {
    match code {
        Code::BodyTooLarge => "A body may have at most 64 KiB.",
        Code::UnsupportedMediaType => {
            "This type of body is not read here. Send JSON or a form, in UTF-8."
        }
        Code::RequestTimeout => "The request did not arrive in time.",
        Code::MethodNotAllowed => "This path has no such method; the Allow header lists its own.",
        Code::BadHost => "This server does not serve the host that was asked for.",
        Code::Throttled => "That is too much at once. Try again after the seconds of Retry-After.",
        Code::Busy => "The shop has too much to do. Nothing was changed; try again.",
        Code::Unavailable => "The shop cannot answer right now. Nothing was changed; try again.",
        Code::ListTimeout => {
            "This list takes too long to read. Ask for less: a narrower search or filter, another order than by stock, or a cursor in place of a page far from the first."
        }
        Code::OutcomeUnknown => {
            "The shop could not learn in time what became of the request. Look before trying again, or send it again under the Idempotency-Key that it came with."
        }
        Code::Schema => "The shop's database is of another version. Nothing was changed.",
        Code::StorageFull => "The shop has no room left. Nothing was changed.",
        Code::InternalError => "Something went wrong in the shop; it was written down.",
        Code::BadRequest => "The request cannot be understood.",
        Code::NotFound => "There is nothing here.",
        // The other codes are rejections, which have sentences of their own.
        other => other.title(),
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code().status()
    }

    /// Without a body: `middleware::error_rendering` renders it, as it knows the request.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<MoneyError> for ApiError {
    fn from(error: MoneyError) -> Self {
        Self::Amount(error)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => Self::Refused(refusal),
            Error::Store(error) => Self::Store(error),
            Error::Hashing(error) => Self::Hashing(error),
            Error::Randomness(error) => Self::Defect(error.to_string()),
        }
    }
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
