//! One description per route. Everything that follows from a rule is derived in `responses.rs`.

use super::parameters::{
    ARCHIVED, CREATED_AFTER, CREATED_BEFORE, CURSOR, IN_STOCK, MAX_PRICE, MIN_PRICE, ORDER_ORDERS,
    ORDER_PRODUCTS, PAGE, PAGE_SIZE, Parameter, SEARCH, SEARCH_USERS, STATUS, USER,
};
use super::requests::{self as bodies, Body};
use crate::error::Code;
use actix_web::http::Method;

/// Description of a route: its purpose, its input and its output.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// The `operationId`, which names it in generated clients.
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) success: Success,
    pub(super) body: Option<&'static Body>,
    pub(super) query: &'static [&'static Parameter],
    /// The codes that are specific to this route.
    pub(super) refusals: &'static [Code],
    /// Whether the resource has an `ETag`.
    pub(super) is_tagged: bool,
    /// Whether it reads an `Idempotency-Key`.
    pub(super) is_keyed: bool,
    /// Whether the response has a `Location`.
    pub(super) is_located: bool,
    /// Whether the edit may remove the resource, and then answers 204.
    pub(super) may_remove: bool,
    /// Whether it uses the store.
    pub(super) uses_store: bool,
}

/// The success response of a route.
pub(super) enum Success {
    /// 200 with this schema.
    Shows(&'static str),
    /// 200 with a numbered page or a cursor page of these.
    Lists(&'static str),
    /// 201 with this schema.
    Makes(&'static str),
    /// 204.
    Nothing,
    /// 200 with text of these media types.
    Text(&'static [&'static str]),
}
use Success::{Lists, Makes, Nothing, Shows, Text};

impl Operation {
    const fn takes(mut self, body: &'static Body) -> Self {
        self.body = Some(body);
        self
    }

    const fn asks(mut self, query: &'static [&'static Parameter]) -> Self {
        self.query = query;
        self
    }

    const fn refuses(mut self, codes: &'static [Code]) -> Self {
        self.refusals = codes;
        self
    }

    const fn tagged(mut self) -> Self {
        self.is_tagged = true;
        self
    }

    const fn keyed(mut self) -> Self {
        self.is_keyed = true;
        self
    }

    const fn located(mut self) -> Self {
        self.is_located = true;
        self
    }

    const fn or_removes(mut self) -> Self {
        self.may_remove = true;
        self
    }

    const fn without_store(mut self) -> Self {
        self.uses_store = false;
        self
    }
}

const fn op(
    method: Method,
    path: &'static str,
    id: &'static str,
    (tag, summary): (&'static str, &'static str),
    success: Success,
) -> Operation {
    Operation {
        method,
        path,
        id,
        tag,
        summary,
        success,
        body: None,
        query: &[],
        refusals: &[],
        is_tagged: false,
        is_keyed: false,
        is_located: false,
        may_remove: false,
        uses_store: true,
    }
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

const LIST: &[&Parameter] = &[&PAGE, &PAGE_SIZE];
#[rustfmt::skip]
const PRODUCTS: &[&Parameter] = &[
    &PAGE, &PAGE_SIZE, &CURSOR, &SEARCH, &MIN_PRICE, &MAX_PRICE, &IN_STOCK, &ORDER_PRODUCTS,
    &ARCHIVED,
];
#[rustfmt::skip]
const ORDERS: &[&Parameter] = &[
    &PAGE, &PAGE_SIZE, &CURSOR, &STATUS, &CREATED_AFTER, &CREATED_BEFORE, &ORDER_ORDERS, &USER,
    &ARCHIVED,
];

const FROM_CART: &[Code] = &[
    Code::EmptyCart,
    Code::InsufficientStock,
    Code::ProductUnavailable,
    Code::TotalChanged,
    Code::TotalTooLarge,
    Code::TooManyOrders,
];
const TO_CART: &[Code] = &[Code::InsufficientStock, Code::CartFull];
const IN_CART: &[Code] = &[Code::InsufficientStock, Code::ProductUnavailable];
const TO_STATUS: &[Code] = &[Code::Forbidden, Code::InvalidTransition];

/// The tags, with their descriptions.
pub(super) const TAGS: &[(&str, &str)] = &[
    ("Catalogue", "What the shop sells."),
    ("Stock", "What moved, and what staff deliver or write off."),
    (
        "Cart",
        "What a customer means to buy, at the prices of now.",
    ),
    ("Orders", "What was bought."),
    ("Tokens", "Signing in, staying signed in, and signing out."),
    ("Accounts", "The own account."),
    ("Users", "All accounts, for staff."),
    ("Operations", "For those who watch over the process."),
    ("Documents", "This document, and a page to read and try it."),
];

/// A description for each line of the table of routes, in its order.
#[rustfmt::skip]
pub(super) static TABLE: &[Operation] = &[
    op(GET, "/api/", "listCollections", ("Documents", "Where the collections are"), Shows("Collections")).without_store(),
    op(POST, "/api-token-auth/", "signIn", ("Tokens", "Sign in for a token that lasts, as older clients do"), Shows("Token"))
        .takes(&bodies::CREDENTIALS).refuses(&[Code::InvalidCredentials, Code::TooManyAttempts]),
    op(POST, "/api/token/", "createTokenPair", ("Tokens", "Sign in for a pair of tokens"), Shows("TokenPair"))
        .takes(&bodies::CREDENTIALS).refuses(&[Code::NoActiveAccount, Code::TooManyAttempts]),
    op(POST, "/api/token/refresh/", "refreshTokenPair", ("Tokens", "Exchange a refresh token, which works once, for the next pair"), Shows("TokenPair"))
        .takes(&bodies::REFRESH).refuses(&[Code::InvalidToken]),
    op(POST, "/api/token/revoke/", "revokeRefreshToken", ("Tokens", "Sign out: end every refresh token of the same sign-in"), Nothing)
        .takes(&bodies::REFRESH),
    op(POST, "/api/token/verify/", "verifyToken", ("Tokens", "Ask whether an access token opens the shop at this moment"), Shows("Nothing"))
        .takes(&bodies::VERIFICATION).refuses(&[Code::InvalidToken]),
    op(POST, "/api/register/", "register", ("Accounts", "Become a customer"), Makes("User"))
        .takes(&bodies::REGISTRATION).refuses(&[Code::TooManyAttempts]),
    op(GET, "/api/users/", "listUsers", ("Users", "List accounts, newest first"), Shows("UserPage"))
        .asks(&[&PAGE, &PAGE_SIZE, &SEARCH_USERS]),
    op(GET, "/api/users/me/", "getOwnUser", ("Accounts", "Show the own account"), Shows("User")),
    op(PATCH, "/api/users/me/", "updateOwnUser", ("Accounts", "Change the own account; another e-mail address needs the current password"), Shows("User"))
        .takes(&bodies::EMAIL_CHANGE).refuses(&[Code::TooManyAttempts]),
    op(POST, "/api/users/me/password/", "changeOwnPassword", ("Accounts", "Change the own password; every session and token ends"), Nothing)
        .takes(&bodies::PASSWORD_CHANGE).refuses(&[Code::TooManyAttempts]),
    op(GET, "/api/users/{id}/", "getUser", ("Users", "Show an account"), Shows("User")),
    op(PATCH, "/api/users/{id}/", "updateUser", ("Users", "Switch an account on or off, make it staff or not"), Shows("User"))
        .takes(&bodies::USER_CHANGE).refuses(&[Code::LastStaff]),
    op(GET, "/api/products/", "listProducts", ("Catalogue", "List products, newest first"), Lists("Product"))
        .asks(PRODUCTS),
    op(POST, "/api/products/", "createProduct", ("Catalogue", "Add a product"), Makes("Product"))
        .takes(&bodies::PRODUCT).tagged().keyed().located(),
    op(GET, "/api/products/{id}/", "getProduct", ("Catalogue", "Show a product"), Shows("Product"))
        .asks(&[&ARCHIVED]).tagged(),
    op(PUT, "/api/products/{id}/", "replaceProduct", ("Catalogue", "Change a product, naming every required field"), Shows("Product"))
        .takes(&bodies::PRODUCT).tagged().refuses(&[Code::PreconditionRequired]),
    op(PATCH, "/api/products/{id}/", "updateProduct", ("Catalogue", "Change a product, archive it or bring it back"), Shows("Product"))
        .takes(&bodies::PRODUCT_CHANGE).tagged().refuses(&[Code::PreconditionRequired]),
    op(DELETE, "/api/products/{id}/", "archiveProduct", ("Catalogue", "Archive a product"), Nothing).tagged(),
    op(GET, "/api/products/{id}/stock/", "listStockMovements", ("Stock", "List the movements of a product's stock, newest first"), Shows("MovementPage"))
        .asks(LIST),
    op(POST, "/api/products/{id}/stock/", "adjustStock", ("Stock", "Change stock relative to what is there"), Makes("Movement"))
        .takes(&bodies::ADJUSTMENT).keyed().refuses(&[Code::InsufficientStock]),
    op(GET, "/api/cart/", "getCart", ("Cart", "Show the own cart, page by page, with its totals"), Shows("Cart"))
        .asks(LIST),
    op(POST, "/api/cart/", "addToCart", ("Cart", "Put units of a product into the cart; they add up in one line"), Makes("CartLine"))
        .takes(&bodies::ADDITION).tagged().keyed().refuses(TO_CART),
    op(DELETE, "/api/cart/", "emptyCart", ("Cart", "Empty the cart"), Nothing),
    op(GET, "/api/cart/{id}/", "getCartLine", ("Cart", "Show a line"), Shows("CartLine")).tagged(),
    op(PUT, "/api/cart/{id}/", "replaceCartLine", ("Cart", "Set the quantity of a line; 0 removes it"), Shows("CartLine"))
        .takes(&bodies::LINE).tagged().or_removes().refuses(IN_CART),
    op(PATCH, "/api/cart/{id}/", "updateCartLine", ("Cart", "Set the quantity of a line; 0 removes it"), Shows("CartLine"))
        .takes(&bodies::LINE_CHANGE).tagged().or_removes().refuses(IN_CART),
    op(DELETE, "/api/cart/{id}/", "removeCartLine", ("Cart", "Remove a line"), Nothing).tagged(),
    op(GET, "/api/orders/", "listOrders", ("Orders", "List the own orders, newest first; staff see everybody's"), Lists("Order"))
        .asks(ORDERS),
    op(POST, "/api/orders/", "placeOrder", ("Orders", "Order the whole cart: everything or nothing"), Makes("Order"))
        .takes(&bodies::PLACEMENT).tagged().keyed().located().refuses(FROM_CART),
    op(GET, "/api/orders/{id}/", "getOrder", ("Orders", "Show an order"), Shows("Order"))
        .asks(&[&ARCHIVED]).tagged(),
    op(PUT, "/api/orders/{id}/", "replaceOrder", ("Orders", "Take an order to a status"), Shows("Order"))
        .takes(&bodies::STATUS).tagged().refuses(TO_STATUS),
    op(PATCH, "/api/orders/{id}/", "updateOrder", ("Orders", "Take an order to a status"), Shows("Order"))
        .takes(&bodies::STATUS_CHANGE).tagged().refuses(TO_STATUS),
    op(DELETE, "/api/orders/{id}/", "deleteOrder", ("Orders", "Cancel a pending order and put it out of sight"), Nothing)
        .tagged().refuses(&[Code::OrderNotPending]),
    op(GET, "/api/schema/", "getSchema", ("Documents", "This document"), Text(&["application/json"])).tagged().without_store(),
    op(GET, "/api/docs/", "getDocs", ("Documents", "A page to read and try it"), Text(&["text/html"])).tagged().without_store(),
    op(GET, "/api/docs/{file}/", "getDocsFile", ("Documents", "The page's files"), Text(&["text/css", "text/javascript"])).tagged().without_store(),
    op(GET, "/healthz", "getHealth", ("Operations", "Whether the process lives"), Shows("Health")).without_store(),
    op(GET, "/readyz", "getReadiness", ("Operations", "Whether the database answers and its schema is current"), Shows("Health")),
    op(GET, "/metrics", "getMetrics", ("Operations", "What is counted, as Prometheus reads it; for this machine, and whom the shop allows"), Text(&["text/plain"]))
        .without_store().refuses(&[Code::NotFound]),
];
