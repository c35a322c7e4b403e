//! Fuzzing entry points to the request parsers, with the invariants that must hold for any input.
//! Compiled with the feature `fuzzing` alone, so that no part of it is in a release.
//!
//! Each function takes arbitrary bytes, and panics if its invariant does not hold.

use crate::extract::fields::{boolean, decimal, integer, text};
use crate::extract::parameter::QueryParameter;
use crate::extract::query::{ListRequest, Query, encode, pairs};
use crate::extract::{body, form};
use crate::middleware::authenticate;
use crate::middleware::forwarded::{ForwardedInfo, PublicUrl};
use crate::resources::{etag as resource_etag, orders, products};
use crate::respond::{etag, replay, signed_cursor};
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH,
};
use actix_web::test::TestRequest;
use actix_web::web::Bytes;
use futures_util::FutureExt;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tradepost_domain::kernel::{
    Currency, CursorBound, CursorRequest, MessageSigner, PageRequest, SortField, SortPosition,
    SortValue, Sorting,
};

/// JSON body: each parsed field equals the one that another JSON parser finds.
pub fn body(data: &[u8]) {
    let Ok(mut fields) = body::json(data) else {
        return;
    };
    let count = fields.optional("quantity", integer(Ok));
    let name = fields.optional("name", text(|text| Ok(text.to_owned())));
    let flag = fields.optional("archived", boolean);
    let price = fields.nullable("price", decimal(|text| Ok(text.to_owned())));
    let complete = fields.complete(Some(())).is_ok();
    // The other parser has a depth limit.
    let Ok(whole) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let members = whole.as_object();
    assert!(members.is_some(), "only an object is a body");
    if let Some(expected) = whole.get("quantity").and_then(Value::as_i64) {
        assert_eq!(count, Some(expected));
    }
    if let Some(expected) = whole.get("name").and_then(Value::as_str) {
        assert_eq!(
            name.as_deref(),
            Some(expected).filter(|text| !text.contains('\0'))
        );
    }
    assert_eq!(flag, whole.get("archived").and_then(Value::as_bool));
    if let Some(expected) = whole.get("price").and_then(Value::as_str) {
        assert_eq!(price.flatten().as_deref(), Some(expected));
    }
    let read = ["quantity", "name", "archived", "price"];
    let asked = read.iter().any(|name| whole.get(*name).is_some());
    assert!(complete || asked, "what nobody asks for is not wrong");
}

/// Form in either encoding: no more fields than there are separators, each of them text.
pub fn form(data: &[u8]) {
    let _ = form::urlencoded(data);
    let mut headers = HeaderMap::new();
    let media = HeaderValue::from_static("multipart/form-data; boundary=x");
    headers.insert(CONTENT_TYPE, media);
    let read = form::multipart(&headers, Bytes::copy_from_slice(data)).now_or_never();
    assert!(
        read.is_some(),
        "a body that is there is read without waiting"
    );
}

/// Query string: decoded pairs are encoded again, and no page exceeds the maximum size.
pub fn query(data: &[u8]) {
    let Ok(query) = std::str::from_utf8(data) else {
        return;
    };
    let decoded = pairs(query);
    let mut encoded = String::new();
    for (name, value) in &decoded {
        encode(name, &mut encoded);
        encoded.push('=');
        encode(value, &mut encoded);
        encoded.push('&');
    }
    assert_eq!(pairs(&encoded), decoded);
    if let Some(currency) = Currency::from_code("USD") {
        let mut read = Query::read(query);
        let filter = products::list::filter(&mut read, currency);
        let scope = products::list::scope(&filter);
        part(read, &products::list::ORDERING, &scope);
    }
    let mut read = Query::read(query);
    let filter = orders::list::filter(&mut read);
    let scope = orders::list::scope(&filter);
    part(read, &orders::list::ORDERING, &scope);
}

fn part<F: SortField>(query: Query, ordering: &QueryParameter<Sorting<F>>, scope: &impl Serialize) {
    let size = match query.list_request(ordering, 10, scope, &SIGNER) {
        Ok(ListRequest::Page(_, listing)) => listing.page.size(),
        Ok(ListRequest::Cursor(params)) => params.span.size,
        Err(_) => return,
    };
    assert!((1..=PageRequest::MAX_SIZE).contains(&size), "{size} rows");
}

/// Cursor: a signed one round-trips, and is rejected if any letter was changed. A signed text that
/// is no position is rejected.
pub fn cursor(data: &[u8]) {
    let scope = signed_cursor::Scope::new(&("products", "-price"));
    let read = |cursor: &str| scope.read(cursor, 7, &SIGNER);
    if let Ok(forged) = std::str::from_utf8(data) {
        // libFuzzer learns from the comparisons below, so the forgery is checked with another
        // signing key.
        let forgery = scope.read(forged, 7, &FixedKey(b"another"));
        assert!(forged.is_empty() || forgery.is_err(), "it was not signed");
    }
    let _ = read(&scope.signed(data, &SIGNER));
    let Some(((flags, at, letter, id), value)) = split(data) else {
        return;
    };
    let value = match (flags & 4, std::str::from_utf8(value)) {
        (0, Ok(text)) => SortValue::Text(text.chars().take(200).collect()),
        _ => SortValue::Number(id),
    };
    let place = SortPosition { value, id };
    let inclusive = flags & 1 != 0;
    let span = CursorRequest {
        edge: Some(CursorBound {
            position: place,
            inclusive,
        }),
        backwards: flags & 2 != 0,
        size: 7,
    };
    let cursor = scope.write(&span, &SIGNER);
    assert_eq!(read(&cursor), Ok(span));
    let other = signed_cursor::Scope::new(&("products", "price"));
    assert!(other.read(&cursor, 7, &SIGNER).is_err(), "another list");
    let mut changed = cursor.clone().into_bytes();
    let at = usize::from(at) % changed.len().max(1);
    if let Some(byte) = changed.get_mut(at) {
        *byte = letter;
    }
    if let Ok(changed) = String::from_utf8(changed) {
        assert!(changed == cursor || read(&changed).is_err(), "{changed}");
    }
}

type Parts<'a> = ((u8, u8, u8, i64), &'a [u8]);

fn split(data: &[u8]) -> Option<Parts<'_>> {
    let ([flags, at, letter], rest) = data.split_first_chunk()?;
    let (id, rest) = rest.split_first_chunk()?;
    Some(((*flags, *at, *letter, i64::from_be_bytes(*id)), rest))
}

/// `Idempotency-Key`: a parsed key has its bounds, and is the same in double quotes.
pub fn key(data: &[u8]) {
    let Some(headers) = header(HeaderName::from_static("idempotency-key"), data) else {
        return;
    };
    let Ok(Some(key)) = replay::read(&headers) else {
        return;
    };
    let key = key.as_str();
    assert!((1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
    let quoted = format!("\"{key}\"");
    let again = header(
        HeaderName::from_static("idempotency-key"),
        quoted.as_bytes(),
    );
    let again = again.and_then(|headers| replay::read(&headers).ok().flatten());
    assert_eq!(again.as_ref().map(|key| key.as_str()), Some(key));
}

/// `Authorization` header: the token is the same after any known scheme.
pub fn authorization(data: &[u8]) {
    let Some(headers) = header(AUTHORIZATION, data) else {
        return;
    };
    let Some(token) = authenticate::token(&headers) else {
        return;
    };
    assert_eq!(token, token.trim_ascii());
    for scheme in [&b"Bearer "[..], b"token\t", b"JWT  "] {
        let again = header(AUTHORIZATION, &[scheme, token].concat());
        assert_eq!(again.as_ref().and_then(authenticate::token), Some(token));
    }
}

/// Entity tags: a client that holds the current tag, among any others, gets a 304.
pub fn tags(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let tag = etag::ETag::for_fuzzing();
    let asks = |name: HeaderName, value: HeaderValue| {
        let request = TestRequest::get().insert_header((name, value));
        request.to_http_request()
    };
    let _ = tag.not_modified(&asks(IF_NONE_MATCH, value.clone()));
    let request = asks(IF_MATCH, value);
    let seen = resource_etag::if_match_order(&request).map(|seen| seen.tags);
    let quoted = seen.iter().flatten().any(|tag| tag.contains('"'));
    assert!(!quoted, "a tag stands between its quotes");
    let _ = resource_etag::if_match_product(&request, true);
    if let Some(own) = tag.header() {
        assert!(tag.not_modified(&asks(IF_NONE_MATCH, own)).is_some());
    }
}

/// `Host`: an accepted host makes a valid absolute URL.
pub fn host(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else {
        return;
    };
    let request = TestRequest::get().insert_header((HOST, value));
    let request = request.to_http_request();
    let origin = ForwardedInfo::of(request.head(), &[]);
    if origin.is_for(None) {
        let base = origin.base();
        assert!(PublicUrl::parse(&base).is_ok(), "{base}");
    }
}

fn header(name: HeaderName, value: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(name, HeaderValue::from_bytes(value).ok()?);
    Some(headers)
}

/// A signer whose signatures the fuzzer cannot guess.
struct FixedKey(&'static [u8]);

const SIGNER: FixedKey = FixedKey(b"fuzzing");

impl MessageSigner for FixedKey {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let digest = Sha256::new().chain_update(self.0).chain_update(message);
        digest.finalize().into_iter().take(16).collect()
    }

    fn verify(&self, message: &[u8], signer: &[u8]) -> bool {
        self.sign(message) == signer
    }
}
