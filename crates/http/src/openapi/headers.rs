//! Response headers of the OpenAPI document.

use serde_json::{Map, Value, json};

/// The headers, with their descriptions and schemas.
#[rustfmt::skip]
pub(super) fn headers() -> Value {
    let headers = [
        ("X-Request-ID", "The name of this request, in the log as well.", json!({"type": "string", "minLength": 1})),
        ("ETag", "Of all that the answer shows, for `If-None-Match` and `If-Match`; that of a compressed answer ends with `-gzip`. Not on an answer that is given again under its `Idempotency-Key`.", json!({"type": "string", "pattern": "^\"[0-9a-f.]+(-gzip)?\"$"})),
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
