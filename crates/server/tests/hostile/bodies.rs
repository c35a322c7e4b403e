//! Valid request bodies for each route.

use crate::random::Random;
use crate::roles::Role;
use crate::shop::PASSWORD;
use crate::world::{STAPLES, World};
use serde_json::Value;
use tradepost_http::Endpoint;

/// Names, and values as JSON texts.
pub(crate) type Fields = Vec<(String, String)>;

/// The passwords between which the volatile user changes.
const PASSWORDS: [&str; 2] = [PASSWORD, "another quiet harbour"];

/// The password of users who register.
const NEW_PASSWORD: &str = "a lantern in the fog";

pub(crate) fn text(value: &str) -> String {
    serde_json::to_string(value).unwrap()
}

fn fields<const N: usize>(fields: [(&str, String); N]) -> Fields {
    let owned = fields.map(|(name, value)| (name.to_owned(), value));
    owned.into()
}

/// `None` for a route that reads no body.
pub(crate) fn valid(
    entry: &Endpoint,
    role: Role,
    number: u64,
    random: &mut Random,
    world: &World,
) -> Option<Fields> {
    let path = entry.path();
    Some(match (entry.method().as_str(), path) {
        ("GET" | "DELETE", _) => return None,
        ("POST", "/api-token-auth/" | "/api/token/") => credentials(role, random),
        ("POST", "/api/token/refresh/") => fields([("refresh", refresh(role, random, world))]),
        ("POST", "/api/token/revoke/") => {
            // Most sessions continue.
            let token = refresh(role, random, world);
            let unknown = text("tpr_unknown");
            let token = if random.one_in(4) { token } else { unknown };
            fields([("refresh", token)])
        }
        ("POST", "/api/token/verify/") => fields([("token", text(&world.session(role).token))]),
        ("POST", "/api/register/") => {
            // No two scenes of a run register the same name, even if one is sent repeatedly.
            let name = format!("guest{number}x{}", random.below(1 << 30));
            let email = text(&format!("{name}@people.example"));
            let name = text(&name);
            fields([
                ("username", name),
                ("email", email),
                ("password", text(NEW_PASSWORD)),
            ])
        }
        ("PATCH", "/api/users/me/") => {
            let name = role.name().unwrap_or("no.such.user");
            let email = format!("{name}+{}@people.example", random.below(1_000));
            fields([
                ("email", text(&email)),
                ("current_password", text(PASSWORD)),
            ])
        }
        ("POST", "/api/users/me/password/") => {
            // The tokens of the other roles must stay valid.
            let current = random.pick(&PASSWORDS);
            let current = if role == Role::Volatile {
                current
            } else {
                "not the one"
            };
            let new = random.pick(&PASSWORDS);
            fields([
                ("current_password", text(current)),
                ("new_password", text(new)),
            ])
        }
        ("PATCH", "/api/users/{id}/") => {
            let active = !random.one_in(4);
            let staff = random.one_in(4);
            fields([
                ("is_active", active.to_string()),
                ("is_staff", staff.to_string()),
            ])
        }
        ("POST", "/api/products/") | ("PUT", "/api/products/{id}/") => product(random),
        ("PATCH", "/api/products/{id}/") => {
            let mut all = product(random);
            all.push(("archived".to_owned(), "false".to_owned()));
            let kept = random.below(all.len());
            vec![all.swap_remove(kept)]
        }
        ("POST", "/api/products/{id}/stock/") => {
            let delta = random.within(-5, 20);
            let delta = if delta == 0 { 1 } else { delta };
            fields([("delta", delta.to_string()), ("reason", text("counted"))])
        }
        ("POST", "/api/cart/") => {
            let product = random.within(1, STAPLES).to_string();
            let quantity = random.within(1, 3).to_string();
            fields([("product_id", product), ("quantity", quantity)])
        }
        ("PUT", "/api/cart/{id}/") => fields([("quantity", random.within(1, 5).to_string())]),
        ("PATCH", "/api/cart/{id}/") => fields([("quantity", random.within(0, 3).to_string())]),
        ("POST", "/api/orders/") => match random.below(8) {
            0 => fields([("expected_total", text("1.00"))]),
            _ => Fields::new(),
        },
        ("PUT" | "PATCH", "/api/orders/{id}/") => {
            let statuses = [
                "cancelled",
                "cancelled",
                "processing",
                "shipped",
                "delivered",
                "pending",
            ];
            fields([("status", text(random.pick(&statuses)))])
        }
        (method, path) => example(method, path)?,
    })
}

/// The example of the OpenAPI document; `None` for a route that reads no body.
fn example(method: &str, path: &str) -> Option<Fields> {
    let document: Value = serde_json::from_str(tradepost_http::document()).unwrap();
    let operation = &document["paths"][path][method.to_lowercase()];
    let example = &operation["requestBody"]["content"]["application/json"]["example"];
    let members = example.as_object()?.iter();
    let owned = members.map(|(name, value)| (name.clone(), value.to_string()));
    Some(owned.collect())
}

fn credentials(role: Role, random: &mut Random) -> Fields {
    let name = role.name().unwrap_or("no.such.user");
    let password = match role {
        Role::Volatile => random.pick(&PASSWORDS),
        _ if random.one_in(4) => "not the one",
        _ => PASSWORD,
    };
    fields([("username", text(name)), ("password", text(password))])
}

fn refresh(role: Role, random: &mut Random, world: &World) -> String {
    let known = world.session(role).refresh;
    let unknown = random.one_in(6) || known.is_empty();
    text(if unknown { "tpr_unknown" } else { &known })
}

fn product(random: &mut Random) -> Fields {
    let names = [
        "Sieve",
        "Kettle, 1.2 l",
        "\u{14d}tsu \u{8336}",
        "\u{1f375} cup",
    ];
    let (units, cents) = (random.within(1, 400), random.within(0, 99));
    fields([
        ("name", text(random.pick(&names))),
        ("price", text(&format!("{units}.{cents:02}"))),
        ("stock", random.within(0, 400).to_string()),
        ("description", text("Made for the \"test\".\nTwo lines.")),
    ])
}
