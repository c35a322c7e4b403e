//! Endpoint declarations: everything about one method of one path, in one place. The router, the
//! OpenAPI document, the access matrix and the labels of the metrics derive from them.

mod parameter;
mod response_body;

pub(crate) use parameter::{ID, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, REQUEST_ID, parameters};
pub(crate) use response_body::{Example, ResponseBody, SHOP_URL, to_json};

use crate::error::Code;
use crate::extract::parameter::Parameter;
use crate::extract::request::{Request, RequestBody};
use crate::middleware::authenticate::RoutePolicy;
use crate::middleware::request_cost::Cost;
use crate::respond::pages::{CursorPageResponse, PageResponse};
use actix_web::Route;
use actix_web::http::Method;
use tradepost_domain::kernel::Access;

/// An endpoint: one method of one path.
#[derive(Debug, Clone)]
pub struct Endpoint {
    method: Method,
    path: &'static str,
    pub(crate) policy: RoutePolicy,
    pub(crate) handler: fn() -> Route,
    /// The `operationId`, which names it in generated clients.
    pub(crate) id: &'static str,
    pub(crate) tag: Tag,
    pub(crate) summary: &'static str,
    pub(crate) request: Option<RequestBody>,
    pub(crate) success: Success,
    /// The error codes that do not follow from the other properties.
    pub(crate) errors: &'static [Code],
    /// Whether the resource has an `ETag`.
    pub(crate) has_etag: bool,
    /// Whether it reads an `Idempotency-Key`.
    pub(crate) is_idempotent: bool,
    /// Whether the response has a `Location`.
    pub(crate) has_location: bool,
    /// Whether it may also remove the resource, and then answers 204.
    pub(crate) may_remove: bool,
    /// Whether it uses the store.
    pub(crate) uses_store: bool,
}

/// The success response of an endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Success {
    /// 200 with this body.
    Ok(ResponseBody),
    /// 200 with a numbered page.
    Page(ResponseBody),
    /// 200 with a numbered page or a cursor page.
    List {
        page: ResponseBody,
        cursor_page: ResponseBody,
    },
    /// 201 with this body.
    Created(ResponseBody),
    /// 204.
    NoContent,
    /// 200 with text of these media types.
    Text(&'static [&'static str]),
}

impl Success {
    /// The bodies that it may have.
    pub(crate) fn bodies(self) -> Vec<ResponseBody> {
        match self {
            Self::Ok(body) | Self::Page(body) | Self::Created(body) => vec![body],
            Self::List { page, cursor_page } => vec![page, cursor_page],
            Self::NoContent | Self::Text(_) => Vec::new(),
        }
    }
}

/// Tag of an endpoint: a chapter of the OpenAPI document, with its description.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tag(pub(crate) &'static str, pub(crate) &'static str);

#[rustfmt::skip]
impl Tag {
    pub(crate) const CATALOGUE: Self = Self("Catalogue", "What the shop sells.");
    pub(crate) const STOCK: Self = Self("Stock", "What moved, and what staff deliver or write off.");
    pub(crate) const CART: Self = Self("Cart", "What a customer means to buy, at the prices of now.");
    pub(crate) const ORDERS: Self = Self("Orders", "What was bought.");
    pub(crate) const EVENTS: Self = Self("Events", "What happened in the shop: history, audit, and a feed to follow.");
    pub(crate) const TOKENS: Self = Self("Tokens", "Signing in, staying signed in, and signing out.");
    pub(crate) const ACCOUNTS: Self = Self("Accounts", "The own account.");
    pub(crate) const USERS: Self = Self("Users", "All accounts, for staff.");
    pub(crate) const OPERATIONS: Self = Self("Operations", "For those who watch over the process.");
    pub(crate) const DOCUMENTS: Self = Self("Documents", "This document, and a page to read and try it.");

    /// All tags, in the order of the document.
    pub(crate) const ALL: [Self; 10] = [
        Self::CATALOGUE, Self::STOCK, Self::CART, Self::ORDERS, Self::EVENTS, Self::TOKENS,
        Self::ACCOUNTS, Self::USERS, Self::OPERATIONS, Self::DOCUMENTS,
    ];
}

/// A constructor for each method.
macro_rules! constructors {
    ($($name:ident = $method:ident),+) => {
        impl Endpoint {$(
            pub(crate) const fn $name(
                path: &'static str,
                access: Access,
                handler: fn() -> Route,
            ) -> Self {
                Self::new(Method::$method, path, access, handler)
            }
        )+}
    };
}

constructors! { get = GET, post = POST, put = PUT, patch = PATCH, delete = DELETE }

impl Endpoint {
    /// The method; a GET endpoint also answers HEAD.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, below `/api` with a slash at its end; `{id}` stands for a number, and `{file}` for
    /// the name of a file. Each path is served with and without the slash at its end.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The callers that may use it.
    #[must_use]
    pub fn access(&self) -> Access {
        self.policy.access
    }

    /// Whether it edits a resource with an `ETag`, so that `If-Match` applies.
    pub(crate) fn reads_if_match(&self) -> bool {
        let edits = [Method::PUT, Method::PATCH, Method::DELETE].contains(&self.method);
        self.has_etag && edits
    }

    const fn new(
        method: Method,
        path: &'static str,
        access: Access,
        handler: fn() -> Route,
    ) -> Self {
        let is_compressible = matches!(method, Method::GET);
        Self {
            method,
            path,
            policy: RoutePolicy {
                access,
                reads_token: true,
                counts: true,
                cost: Cost::Plain,
                parameters: &[],
                bypass_session_cache: false,
                is_compressible,
            },
            handler,
            id: "",
            tag: Tag::DOCUMENTS,
            summary: "",
            request: None,
            success: Success::NoContent,
            errors: &[],
            has_etag: false,
            is_idempotent: false,
            has_location: false,
            may_remove: false,
            uses_store: true,
        }
    }

    /// The tag, the `operationId` and the summary in the OpenAPI document.
    pub(crate) const fn describe(
        mut self,
        tag: Tag,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        self.tag = tag;
        self.id = id;
        self.summary = summary;
        self
    }

    /// The cost class of its requests, if they cost more than one unit, or may.
    pub(crate) const fn cost(mut self, cost: Cost) -> Self {
        self.policy.cost = cost;
        self
    }

    /// For monitoring systems: it ignores tokens, and is not rate limited.
    pub(crate) const fn unmetered(mut self) -> Self {
        self.policy.reads_token = false;
        self.policy.counts = false;
        self
    }

    /// Its response is always a few bytes, so that it needs no compression and no `Vary`.
    pub(crate) const fn uncompressed(mut self) -> Self {
        self.policy.is_compressible = false;
        self
    }

    /// It bypasses the session cache.
    pub(crate) const fn bypass_session_cache(mut self) -> Self {
        self.policy.bypass_session_cache = true;
        self
    }

    /// It ignores the `Authorization` header.
    pub(crate) const fn without_token(mut self) -> Self {
        self.policy.reads_token = false;
        self
    }

    /// The request body.
    pub(crate) const fn request<T: Request>(mut self) -> Self {
        self.request = Some(T::BODY);
        self
    }

    /// 200 with this body.
    pub(crate) const fn ok<T: Example>(mut self) -> Self {
        self.success = Success::Ok(ResponseBody::new::<T>());
        self
    }

    /// 200 with a numbered page of these.
    pub(crate) const fn page<T: Example>(mut self) -> Self {
        self.success = Success::Page(ResponseBody::new::<PageResponse<T>>());
        self
    }

    /// 200 with a numbered page or a cursor page of these.
    pub(crate) const fn list<T: Example>(mut self) -> Self {
        self.success = Success::List {
            page: ResponseBody::new::<PageResponse<T>>(),
            cursor_page: ResponseBody::new::<CursorPageResponse<T>>(),
        };
        self
    }

    /// 201 with this body.
    pub(crate) const fn created<T: Example>(mut self) -> Self {
        self.success = Success::Created(ResponseBody::new::<T>());
        self
    }

    /// 200 with text of these media types.
    pub(crate) const fn text(mut self, media: &'static [&'static str]) -> Self {
        self.success = Success::Text(media);
        self
    }

    /// Or 204, if the request removes the resource.
    pub(crate) const fn or_no_content(mut self) -> Self {
        self.may_remove = true;
        self
    }

    /// The parameters, besides those of pages, headers and `{id}`.
    pub(crate) const fn parameters(mut self, parameters: &'static [&'static Parameter]) -> Self {
        self.policy.parameters = parameters;
        self
    }

    /// The error codes that do not follow from the other properties.
    pub(crate) const fn errors(mut self, codes: &'static [Code]) -> Self {
        self.errors = codes;
        self
    }

    /// The resource has an `ETag`.
    pub(crate) const fn etag(mut self) -> Self {
        self.has_etag = true;
        self.policy.is_compressible = true;
        self
    }

    /// It reads an `Idempotency-Key`.
    pub(crate) const fn idempotent(mut self) -> Self {
        self.is_idempotent = true;
        self
    }

    /// The response has a `Location`.
    pub(crate) const fn location(mut self) -> Self {
        self.has_location = true;
        self
    }

    /// It does not use the store.
    pub(crate) const fn without_store(mut self) -> Self {
        self.uses_store = false;
        self
    }
}
