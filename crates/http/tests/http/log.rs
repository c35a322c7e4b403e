//! Access log and error log.

use crate::support::{App, memory, settings};
use ::log::kv::{Error, Key, Value, VisitSource};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, Once};
use tradepost_domain::Stores;
use tradepost_domain::catalog::MockProductRepository;
use tradepost_domain::kernel::{StoreError, StoreErrorKind, UserId};
use tradepost_http::{AccessLog, AccessRecord, LogLosses, Settings};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A logger that keeps every line of every test; each test looks for its own request id.
struct Keeper;

impl ::log::Log for Keeper {
    fn enabled(&self, _: &::log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &::log::Record<'_>) {
        let mut line = format!("{} {} {}", record.level(), record.target(), record.args());
        record.key_values().visit(&mut Pairs(&mut line)).unwrap();
        LINES.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

/// Appends values as ` key=value`, as the binary does.
struct Pairs<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for Pairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.push_str(&format!(" {key}={value}"));
        Ok(())
    }
}

fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        ::log::set_logger(&Keeper).unwrap();
        ::log::set_max_level(::log::LevelFilter::Info);
    });
}

fn lines(id: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap();
    lines
        .iter()
        .filter(|line| line.contains(id))
        .cloned()
        .collect()
}

#[actix_web::test]
async fn a_request_is_one_line_without_its_query() {
    keep();
    let app = App::new().await;
    let ada = app.customer("ada");
    let long = format!("/{}", "x".repeat(60_000));
    let cut_short = format!("GET /{} 404 ", "x".repeat(511));
    for (path, token, id, expected) in [
        (
            "/api/cart/?secret=1",
            Some(&ada),
            "log-1",
            ("GET /api/cart/ 200 ", "user=1 from=127.0.0.1"),
        ),
        (
            "/api/cart/",
            None,
            "log-2",
            ("GET /api/cart/ 401 ", "user=- from=127.0.0.1"),
        ),
        (
            "/%0a%00x",
            None,
            "log-3",
            ("GET /%0a%00x 404 ", "user=- from=127.0.0.1"),
        ),
        (
            &*long,
            None,
            "log-5",
            (&*cut_short, "user=- from=127.0.0.1"),
        ),
    ] {
        let call = app.get(path).header("X-Request-ID", id);
        let call = match token {
            Some(token) => call.token(token),
            None => call,
        };
        call.send().await;
        let seen = lines(id);
        assert_eq!(seen.len(), 1, "{seen:?}");
        let begin = format!("INFO tradepost::access {}", expected.0);
        let end = format!("us id={id} {}", expected.1);
        assert!(
            seen[0].starts_with(&begin) && seen[0].ends_with(&end),
            "{seen:?}"
        );
    }
}

#[actix_web::test]
async fn the_cause_of_a_failure_is_written_down_once() {
    keep();
    let mut products = MockProductRepository::new();
    products.expect_list().returning(|_, _| {
        let cause = std::io::Error::other("disk on fire");
        Err(StoreError::caused(StoreErrorKind::Other, cause))
    });
    let stores = Stores {
        products: Arc::new(products),
        ..memory()
    };
    let app = App::with(stores, settings()).await;
    let call = app.get("/api/products/").header("X-Request-ID", "log-4");
    call.send().await.expect(500, "internal_error");
    let seen = lines("log-4");
    let causes: Vec<_> = seen
        .iter()
        .filter(|line| line.contains("disk on fire"))
        .collect();
    assert_eq!((seen.len(), causes.len()), (2, 1), "{seen:?}");
    assert!(causes[0].starts_with("ERROR "), "{seen:?}");
}

/// A sink that keeps the records of one test.
#[derive(Debug, Default)]
struct Sink(Mutex<Vec<String>>);

impl AccessLog for Sink {
    fn record(&self, record: &AccessRecord<'_>) {
        assert_eq!(record.client, Some(Ipv4Addr::LOCALHOST.into()));
        let user = record.user.map(UserId::get);
        let AccessRecord {
            id,
            method,
            path,
            status,
            ..
        } = record;
        let line = format!("{id} {method} {path} {status} {user:?}");
        self.0.lock().unwrap().push(line);
    }

    fn losses(&self) -> LogLosses {
        LogLosses {
            dropped: 7,
            lines: vec![("paper", 3)],
        }
    }
}

#[actix_web::test]
async fn a_program_may_take_the_access_records_itself() {
    let sink = Arc::new(Sink::default());
    let settings = Settings {
        access_log: Arc::<Sink>::clone(&sink),
        ..settings()
    };
    let app = App::with(memory(), settings).await;
    let ada = app.customer("ada");
    let long = format!("/{}", "x".repeat(1_000));
    let cart = app.get("/api/cart/?secret=1").token(&ada);
    cart.header("X-Request-ID", "sink-1").send().await;
    for (number, path) in [(2, "/nothing"), (3, &*long)] {
        let call = app
            .get(path)
            .header("X-Request-ID", &format!("sink-{number}"));
        call.send().await;
    }
    let odd = app.call("B".repeat(100).parse().unwrap(), "/api/");
    odd.header("X-Request-ID", "sink-4").send().await;
    let page = app.get("/metrics").send().await.expect_status(200);
    let seen = sink.0.lock().unwrap();
    let expected = [
        "sink-1 GET /api/cart/ 200 Some(1)".to_owned(),
        "sink-2 GET /nothing 404 None".to_owned(),
        format!("sink-3 GET /{} 404 None", "x".repeat(511)),
        format!("sink-4 {} /api/ 405 None", "B".repeat(32)),
    ];
    assert_eq!(seen[..4], expected);
    let text = page.text();
    for line in [
        "tradepost_access_records_dropped_total 7",
        "tradepost_log_lines_lost_total{target=\"paper\"} 3",
    ] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
}
