//! Tokens and key rotation.

use super::*;

#[test]
fn a_token_of_every_key_that_is_accepted_and_of_no_other() {
    let [old, new, next] = ["old", "new", "next"].map(|name| key(&name.repeat(16)));
    let before = JwtTokens::new(old.clone(), Vec::new());
    let after = JwtTokens::new(new.clone(), vec![next.clone(), old]);
    let later = JwtTokens::new(next, vec![new]);
    let token = before.issue(&claims());
    assert_eq!(after.read(&token, at(NOW)), Ok(claims()));
    assert_eq!(later.read(&token, at(NOW)), Err(Refusal::InvalidToken));
    let token = after.issue(&claims());
    assert_eq!(before.read(&token, at(NOW)), Err(Refusal::InvalidToken));
    assert_eq!(later.read(&token, at(NOW)), Ok(claims()));
}

#[test]
fn a_key_that_is_still_accepted_signs_nothing_new() {
    let [old, new] = ["old", "new"].map(|name| key(&name.repeat(16)));
    let tokens = JwtTokens::new(new.clone(), vec![old]);
    let header = decode_header(tokens.issue(&claims())).unwrap();
    assert_eq!(header.kid.as_deref(), Some(new.id()));
}

fn timed(secret: &str, from: Option<i64>, ends: Option<i64>) -> TimedKey {
    TimedKey {
        key: key(&secret.repeat(16)),
        signs_from: from.map(at),
        ends: ends.map(at),
    }
}

fn issued_at(tokens: &JwtTokens, seconds: i64) -> String {
    tokens.issue(&TokenClaims {
        issued_at: at(seconds),
        expires_at: at(NOW + 500),
        ..claims()
    })
}

/// A key is accepted before it signs, and until its last token has expired.
#[test]
fn a_key_has_its_time() {
    let tokens = JwtTokens::from_ring(KeyRing::new(
        timed("old", None, Some(NOW + 50)),
        vec![timed("new", Some(NOW), None)],
    ));
    let [old, new] = [NOW - 1, NOW].map(|seconds| issued_at(&tokens, seconds));
    let kid = |token: &str| decode_header(token).unwrap().kid.unwrap();
    assert_eq!(kid(&old), key(&"old".repeat(16)).id());
    assert_eq!(kid(&new), key(&"new".repeat(16)).id());
    // Another server's clock is ahead: its token comes before this server's key signs.
    for (token, now, accepted) in [
        (&new, NOW - 30, true),
        (&new, NOW + 50, true),
        (&old, NOW + 49, true),
        (&old, NOW + 50, false),
        (&old, NOW + 51, false),
    ] {
        let read = tokens.read(token, at(now));
        assert_eq!(read.is_ok(), accepted, "{now}");
        if !accepted {
            assert_eq!(read, Err(Refusal::InvalidToken));
        }
    }
}

#[test]
fn keys_are_replaced_while_tokens_are_read() {
    let tokens = JwtTokens::from_ring(KeyRing::new(timed("old", None, None), Vec::new()));
    let server = tokens.clone();
    let old = issued_at(&server, NOW);
    let both = vec![timed("old", None, Some(NOW + 100))];
    tokens.replace_keys(KeyRing::new(timed("new", None, None), both));
    assert!(server.read(&old, at(NOW)).is_ok());
    let new = issued_at(&server, NOW);
    tokens.replace_keys(KeyRing::new(timed("new", None, None), Vec::new()));
    assert!(server.read(&new, at(NOW)).is_ok());
    assert_eq!(server.read(&old, at(NOW)), Err(Refusal::InvalidToken));
}

#[test]
fn a_refresh_token_is_no_access_token_and_is_stored_as_its_digest() {
    let [one, other] = [(); 2].map(|()| tokens().new_refresh().unwrap());
    assert!(one.starts_with("tpr_") && one.len() == 68, "{one}");
    assert_ne!(one, other);
    let signed = with_claim("typ", json!("refresh"));
    refused([("a refresh token", one.clone()), ("a signed one", signed)]);
    assert_ne!(tokens().digest(&one), tokens().digest(&other));
    // FIPS 180-4, the example of "abc".
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(tokens().digest("abc").to_string(), digest);
}
