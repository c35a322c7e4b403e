//! Rotation of the signing key while servers run.

use crate::place::{Place, QUICK, Serving};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// A timeout above the time in which a server loads a changed key file.
const SOON: Duration = Duration::from_secs(10);

fn opens(server: &Serving, token: &str) -> bool {
    let (status, _) = server.get("/api/cart/", &format!("Authorization: Bearer {token}\r\n"));
    assert!([200, 401].contains(&status), "{status}");
    status == 200
}

fn sign_in(server: &Serving) -> String {
    server.sign_in("correct horse").unwrap()
}

/// The header of a JWT: the part before the first dot, which has the key id.
fn head(token: &str) -> &str {
    token.split('.').next().unwrap()
}

/// Signs in until the token is signed with another key than the given one.
fn sign_in_until_other(server: &Serving, than: &str) -> String {
    let since = Instant::now();
    loop {
        let token = sign_in(server);
        if head(&token) != head(than) {
            return token;
        }
        assert!(since.elapsed() < SOON, "the new key does not sign");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn wait_for_log(place: &Place, words: &str) {
    let since = Instant::now();
    while !place.read("data/debug.log").contains(words) {
        assert!(since.elapsed() < SOON, "nothing in the log about {words:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_key_is_rotated_under_running_servers_and_no_user_is_signed_out() {
    let place = Place::new();
    let refused = place.run(&["rotate-key"]).sentence(1);
    assert!(refused.contains("the first start makes one"), "{refused}");
    let server = place.serve(&QUICK);
    place.make_staff(&QUICK).well();
    let old = sign_in(&server);

    // A key that signs later is known to servers before it does.
    let said = place.run(&["rotate-key", "--minutes", "60"]).well();
    assert!(said.contains("Copy the file"), "{said}");
    wait_for_log(&place, "which signs from");
    let still_old = sign_in(&server);
    assert_eq!(head(&still_old), head(&old));

    let said = place.run(&["rotate-key", "--now"]).well();
    assert!(said.contains("within ten seconds"), "{said}");
    assert!(
        said.contains("which had not begun to sign, never does."),
        "{said}"
    );
    let new = sign_in_until_other(&server, &old);
    let (data, key) = (place.path("data"), place.path("data/jwt.key"));
    assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
    for token in [&old, &still_old, &new] {
        assert!(opens(&server, token));
    }

    // A server that starts now knows all keys; one with only the older file does not know the new
    // one.
    let other = place.serve(&QUICK);
    for token in [&old, &new] {
        assert!(opens(&other, token));
    }
    other.stop();

    // A broken file changes nothing, and is logged once.
    let whole = fs::read_to_string(&key).unwrap();
    fs::write(&key, &whole[..whole.len() / 2]).unwrap();
    wait_for_log(&place, "The keys from before are used on.");
    std::thread::sleep(Duration::from_secs(5));
    for token in [&old, &new, &sign_in(&server)] {
        assert!(opens(&server, token));
    }
    let refused = place.run(&["rotate-key"]).sentence(1);
    assert!(refused.contains("cannot be rotated"), "{refused}");
    fs::write(&key, &whole).unwrap();
    let said = server.stop();
    let log = place.read("data/debug.log");
    let complaints = log.matches("The keys from before are used on.").count();
    assert_eq!(complaints, 1, "{log}");
    let mut set: Value = serde_json::from_str(&whole).unwrap();
    let keys = set["keys"].as_array_mut().unwrap();
    assert_eq!(keys.len(), 3);
    let secrets: Vec<String> = keys
        .iter()
        .flat_map(|key| {
            let encoded = key["k"].as_str().unwrap();
            let secret = String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap();
            assert_eq!(secret.len(), 64);
            [encoded.to_owned(), secret]
        })
        .collect();
    for text in [&said, &log] {
        assert!(
            !secrets.iter().any(|secret| text.contains(secret.as_str())),
            "{text}"
        );
    }
    assert!(fs::read_dir(data).unwrap().all(|file| {
        let name = file.unwrap().file_name();
        let name = name.to_string_lossy().into_owned();
        !name.starts_with("jwt.key.")
    }));

    // Tokens of a key that is removed from the file are rejected from then on.
    keys.remove(0);
    fs::write(&key, set.to_string()).unwrap();
    let server = place.serve(&QUICK);
    assert!(!opens(&server, &old) && opens(&server, &new));
    server.stop();
}

#[test]
fn a_key_from_the_environment_cannot_be_rotated() {
    let place = Place::new();
    let secret = "the key of the shop, 32 bytes and more";
    let variables = [("TRADEPOST_JWT_SECRET", secret)];
    let refused = place.run_with(&["rotate-key"], &variables, "").sentence(2);
    assert!(
        refused.starts_with("TRADEPOST_JWT_SECRET holds"),
        "{refused}"
    );
    assert!(refused.contains("--jwt-secret-file") && !refused.contains(secret));
    let both = place.run(&["rotate-key", "--now", "--minutes", "3"]);
    assert_eq!(both.code, Some(2), "{both:?}");
    for minutes in ["0", "x", "10081"] {
        let wrong = place.run(&["rotate-key", "--minutes", minutes]);
        assert_eq!(wrong.code, Some(2), "{wrong:?}");
    }
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn tokens_that_outlive_their_key_are_reported_until_a_rotation_repairs_it() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    place.serve(&QUICK).stop();
    let said = place.run(&["rotate-key"]).well();
    assert!(said.contains("a token lasts 30 days at most."), "{said}");
    let long = ["--token-auth-days", "90"];
    let early = "but its last tokens end at ";
    let told = |words: &[&str]| place.run(&[&["check"], words].concat()).out.contains(early);
    assert!(!told(&[]) && told(&long));
    let server = place.serve(&[&QUICK[..], &long].concat());
    wait_for_log(&place, early);
    let said = place.run(&[&["rotate-key"], &long[..]].concat()).well();
    assert!(said.contains("a token lasts 90 days at most."), "{said}");
    assert!(!told(&long));
    wait_for_log(&place, "knows the signing key");
    server.stop();
    assert_eq!(place.read("data/debug.log").matches(early).count(), 1);
}
