//! Request parameters in the OpenAPI document: those that several endpoints have.

use serde_json::{Value, json};
use tradepost_domain::kernel::{FieldName, IdempotencyKey, PageRequest, SortField};

/// A parameter of a request: in the path, the query or the headers.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// The name of its component.
    pub(crate) key: &'static str,
    pub(crate) name: FieldName,
    pub(crate) place: &'static str,
    pub(crate) about: &'static str,
    pub(crate) schema: fn() -> Value,
}

impl Parameter {
    pub(crate) fn is_in_query(&self) -> bool {
        self.place == "query"
    }

    /// The parameter object of the document.
    pub(crate) fn object(&self) -> Value {
        json!({
            "name": self.name,
            "in": self.place,
            "description": self.about,
            "required": self.place == "path",
            "schema": (self.schema)()
        })
    }
}

/// Declares parameters: place, name of the component, name, description, schema.
macro_rules! parameters {
    ($($visibility:vis $constant:ident = $place:literal $key:literal $name:literal $about:expr, $schema:expr;)+) => {$(
        $visibility const $constant: $crate::endpoint::Parameter = $crate::endpoint::Parameter {
            key: $key,
            name: $name,
            place: $place,
            about: $about,
            schema: || $schema,
        };
    )+};
}
pub(crate) use parameters;

parameters! {
    pub(crate) ID = "path" "Id" "id" "What cannot be an id is 404, as an id that is not there.",
        json!({"type": "integer", "format": "int64", "minimum": 1});
    pub(crate) PAGE = "query" "Page" "page" "Which page, from 1, which is the default, or `last`. One that does not exist is 404.",
        json!({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "const": "last"}]});
    pub(crate) PAGE_SIZE = "query" "PageSize" "page_size"
        "Rows on a page; more than 100 is taken as 100. Without it, 10 or what the shop has set.",
        json!({"type": "integer", "minimum": 1, "examples": [PageRequest::MAX_SIZE]});
    pub(crate) CURSOR = "query" "Cursor" "cursor"
        "Read from place to place instead of by page: empty for the first part, then as in `next` and `previous`. Ordered by one field other than `stock`; not together with `page`.",
        json!({"type": "string"});
    pub(crate) ARCHIVED = "query" "Archived" "archived"
        "For staff: what is archived, alone. From anybody else it is as if it was not there.",
        json!({"type": "boolean"});
    pub(crate) REQUEST_ID = "header" "RequestId" "X-Request-ID"
        "A name for this request, of up to 128 letters, digits, `.`, `_` and `-`; another is replaced.",
        json!({"type": "string"});
    pub(crate) IDEMPOTENCY_KEY = "header" "IdempotencyKey" "Idempotency-Key"
        "Under one key the same request happens once, and is answered again as it was. A new random one for each thing that is to happen.",
        json!({
            "type": "string",
            "minLength": 1,
            "maxLength": IdempotencyKey::MAX + 2,
            "pattern": r#"^([!#-~][!-~]{0,254}|"[!-~]{1,255}")$"#
        });
    pub(crate) IF_MATCH = "header" "IfMatch" "If-Match"
        "The `ETag` of what the client saw, or several of them, or `*`. If somebody edited it since, it is 412 and nothing changes.",
        json!({"type": "string"});
    pub(crate) IF_NONE_MATCH = "header" "IfNoneMatch" "If-None-Match"
        "The `ETag` of what the client holds, several of them, or `*` for whatever there is. If it is still that, it is 304. What is no tag counts as none.",
        if_none_match_schema();
}

/// Entity tags, strong or weak. Any text is accepted: an unparsable value counts as a tag that
/// matches nothing. The pattern allows it, and puts the intended form first: otherwise tools send a
/// `*` all the time, whose 304 some of them take for an error.
fn if_none_match_schema() -> Value {
    let strong = r#""[!#-~]*""#;
    let tag = format!("(W/)?{strong}");
    let pattern = format!(r"^({strong}|W/{strong}|{tag}(, ?{tag})+|[\s\S]*)$");
    json!({"type": "string", "pattern": pattern})
}

/// Schema of `ordering`: the fields that a list can be sorted by.
pub(crate) fn ordering_schema<F: SortField>() -> Value {
    let fields: Vec<_> = F::ALL.iter().map(|field| field.as_str()).collect();
    let field = format!("-?({})", fields.join("|"));
    // May be empty, as any parameter may: it then counts as absent.
    json!({"type": "string", "pattern": format!("^({field}(,{field})*)?$")})
}
