//! Forged, tampered, confused and expired tokens. Each is one change away from an accepted token,
//! and each gets the same answer.

use super::*;
use crate::test_tokens::{
    NOW, SECRET, base64, forged, header, key, payload, under_issued_header, with, with_claim,
    with_header, with_text,
};
use serde_json::{Value, json};

fn tokens() -> JwtTokens {
    JwtTokens::new(key(SECRET), Vec::new())
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn claims() -> TokenClaims {
    TokenClaims {
        user: UserId::new(7).unwrap(),
        session_epoch: 3,
        issued_at: at(NOW - 60),
        expires_at: at(NOW + 60),
    }
}

fn read(token: &str) -> Result<TokenClaims, Refusal> {
    tokens().read(token, at(NOW))
}

fn refused(cases: impl IntoIterator<Item = (impl std::fmt::Display, String)>) -> usize {
    let mut count = 0;
    for (case, token) in cases {
        for token in under_issued_header(&token).iter().chain([&token]) {
            assert_eq!(read(token), Err(Refusal::InvalidToken), "{case}: {token}");
        }
        count += 1;
    }
    count
}

#[test]
fn a_token_carries_its_claims() {
    assert_eq!(read(&tokens().issue(&claims())), Ok(claims()));
    let large = TokenClaims {
        user: UserId::new(i64::MAX).unwrap(),
        session_epoch: i64::MIN,
        issued_at: at(0),
        expires_at: DateTime::from_timestamp(DateTime::<Utc>::MAX_UTC.timestamp(), 0).unwrap(),
    };
    assert_eq!(read(&tokens().issue(&large)), Ok(large));
}

#[test]
fn the_tokens_forged_below_are_valid_without_their_change() {
    let token = forged(&header().to_string(), &payload().to_string(), SECRET);
    assert_eq!(read(&token), Ok(claims()));
    assert_eq!(read(&with_claim("more", json!("to come"))), Ok(claims()));
    let issued = under_issued_header(&token).unwrap();
    assert_eq!(read(&issued), Ok(claims()));
    assert_ne!(issued, token);
    let header = |token: &str| token.split('.').next().unwrap().to_owned();
    assert_eq!(header(&issued), header(&tokens().issue(&claims())));
}

#[test]
fn tokens_with_another_header_are_refused() {
    let kid = key(SECRET).id().to_owned();
    let capitals = kid.to_uppercase();
    assert_ne!(capitals, kid, "a kid with letters");
    let count = refused([
        ("alg none", with_header("alg", json!("none"))),
        ("alg None", with_header("alg", json!("None"))),
        ("alg empty", with_header("alg", json!(""))),
        ("no alg", with_header("alg", Value::Null)),
        ("alg a list", with_header("alg", json!(["HS256"]))),
        ("alg HS384", with_header("alg", json!("HS384"))),
        ("alg HS512", with_header("alg", json!("HS512"))),
        ("alg RS256", with_header("alg", json!("RS256"))),
        ("alg ES256", with_header("alg", json!("ES256"))),
        ("alg EdDSA", with_header("alg", json!("EdDSA"))),
        ("alg hs256", with_header("alg", json!("hs256"))),
        ("no kid", with_header("kid", Value::Null)),
        ("kid unknown", with_header("kid", json!("00000000"))),
        ("kid empty", with_header("kid", json!(""))),
        ("kid a number", with_header("kid", json!(1))),
        (
            "kid a path",
            with_header("kid", json!("../../../../dev/null")),
        ),
        ("kid SQL", with_header("kid", json!("' OR 1=1 --"))),
        ("kid in capitals", with_header("kid", json!(capitals))),
        ("kid cut short", with_header("kid", json!(&kid[..7]))),
        ("kid and more", with_header("kid", json!(format!("{kid}0")))),
        (
            "kid with NUL",
            with_header("kid", json!(format!("{kid}\0"))),
        ),
        (
            "kid with a space",
            with_header("kid", json!(format!(" {kid}"))),
        ),
        ("kid a list", with_header("kid", json!([kid]))),
        (
            "kid an address",
            with_header("kid", json!("https://example.org/key")),
        ),
        ("kid a file", with_header("kid", json!("file:///dev/null"))),
        ("typ refresh", with_header("typ", json!("refresh"))),
        ("typ refresh+jwt", with_header("typ", json!("refresh+jwt"))),
        ("no typ", with_header("typ", Value::Null)),
        ("typ at+jwt", with_header("typ", json!("at+jwt"))),
        ("typ in small letters", with_header("typ", json!("jwt"))),
        ("crit", with_header("crit", json!(["b64"]))),
    ]);
    assert_eq!(count, 31);
}

#[test]
fn tokens_with_another_key_are_refused() {
    let other = "the key of somebody else, 32 bytes and more";
    let kid = with(header(), "kid", json!(key(other).id()));
    let empty = with(header(), "kid", json!(key(SECRET).id()));
    let payload = payload().to_string();
    refused([
        (
            "our kid, their key",
            forged(&header().to_string(), &payload, other),
        ),
        ("their kid, their key", forged(&kid, &payload, other)),
        ("their kid, our key", forged(&kid, &payload, SECRET)),
        ("an empty key", forged(&empty, &payload, "")),
        ("the kid as key", forged(&empty, &payload, key(SECRET).id())),
        (
            "a key that the token brings along",
            forged(
                &with(
                    header(),
                    "jwk",
                    json!({"kty": "oct", "k": base64(other.as_bytes())}),
                ),
                &payload,
                other,
            ),
        ),
        (
            "a key from elsewhere",
            forged(
                &with(header(), "jku", json!("https://example.org/keys")),
                &payload,
                other,
            ),
        ),
    ]);
}

#[test]
fn tokens_with_a_missing_or_mistyped_claim_are_refused() {
    for claim in ["iss", "aud", "sub", "typ", "iat", "exp", "epoch"] {
        let count = refused(
            [
                ("missing", with_claim(claim, Value::Null)),
                (
                    "null",
                    with_text(&payload().to_string().replacen(
                        &format!("\"{claim}\":{}", payload()[claim]),
                        &format!("\"{claim}\":null"),
                        1,
                    )),
                ),
                ("true", with_claim(claim, json!(true))),
                ("a list", with_claim(claim, json!([payload()[claim]]))),
                ("an object", with_claim(claim, json!({}))),
                ("a fraction", with_claim(claim, json!(0.5))),
                ("empty", with_claim(claim, json!(""))),
                (
                    "twice",
                    with_text(&payload().to_string().replacen(
                        '{',
                        &format!("{{\"{claim}\":{},", payload()[claim]),
                        1,
                    )),
                ),
            ]
            .map(|(case, token)| (format!("{claim} {case}"), token)),
        );
        assert_eq!(count, 8);
    }
}

#[test]
fn tokens_with_a_wrong_claim_are_refused() {
    refused([
        ("iss", with_claim("iss", json!("elsewhere"))),
        ("iss in capitals", with_claim("iss", json!("Tradepost"))),
        ("aud", with_claim("aud", json!("elsewhere"))),
        (
            "aud among others",
            with_claim("aud", json!(["tradepost", "elsewhere"])),
        ),
        ("typ refresh", with_claim("typ", json!("refresh"))),
        ("typ in capitals", with_claim("typ", json!("Access"))),
        ("sub 0", with_claim("sub", json!("0"))),
        ("sub negative", with_claim("sub", json!("-1"))),
        ("sub abc", with_claim("sub", json!("abc"))),
        ("sub a number", with_claim("sub", json!(7))),
        ("sub with a sign", with_claim("sub", json!("+7"))),
        ("sub with a space", with_claim("sub", json!(" 7"))),
        (
            "sub too large",
            with_claim("sub", json!("9223372036854775808")),
        ),
        ("sub in other digits", with_claim("sub", json!("٧"))),
        ("nbf", with_claim("nbf", json!(NOW - 60))),
        ("nbf ahead", with_claim("nbf", json!(NOW + 30))),
    ]);
}

#[test]
fn tokens_outside_their_validity_period_are_refused() {
    refused([
        ("expired just now", with_claim("exp", json!(NOW))),
        ("expired a second ago", with_claim("exp", json!(NOW - 1))),
        ("expired at the beginning", with_claim("exp", json!(0))),
        ("expired before it", with_claim("exp", json!(-1))),
        (
            "expires when no calendar goes",
            with_claim("exp", json!(i64::MAX)),
        ),
        ("expires beyond 64 bits", with_claim("exp", json!(u64::MAX))),
        (
            "exp as text",
            with_claim("exp", json!((NOW + 60).to_string())),
        ),
        (
            "exp as a float",
            with_text(
                &payload()
                    .to_string()
                    .replace(&(NOW + 60).to_string(), &format!("{}.0", NOW + 60)),
            ),
        ),
        (
            "exp as a large float",
            with_text(
                &payload()
                    .to_string()
                    .replace(&(NOW + 60).to_string(), "1e300"),
            ),
        ),
        ("issued far ahead", with_claim("iat", json!(NOW + 61))),
        (
            "issued when no calendar goes",
            with_claim("iat", json!(i64::MIN)),
        ),
    ]);
    let token = with_claim("exp", json!(NOW + 1));
    assert!(read(&token).is_ok(), "one more second");
    let moment = at(NOW + 1) - Duration::microseconds(1);
    assert!(
        tokens().read(&token, moment).is_ok(),
        "up to the last microsecond"
    );
    assert_eq!(
        tokens().read(&token, at(NOW + 1)),
        Err(Refusal::InvalidToken)
    );
    assert!(
        read(&with_claim("iat", json!(NOW + 60))).is_ok(),
        "a clock that is ahead"
    );
}

#[test]
fn time_is_the_callers_and_not_the_systems() {
    let token = tokens().issue(&claims());
    assert!(tokens().read(&token, at(NOW)).is_ok());
    for now in [0, NOW + 60, NOW * 2] {
        assert_eq!(
            tokens().read(&token, at(now)),
            Err(Refusal::InvalidToken),
            "{now}"
        );
    }
}

#[test]
fn tampered_tokens_are_refused() {
    let genuine = tokens().issue(&claims());
    let other = tokens().issue(&TokenClaims {
        user: UserId::new(8).unwrap(),
        ..claims()
    });
    let [head, body, sign] = [0, 1, 2].map(|at| genuine.split('.').nth(at).unwrap().to_owned());
    let [other_body, other_sign] = [1, 2].map(|at| other.split('.').nth(at).unwrap().to_owned());
    let (start, last) = sign.split_at(sign.len() - 1);
    // The last Base64 digit of 32 bytes carries two unused bits, which have to be zero.
    let spare = if last == "A" { "B" } else { "_" };
    let staff = with(payload(), "sub", json!("1"));
    let none = base64(with(header(), "alg", json!("none")).as_bytes());
    let cases = [
        (
            "another payload",
            format!("{head}.{}.{sign}", base64(staff.as_bytes())),
        ),
        (
            "the payload of another",
            format!("{head}.{other_body}.{sign}"),
        ),
        (
            "the signature of another",
            format!("{head}.{body}.{other_sign}"),
        ),
        (
            "another last digit",
            format!("{head}.{body}.{start}{spare}"),
        ),
        ("a shorter signature", format!("{head}.{body}.{start}")),
        ("half a signature", format!("{head}.{body}.{}", &sign[..20])),
        ("a longer signature", format!("{head}.{body}.{sign}AAAA")),
        ("the signature twice", format!("{head}.{body}.{sign}{sign}")),
        ("a padded signature", format!("{head}.{body}.{sign}=")),
        ("no signature", format!("{head}.{body}.")),
        ("no signature and no dot", format!("{head}.{body}")),
        ("none and no signature", format!("{none}.{body}.")),
        ("none and our signature", format!("{none}.{body}.{sign}")),
        ("no payload", format!("{head}..{sign}")),
        ("no header", format!(".{body}.{sign}")),
        ("one part more", format!("{genuine}.{sign}")),
        ("an empty part more", format!("{genuine}.")),
        ("an empty part before", format!(".{genuine}")),
        (
            "five parts, as an encrypted one",
            format!("{head}.{body}.{body}.{body}.{sign}"),
        ),
        ("twice", format!("{genuine}.{genuine}")),
        ("a space before", format!(" {genuine}")),
        ("a line after", format!("{genuine}\n")),
        ("a space within", format!("{head}. {body}.{sign}")),
        ("with its scheme", format!("Bearer {genuine}")),
        ("in quotes", format!("\"{genuine}\"")),
        ("in capitals", genuine.to_uppercase()),
        ("NUL after", format!("{genuine}\0")),
    ];
    assert_eq!(refused(cases), 27);
    assert!(read(&genuine).is_ok());
}

#[test]
fn malformed_tokens_are_refused() {
    let huge = with_claim("more", json!("x".repeat(4096)));
    let deep = format!("{}1{}", "[".repeat(400), "]".repeat(400));
    refused([
        ("empty", String::new()),
        ("a space", " ".to_owned()),
        ("dots", "..".to_owned()),
        ("more dots", "....".to_owned()),
        ("a word", "token".to_owned()),
        ("three words", "one.two.three".to_owned()),
        ("no base64", "!!!.???.***".to_owned()),
        ("the other base64", "+/+/.+/+/.+/+/".to_owned()),
        ("unicode", "schlüssel.日本語.🦀".to_owned()),
        ("NUL", "\0.\0.\0".to_owned()),
        ("no JSON", forged("no JSON", "no JSON", SECRET)),
        ("an empty payload", with_text("")),
        ("a payload that is a list", with_text("[]")),
        ("a payload that is null", with_text("null")),
        (
            "a payload that ends early",
            with_text("{\"iss\":\"tradepost\""),
        ),
        (
            "a payload and more",
            with_text(&format!("{}{}", payload(), payload())),
        ),
        ("a deep payload", with_text(&deep)),
        (
            "a header that is a list",
            forged("[]", &payload().to_string(), SECRET),
        ),
        ("huge, though signed", huge),
        ("a megabyte", "x".repeat(1 << 20)),
        ("a megabyte of dots", ".".repeat(1 << 20)),
    ]);
}

#[path = "token_key_tests.rs"]
mod keys;
