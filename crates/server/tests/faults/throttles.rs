//! Rate limits that a client tries to multiply: by sessions, by a changed password, by users.

use crate::client::Client;
use crate::shop::{Shop, print_line};
use std::time::Instant;

/// Units per minute of one user, and of all users in one network.
const USER: u64 = 200;
const NETWORK: u64 = 600;

/// The proxy header has the client addresses. Only the two limits are in reach.
const OPTIONS: [&str; 12] = [
    "--trusted-proxies",
    "127.0.0.1",
    "--throttle",
    "on",
    "--throttle-user",
    "200",
    "--throttle-network",
    "600",
    "--throttle-address",
    "100000",
    "--throttle-sign-ins",
    "1000",
];

/// Requests the cart from an address until 429; returns the number of successful requests.
fn until_throttled(client: &mut Client, from: &str) -> u64 {
    let headers = format!("X-Forwarded-For: {from}\r\n");
    for answered in 0.. {
        let answer = client.ask("GET", "/api/cart/", &headers, "").unwrap();
        match answer.status {
            200 => {}
            429 => return answered,
            other => panic!("{other}: {:?}", answer.code()),
        }
    }
    unreachable!("more than four billion answers");
}

/// The maximum that a limit of `quota` per minute lets through until now: the burst, and the
/// refill.
fn most(quota: u64, began: Instant) -> u64 {
    let seconds = began.elapsed().as_secs() + 1;
    quota + (quota * seconds).div_ceil(60)
}

fn sessions_share_one_limit(shop: &Shop) {
    let mut tokens = shop.customers(1);
    for _ in 0..3 {
        tokens.push(shop.sign_in("buyer0"));
    }
    let began = Instant::now();
    // Each from a network of its own, so that only the user's limit counts.
    let asked = tokens
        .iter()
        .enumerate()
        .map(|(at, token)| until_throttled(&mut shop.client(0, token), &format!("198.51.{at}.1")));
    let mut answered = asked.sum::<u64>();
    // Changing the password ends every session and begins another one.
    let change = r#"{"current_password": "correct horse", "new_password": "wrong donkey"}"#;
    let headers = "X-Forwarded-For: 203.0.113.1\r\n";
    let mut client = shop.client(0, &tokens[0]);
    let changed = client.ask("POST", "/api/users/me/password/", headers, change);
    assert_eq!(changed.unwrap().status, 204);
    let sign_in = r#"{"username": "buyer0", "password": "wrong donkey"}"#;
    let signed_in = shop.anonymous().post("/api-token-auth/", sign_in).unwrap();
    let token = signed_in.with(200)["token"].as_str().unwrap().to_owned();
    answered += until_throttled(&mut shop.client(0, &token), "198.51.9.1");
    let most = most(USER, began);
    print_line(&format!("five sessions of one user: {answered} of {most}"));
    assert!((USER..=most).contains(&answered), "{answered} of {most}");
}

fn users_share_the_limit_of_their_network(shop: &Shop) {
    let names: Vec<_> = (0..5).map(|number| format!("neighbour{number}")).collect();
    let tokens: Vec<_> = names
        .iter()
        .map(|name| {
            shop.register(name);
            shop.sign_in(name)
        })
        .collect();
    let began = Instant::now();
    let asked = tokens
        .iter()
        .map(|token| until_throttled(&mut shop.client(0, token), "192.0.2.77"));
    let answered = asked.sum::<u64>();
    let most = most(NETWORK, began);
    print_line(&format!(
        "five users behind one network: {answered} of {most}"
    ));
    assert!((NETWORK..=most).contains(&answered), "{answered} of {most}");
}

#[test]
fn limits_are_not_multiplied_by_sessions_or_users() {
    let shop = Shop::on_sqlite(&OPTIONS);
    sessions_share_one_limit(&shop);
    users_share_the_limit_of_their_network(&shop);
}
