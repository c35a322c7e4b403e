//! Requests to the admin interface.

use crate::draft::Request;
use crate::random::Random;
use crate::roles::Role;
use crate::shop::PASSWORD;
use crate::wire::{Answer, Connection};
use crate::world::World;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tradepost_http::table;

/// Text of a request that runs if a page shows it unescaped.
pub(crate) const MARKER: &str = "<script>hostile(1)</script>\"'&";

/// A name in forms without a valid token: no product may get it.
pub(crate) const UNSENT: &str = "Unsent zeppelin";

/// Method, path, and the expected statuses of anonymous users, of staff, and of former staff.
const ROUTES: &str = include_str!("../../../admin/tests/golden/access.txt");

/// Forms that are also sent with a valid token: they change nothing that other requests need.
const SENDABLE: [&str; 5] = [
    "/admin/products/new/",
    "/admin/products/bulk/",
    "/admin/products/bulk/save/",
    "/admin/products/{id}/stock/",
    "/admin/orders/change/",
];

/// The browser of a staff user: its cookies, and the token of its forms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
    csrf: String,
}

impl Browser {
    /// Signs in.
    pub(crate) fn signed_in(address: &str, name: &str) -> Self {
        let mut browser = Self::default();
        browser.get(address, "/admin/sign-in/");
        let form = format!(
            "csrf={}&username={name}&password={}",
            browser.csrf,
            PASSWORD.replace(' ', "+")
        );
        let head = "Content-Type: application/x-www-form-urlencoded\r\n";
        let length = form.len();
        let rest = format!("{head}Content-Length: {length}\r\n\r\n{form}");
        let answer = browser.send(address, "POST /admin/sign-in/", &rest);
        assert_eq!(answer.status, 303, "{answer:?}");
        browser.get(address, "/admin/");
        assert!(!browser.csrf.is_empty(), "the dashboard has a form");
        browser
    }

    fn get(&mut self, address: &str, path: &str) {
        let answer = self.send(address, &format!("GET {path}"), "\r\n");
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let token = body.split("name=\"csrf\" value=\"").nth(1);
        let token = token.and_then(|rest| rest.split('"').next());
        token.unwrap_or_default().clone_into(&mut self.csrf);
    }

    fn send(&mut self, address: &str, line: &str, rest: &str) -> Answer {
        let mut connection = Connection::open(address);
        let cookies = self.header();
        let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\n{rest}");
        connection.send(head.as_bytes());
        let answer = connection.read(false).unwrap();
        for (_, value) in answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            let pair = value.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    fn header(&self) -> String {
        let cookies = self.cookies.iter();
        let cookies = cookies.map(|(name, value)| format!("{name}={value}"));
        cookies.collect::<Vec<_>>().join("; ")
    }
}

/// The sender of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sender {
    Anonymous,
    /// With the cookie of a session that does not exist.
    Forged,
    Staff,
}

/// A request to the admin interface.
#[derive(Debug)]
pub(crate) struct PageRequest {
    pub(crate) request: Request,
    pub(crate) sender: Sender,
    /// Whether it is a form with the token of its session.
    pub(crate) has_token: bool,
    /// Whether it may be answered otherwise than the route table of the admin interface says.
    pub(crate) is_mutated: bool,
    pub(crate) is_form: bool,
    /// The expected status of an anonymous user.
    pub(crate) anonymous: u16,
}

struct Route {
    method: &'static str,
    path: &'static str,
    anonymous: u16,
}

/// The routes, except exports, which are sent in chunks.
fn routes() -> Vec<Route> {
    let route = |line: &'static str| {
        let words: Vec<_> = line.split(' ').collect();
        let [method, path, anonymous, ..] = words[..] else {
            panic!("{line}");
        };
        let anonymous = anonymous.parse().unwrap();
        Route {
            method,
            path,
            anonymous,
        }
    };
    let is_page =
        |route: &Route| route.path.starts_with("/admin/") && !route.path.contains("export");
    let routes: Vec<_> = ROUTES.lines().map(route).filter(is_page).collect();
    assert!(routes.len() > 30, "the routes are read");
    routes
}

pub(crate) fn page(random: &mut Random, world: &World) -> PageRequest {
    let routes = routes();
    let route = &routes[random.below(routes.len())];
    let sender = match random.below(8) {
        0 => Sender::Anonymous,
        1 => Sender::Forged,
        _ => Sender::Staff,
    };
    let is_form = route.method == "POST";
    let may_send = SENDABLE.contains(&route.path) && sender == Sender::Staff;
    let has_token = is_form && may_send && !random.one_in(3);
    let ids = [
        "1",
        "2",
        "7",
        "14",
        "99999999",
        "0",
        "-1",
        "x",
        "%3Cscript%3Ehostile(1)",
    ];
    let id = random.pick(&ids);
    let mut path = route.path.replace("{id}", id).replace("{file}", id);
    let mut is_mutated = false;
    let mut method = route.method;
    if random.one_in(12) {
        method = random.pick(&["PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"]);
        is_mutated = true;
    }
    if random.one_in(12) {
        path.push_str(&"a".repeat(random.below(2_000)));
        is_mutated = true;
    }
    let is_head = method == "HEAD";
    let mut target = path.clone();
    if random.one_in(2) {
        write!(target, "?{}", parameters(random)).unwrap();
    }
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
    let cookies = match sender {
        Sender::Anonymous => String::new(),
        Sender::Forged => format!(
            "tradepost_session={}; tradepost_flash={MARKER}",
            "A".repeat(43)
        ),
        Sender::Staff => world.admin.header(),
    };
    if !cookies.is_empty() {
        write!(head, "Cookie: {cookies}\r\n").unwrap();
    }
    let accept = random.pick(&["text/html", "text/html", "*/*", "application/json"]);
    write!(head, "Accept: {accept}\r\n").unwrap();
    if random.one_in(8) {
        let (name, value) = random.pick(&[
            ("Origin", "http://evil.example"),
            ("Sec-Fetch-Site", "cross-site"),
            ("Referer", "http://evil.example/<script>hostile"),
            ("User-Agent", "<script>hostile(1)</script>"),
        ]);
        write!(head, "{name}: {value}\r\n").unwrap();
        is_mutated = true;
    }
    if is_form && method == "POST" {
        let token = match (has_token, random.below(3)) {
            (true, _) => Some(world.admin.csrf.clone()),
            (false, 0) => None,
            (false, 1) => Some("A".repeat(world.admin.csrf.len())),
            (false, _) => Some(MARKER.to_owned()),
        };
        let body = form(token, has_token, random);
        let media = match random.below(10) {
            0 => "multipart/form-data; boundary=x",
            1 => "application/json",
            _ => "application/x-www-form-urlencoded",
        };
        is_mutated = is_mutated || media.starts_with("multipart") || media.ends_with("json");
        let length = body.len();
        write!(
            head,
            "Content-Type: {media}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
    } else {
        head.push_str("\r\n");
    }
    PageRequest {
        request: Request {
            // Staff see everything, so that the rules about other users do not apply.
            role: if sender == Sender::Staff {
                Role::Staff
            } else {
                Role::Anonymous
            },
            entry: &table()[0],
            path,
            bytes: head.into_bytes(),
            is_head,
            accepts: vec![accept.to_owned()],
            request_ids: Vec::new(),
            untouched: false,
            refusable: false,
            closes: false,
        },
        sender,
        has_token,
        is_mutated,
        is_form: is_form && method == "POST",
        anonymous: route.anonymous,
    }
}

fn parameters(random: &mut Random) -> String {
    let names = [
        "q", "sort", "cursor", "page", "before", "status", "kind", "actor", "from", "next",
    ];
    let values = [
        "%3Cscript%3Ehostile(1)%3C/script%3E%22'%26",
        "1",
        "-price",
        "99999999999999999999",
        "%00",
        "%F0%9F%A6%80",
        "%FF",
        "//hostile.example/",
        "2026-13-40",
    ];
    let count = 1 + random.below(3);
    let pairs = (0..count).map(|_| format!("{}={}", random.pick(&names), random.pick(&values)));
    pairs.collect::<Vec<_>>().join("&")
}

/// A form with hostile values.
fn form(token: Option<String>, has_token: bool, random: &mut Random) -> String {
    let mut body = String::new();
    let mut add = |name: &str, value: &str| {
        let encoded = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        let value: String = value.bytes().map(encoded).collect();
        write!(body, "{name}={value}&").unwrap();
    };
    if let Some(token) = token {
        add("csrf", &token);
    }
    let name = if has_token { MARKER } else { UNSENT };
    add("name", name);
    let long = "\u{e9}".repeat(random.pick(&[10, 10, 10_001, 50_000]));
    let values = [
        "1.00",
        "",
        MARKER,
        "-1",
        "99999999999999999999",
        "\u{0}",
        "NaN",
        &long,
    ];
    let names = [
        "price",
        "sku",
        "description",
        "stock",
        "weight_grams",
        "low_stock",
        "delta",
        "note",
        "id",
        "price.1",
        "delta.1",
        "version.1",
        "version",
        "key",
        "order",
        "transition",
        "confirmed",
        "password",
        "username",
        "resume",
    ];
    for name in names {
        if !random.one_in(3) {
            // Most forms are valid but for a field or two.
            let value = match name {
                "price" | "price.1" if !random.one_in(3) => "1.00",
                "delta" | "delta.1" if !random.one_in(3) => "3",
                "id" if !random.one_in(3) => "1",
                "stock" | "weight_grams" if !random.one_in(3) => "5",
                "order" | "transition" => "1.pending",
                _ => random.pick(&values),
            };
            add(name, value);
        }
    }
    body
}
