//! Access matrix: the status of each route for each kind of caller, against a golden file for each
//! resource.

use crate::golden::{expect_golden, expect_only, golden};
use crate::support::described::DOCUMENT;
use crate::support::{App, PASSWORD, Reply, new_user};
use actix_web::http::Method;
use serde_json::{Value, json};
use std::fmt::Write as _;
use tradepost_domain::identity::{Account, UserChange};
use tradepost_domain::kernel::Actor;
use tradepost_http::{Endpoint, resources, table};

/// The heading of each golden file.
const COLUMNS: &str =
    "#method path                          anon owner other staff   off no/own no/st\n";

/// The kind of caller, and whether the resource exists: a column of the golden file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    Anonymous,
    Owner,
    Other,
    Staff,
    SwitchedOff,
    OwnerForNothing,
    StaffForNothing,
}

impl Asks {
    const ALL: [Self; 7] = [
        Self::Anonymous,
        Self::Owner,
        Self::Other,
        Self::Staff,
        Self::SwitchedOff,
        Self::OwnerForNothing,
        Self::StaffForNothing,
    ];

    fn for_nothing(self) -> bool {
        matches!(self, Self::OwnerForNothing | Self::StaffForNothing)
    }
}

/// A user, with tokens that have not been used yet.
struct Person {
    account: Account,
    access: String,
    refresh: String,
}

impl Person {
    fn of(app: &App, account: Account) -> Self {
        let accounts = &app.shop.accounts;
        Self {
            access: accounts.issue_token(account.clone()).token,
            refresh: accounts.begin_session(&account).unwrap().refresh,
            account,
        }
    }
}

/// An app in which each user has a cart line, and Ada an order as well.
struct World {
    app: App,
    ada: Person,
    bob: Person,
    boss: Person,
    product: i64,
    line: i64,
    order: i64,
}

impl World {
    async fn new() -> Self {
        let app = App::new().await;
        let register = |name| app.shop.accounts.register(new_user(name)).unwrap();
        let ada = Person::of(&app, register("ada"));
        let bob = Person::of(&app, register("bob"));
        let boss = app.shop.accounts.create_staff(new_user("boss")).unwrap();
        let boss = Person::of(&app, boss);
        let product = app.product(&boss.access, "19.99", 50).await;
        let order = app.order(&ada.access, product, 1).await;
        let line = app.fill(&ada.access, product, 1).await;
        app.fill(&bob.access, product, 1).await;
        app.fill(&boss.access, product, 1).await;
        Self {
            app,
            ada,
            bob,
            boss,
            product,
            line,
            order,
        }
    }

    /// Deactivates Ada, and gives her an earlier token that no server has seen.
    fn switch_ada_off(&mut self) {
        self.app.clock.advance(1);
        self.ada = Person::of(&self.app, self.ada.account.clone());
        let boss = Actor::Staff(self.boss.account.id);
        let off = UserChange {
            is_active: Some(false),
            is_staff: None,
        };
        self.app
            .shop
            .accounts
            .switch(boss, self.ada.account.id, off)
            .unwrap();
    }

    /// The user who calls; `None` if the caller is anonymous.
    fn person(&self, asks: Asks) -> Option<&Person> {
        match asks {
            Asks::Anonymous => None,
            Asks::Owner | Asks::SwitchedOff | Asks::OwnerForNothing => Some(&self.ada),
            Asks::Other => Some(&self.bob),
            Asks::Staff | Asks::StaffForNothing => Some(&self.boss),
        }
    }

    /// The id for `{id}` in a path: that of a resource of Ada's, where resources have owners. Of
    /// most collections she creates one.
    async fn id(&self, path: &str, asks: Asks) -> i64 {
        let known = [
            ("/api/products/{id}/", self.product),
            ("/api/cart/{id}/", self.line),
            ("/api/orders/{id}/", self.order),
            ("/api/users/{id}/", self.ada.account.id.get()),
        ];
        let known = known.iter().find(|(known, _)| path.starts_with(known));
        match known {
            _ if asks.for_nothing() => 4711,
            Some((_, id)) => *id,
            None => match path.split_once("{id}") {
                Some((collection, _)) => self.app.example(&self.ada.access, collection).await,
                None => 0,
            },
        }
    }

    /// A body that is valid for the route, so that its status depends on access alone. Fields that
    /// identify a user name the caller, or Ada if the caller is anonymous.
    fn body(&self, method: &Method, path: &str, asks: Asks) -> Option<Value> {
        let asking = self.person(asks).unwrap_or(&self.ada);
        let name = asking.account.username.as_str();
        let product = json!({"name": "Cup", "price": "2.50"});
        Some(match (method.as_str(), path) {
            ("GET" | "DELETE", _) => return None,
            ("POST", "/api-token-auth/" | "/api/token/") => {
                json!({"username": name, "password": PASSWORD})
            }
            ("POST", "/api/token/refresh/" | "/api/token/revoke/") => {
                json!({"refresh": asking.refresh})
            }
            ("POST", "/api/token/verify/") => json!({"token": asking.access}),
            ("POST", "/api/register/") => {
                json!({"username": "new", "email": "new@example.org", "password": PASSWORD})
            }
            ("PATCH", "/api/users/me/") => {
                json!({"email": "other@example.org", "current_password": PASSWORD})
            }
            ("POST", "/api/users/me/password/") => {
                json!({"current_password": PASSWORD, "new_password": "wrong horse battery"})
            }
            ("PATCH", "/api/users/{id}/") => json!({"is_staff": true}),
            ("POST", "/api/products/") | ("PUT" | "PATCH", "/api/products/{id}/") => product,
            ("POST", "/api/cart/") => json!({"product_id": self.product}),
            ("PUT" | "PATCH", "/api/cart/{id}/") => json!({"quantity": 2}),
            ("POST", "/api/orders/") => json!({}),
            ("PUT" | "PATCH", "/api/orders/{id}/") => json!({"status": "cancelled"}),
            // The example of the document, unless the body has to name something in this app.
            (method, path) => {
                let operation = &DOCUMENT["paths"][path][method.to_ascii_lowercase()];
                operation["requestBody"]["content"]["application/json"]["example"].clone()
            }
        })
    }

    async fn ask(&self, method: &Method, entry: &Endpoint, id: i64, asks: Asks) -> Reply {
        let path = entry.path().replace("{file}", "start.js");
        let path = path.replace("{id}", &id.to_string());
        let call = self.app.call(method.clone(), &path);
        let call = match self.person(asks) {
            Some(person) => call.token(&person.access),
            None => call,
        };
        match self.body(entry.method(), entry.path(), asks) {
            Some(body) => call.json(&body).await,
            None => call.send().await,
        }
    }
}

/// The status that this kind of caller gets; `-` where no resource can be missing.
async fn cell(entry: &Endpoint, asks: Asks) -> String {
    if asks.for_nothing() && !entry.path().contains("{id}") {
        return "-".to_owned();
    }
    let mut world = World::new().await;
    let id = world.id(entry.path(), asks).await;
    if asks == Asks::SwitchedOff {
        world.switch_ada_off();
    }
    if entry.method() == Method::GET {
        let head = world.ask(&Method::HEAD, entry, id, asks).await;
        let get = world.ask(&Method::GET, entry, id, asks).await;
        assert_eq!(head.status, get.status, "HEAD {} {asks:?}", entry.path());
        return get.status.to_string();
    }
    let reply = world.ask(entry.method(), entry, id, asks).await;
    reply.status.to_string()
}

/// The row of a route, as in the golden file.
async fn row(entry: &Endpoint) -> String {
    let mut row = format!("{:6} {:27}", entry.method().as_str(), entry.path());
    for asks in Asks::ALL {
        write!(row, " {:>5}", cell(entry, asks).await).unwrap();
    }
    row
}

fn file(resource: &str) -> String {
    format!("{resource}.txt")
}

/// The rows of the golden files, in the order of the route table.
pub(crate) fn matrix() -> Vec<String> {
    let texts = resources().map(|(name, _)| golden(&format!("access/{}", file(name))));
    let mut rows = Vec::new();
    for text in texts {
        let lines = text.lines().map(str::trim_end);
        rows.extend(
            lines
                .filter(|line| !line.starts_with('#'))
                .map(str::to_owned),
        );
    }
    rows
}

#[actix_web::test]
async fn every_route_admits_the_callers_of_the_matrix() {
    for (name, endpoints) in resources() {
        let mut actual = COLUMNS.to_owned();
        for entry in endpoints {
            actual += &format!("{}\n", row(entry).await);
        }
        expect_golden(&format!("access/{}", file(name)), &actual);
    }
    let files = resources().map(|(name, _)| file(name));
    let known: Vec<_> = files.chain(["README.md".to_owned()]).collect();
    expect_only("access", &known);
}

/// Invariants of the golden files: anonymous and deactivated callers are rejected by all routes that
/// need a user, and a resource of another user looks like a missing one.
#[test]
fn the_matrix_keeps_its_invariants() {
    let mut seen = 0;
    for row in matrix() {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let [
            _,
            path,
            anonymous,
            owner,
            other,
            staff,
            off,
            nothing,
            of_staff,
        ] = cells[..]
        else {
            panic!("{row}");
        };
        let entry = table().iter().find(|entry| {
            row.starts_with(&format!(
                "{:6} {:27}",
                entry.method().as_str(),
                entry.path()
            ))
        });
        if let Some(entry) = entry {
            use tradepost_domain::kernel::Access::{Customer, Public, Staff};
            match entry.access() {
                Public => {}
                Customer => assert_eq!((anonymous, off), ("401", "401"), "{row}"),
                Staff => assert_eq!(
                    (anonymous, owner, other, off),
                    ("401", "403", "403", "401"),
                    "{row}"
                ),
            }
        }
        if path.starts_with("/api/cart/{id}") {
            assert_eq!((other, staff), (nothing, of_staff), "{row}");
            seen += 1;
        }
        if path.starts_with("/api/orders/{id}") {
            assert_eq!((other, nothing), ("404", "404"), "{row}");
            seen += 1;
        }
    }
    assert_eq!(seen, 9);
}
