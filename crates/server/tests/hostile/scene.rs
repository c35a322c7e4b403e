//! Scenes: the requests that follow from a seed and a number.

use crate::draft::{Draft, Request};
use crate::malformed::{Malformed, malformed};
use crate::mutate::mutate;
use crate::pages::{PageRequest, page};
use crate::paths::ABSENT;
use crate::random::Random;
use crate::roles::Role;
use crate::world::World;
use actix_web::http::Method;
use tradepost_http::{Endpoint, table};

#[derive(Debug)]
pub(crate) enum Scene {
    One(Request),
    /// The same request for another customer's row and for a row that does not exist.
    Twins(Request, Request),
    /// Pipelined requests: all are sent before the first is answered.
    Pipeline(Vec<Request>),
    Malformed(Malformed),
    /// A request to the admin interface.
    Page(PageRequest),
}

/// The scene of a seed and a number.
pub(crate) fn scene(seed: u64, number: u64, world: &World) -> Scene {
    // Not the factor by which the generator advances: scenes do not overlap.
    let mut random = Random::new(seed.wrapping_add(number.wrapping_mul(0xd134_2543_de82_ef95)));
    match random.below(20) {
        0 | 1 => twins(number, &mut random, world),
        2 => {
            let count = 2 + random.below(3);
            let requests = (0..count).map(|_| one(number, &mut random, world));
            Scene::Pipeline(requests.filter(|request| !request.closes).collect())
        }
        3 => Scene::Malformed(malformed(&mut random)),
        4..=6 => Scene::Page(page(&mut random, world)),
        _ => Scene::One(one(number, &mut random, world)),
    }
}

fn one(number: u64, random: &mut Random, world: &World) -> Request {
    let entry = entry(random);
    let role = role(random);
    let mut draft = Draft::valid(entry, role, number, random, world);
    for _ in 0..random.pick(&[0, 0, 0, 1, 1, 1, 1, 2, 2, 3]) {
        mutate(&mut draft, random, world);
    }
    draft.finish(world)
}

/// Customers act most often, so that orders keep coming.
fn role(random: &mut Random) -> Role {
    match random.below(4) {
        0 => random.pick(&Role::ALL),
        1 | 2 => Role::Customer,
        _ => random.pick(&[Role::Other, Role::Staff, Role::Staff]),
    }
}

/// Routes that hash a password or send a large file are rare, carts and orders frequent.
fn entry(random: &mut Random) -> &'static Endpoint {
    let weight = |entry: &Endpoint| match entry.path() {
        "/api-token-auth/" | "/api/token/" | "/api/register/" | "/api/users/me/password/" => 2,
        "/api/schema/" | "/api/docs/" | "/api/docs/{file}/" | "/metrics" => 2,
        "/api/cart/" | "/api/orders/" if *entry.method() == Method::POST => 40,
        "/api/cart/" if *entry.method() == Method::DELETE => 2,
        path if path.starts_with("/api/cart/") || path.starts_with("/api/orders/") => 12,
        path if path.starts_with("/api/products/") => 10,
        _ => 5,
    };
    let total = table().iter().map(weight).sum();
    let mut left = random.below(total);
    for entry in table() {
        match left.checked_sub(weight(entry)) {
            None => return entry,
            Some(rest) => left = rest,
        }
    }
    panic!("weights sum up to their sum")
}

fn twins(number: u64, random: &mut Random, world: &World) -> Scene {
    let owned = ["/api/cart/{id}/", "/api/orders/{id}/"];
    let entries: Vec<&'static Endpoint> = table()
        .iter()
        .filter(|entry| owned.contains(&entry.path()))
        .collect();
    let entry = random.pick(&entries);
    let role = random.pick(&[Role::Customer, Role::Other]);
    let mut draft = Draft::valid(entry, role, number, random, world);
    let theirs = match entry.path() {
        "/api/cart/{id}/" => world.keeper.line,
        _ => world.keeper.order,
    };
    for _ in 0..random.below(3) {
        let mut mutated = draft.clone();
        mutate(&mut mutated, random, world);
        // The target row stays the same.
        if mutated.path == draft.path && !mutated.closes {
            draft = mutated;
        }
    }
    let of = |id: i64| {
        let mut draft = draft.clone();
        draft.path = entry.path().replace("{id}", &id.to_string());
        draft.finish(world)
    };
    Scene::Twins(of(theirs), of(ABSENT))
}
