//! A shop with its users, their tokens and the ids of their rows.

use crate::pages::Browser;
use crate::roles::{KEEPER, Role};
use crate::shop::{KEY, Shop};
use crate::wire::Answer;
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use tradepost_auth::{JwtTokens, SigningKey};
use tradepost_domain::identity::TokenClaims;
use tradepost_domain::kernel::TokenService;

/// The products that stay on sale: twelve of the demo, and two of [`Shop`].
pub(crate) const STAPLES: i64 = 14;

/// Throttling is on, with limits that a run does not reach.
const OPTIONS: [&str; 23] = [
    "--demo",
    "--throttle",
    "on",
    "--throttle-user",
    "1000000",
    "--throttle-address",
    "1000000",
    "--throttle-network",
    "1000000",
    "--throttle-orders",
    "1000000",
    "--throttle-open-orders",
    "1000000",
    "--throttle-sign-ins",
    "1000000",
    "--throttle-all-sign-ins",
    "1000000",
    "--throttle-account",
    "1000000",
    "--throttle-repeats",
    "1000000",
    "--throttle-registrations",
    "1000000",
];

/// The state of a role.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(crate) user: i64,
    pub(crate) token: String,
    pub(crate) refresh: String,
    /// The last line that was added to the cart.
    pub(crate) line: i64,
    /// The last order that was placed.
    pub(crate) order: i64,
    /// The id that was last created in each other collection, by its path.
    pub(crate) created: BTreeMap<String, i64>,
}

/// The rows of the customer who sends no requests.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    pub(crate) line: i64,
    pub(crate) order: i64,
    pub(crate) tags: Vec<String>,
}

pub(crate) struct World {
    pub(crate) shop: Shop,
    pub(crate) keeper: Keeper,
    /// The browser of the staff user.
    pub(crate) admin: Browser,
    /// The id of the volatile user.
    pub(crate) volatile: i64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    sessions: BTreeMap<Role, Session>,
    /// The last entity tag of each path.
    tags: BTreeMap<String, String>,
}

impl World {
    pub(crate) fn on_sqlite() -> Self {
        Self::of(Shop::on_sqlite(&OPTIONS))
    }

    pub(crate) fn on_postgres() -> Self {
        Self::of(Shop::on_postgres(&OPTIONS))
    }

    fn of(shop: Shop) -> Self {
        let mut known = Known::default();
        for role in [
            Role::Customer,
            Role::Other,
            Role::Volatile,
            Role::SwitchedOff,
        ] {
            let name = role.name().unwrap();
            shop.register(name);
            known.sessions.insert(role, session(&shop, name));
        }
        known.sessions.insert(Role::Staff, session(&shop, "ada"));
        shop.register(KEEPER);
        let keeper = session(&shop, KEEPER);
        let tag = |path: String| {
            let answer = shop.client(0, &keeper.token).get(&path).unwrap();
            answer.header("ETag").unwrap().to_owned()
        };
        let keeper = Keeper {
            line: keeper.line,
            order: keeper.order,
            tags: vec![
                tag(format!("/api/cart/{}/", keeper.line)),
                tag(format!("/api/orders/{}/", keeper.order)),
            ],
        };
        let off = known.sessions[&Role::SwitchedOff].user;
        let path = format!("/api/users/{off}/");
        let answer = shop
            .staff(0)
            .ask("PATCH", &path, "", "{\"is_active\": false}");
        answer.unwrap().with(200);
        let [expired, foreign] = forgeries(&shop, &known.sessions[&Role::Customer].token);
        for (role, token) in [
            (Role::Expired, expired),
            (Role::Foreign, foreign),
            (Role::Garbage, "not.a.token".to_owned()),
        ] {
            let session = Session {
                token,
                line: keeper.line,
                order: keeper.order,
                ..Session::default()
            };
            known.sessions.insert(role, session);
        }
        let anonymous = Session {
            line: keeper.line,
            order: keeper.order,
            ..Session::default()
        };
        known.sessions.insert(Role::Anonymous, anonymous);
        Self {
            volatile: known.sessions[&Role::Volatile].user,
            admin: Browser::signed_in(&shop.addresses.of(0), "ada"),
            shop,
            keeper,
            known: Mutex::new(known),
        }
    }

    /// The address of the server.
    pub(crate) fn address(&self) -> String {
        self.shop.addresses.of(0)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap()
    }

    pub(crate) fn session(&self, role: Role) -> Session {
        self.known().sessions[&role].clone()
    }

    /// The last entity tag of a path.
    pub(crate) fn tag(&self, path: &str) -> Option<String> {
        self.known().tags.get(path).cloned()
    }

    /// Stores new ids, tokens and entity tags of an answer.
    pub(crate) fn learn(&self, role: Role, path: &str, answer: &Answer) {
        let mut known = self.known();
        if let Some(tag) = answer.header("etag") {
            known.tags.insert(path.to_owned(), tag.to_owned());
        }
        let Ok(value) = serde_json::from_slice::<Value>(&answer.body) else {
            return;
        };
        let session = known.sessions.get_mut(&role).unwrap();
        match (answer.status, path) {
            (201, "/api/cart/") => set(&mut session.line, &value["id"]),
            (201, "/api/orders/") => set(&mut session.order, &value["id"]),
            (200, "/api/token/" | "/api/token/refresh/" | "/api-token-auth/") => {
                if let Some(refresh) = value["refresh"].as_str() {
                    refresh.clone_into(&mut session.refresh);
                }
                let token = value["access"].as_str().or(value["token"].as_str());
                if let (Role::Volatile, Some(token)) = (role, token) {
                    token.clone_into(&mut session.token);
                }
            }
            (201, collection) => {
                let created = session.created.entry(collection.to_owned()).or_default();
                set(created, &value["id"]);
            }
            _ => {}
        }
    }
}

fn set(id: &mut i64, value: &Value) {
    if let Some(value) = value.as_i64() {
        *id = value;
    }
}

/// A session with a refresh token, an order and a cart line.
fn session(shop: &Shop, name: &str) -> Session {
    let token = shop.sign_in(name);
    let mut client = shop.client(0, &token);
    let user = client.get("/api/users/me/").unwrap().with(200);
    let credentials = format!(
        "{{\"username\": \"{name}\", \"password\": \"{}\"}}",
        crate::shop::PASSWORD
    );
    let pair = client.post("/api/token/", &credentials).unwrap().with(200);
    let mut add = || {
        let line = client.post("/api/cart/", "{\"product_id\": 1}").unwrap();
        line.with(201)["id"].as_i64().unwrap()
    };
    add();
    let order = shop.client(0, &token).post("/api/orders/", "{}").unwrap();
    let order = order.with(201)["id"].as_i64().unwrap();
    Session {
        user: user["id"].as_i64().unwrap(),
        refresh: pair["refresh"].as_str().unwrap().to_owned(),
        line: add(),
        order,
        token,
        created: BTreeMap::new(),
    }
}

/// The token service of a key.
fn tokens(key: &str) -> JwtTokens {
    JwtTokens::new(SigningKey::from_secret(key).unwrap(), Vec::new())
}

/// A copy of a genuine token that has expired, and one signed with another key.
fn forgeries(shop: &Shop, genuine: &str) -> [String; 2] {
    let account = shop.client(0, genuine).get("/api/users/me/").unwrap();
    let account = account.with(200);
    let created: DateTime<Utc> = account["created_at"].as_str().unwrap().parse().unwrap();
    // The token was issued after that.
    let now = created + Duration::hours(1);
    let claims = tokens(KEY).read(genuine, now).unwrap();
    let expired = TokenClaims {
        issued_at: claims.issued_at - Duration::hours(2),
        expires_at: claims.issued_at - Duration::hours(1),
        ..claims
    };
    let other = tokens(&KEY.replace('k', "c"));
    [tokens(KEY).issue(&expired), other.issue(&claims)]
}
