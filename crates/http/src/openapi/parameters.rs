//! Parameters and headers of the OpenAPI document, each described once.

use crate::respond::json::DECIMAL;
use serde_json::{Map, Value, json};
use tradepost_domain::kernel::{
    IdempotencyKey, Money, OrderField, PageRequest, ProductField, Search, SortField, UserSearch,
};

/// A parameter of a request.
pub(super) struct Parameter {
    pub(super) key: &'static str,
    name: &'static str,
    place: &'static str,
    about: &'static str,
    schema: fn() -> Value,
}

impl Parameter {
    pub(super) fn description(&self) -> Value {
        json!({
            "name": self.name,
            "in": self.place,
            "description": self.about,
            "required": self.place == "path",
            "schema": (self.schema)()
        })
    }

    pub(super) fn reference(&self) -> Value {
        reference("parameters", self.key)
    }
}

macro_rules! parameters {
    ($($name:ident = $place:literal $key:literal $api:literal $about:expr, $schema:expr;)+) => {
        $(pub(super) const $name: Parameter = Parameter {
            key: $key,
            name: $api,
            place: $place,
            about: $about,
            schema: || $schema,
        };)+

        /// All parameters.
        pub(super) const ALL: &[Parameter] = &[$($name),+];
    };
}

parameters! {
    ID = "path" "Id" "id" "What cannot be an id is 404, as an id that is not there.",
        json!({"type": "integer", "format": "int64", "minimum": 1});
    FILE = "path" "File" "file" "One of the page's files.",
        json!({"type": "string", "enum": crate::resources::docs::NAMES});
    PAGE = "query" "Page" "page" "Which page, from 1, which is the default, or `last`. One that does not exist is 404.",
        json!({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "const": "last"}]});
    PAGE_SIZE = "query" "PageSize" "page_size"
        "Rows on a page; more than 100 is taken as 100. Without it, 10 or what the shop has set.",
        json!({"type": "integer", "minimum": 1, "examples": [PageRequest::MAX_SIZE]});
    ARCHIVED = "query" "Archived" "archived"
        "For staff: what is archived, alone. From anybody else it is as if it was not there.",
        json!({"type": "boolean"});
    SEARCH_USERS = "query" "SearchUsers" "search"
        "Text in the username or in the e-mail address, whatever its case.",
        json!({"type": "string", "maxLength": UserSearch::MAX});
    SEARCH = "query" "Search" "search"
        "Words, at most 10 of them, which all have to occur in the name or the description, whatever their case.",
        json!({"type": "string", "maxLength": Search::MAX});
    MIN_PRICE = "query" "MinPrice" "min_price" "From this price, 0 or more.", amount();
    MAX_PRICE = "query" "MaxPrice" "max_price" "Up to this price, 0 or more.", amount();
    IN_STOCK = "query" "InStock" "in_stock" "Those with stock alone.",
        json!({"type": "boolean"});
    STATUS = "query" "Status" "status" "In this status.",
        json!({"anyOf": [reference("schemas", "OrderStatus"), {"type": "string", "maxLength": 0}]});
    CREATED_AFTER = "query" "CreatedAfter" "created_after" "From this time, or from the start of this day in UTC.",
        moment();
    CREATED_BEFORE = "query" "CreatedBefore" "created_before" "Up to this time, or to the end of this day in UTC.",
        moment();
    USER = "query" "OfUser" "user"
        "For staff: of the user with this id. From anybody else it is as if it was not there.",
        json!({"type": "integer", "format": "int64", "minimum": 1});
    ORDER_PRODUCTS = "query" "ProductOrdering" "ordering"
        "Fields with commas between them, each once; a `-` before one turns it round.",
        ordering::<ProductField>();
    ORDER_ORDERS = "query" "OrderOrdering" "ordering"
        "Fields with commas between them, each once; a `-` before one turns it round.",
        ordering::<OrderField>();
    CURSOR = "query" "Cursor" "cursor"
        "Read from place to place instead of by page: empty for the first part, then as in `next` and `previous`. Ordered by one field other than `stock`; not together with `page`.",
        json!({"type": "string"});
    REQUEST_ID = "header" "RequestId" "X-Request-ID"
        "A name for this request, of up to 128 letters, digits, `.`, `_` and `-`; another is replaced.",
        json!({"type": "string"});
    IDEMPOTENCY_KEY = "header" "IdempotencyKey" "Idempotency-Key"
        "Under one key the same request happens once, and is answered again as it was. A new random one for each thing that is to happen.",
        json!({
            "type": "string",
            "minLength": 1,
            "maxLength": IdempotencyKey::MAX + 2,
            "pattern": r#"^([!#-~][!-~]{0,254}|"[!-~]{1,255}")$"#
        });
    IF_MATCH = "header" "IfMatch" "If-Match"
        "The `ETag` of what the client saw, or several of them, or `*`. If somebody edited it since, it is 412 and nothing changes.",
        json!({"type": "string"});
    IF_NONE_MATCH = "header" "IfNoneMatch" "If-None-Match"
        "The `ETag` of what the client holds, several of them, or `*` for whatever there is. If it is still that, it is 304. What is no tag counts as none.",
        held();
}

/// A time, or a date that stands for a whole day.
fn moment() -> Value {
    json!({"anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        {"type": "string", "maxLength": 0}
    ]})
}

fn amount() -> Value {
    let pattern = format!("^$|{DECIMAL}");
    json!({"type": "string", "pattern": pattern, "maxLength": Money::MAX_TEXT})
}

/// The fields that a list can be sorted by.
fn ordering<F: SortField>() -> Value {
    let fields: Vec<_> = F::ALL.iter().map(|field| field.as_str()).collect();
    let field = format!("-?({})", fields.join("|"));
    // May be empty, as any parameter may: it then counts as absent.
    json!({"type": "string", "pattern": format!("^({field}(,{field})*)?$")})
}

/// Schema of `If-None-Match`: entity tags, strong or weak. Any text is accepted: an unparsable
/// value counts as a tag that matches nothing. The pattern allows it, and puts the intended form
/// first: otherwise tools send a `*` all the time, whose 304 some of them take for an error.
fn held() -> Value {
    let strong = r#""[!#-~]*""#;
    let tag = format!("(W/)?{strong}");
    let pattern = format!(r"^({strong}|W/{strong}|{tag}(, ?{tag})+|[\s\S]*)$");
    json!({"type": "string", "pattern": pattern})
}

/// Response headers: the key in the document, the name, the description, the schema.
#[rustfmt::skip]
pub(super) fn headers() -> Value {
    let headers = [
        ("X-Request-ID", "The name of this request, in the log as well.", json!({"type": "string", "minLength": 1})),
        ("ETag", "Of all that the answer shows, for `If-None-Match` and `If-Match`. Not on an answer that is given again under its `Idempotency-Key`.", json!({"type": "string", "pattern": "^\"[0-9a-f.]+\"$"})),
        ("Location", "The absolute address of what was made.", json!({"type": "string", "format": "uri"})),
        ("Idempotent-Replayed", "`true` on an answer that was given before.", json!({"type": "string", "enum": ["true"]})),
        ("Retry-After", "Seconds after which it may be worth another try.", json!({"type": "integer", "minimum": 1})),
        ("RateLimit", "How many units of cost are left in the bucket that is nearest to refusing, and in how many seconds all are back (IETF draft).", json!({"type": "string", "pattern": "^\"(user|session|address|network)\";r=[0-9]+;t=[0-9]+$"})),
        ("RateLimit-Policy", "How many units of cost that bucket holds, and in how many seconds it fills up.", json!({"type": "string", "pattern": "^\"(user|session|address|network)\";q=[0-9]+;w=60$"})),
        ("WWW-Authenticate", "How to sign in (RFC 6750).", json!({"type": "string", "pattern": "^Bearer"})),
        ("Allow", "The methods that the path has.", json!({"type": "string"})),
    ];
    let headers = headers.into_iter().map(|(name, about, schema)| {
        let always = ["X-Request-ID", "Location", "WWW-Authenticate", "Allow"].contains(&name);
        let header = json!({"description": about, "required": always, "schema": schema});
        (name.to_owned(), header)
    });
    headers.collect::<Map<_, _>>().into()
}

pub(super) fn reference(kind: &str, key: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{key}")})
}
