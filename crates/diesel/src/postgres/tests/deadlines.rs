//! Reads end at the deadline of their thread; writes do not.

use super::*;
use tradepost_domain::kernel::deadline;

/// Far longer than any of these tests takes.
const ENDLESS: &str = "SELECT pg_sleep(600)";

/// Longer than the deadline of [`soon`].
const LONG: &str = "SELECT pg_sleep(0.8)";

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(500)
}

fn run(conn: &mut Conn, sql: &str) -> Result<(), Failure> {
    Ok(conn.batch_execute(sql)?)
}

/// A database with a pool of one connection, already open.
fn of_one_connection() -> Database {
    let options = OpenOptions {
        readers: 1,
        ..options()
    };
    let (cluster, template) = &*SERVER;
    let name = cluster.copy(template).unwrap();
    let url = DatabaseUrl::parse(&cluster.url(&name)).unwrap();
    let database = Database::open(&url, &options).unwrap();
    database.read(|conn| run(conn, "SELECT 1")).unwrap();
    database
}

#[test]
fn a_read_is_interrupted_at_its_deadline_and_not_run_again() {
    let database = of_one_connection();
    let runs = AtomicUsize::new(0);
    let endless = |conn: &mut Conn| {
        runs.fetch_add(1, Ordering::Relaxed);
        run(conn, ENDLESS)
    };
    for turn in 1..=3 {
        let read = deadline::run_until(soon(), || database.read(endless));
        let snapshot = deadline::run_until(soon(), || database.snapshot(endless));
        for outcome in [read, snapshot] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), &StoreErrorKind::DeadlineExceeded, "{error}");
        }
        assert_eq!(runs.load(Ordering::Relaxed), 2 * turn);
        // The connection stays usable, and queries without a deadline have no timeout.
        assert!(database.read(|conn| run(conn, LONG)).is_ok());
        assert!(database.snapshot(|conn| run(conn, LONG)).is_ok());
    }
}

#[test]
fn a_deadline_that_has_passed_lets_nothing_begin() {
    let database = of_one_connection();
    let runs = AtomicUsize::new(0);
    let count = |_: &mut Conn| {
        runs.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    let passed = Instant::now();
    let read = deadline::run_until(passed, || database.read(count));
    let snapshot = deadline::run_until(passed, || database.snapshot(count));
    for outcome in [read, snapshot] {
        assert_eq!(
            outcome.unwrap_err().kind(),
            &StoreErrorKind::DeadlineExceeded
        );
    }
    assert_eq!(runs.load(Ordering::Relaxed), 0);
}

#[test]
fn a_write_is_not_interrupted() {
    // Its session has the timeout of a read.
    let database = of_one_connection();
    deadline::run_until(soon(), || {
        assert!(database.read(|conn| run(conn, ENDLESS)).is_err());
        let written = database.write(|conn| {
            let timeout = server::setting(conn, "statement_timeout")?;
            run(conn, LONG)?;
            Ok(timeout)
        });
        assert_eq!(written.unwrap(), "0");
    });
    // The timeout is the same after the write as before it.
    let session = database.read(|conn| Ok(server::setting(conn, "statement_timeout")?));
    assert_eq!(session.unwrap(), "0");
}

#[test]
fn queries_of_requests_find_their_timeout_set() {
    let database = of_one_connection();
    let far = || Instant::now() + Duration::from_secs(60);
    let setting = |conn: &mut Conn| Ok(server::setting(conn, "statement_timeout")?);
    let first = deadline::run_until(far(), || database.read(setting));
    assert_eq!(first.unwrap(), "2s");
    // The next query does not set its timeout: it runs with the one left here.
    let change = |conn: &mut Conn| run(conn, "SET statement_timeout = '7s'");
    deadline::run_until(far(), || database.read(change)).unwrap();
    let next = deadline::run_until(far(), || database.read(setting));
    assert_eq!(next.unwrap(), "7s");
}
