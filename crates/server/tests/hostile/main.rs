//! Mutational fuzzing over HTTP: the real binary under requests that are mutated from a seed, over
//! every route and for every role, on SQLite and on PostgreSQL. Each answer is checked against
//! general rules, and the shop is audited between the rounds.
//!
//! - [`roles`] and [`world`]: the users of a shop, their tokens and the ids of their rows.
//! - [`draft`], [`bodies`] and [`paths`]: a valid request for a route.
//! - [`values`] and [`mutate`]: its mutations. [`malformed`]: bytes that are not HTTP.
//! - [`pages`]: requests to the admin interface. [`page_rules`]: the rules for its answers.
//! - [`scene`]: the requests that follow from a seed and a number.
//! - [`wire`]: a connection, read strictly. [`check`]: the rules for an answer.
//! - [`run`]: rounds of scenes. [`audit`]: the audit after each.
//!
//! | variable | meaning |
//! |---|---|
//! | `TRADEPOST_HOSTILE_REQUESTS` | number of scenes for each store; a scene is one to four requests |
//! | `TRADEPOST_HOSTILE_SEED` | a seed to run besides the fixed one, or alone if scenes are numbered |
//! | `TRADEPOST_HOSTILE_FIRST` | the number of the first scene |
//!
//! `scripts/hostile` sets them. A scene follows from its seed and number; its ids and tokens are
//! those that the shop has when it runs.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod check;
#[cfg(test)]
mod check_tests;
#[cfg(test)]
#[path = "../faults/client.rs"]
#[expect(
    dead_code,
    reason = "shared with the fault tests, which use more of it"
)]
mod client;
#[cfg(test)]
mod draft;
#[cfg(test)]
mod malformed;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod page_rules;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod paths;
#[cfg(test)]
#[path = "../binary/place.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the commands, which use more of it"
)]
mod place;
#[cfg(test)]
#[path = "../../../memory/tests/simulation/random.rs"]
#[expect(
    dead_code,
    reason = "shared with the simulation, which uses more of it"
)]
mod random;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod run;
#[cfg(test)]
mod scene;
#[cfg(test)]
#[path = "../faults/shop.rs"]
#[expect(
    dead_code,
    reason = "shared with the fault tests, which use more of it"
)]
mod shop;
#[cfg(test)]
mod values;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;
