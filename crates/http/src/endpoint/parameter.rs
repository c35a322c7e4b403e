//! Parameters in paths and headers in the OpenAPI document.

use serde_json::{Value, json};
use tradepost_domain::kernel::IdempotencyKey;

/// Declares parameters without a parser: place, name of the component, name, description, schema.
macro_rules! parameters {
    ($($visibility:vis $constant:ident = $place:literal $key:literal $name:literal $about:expr, $schema:expr;)+) => {$(
        $visibility const $constant: $crate::extract::parameter::Parameter = $crate::extract::parameter::Parameter {
            key: $key,
            name: $name,
            place: $place,
            about: $about,
            schema: || $schema,
            work: $crate::extract::parameter::Work::None,
        };
    )+};
}
pub(crate) use parameters;

parameters! {
    pub(crate) ID = "path" "Id" "id" "What cannot be an id is 404, as an id that is not there.",
        json!({"type": "integer", "format": "int64", "minimum": 1});
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
