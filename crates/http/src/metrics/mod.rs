//! Metrics registry, exported to Prometheus.
//!
//! Labels come from compiled-in values alone: the table of routes, the methods and the codes.
//! Client input never becomes a label, so that the number of series has a bound.

pub(crate) mod report;

use crate::error::Code;
use actix_web::http::{Method, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tradepost_metrics::{Counter, Histogram};

/// The route label of requests that match no route.
const UNMATCHED: &str = "unmatched";

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other",
];

const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// Bucket bounds in microseconds: from responses out of memory up to the default request timeout.
const DURATIONS: [u64; 12] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000,
];

/// The outcome of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignIn {
    Ok,
    Wrong,
    Throttled,
    /// The check itself failed.
    Failed,
}

impl SignIn {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Ok, "ok"),
        (Self::Wrong, "wrong"),
        (Self::Throttled, "throttled"),
        (Self::Failed, "failed"),
    ];
}

/// The counts of one method of one route.
struct Requests {
    by_class: [Counter; CLASSES.len()],
    durations: Histogram<12>,
}

pub(crate) struct Metrics {
    began: Instant,
    in_flight: AtomicU64,
    /// The path of each route, and [`UNMATCHED`].
    patterns: Vec<&'static str>,
    /// By route and method, both in the order of their lists.
    requests: Vec<[Requests; METHODS.len()]>,
    errors: Vec<Counter>,
    sign_ins: [Counter; SignIn::ALL.len()],
}

impl Metrics {
    /// The registry for routes with these paths.
    pub(crate) fn new(mut patterns: Vec<&'static str>) -> Self {
        patterns.push(UNMATCHED);
        let requests = || Requests {
            by_class: Default::default(),
            durations: Histogram::new(DURATIONS),
        };
        let of_route = || std::array::from_fn(|_| requests());
        Self {
            began: Instant::now(),
            in_flight: AtomicU64::new(0),
            requests: patterns.iter().map(|_| of_route()).collect(),
            patterns,
            errors: Code::ALL.iter().map(|_| Counter::default()).collect(),
            sign_ins: Default::default(),
        }
    }

    /// Counts a request in flight until the guard is dropped, also when its client disconnects.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(&self.in_flight)
    }

    /// Counts a response; `route` is the index of its path, `None` if it matches no route.
    pub(crate) fn answered(
        &self,
        route: Option<usize>,
        method: &Method,
        status: StatusCode,
        took: Duration,
    ) {
        let name = method.as_str();
        let method = METHODS.iter().position(|known| *known == name);
        let method = method.unwrap_or(METHODS.len() - 1);
        let requests = match route {
            Some(route) => self.requests.get(route),
            None => self.requests.last(),
        };
        let Some(requests) = requests.and_then(|route| route.get(method)) else {
            return;
        };
        let class = usize::from(status.as_u16() / 100).saturating_sub(2);
        if let Some(count) = requests.by_class.get(class) {
            count.add_one();
        }
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        requests.durations.observe(took);
    }

    /// Counts an error response.
    pub(crate) fn failed(&self, code: Code) {
        let at = Code::ALL.iter().position(|known| *known == code);
        if let Some(count) = at.and_then(|at| self.errors.get(at)) {
            count.add_one();
        }
    }

    /// Counts a sign-in.
    pub(crate) fn signed_in(&self, how: SignIn) {
        let mut known = SignIn::ALL.iter().zip(&self.sign_ins);
        if let Some((_, count)) = known.find(|((known, _), _)| *known == how) {
            count.add_one();
        }
    }
}

pub(crate) struct InFlight<'a>(&'a AtomicU64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
