//! The bytes of the requests, built before the measurement.

use crate::driver::{Request, Session};
use crate::plan::{Act, WALKED, warm_up};
use crate::server::SECRET;
use crate::{Outcome, driver};
use chrono::{DateTime, TimeDelta, Utc};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use tradepost_auth::{JwtTokens, SigningKey};
use tradepost_domain::identity::TokenClaims;
use tradepost_domain::kernel::{TokenService, UserId};

/// Catalogue pages that are requested.
pub(crate) const PAGES: u32 = 10;
/// Recurring users.
const REGULARS: u32 = 64;

/// Signed-in users: the tokens of users 1 and on.
pub(crate) struct Buyers(Vec<String>);

/// Sessions to run.
pub(crate) struct Work {
    /// Warm-up sessions, which do not count.
    pub(crate) before: Vec<Session>,
    pub(crate) sessions: Vec<Session>,
}

impl Work {
    /// The same requests for another path, whose responses have status 200.
    pub(crate) fn to(&self, path: &str) -> Self {
        let moved = |request: &Request| {
            let line = request.bytes.iter().position(|byte| *byte == b'\r');
            let rest = line.and_then(|line| request.bytes.get(line..));
            let line = format!("GET {path} HTTP/1.1");
            Request {
                bytes: [line.as_bytes(), rest.unwrap_or_default()].concat(),
                expected: 200,
            }
        };
        let all = |sessions: &[Session]| {
            let moved = sessions
                .iter()
                .map(|session| session.iter().map(moved).collect());
            moved.collect()
        };
        Self {
            before: all(&self.before),
            sessions: all(&self.sessions),
        }
    }
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

    /// Sessions of this many users, one each.
    pub(crate) fn work(&self, act: Act, count: u32, products: u32, last: &str) -> Work {
        let warm = warm_up(count);
        let session =
            |(token, user): (&String, u32)| self.session(act, token, user, products, last);
        let mut all = self.0.iter().zip(1..=warm + count).map(session);
        let before = all.by_ref().zip(0..warm).map(|(session, _)| session);
        Work {
            before: before.collect(),
            sessions: all.collect(),
        }
    }

    fn session(&self, act: Act, token: &str, user: u32, products: u32, last: &str) -> Session {
        let regular = |user: u32| {
            let at = usize::try_from(user % REGULARS).unwrap_or_default();
            self.0.get(at).map_or("", String::as_str)
        };
        let product = |nth: u32| 1 + (user * 37 + nth) % products;
        let add = |nth| {
            let line = format!(r#"{{"product_id": {}, "quantity": 1}}"#, product(nth));
            bytes("POST /api/cart/", token, Some(&line))
        };
        let order = || bytes("POST /api/orders/", token, Some("{}"));
        let show = format!("GET /api/products/{}/", product(0));
        let page = format!("GET /api/products/?page={}", 1 + user % PAGES);
        let read = |request| vec![expect(200, request)];
        match act {
            Act::Order(_) => vec![expect(201, order())],
            Act::AddToCart => vec![expect(201, add(0))],
            Act::Shop => vec![
                expect(201, add(0)),
                expect(201, add(1)),
                expect(200, bytes("GET /api/cart/", token, None)),
                expect(201, order()),
            ],
            Act::ReadCart => read(bytes("GET /api/cart/", token, None)),
            Act::ListProducts | Act::ListManyProducts => read(bytes(&page, token, None)),
            Act::ListPacked => read(with(bytes(&page, token, None), "Accept-Encoding: gzip")),
            Act::ShowProduct | Act::ShowUnlogged => read(bytes(&show, token, None)),
            Act::ShowHeld => {
                let request = with(bytes(&show, token, None), "If-None-Match: *");
                vec![expect(304, request)]
            }
            Act::ShowToAnybody => read(bytes(&show, "", None)),
            Act::ShowCounted => read(bytes(&show, regular(user), None)),
            Act::Health | Act::HealthUnlogged => read(bytes("GET /healthz", "", None)),
            Act::Search => {
                let word = 1_000 + user % 9_000;
                let search = format!("GET /api/products/?search=number+{word}");
                read(bytes(&search, token, None))
            }
            Act::FirstPage => read(bytes(&format!("GET {}", first_page()), regular(0), None)),
            Act::LastPage => read(bytes(&format!("GET {last}"), regular(0), None)),
        }
    }
}

fn expect(expected: u16, bytes: Vec<u8>) -> Request {
    Request { bytes, expected }
}

fn bytes(line: &str, token: &str, body: Option<&str>) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n");
    if !token.is_empty() {
        head += &format!("Authorization: Bearer {token}\r\n");
    }
    let rest = match body {
        None => "\r\n".to_owned(),
        Some(body) => format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    };
    (head + &rest).into_bytes()
}

/// A request without a body, with one more header.
fn with(mut request: Vec<u8>, header: &str) -> Vec<u8> {
    request.truncate(request.len().saturating_sub(2));
    request.extend(format!("{header}\r\n\r\n").bytes());
    request
}

/// Path of the first cursor page of all orders.
fn first_page() -> String {
    format!("/api/orders/?cursor=&ordering=-total_price&page_size={WALKED}")
}

/// Follows the cursors through all orders; returns the path of the last page. Checks that every
/// order is listed.
pub(crate) fn last_page(address: SocketAddr, buyers: &Buyers, orders: u32) -> Outcome<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let token = buyers.0.first().map_or("", String::as_str);
    let mut page = first_page();
    let mut pages = 1;
    loop {
        stream.write_all(&bytes(&format!("GET {page}"), token, None))?;
        let answer = answer(&mut stream)?;
        let next = answer.split_once(r#""next":"#).map(|(_, rest)| rest);
        let next = next.and_then(|rest| rest.split([',', '}']).next());
        match next.ok_or_else(|| format!("a page without a next one: {answer}"))? {
            "null" => break,
            url => {
                let path = url.trim_matches('"').split_once("/api/");
                let (_, path) = path.ok_or("a link that leads elsewhere")?;
                page = format!("/api/{path}");
                pages += 1;
            }
        }
    }
    if pages * WALKED == orders {
        Ok(page)
    } else {
        Err(format!("the walk through {orders} orders had {pages} pages").into())
    }
}

fn answer(stream: &mut TcpStream) -> Outcome<String> {
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    while driver::whole(&answer)?.is_none() {
        match stream.read(&mut buffer)? {
            0 => return Err("the server closed the connection".into()),
            count => answer.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
    }
    Ok(String::from_utf8(answer)?)
}

#[expect(clippy::disallowed_methods, reason = "a token is signed for a time")]
fn now() -> DateTime<Utc> {
    DateTime::<Utc>::from(std::time::SystemTime::now())
}
