//! The page at `/metrics`.

use super::{CLASSES, METHODS, Metrics, SignIn};
use crate::access_log::LogLosses;
use crate::error::Code;
use crate::loaders::Loaders;
use crate::middleware::rate_limiter::RateLimiter;
use crate::state::State;
use std::fs;
use std::sync::atomic::Ordering;
use tradepost_batch::{BatchStats, Batchers};
use tradepost_domain::maintenance::PoolStats;
use tradepost_metrics::{HistogramSnapshot, Page, Unit};

/// Renders all metrics.
pub(crate) fn report(state: &State) -> String {
    let mut page = Page::default();
    let metrics = &state.metrics;
    of_requests(&mut page, metrics);
    of_outcomes(&mut page, state);
    of_orders(&mut page, &state.backend.batchers.orders.stats());
    of_changes(&mut page, &state.backend.batchers);
    of_work(&mut page, state);
    of_connections(&mut page, state);
    of_reads(&mut page, &state.loaders);
    of_pools(&mut page, &state.backend.health.pools());
    of_log(&mut page, &state.access_log.losses());
    of_process(&mut page, metrics);
    page.into_text()
}

fn of_requests(page: &mut Page, metrics: &Metrics) {
    page.gauge(
        "tradepost_http_requests_in_flight",
        "Requests that are being answered.",
        metrics.in_flight.load(Ordering::Relaxed),
    );
    // A count of zero has no series: most methods are used by few routes.
    let each = || {
        let routes = metrics.patterns.iter().zip(&metrics.requests);
        routes.flat_map(|(route, methods)| {
            let methods = METHODS.iter().zip(methods);
            methods.map(move |(method, requests)| (*route, *method, requests))
        })
    };
    page.family(
        "tradepost_http_requests_total",
        "counter",
        "Requests that were answered, by the pattern of their route.",
    );
    for (route, method, requests) in each() {
        for (class, count) in CLASSES.iter().zip(&requests.by_class) {
            let labels = [("route", route), ("method", method), ("status", class)];
            if count.get() > 0 {
                page.sample(&labels, count.get());
            }
        }
    }
    page.family(
        "tradepost_http_request_duration_seconds",
        "histogram",
        "How long requests took, from their head to their answer.",
    );
    for (route, method, requests) in each() {
        let reading = requests.durations.read();
        if reading.count > 0 {
            let labels = [("route", route), ("method", method)];
            page.histogram(&labels, &reading, Unit::Microseconds);
        }
    }
}

fn of_outcomes(page: &mut Page, state: &State) {
    let metrics = &state.metrics;
    page.family(
        "tradepost_errors_total",
        "counter",
        "Requests that were answered with an error, by its code.",
    );
    for (code, count) in Code::ALL.iter().zip(&metrics.errors) {
        page.sample(&[("code", code.word())], count.get());
    }
    page.family(
        "tradepost_sign_ins_total",
        "counter",
        "Sign-ins, by how they went.",
    );
    for ((_, outcome), count) in SignIn::ALL.iter().zip(&metrics.sign_ins) {
        page.sample(&[("outcome", outcome)], count.get());
    }
    page.family(
        "tradepost_throttled_requests_total",
        "counter",
        "Requests that were too many, by whose they were.",
    );
    let throttled = state.rate_limiter.as_ref().map(RateLimiter::counts);
    for (by, count) in throttled.into_iter().flatten() {
        page.sample(&[("by", by)], count);
    }
}

fn of_orders(page: &mut Page, figures: &BatchStats) {
    page.gauge(
        "tradepost_orders_waiting",
        "Orders that wait for a batch, or pause until they are tried again.",
        figures.waiting,
    );
    page.counter(
        "tradepost_orders_contended_total",
        "How often an order was put aside because others stood in its way.",
        figures.contended,
    );
    let histograms = [
        (
            "tradepost_order_batch_size",
            "Orders in a batch.",
            &figures.sizes,
            Unit::Number,
        ),
        (
            "tradepost_order_batch_duration_seconds",
            "How long a batch took to be placed.",
            &figures.took,
            Unit::Microseconds,
        ),
        (
            "tradepost_order_wait_seconds",
            "How long an order waited for the batch that settled it.",
            &figures.waits,
            Unit::Microseconds,
        ),
    ];
    for (name, help, reading, unit) in histograms {
        page.family(name, "histogram", help);
        page.histogram(&[], reading, unit);
    }
}

/// The batchers other than that of new orders, whose metrics have names of their own.
fn of_changes(page: &mut Page, batchers: &Batchers) {
    let all = batchers.stats_of_changes();
    page.family(
        "tradepost_changes_waiting",
        "gauge",
        "Changes that wait for a batch, by what they change.",
    );
    for (what, stats) in &all {
        page.sample(&[("what", what)], stats.waiting);
    }
    page.family(
        "tradepost_changes_contended_total",
        "counter",
        "How often a change was put back because of a lock conflict.",
    );
    for (what, stats) in &all {
        page.sample(&[("what", what)], stats.contended);
    }
    type Reading = fn(&BatchStats) -> &HistogramSnapshot;
    let histograms: [(&str, &str, Reading, Unit); 3] = [
        (
            "tradepost_change_batch_size",
            "Changes in each batch.",
            |stats| &stats.sizes,
            Unit::Number,
        ),
        (
            "tradepost_change_batch_duration_seconds",
            "How long a batch of changes took.",
            |stats| &stats.took,
            Unit::Microseconds,
        ),
        (
            "tradepost_change_wait_seconds",
            "How long a change waited for the batch that settled it.",
            |stats| &stats.waits,
            Unit::Microseconds,
        ),
    ];
    for (name, help, reading, unit) in histograms {
        page.family(name, "histogram", help);
        for (what, stats) in &all {
            page.histogram(&[("what", what)], reading(stats), unit);
        }
    }
}

fn of_work(page: &mut Page, state: &State) {
    let loads = state.pools.loads();
    page.family("tradepost_jobs", "gauge", "Blocking jobs, by what they do.");
    for (kind, load) in &loads {
        page.sample(&[("kind", kind), ("state", "running")], load.running);
        page.sample(&[("kind", kind), ("state", "waiting")], load.waiting);
    }
    page.family(
        "tradepost_jobs_max",
        "gauge",
        "The most of them that there may be.",
    );
    for (kind, load) in &loads {
        page.sample(&[("kind", kind), ("state", "running")], load.limit.running);
        page.sample(&[("kind", kind), ("state", "waiting")], load.limit.waiting);
    }
}

fn of_connections(page: &mut Page, state: &State) {
    let connections = &state.connections;
    page.gauge(
        "tradepost_connections",
        "Connections of clients.",
        connections.open(),
    );
    page.gauge(
        "tradepost_connections_max",
        "The most of them that there may be.",
        connections.max(),
    );
    page.family(
        "tradepost_connections_ended_total",
        "counter",
        "Connections that the server ended, by the reason.",
    );
    for (reason, count) in connections.ended() {
        page.sample(&[("reason", reason)], count);
    }
}

fn of_reads(page: &mut Page, loaders: &Loaders) {
    let loads = loaders.loads();
    page.family(
        "tradepost_reads_waiting",
        "gauge",
        "Requests that wait to be read for, by what they ask for.",
    );
    for (what, waiting, _) in &loads {
        page.sample(&[("what", what)], waiting);
    }
    page.family(
        "tradepost_read_size",
        "histogram",
        "Requests that were read for together, by what they ask for.",
    );
    for (what, _, sizes) in &loads {
        page.histogram(&[("what", what)], sizes, Unit::Number);
    }
}

fn of_pools(page: &mut Page, pools: &[PoolStats]) {
    page.family(
        "tradepost_pool_connections",
        "gauge",
        "Connections to the database, by their pool.",
    );
    for pool in pools {
        page.sample(&[("pool", pool.name), ("state", "busy")], pool.busy);
        page.sample(&[("pool", pool.name), ("state", "idle")], pool.idle);
    }
    page.family(
        "tradepost_pool_connections_max",
        "gauge",
        "The most connections that a pool may have.",
    );
    for pool in pools {
        page.sample(&[("pool", pool.name)], pool.most);
    }
}

fn of_log(page: &mut Page, losses: &LogLosses) {
    page.counter(
        "tradepost_access_records_dropped_total",
        "Access records that were dropped, as the log could not keep up.",
        losses.dropped,
    );
    page.family(
        "tradepost_log_lines_lost_total",
        "counter",
        "Lines of log that were not written, by their target.",
    );
    for (target, count) in &losses.lines {
        page.sample(&[("target", target)], count);
    }
}

fn of_process(page: &mut Page, metrics: &Metrics) {
    page.family("tradepost_build_info", "gauge", "What runs here.");
    page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.gauge(
        "tradepost_uptime_seconds",
        "How long the server has been running.",
        metrics.began.elapsed().as_secs(),
    );
    // Where the operating system does not report them (Linux does), the families are missing.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    if let Some(kibibytes) = figure("VmRSS:") {
        page.gauge(
            "process_resident_memory_bytes",
            "Memory that the process has.",
            kibibytes.saturating_mul(1_024),
        );
    }
    if let Some(threads) = figure("Threads:") {
        page.gauge("process_threads", "Threads of the process.", threads);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        page.gauge(
            "process_open_fds",
            "Files and sockets that are open.",
            open.count(),
        );
    }
}
