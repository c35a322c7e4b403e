//! The audit between two rounds.

use crate::check::is_alarm;
use crate::client::Answer;
use crate::pages::UNSENT;
use crate::roles::Role;
use crate::shop::print_line;
use crate::world::World;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the audit retries while a server rejects requests.
const PATIENCE: Duration = Duration::from_secs(120);

/// The memory bound of a server after any number of requests, in MiB. An unoptimised build takes
/// about 40.
const MEMORY: u64 = 256;

/// The server is healthy, its log has no alarms, no user has other rights than before, and the
/// ledger audit succeeds.
/// `excused` says whether a request was answered by a documented 503, which the log may report.
pub(crate) fn audit(world: &World, excused: &dyn Fn(&str) -> bool) {
    let health = world.shop.anonymous().get("/healthz").unwrap();
    assert_eq!(health.status, 200);
    let log = world.shop.place.read("err");
    let alarms: Vec<_> = log.lines().filter(|line| is_alarm(line, excused)).collect();
    let shown = &alarms[..alarms.len().min(9)];
    assert!(alarms.is_empty(), "{} alarms: {shown:#?}", alarms.len());
    let memory = peak_memory(world);
    assert!(memory < MEMORY, "the server has taken {memory} MiB");
    users_are_as_they_were(world);
    assert_eq!(
        unsent_products(world),
        0,
        "a form without a token was executed"
    );
    let stock = least_stock(world);
    assert!(stock >= 0, "a product has a stock of {stock}");
    let deadlock = world.shop.postgres_log().contains("deadlock detected");
    assert!(!deadlock, "PostgreSQL has found a deadlock");
    print_line(&format!("{} At most {memory} MiB.", world.shop.verify()));
}

/// The peak memory of the server, in MiB.
fn peak_memory(world: &World) -> u64 {
    let process = world.shop.servers[0].as_ref().unwrap().id();
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.unwrap().trim().trim_end_matches(" kB");
    kibibytes.parse::<u64>().unwrap() / 1024
}

/// Retries while the answer is 429 or 503.
fn patiently(world: &World, token: &str, path: &str) -> Answer {
    let began = Instant::now();
    loop {
        let answer = world.shop.client(0, token).get(path).unwrap();
        if ![429, 503].contains(&answer.status) || began.elapsed() > PATIENCE {
            return answer;
        }
        sleep(Duration::from_millis(200));
    }
}

/// No request has granted or revoked a right, and the tokens of the signed-in roles are valid.
fn users_are_as_they_were(world: &World) {
    for role in Role::ALL {
        let token = world.session(role).token;
        let answer = patiently(world, &token, "/api/users/me/");
        if !role.is_signed_in() {
            let right = role == Role::Volatile || answer.status == 401;
            assert!(right, "{role:?} is let in: {answer:?}");
            continue;
        }
        let account = answer.with(200);
        assert_eq!(account["username"], role.name().unwrap(), "{role:?}");
        assert_eq!(account["is_staff"], role == Role::Staff, "{role:?}");
    }
}

/// Number of products with a name from forms without a valid token.
fn unsent_products(world: &World) -> u64 {
    let staff = world.session(Role::Staff).token;
    let words = UNSENT.replace(' ', "%20");
    let numbers = [false, true].map(|archived| {
        let path = format!("/api/products/?search={words}&archived={archived}");
        let page = patiently(world, &staff, &path).with(200);
        page["count"].as_u64().unwrap()
    });
    numbers.iter().sum()
}

fn least_stock(world: &World) -> i64 {
    let staff = world.session(Role::Staff).token;
    let mut least = i64::MAX;
    for archived in [false, true] {
        let mut path = format!("/api/products/?page_size=100&ordering=id&archived={archived}");
        loop {
            let page = patiently(world, &staff, &path).with(200);
            for product in page["results"].as_array().unwrap() {
                least = least.min(product["stock"].as_i64().unwrap());
            }
            let next = page["next"].as_str();
            let Some(at) = next.and_then(|next| next.find("/api/")) else {
                break;
            };
            next.unwrap()[at..].clone_into(&mut path);
        }
    }
    least
}
