//! Test tokens: forged ones, which have to be rejected.

use crate::{SigningKey, hs256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// The time at which every token here is read.
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const SECRET: &str = "the key of the shop, 32 bytes and more";

pub(crate) fn key(secret: &str) -> SigningKey {
    SigningKey::from_secret(secret).unwrap()
}

/// Base64 for URLs, without padding (RFC 4648, section 5).
pub(crate) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn signature(message: &str, secret: &str) -> String {
    hs256::install();
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap()
}

/// A token with this header and payload, signed with a key.
pub(crate) fn forged(header: &str, payload: &str, secret: &str) -> String {
    let message = format!(
        "{}.{}",
        base64(header.as_bytes()),
        base64(payload.as_bytes())
    );
    let signature = signature(&message, secret);
    format!("{message}.{signature}")
}

pub(crate) fn header() -> Value {
    json!({"typ": "JWT", "alg": "HS256", "kid": key(SECRET).id()})
}

pub(crate) fn payload() -> Value {
    json!({
        "iss": "tradepost", "aud": "tradepost", "sub": "7", "typ": "access",
        "iat": NOW - 60, "exp": NOW + 60, "epoch": 3,
    })
}

/// An object with one member set, or removed by `null`.
pub(crate) fn with(mut object: Value, member: &str, value: Value) -> String {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(member).unwrap();
    } else {
        members.insert(member.to_owned(), value);
    }
    object.to_string()
}

pub(crate) fn with_header(member: &str, value: Value) -> String {
    forged(
        &with(header(), member, value),
        &payload().to_string(),
        SECRET,
    )
}

pub(crate) fn with_claim(member: &str, value: Value) -> String {
    forged(
        &header().to_string(),
        &with(payload(), member, value),
        SECRET,
    )
}

pub(crate) fn with_text(payload: &str) -> String {
    forged(&header().to_string(), payload, SECRET)
}

/// The same claims under the header of issued tokens, which is read in another way than one with its
/// members in another order. `None` unless the token is genuine.
pub(crate) fn under_issued_header(token: &str) -> Option<String> {
    let (message, signed) = token.rsplit_once('.')?;
    let (header, payload) = message.split_once('.')?;
    let is_plain = header == base64(self::header().to_string().as_bytes());
    if !is_plain || signed != signature(message, SECRET) {
        return None;
    }
    let message = format!("{}.{payload}", key(SECRET).header());
    Some(format!("{message}.{}", signature(&message, SECRET)))
}
