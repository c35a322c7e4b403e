//! Tests of opening, migrating and reverting: accepted files, and migrations between versions.

use super::connect;
use super::tests::{Folder, options};
use super::*;
use crate::{DatabaseUrl, Migrator as AnyMigrator, Missing, ShopCurrency};
use diesel::prelude::*;
use std::fs;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

#[test]
fn a_missing_database_is_created_only_on_request() {
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
fn every_connection_has_its_pragmas() {
    let folder = Folder::new();
    let currency = folder.shop();
    let settings = |conn: &mut Conn| {
        ["synchronous", "foreign_keys", "journal_mode", "query_only"].map(|name| {
            let sql = format!("SELECT CAST({name} AS TEXT) AS value FROM pragma_{name}");
            connect::words(conn, &sql).unwrap()
        })
    };
    let writer = currency.write(move |conn| Ok(settings(conn))).unwrap();
    assert_eq!(writer, ["2", "1", "wal", "0"]);
    let limit = |conn: &mut Conn| {
        let sql = "SELECT journal_size_limit AS value FROM pragma_journal_size_limit";
        Ok(connect::number(conn, sql)?)
    };
    assert_eq!(currency.write(limit).unwrap(), 64 * 1024 * 1024);
    assert_eq!(
        currency.read(|conn| Ok(settings(conn))).unwrap()[2..],
        ["wal", "1"]
    );
}

#[test]
fn a_foreign_file_is_left_unchanged() {
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
    // The earlier open has not stored a currency.
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

/// Number of migrations.
fn migrations() -> usize {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_reverted_migration_leaves_a_usable_copy() {
    let folder = Folder::new();
    let mut migrator = folder.migrate();
    drop(folder.open("EUR").unwrap());
    let reverted = migrator.revert().unwrap().unwrap();
    assert_eq!(migrator.pending().unwrap(), [reverted.name]);
    let mut copies = vec![reverted.kept.unwrap()];
    while let Some(reverted) = migrator.revert().unwrap() {
        copies.extend(reverted.kept);
    }
    assert_eq!(copies.len(), migrations());
    drop(migrator);
    fs::rename(&copies[0], folder.path()).unwrap();
    for log in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{log}", folder.path().display()));
    }
    assert_eq!(folder.open("EUR").unwrap().currency().code(), "EUR");
}

#[test]
fn concurrent_migrations_all_succeed() {
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
    assert_eq!(applied, migrations());
    assert!(folder.open("USD").is_ok());
}

#[test]
fn a_revert_beside_concurrent_writes_loses_no_commit() {
    let folder = Folder::new();
    let mut migrator = folder.migrate();
    let stores = tradepost_domain::Stores::new(Arc::new(folder.open("USD").unwrap()));
    let (begun, beginning) = channel();
    let registering = std::thread::spawn(move || {
        let currency = tradepost_contract::TestShop::new(&stores);
        let register = |number: u32| tradepost_domain::identity::Register {
            username: tradepost_domain::identity::Username::new(&format!("user{number}")).unwrap(),
            email: None,
            password: tradepost_contract::hash("x"),
            is_staff: false,
            at: tradepost_contract::at(0),
        };
        currency.customer("first");
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
fn a_database_file_is_private_to_its_owner() {
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
fn listing_pending_migrations_writes_nothing() {
    let folder = Folder::new();
    fs::write(folder.path(), "").unwrap();
    let url = DatabaseUrl::sqlite(&folder.path());
    let mut migrator = AnyMigrator::connect(&url, Missing::Refuse).unwrap();
    assert_eq!(migrator.pending().unwrap().len(), migrations());
    drop(migrator);
    assert!(matches!(folder.open("USD"), Err(OpenError::Pending { .. })));
    assert_eq!(fs::metadata(folder.path()).unwrap().len(), 0);
}
