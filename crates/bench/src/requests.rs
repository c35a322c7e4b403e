//! The bytes that are sent, made before anything is measured.

use crate::Outcome;
use crate::plan::{Act, warm_up};
use crate::server::SECRET;
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_auth::{JwtTokens, SigningKey};
use tradepost_domain::{TokenClaims, TokenService, UserId};

/// Pages of the catalogue that are looked at.
const PAGES: u32 = 10;

/// Everybody who is signed in: the tokens of users 1 and on.
pub(crate) struct Buyers(Vec<String>);

/// Requests to send, and the status that is the right answer.
pub(crate) struct Work {
    /// Those that do not count.
    pub(crate) before: Vec<Vec<u8>>,
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) expected: u16,
}

impl Buyers {
    pub(crate) fn new(users: u32) -> Outcome<Self> {
        let tokens = JwtTokens::new(SigningKey::from_secret(SECRET)?, Vec::new());
        let now = now();
        let token = |user: u32| {
            let claims = TokenClaims {
                user: UserId::new(i64::from(user))?,
                session_epoch: 0,
                issued_at: now,
                expires_at: now.checked_add_signed(TimeDelta::hours(12))?,
            };
            Some(tokens.issue(&claims))
        };
        let tokens: Option<Vec<_>> = (1..=users).map(token).collect();
        Ok(Self(tokens.ok_or("there is no such user")?))
    }

    /// What so many of them send, each once.
    pub(crate) fn work(&self, act: Act, count: u32, products: u32) -> Work {
        let warm = warm_up(count);
        let request = |(token, user): (&String, u32)| {
            let product = 1 + user * 37 % products;
            match act {
                Act::Order(_) => bytes("POST /api/orders/", token, Some("{}")),
                Act::AddToCart => {
                    let line = format!(r#"{{"product_id": {product}, "quantity": 1}}"#);
                    bytes("POST /api/cart/", token, Some(&line))
                }
                Act::ReadCart => bytes("GET /api/cart/", token, None),
                Act::ListProducts | Act::ListManyProducts => {
                    let page = 1 + user % PAGES;
                    bytes(&format!("GET /api/products/?page={page}"), token, None)
                }
                Act::ShowProduct => bytes(&format!("GET /api/products/{product}/"), token, None),
            }
        };
        let mut all = self.0.iter().zip(1..=warm + count).map(request);
        let before = all.by_ref().zip(0..warm).map(|(request, _)| request);
        Work {
            before: before.collect(),
            requests: all.collect(),
            expected: match act {
                Act::Order(_) | Act::AddToCart => 201,
                _ => 200,
            },
        }
    }
}

fn bytes(line: &str, token: &str, body: Option<&str>) -> Vec<u8> {
    let head = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n"
    );
    let rest = match body {
        None => "\r\n".to_owned(),
        Some(body) => format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    };
    (head + &rest).into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "a token is signed for a time")]
fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(std::time::SystemTime::now())
}
