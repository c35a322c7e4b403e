//! Paths of the route table, with existing ids.

use crate::random::Random;
use crate::roles::Role;
use crate::world::{STAPLES, World};

/// An id that no row has.
pub(crate) const ABSENT: i64 = 4_611_686_018_427_387_904;

/// The path, and the id or file in it.
pub(crate) fn fill(
    pattern: &str,
    method: &str,
    role: Role,
    random: &mut Random,
    world: &World,
) -> (String, String) {
    let (name, value) = if pattern.contains("{file}") {
        let files = ["start.js", "start.js", "start.js", "swagger-ui.css", "x"];
        ("{file}", random.pick(&files).to_owned())
    } else if pattern.contains("{id}") {
        ("{id}", id(pattern, method, role, random, world).to_string())
    } else {
        ("", String::new())
    };
    if name.is_empty() {
        return (pattern.to_owned(), value);
    }
    (pattern.replace(name, &value), value)
}

fn id(pattern: &str, method: &str, role: Role, random: &mut Random, world: &World) -> i64 {
    // Drawn unconditionally, so that a scene advances its generator equally in any shop.
    let (chance, late, staple) = (
        random.below(12),
        random.within(1, 60),
        random.within(1, STAPLES),
    );
    if chance == 0 {
        return ABSENT;
    }
    let session = world.session(role);
    if pattern.starts_with("/api/products/") {
        return match (method, chance) {
            // The products that customers buy are kept.
            ("DELETE", _) | (_, 1) => STAPLES + late,
            _ => staple,
        };
    }
    if pattern.starts_with("/api/cart/") {
        return match chance {
            1 => world.keeper.line,
            2 => late,
            _ => session.line,
        };
    }
    if pattern.starts_with("/api/orders/") {
        return match chance {
            1 => world.keeper.order,
            2 => late,
            _ => session.order,
        };
    }
    if pattern == "/api/users/{id}/" {
        // The other users keep their rights.
        return world.volatile;
    }
    // Of any other collection, the last one that this role created.
    let collection = pattern.split('{').next().unwrap_or_default();
    let own = session.created.get(collection).copied();
    own.filter(|_| chance != 1).unwrap_or(late)
}
