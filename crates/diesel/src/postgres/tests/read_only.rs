//! Read-only servers, and replicas that no commit waits for.

use super::*;
use crate::MigrateError;

#[test]
fn a_standby_is_not_ready_and_serves_no_shop() {
    let cluster = Cluster::start().unwrap();
    let name = migrated(&cluster);
    let primary = open(&cluster.url(&name));
    primary.check_schema().unwrap();
    let standby = cluster.standby().unwrap();
    let url = DatabaseUrl::parse(&standby.url(&name)).unwrap();
    let Err(error) = Database::open(&url, &options()) else {
        panic!("it was opened")
    };
    assert!(matches!(error, OpenError::Standby { .. }), "{error}");
    let mut migrator = crate::Migrator::connect(&url, Missing::Refuse).unwrap();
    let error = migrator.run(|_| ()).unwrap_err();
    let standby_error = matches!(error, MigrateError::Open(OpenError::Standby { .. }));
    assert!(standby_error, "{error}");
    let error = super::super::require_writable(&url).unwrap_err();
    assert!(matches!(error, OpenError::Standby { .. }), "{error}");

    // A read-only command accepts a standby.
    let read = OpenOptions {
        currency: ShopCurrency::Like(tradepost_contract::usd()),
        ..options()
    };
    let reader = Database::open(&url, &read).unwrap();
    let error = reader.check_schema().unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Unavailable, "{error}");
    let error = reader.write(|_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Unavailable, "{error}");
    // Its log has no sequencer.
    cluster
        .sql(
            &name,
            "INSERT INTO outbox (kind, product_id, detail, amount, at)
             VALUES ('stock.out', 1, '', 0, 0)",
        )
        .unwrap();
    let has_outbox = "SELECT count(*) FROM outbox";
    while standby.sql(&name, has_outbox).unwrap().trim() == "0" {
        sleep(Duration::from_millis(5));
    }
    let last = tradepost_domain::events::EventRepository::last(&reader);
    assert_eq!(last.unwrap(), None);

    // Of several hosts, the primary is chosen.
    let both = format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), cluster.port());
    let single = format!("127.0.0.1:{}", cluster.port());
    let hosts = open(&cluster.url(&name).replace(&single, &both));
    hosts.check_schema().unwrap();
    hosts.write(|_| Ok(())).unwrap();

    standby.sql("postgres", "SELECT pg_promote()").unwrap();
    reader.check_schema().unwrap();
    open(&standby.url(&name)).write(|_| Ok(())).unwrap();
}

#[test]
fn a_read_only_server_is_not_ready_and_serves_no_shop() {
    let cluster = Cluster::start().unwrap();
    let name = migrated(&cluster);
    let database = open(&cluster.url(&name));
    let set = |value: &str| {
        let set = format!("ALTER SYSTEM SET default_transaction_read_only = {value}");
        cluster.sql("postgres", &set).unwrap();
        cluster.sql("postgres", "SELECT pg_reload_conf()").unwrap();
        let began = Instant::now();
        let shown = || {
            cluster
                .sql("postgres", "SHOW default_transaction_read_only")
                .unwrap()
        };
        while shown() != value {
            assert!(began.elapsed() < Duration::from_secs(30));
            sleep(Duration::from_millis(10));
        }
    };
    set("on");
    let began = Instant::now();
    while database.check_schema().is_ok() {
        assert!(began.elapsed() < Duration::from_secs(30), "it is ready");
        sleep(Duration::from_millis(10));
    }
    let error = database.check_schema().unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Unavailable, "{error}");
    let url = DatabaseUrl::parse(&cluster.url(&name)).unwrap();
    let Err(error) = Database::open(&url, &options()) else {
        panic!("it was opened")
    };
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error}");
}

#[test]
fn replicas_that_no_commit_waits_for_are_warned_of() {
    let cluster = Cluster::start().unwrap();
    let name = migrated(&cluster);
    let warned = || {
        let url = DatabaseUrl::parse(&cluster.url(&name)).unwrap();
        let warnings = super::super::warnings(&url).unwrap().concat();
        warnings.contains("replicas")
    };
    assert!(!warned(), "there is no replica");
    let standby = cluster.standby().unwrap();
    let await_that = |expected: bool| {
        let began = Instant::now();
        while warned() != expected {
            assert!(began.elapsed() < Duration::from_secs(30), "{expected}");
            sleep(Duration::from_millis(20));
        }
    };
    await_that(true);
    let names = "ALTER SYSTEM SET synchronous_standby_names = 'standby'";
    cluster.sql("postgres", names).unwrap();
    cluster.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    await_that(false);
    drop(standby);
}
