//! What is SQLite's own: opening, the writer, and what its errors mean. The rules of the ports are
//! in the contract suite.

use super::classify::kind;
use super::connect;
use super::*;
use crate::{DatabaseUrl, Migrator as AnyMigrator, Missing};
use diesel::prelude::*;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use tempfile::TempDir;
use tradepost_domain::StoreErrorKind;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self) -> PathBuf {
        // Characters that mean something in a URI, so that every test tries them.
        self.0.path().join("a shop#1?50%25.db")
    }

    fn migrate(&self) -> AnyMigrator {
        let url = DatabaseUrl::sqlite(&self.path());
        let mut migrator = AnyMigrator::connect(&url, Missing::Create).unwrap();
        migrator.run(|_| ()).unwrap();
        migrator
    }

    fn open(&self, code: &str) -> Result<Database, OpenError> {
        Database::open(&self.path(), &options(code))
    }

    fn shop(&self) -> Database {
        self.migrate();
        self.open("USD").unwrap()
    }

    fn conn(&self) -> Conn {
        let wait = Duration::from_millis(10);
        let mut conn = connect::connection(&self.path(), Missing::Refuse, wait).unwrap();
        connect::keep_promises(&mut conn, "", wait).unwrap();
        conn
    }
}

fn options(code: &str) -> OpenOptions {
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
fn a_missing_database_is_made_only_where_that_is_wanted() {
    let folder = Folder::new();
    assert!(matches!(folder.open("USD"), Err(OpenError::Missing { .. })));
    let url = DatabaseUrl::sqlite(&folder.path());
    let refused = AnyMigrator::connect(&url, Missing::Refuse);
    assert!(matches!(refused, Err(OpenError::Missing { .. })));
    assert!(!folder.path().exists());
    folder.migrate();
    assert!(folder.open("USD").is_ok());
}

#[test]
fn every_connection_is_set_to_keep_its_word() {
    let folder = Folder::new();
    let shop = folder.shop();
    let settings = |conn: &mut Conn| {
        ["synchronous", "foreign_keys", "journal_mode", "query_only"].map(|name| {
            let sql = format!("SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}");
            connect::words(conn, &sql).unwrap()
        })
    };
    let writer = shop.write(move |conn| Ok(settings(conn))).unwrap();
    assert_eq!(writer, ["2", "1", "wal", "0"]);
    assert_eq!(
        shop.read(|conn| Ok(settings(conn))).unwrap()[2..],
        ["wal", "1"]
    );
}

#[test]
fn a_reader_cannot_write() {
    let folder = Folder::new();
    let shop = with_probe(&folder);
    let error = shop.read(|conn| insert(conn, 1)).unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Unavailable);
    // Nor when its setting is taken back: the file is opened for reading.
    let defiant = |conn: &mut Conn| {
        conn.batch_execute("PRAGMA query_only = OFF")?;
        insert(conn, 1)
    };
    assert!(shop.read(defiant).is_err());
}

#[test]
fn a_file_that_is_something_else_is_left_alone() {
    let folder = Folder::new();
    fs::write(
        folder.path(),
        "This is a shopping list, not a database.\n".repeat(100),
    )
    .unwrap();
    assert!(matches!(
        folder.open("USD"),
        Err(OpenError::NotADatabase { .. })
    ));
    fs::remove_file(folder.path()).unwrap();
    let mut other = SqliteConnection::establish(&format!(
        "file:{}?mode=rwc",
        folder
            .path()
            .to_str()
            .unwrap()
            .replace('%', "%25")
            .replace('?', "%3f")
            .replace('#', "%23")
    ))
    .unwrap();
    other
        .batch_execute("CREATE TABLE auth_user (id INTEGER PRIMARY KEY)")
        .unwrap();
    assert!(matches!(
        folder.open("USD"),
        Err(OpenError::OtherProgram { .. })
    ));
    let url = DatabaseUrl::sqlite(&folder.path());
    let refused = AnyMigrator::connect(&url, Missing::Create);
    assert!(matches!(refused, Err(OpenError::OtherProgram { .. })));
}

#[test]
fn a_schema_of_another_version_is_refused() {
    let folder = Folder::new();
    let mut migrator = folder.migrate();
    folder
        .conn()
        .batch_execute("INSERT INTO __diesel_schema_migrations VALUES ('99990101000000', '')")
        .unwrap();
    let Err(error) = folder.open("USD") else {
        panic!("opened a schema of the future")
    };
    assert!(matches!(error, OpenError::TooNew { .. }));
    assert!(error.to_string().contains("99990101000000"), "{error}");
    assert!(migrator.pending().is_err());
    assert!(migrator.run(|_| ()).is_err());
    assert!(migrator.revert().is_err());
    folder
        .conn()
        .batch_execute("DELETE FROM __diesel_schema_migrations")
        .unwrap();
    assert!(matches!(folder.open("USD"), Err(OpenError::Pending { .. })));
}

#[test]
fn an_sqlite_that_corrupts_is_refused() {
    for (version, good) in [
        ("3.51.2", false),
        ("3.7.0", false),
        ("3.8.11.1", false),
        ("2.9.9", false),
        ("3.51.3", true),
        ("3.53.0", true),
        ("4.0.0", true),
    ] {
        assert_eq!(connect::check_version(version).is_ok(), good, "{version}");
    }
}

#[test]
fn a_shop_keeps_its_currency() {
    let folder = Folder::new();
    folder.migrate();
    let usd = Currency::from_code("USD").unwrap();
    let curious = OpenOptions {
        currency: ShopCurrency::Stored { otherwise: usd },
        ..options("EUR")
    };
    assert_eq!(
        Database::open(&folder.path(), &curious).unwrap().currency(),
        usd
    );
    // Asking has not decided it.
    assert_eq!(folder.open("EUR").unwrap().currency().code(), "EUR");
    assert_eq!(
        Database::open(&folder.path(), &curious)
            .unwrap()
            .currency()
            .code(),
        "EUR"
    );
    assert!(matches!(
        folder.open("USD"),
        Err(OpenError::OtherCurrency { .. })
    ));
}

#[test]
fn a_migration_is_taken_back_and_nothing_is_lost() {
    let folder = Folder::new();
    let mut migrator = folder.migrate();
    drop(folder.open("EUR").unwrap());
    let reverted = migrator.revert().unwrap().unwrap();
    assert_eq!(migrator.pending().unwrap(), [reverted.name]);
    let mut copies = vec![reverted.kept.unwrap()];
    while let Some(reverted) = migrator.revert().unwrap() {
        copies.extend(reverted.kept);
    }
    assert_eq!(copies.len(), 2);
    drop(migrator);
    fs::rename(&copies[0], folder.path()).unwrap();
    for log in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{log}", folder.path().display()));
    }
    assert_eq!(folder.open("EUR").unwrap().currency().code(), "EUR");
}

#[test]
fn several_that_migrate_at_once_all_find_it_done() {
    let folder = Folder::new();
    let url = DatabaseUrl::sqlite(&folder.path());
    let applied: usize = std::thread::scope(|scope| {
        let start = || {
            let mut count = 0;
            AnyMigrator::connect(&url, Missing::Create)
                .unwrap()
                .run(|_| count += 1)
                .unwrap();
            count
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(applied, 2);
    assert!(folder.open("USD").is_ok());
}

#[test]
fn writes_that_wait_together_are_committed_together() {
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
            // The seventh fails after it has written: it alone leaves nothing behind.
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
    // One commit of the one that held the others up, and one of them all.
    assert!(version(&mut watcher) - before <= 2);
}

#[test]
fn more_than_may_wait_is_busy_at_once() {
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
fn a_write_that_panics_harms_nobody() {
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
fn what_waits_is_finished_before_the_end() {
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
fn a_writer_from_elsewhere_makes_it_busy() {
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
fn all_readers_taken_is_busy() {
    let folder = Folder::new();
    let shop = folder.shop();
    let nested = shop.read(|_| {
        shop.read(|_| Ok(shop.read(|_| Ok(())).unwrap_err().kind().clone()))
            .map_err(Failure::Store)
    });
    assert_eq!(nested.unwrap(), StoreErrorKind::Busy);
}

#[test]
fn constraints_hold_below_the_rules() {
    let folder = Folder::new();
    folder.shop();
    let mut conn = folder.conn();
    let product =
        "INSERT INTO products (id, name, description, price, archived, created_at, updated_at)
                   VALUES (1, 'Mug', '', 100, 0, 0, 0); INSERT INTO stock VALUES (1, 5);
                   INSERT INTO users VALUES (1, 'ada', 'ada', NULL, NULL, '', 0, 1, 0, 0);";
    conn.batch_execute(product).unwrap();
    for (statement, words) in [
        ("UPDATE stock SET on_hand = -1", "CHECK"),
        ("INSERT INTO stock VALUES (2, 1)", "FOREIGN KEY"),
        ("UPDATE products SET price = 0", "CHECK"),
        ("UPDATE products SET price = 'free'", "cannot store TEXT"),
        (
            "INSERT INTO cart_items VALUES (1, 1, 1, 10000, 0, 0)",
            "CHECK",
        ),
        (
            "INSERT INTO orders VALUES (1, 1, 'lost', 1, 0, 'x', 0, 0)",
            "CHECK",
        ),
        (
            "INSERT INTO orders VALUES (1, 1, 'pending', 1, 1, 'x', 0, 0)",
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

#[test]
fn taking_a_migration_back_beside_a_shop_that_sells_loses_nothing() {
    let folder = Folder::new();
    let mut migrator = folder.migrate();
    let stores = tradepost_domain::Stores::of(Arc::new(folder.open("USD").unwrap()));
    let (begun, beginning) = channel();
    let registering = std::thread::spawn(move || {
        let shop = tradepost_contract::Shop::new(&stores);
        let register = |number: u32| tradepost_domain::Register {
            username: tradepost_domain::Username::new(&format!("user{number}")).unwrap(),
            email: None,
            password: tradepost_contract::hash("x"),
            is_staff: false,
            at: tradepost_contract::at(0),
        };
        shop.customer("first");
        begun.send(()).unwrap();
        let acknowledged = |number: &u32| stores.accounts.register(register(*number)).is_ok();
        (1..100_000).take_while(acknowledged).count() + 1
    });
    beginning.recv().unwrap();
    let mut copy = None;
    while let Some(reverted) = migrator.revert().unwrap() {
        copy = reverted.kept;
    }
    let acknowledged = registering.join().unwrap();
    let wait = Duration::from_millis(10);
    let mut copy = connect::connection(&copy.unwrap(), Missing::Refuse, wait).unwrap();
    let kept = connect::number(&mut copy, "SELECT count(*) AS value FROM users").unwrap();
    assert_eq!(kept, i64::try_from(acknowledged).unwrap());
}

#[test]
fn a_database_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let mut migrator = folder.migrate();
    let _shop = folder.open("USD").unwrap();
    let copy = migrator.revert().unwrap().unwrap().kept.unwrap();
    for file in [
        folder.path(),
        copy,
        format!("{}-wal", folder.path().display()).into(),
    ] {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}

#[test]
fn looking_changes_nothing() {
    let folder = Folder::new();
    fs::write(folder.path(), "").unwrap();
    let url = DatabaseUrl::sqlite(&folder.path());
    let mut migrator = AnyMigrator::connect(&url, Missing::Refuse).unwrap();
    assert_eq!(migrator.pending().unwrap().len(), 2);
    drop(migrator);
    assert!(matches!(folder.open("USD"), Err(OpenError::Pending { .. })));
    assert_eq!(fs::metadata(folder.path()).unwrap().len(), 0);
}
