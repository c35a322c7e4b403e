//! Tests of the SQLite backend: opening, the writer, and classification of errors. The rules of the
//! ports are in the contract suite.

mod deadlines;
mod log;
mod statements;
mod upkeep;

use super::classify::kind;
use super::connect;
use super::*;
use crate::rows::UsageQuery;
use crate::{DatabaseUrl, Migrator as AnyMigrator, Missing, ShopCurrency};
use diesel::prelude::*;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::Text;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tradepost_domain::kernel::{IdempotencyKey, IdempotencyScope, StoreErrorKind, UserId};

pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(super) fn path(&self) -> PathBuf {
        // Characters with a meaning in a URI, so that every test covers them.
        self.0.path().join("a shop#1?50%25.db")
    }

    pub(super) fn migrate(&self) -> AnyMigrator {
        let url = DatabaseUrl::sqlite(&self.path());
        let mut migrator = AnyMigrator::connect(&url, Missing::Create).unwrap();
        migrator.run(|_| ()).unwrap();
        migrator
    }

    pub(super) fn open(&self, code: &str) -> Result<Database, OpenError> {
        Database::open(&self.path(), &options(code))
    }

    pub(super) fn shop(&self) -> Database {
        self.migrate();
        self.open("USD").unwrap()
    }

    pub(super) fn conn(&self) -> Conn {
        let wait = Duration::from_millis(10);
        let mut conn = connect::connection(&self.path(), Missing::Refuse, wait).unwrap();
        connect::keep_promises(&mut conn, "", wait).unwrap();
        conn
    }
}

pub(super) fn options(code: &str) -> OpenOptions {
    let currency = ShopCurrency::Is(Currency::from_code(code).unwrap());
    OpenOptions {
        currency,
        readers: 2,
        wait: Duration::from_millis(100),
    }
}

fn count(conn: &mut Conn) -> i64 {
    connect::number(conn, "SELECT count(*) AS value FROM probe").unwrap()
}

fn insert(conn: &mut Conn, value: i64) -> Result<(), Failure> {
    diesel::sql_query(format!("INSERT INTO probe VALUES ({value})")).execute(conn)?;
    Ok(())
}

fn with_probe(folder: &Folder) -> Database {
    let shop = folder.shop();
    folder
        .conn()
        .batch_execute("CREATE TABLE probe (value INTEGER UNIQUE) STRICT")
        .unwrap();
    shop
}

#[test]
fn a_reader_cannot_write() {
    let folder = Folder::new();
    let shop = with_probe(&folder);
    let error = shop.read(|conn| insert(conn, 1)).unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Unavailable);
    // Not even after the pragma is reset: the file is opened read-only.
    let defiant = |conn: &mut Conn| {
        conn.batch_execute("PRAGMA query_only = OFF")?;
        insert(conn, 1)
    };
    assert!(shop.read(defiant).is_err());
}

/// A full disk or a failed read ends the transaction, and its error is the one reported.
#[test]
fn a_snapshot_that_sqlite_has_ended_fails_as_its_job_did() {
    let folder = Folder::new();
    let shop = folder.shop();
    for _ in 0..5 {
        let read = |conn: &mut Conn| -> Result<(), Failure> {
            conn.batch_execute("ROLLBACK")?;
            Err(StoreError::new(StoreErrorKind::Unavailable).into())
        };
        let error = shop.snapshot(read).unwrap_err();
        assert_eq!(error.kind(), &StoreErrorKind::Unavailable, "{error}");
        assert!(shop.snapshot(queries::require_current).is_ok());
    }
}

#[test]
fn queued_writes_share_one_commit() {
    let folder = Folder::new();
    let shop = with_probe(&folder);
    let mut watcher = folder.conn();
    let version = |conn: &mut Conn| {
        connect::number(
            conn,
            "SELECT data_version AS value FROM pragma_data_version",
        )
        .unwrap()
    };
    let before = version(&mut watcher);
    let (release, released) = channel::<()>();
    let released = std::sync::Mutex::new(released);
    let hold_up = move |conn: &mut Conn| {
        released.lock().unwrap().recv().unwrap();
        insert(conn, 0)
    };
    let first = shop.writer.submit(hold_up).unwrap();
    let waiting: Vec<_> = (1..=20)
        .map(|value| {
            // The seventh fails after it has written; only its changes are rolled back.
            let job = move |conn: &mut Conn| {
                insert(conn, value)?;
                if value == 7 { insert(conn, 1) } else { Ok(()) }
            };
            shop.writer.submit(job).unwrap()
        })
        .collect();
    assert!(
        waiting.iter().all(|outcome| outcome.try_recv().is_err()),
        "nobody is told early"
    );
    release.send(()).unwrap();
    first.recv().unwrap().unwrap();
    let failed = waiting
        .iter()
        .filter(|outcome| outcome.recv().unwrap().is_err());
    assert_eq!(failed.count(), 1);
    assert_eq!(count(&mut watcher), 20);
    // One commit of the job that held the others up, and one of all others.
    assert!(version(&mut watcher) - before <= 2);
}

#[test]
fn a_full_write_queue_is_busy_at_once() {
    let folder = Folder::new();
    let shop = with_probe(&folder);
    let (release, released) = channel::<()>();
    let released = std::sync::Mutex::new(released);
    let hold_up = move |_: &mut Conn| {
        released.lock().unwrap().recv().unwrap();
        Ok(())
    };
    let mut waiting = vec![shop.writer.submit(hold_up).unwrap()];
    let refused = loop {
        match shop.writer.submit(|_| Ok(())) {
            Ok(outcome) => waiting.push(outcome),
            Err(error) => break error,
        }
        assert!(waiting.len() < 5_000, "there is no bound");
    };
    assert_eq!(refused.kind(), &StoreErrorKind::Busy);
    release.send(()).unwrap();
    for outcome in waiting {
        outcome.recv().unwrap().unwrap();
    }
}

#[test]
fn a_panicking_write_does_not_affect_others() {
    let folder = Folder::new();
    let shop = with_probe(&folder);
    let panicking = shop.write(|conn| -> Result<(), Failure> {
        insert(conn, 1)?;
        panic!("on purpose")
    });
    assert!(panicking.unwrap_err().to_string().contains("on purpose"));
    shop.write(|conn| insert(conn, 2)).unwrap();
    assert_eq!(count(&mut folder.conn()), 1);
}

#[test]
fn queued_writes_are_finished_before_shutdown() {
    let folder = Folder::new();
    let shop = Arc::new(with_probe(&folder));
    let writers: Vec<_> = (0..10)
        .map(|value| {
            let shop = shop.clone();
            std::thread::spawn(move || shop.write(move |conn| insert(conn, value)))
        })
        .collect();
    drop(shop);
    for writer in writers {
        writer.join().unwrap().unwrap();
    }
    assert_eq!(count(&mut folder.conn()), 10);
}

#[test]
fn a_foreign_writer_makes_the_database_busy() {
    let folder = Folder::new();
    let shop = with_probe(&folder);
    let mut other = folder.conn();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let error = shop.write(|conn| insert(conn, 1)).unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Busy);
    other.batch_execute("ROLLBACK").unwrap();
    shop.write(|conn| insert(conn, 1)).unwrap();
}

#[test]
fn a_full_disk_stores_nothing_and_is_survived() {
    let folder = Folder::new();
    let shop = with_probe(&folder);
    let fill = |conn: &mut Conn| {
        conn.batch_execute("CREATE TABLE wide (filling TEXT)")?;
        diesel::sql_query("INSERT INTO wide SELECT hex(zeroblob(500000))").execute(conn)?;
        Ok(())
    };
    shop.write(|conn| Ok(conn.batch_execute("PRAGMA max_page_count = 100")?))
        .unwrap();
    assert_eq!(shop.write(fill).unwrap_err().kind(), &StoreErrorKind::Full);
    shop.write(|conn| insert(conn, 1)).unwrap();
    shop.write(|conn| Ok(conn.batch_execute("PRAGMA max_page_count = 1000000")?))
        .unwrap();
    shop.write(fill).unwrap();
}

#[test]
fn an_exhausted_read_pool_is_busy() {
    let folder = Folder::new();
    let shop = folder.shop();
    let nested = shop.read(|_| {
        shop.read(|_| Ok(shop.read(|_| Ok(())).unwrap_err().kind().clone()))
            .map_err(Failure::Store)
    });
    assert_eq!(nested.unwrap(), StoreErrorKind::Busy);
}

/// SQLite's plan of a query.
fn plan(conn: &mut Conn, query: &impl QueryFragment<Db>) -> String {
    let sql = diesel::debug_query::<Db, _>(query).to_string();
    diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
        .load::<Step>(conn)
        .unwrap()
        .into_iter()
        .map(|step| step.detail + "\n")
        .collect()
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// A user may send any number of keys, and all other writes wait for each lookup.
#[test]
fn a_key_is_found_among_any_number_of_others() {
    let folder = Folder::new();
    folder.shop();
    let scope = IdempotencyScope {
        path: "/api/orders/".to_owned(),
        key: IdempotencyKey::new("k").unwrap(),
    };
    let query = bulk::key(UserId::new(1).unwrap(), &scope);
    let plan = plan(&mut folder.conn(), &query);
    assert!(plan.contains("(user_id=? AND path=? AND key=?)"), "{plan}");
}

/// A customer may have any number of orders and keys, and all other writes wait for the query.
#[test]
fn the_usage_of_quotas_is_read_from_indexes() {
    let folder = Folder::new();
    folder.shop();
    let query = bulk::QuotaUsage(UsageQuery::of_keys(UserId::new(1).unwrap()));
    let plan = plan(&mut folder.conn(), &query);
    for index in [
        "COVERING INDEX orders_pending_of_user (user_id=?)",
        "COVERING INDEX orders_of_user_by_creation (user_id=? AND created_at>? AND created_at<?)",
        "COVERING INDEX idempotency_keys_by_total (user_id=?)",
    ] {
        assert!(plan.contains(index), "{index}: {plan}");
    }
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn the_staff_are_found_among_any_number_of_users() {
    let folder = Folder::new();
    folder.shop();
    let plan = plan(&mut folder.conn(), &queries::identity::active_staff());
    assert!(plan.contains("USING INDEX users_staff"), "{plan}");
}

#[test]
fn constraints_hold_below_the_rules() {
    let folder = Folder::new();
    folder.shop();
    let mut conn = folder.conn();
    let product =
        "INSERT INTO products (id, name, description, price, archived, created_at, updated_at)
                   VALUES (1, 'Mug', '', 100, 0, 0, 0); INSERT INTO stock (product_id, on_hand) VALUES (1, 5);
                   INSERT INTO users VALUES (1, 'ada', 'ada', NULL, NULL, '', 0, 1, 0, 0, NULL);";
    conn.batch_execute(product).unwrap();
    for (statement, words) in [
        ("UPDATE stock SET on_hand = -1", "CHECK"),
        (
            "INSERT INTO stock (product_id, on_hand) VALUES (2, 1)",
            "FOREIGN KEY",
        ),
        ("UPDATE products SET price = 0", "CHECK"),
        ("UPDATE products SET price = 'free'", "cannot store TEXT"),
        (
            "INSERT INTO cart_items VALUES (1, 1, 1, 10000, 0, 0)",
            "CHECK",
        ),
        (
            "INSERT INTO orders VALUES (1, 1, 'lost', 1, 0, 'x', 0, 0, 0)",
            "CHECK",
        ),
        (
            "INSERT INTO orders VALUES (1, 1, 'pending', 1, 1, 'x', 0, 0, 0)",
            "CHECK",
        ),
        (
            "INSERT INTO stock_movements VALUES (1, 1, NULL, 0, 'opening', NULL, NULL, 0)",
            "CHECK",
        ),
        (
            "INSERT INTO stock_movements VALUES (1, 1, NULL, 1, 'sale', NULL, NULL, 0)",
            "CHECK",
        ),
    ] {
        let error = conn.batch_execute(statement).unwrap_err();
        assert!(error.to_string().contains(words), "{statement}: {error}");
        assert_eq!(kind(&error), StoreErrorKind::Other, "{statement}");
    }
}

/// `wait` is the time of a request, and no connection is opened within that of this test.
#[test]
fn the_first_connection_of_a_pool_may_be_slow() {
    let folder = Folder::new();
    folder.migrate();
    let options = OpenOptions {
        wait: Duration::from_nanos(1),
        ..options("USD")
    };
    let shop = Database::open(&folder.path(), &options).unwrap();
    shop.check_schema().unwrap();
}

#[test]
fn concurrent_reads_use_every_reader() {
    const READERS: u32 = 40;
    // Connections are opened one after the other, on a possibly busy machine.
    const LONG: Duration = Duration::from_secs(20);
    let folder = Folder::new();
    folder.migrate();
    let options = OpenOptions {
        readers: READERS,
        wait: LONG,
        ..options("USD")
    };
    let shop = Database::open(&folder.path(), &options).unwrap();
    let (reading, since) = (AtomicU32::new(0), Instant::now());
    let read = || {
        shop.read(|_| {
            reading.fetch_add(1, Ordering::Relaxed);
            while reading.load(Ordering::Relaxed) < READERS && since.elapsed() < LONG {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        })
    };
    std::thread::scope(|scope| {
        (0..READERS).for_each(|_| drop(scope.spawn(read)));
    });
    assert!(since.elapsed() < LONG, "{reading:?} at once");
    assert_eq!(shop.pool_use().first().unwrap().most, READERS);
}
