//! Unacknowledged commits.

use super::super::migrations::Words;
use super::super::proxy::{Cut, Proxy};
use super::*;
use r2d2::ManageConnection;
use tradepost_contract::PortResult;

const CUTS: [Cut; 2] = [Cut::BeforeCommit, Cut::AfterCommit];

/// Places two orders through a proxy that drops the answer to their commit; returns whether the
/// store reports them as stored, and whether they are. A batch of which nothing was stored may be
/// retried.
fn lose_orders(name: &str, cut: Cut) -> (bool, bool) {
    let stores = Stores::new(Arc::new(open(&SERVER.0.url(name))));
    let shop = TestShop::new(&stores);
    let mug = shop.product(100, 10);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    shop.add(ada, mug, 2).unwrap();
    shop.add(bob, mug, 3).unwrap();
    let proxy = Proxy::start(cut);
    let unlucky = Stores::new(Arc::new(open(&proxy.url(&SERVER.0.url(name)))));
    proxy.armed.store(true, Ordering::SeqCst);
    let placements = unlucky.orders.place(&[place(ada), place(bob)]).unwrap();
    assert!(
        !proxy.armed.load(Ordering::SeqCst),
        "the connection was cut"
    );
    let told = ids(&placements) == [ada, bob];
    if !told {
        let contended = || Err(Refusal::LockConflict);
        assert_eq!(placements, [contended(), contended()]);
    }
    let stored = match (orders(&stores), shop.stock(mug)) {
        (2, 5) => true,
        (0, 10) => false,
        other => panic!("{other:?}"),
    };
    assert_books(&stores);
    (told, stored)
}

/// Adjusts stock through such a proxy; returns the store's result, and whether it was stored.
fn lose_adjustment(name: &str, cut: Cut) -> (Result<i64, StoreErrorKind>, bool) {
    let stores = Stores::new(Arc::new(open(&SERVER.0.url(name))));
    let shop = TestShop::new(&stores);
    let mug = shop.product(100, 5);
    let proxy = Proxy::start(cut);
    let unlucky = Stores::new(Arc::new(open(&proxy.url(&SERVER.0.url(name)))));
    proxy.armed.store(true, Ordering::SeqCst);
    let command = tradepost_domain::inventory::AdjustStock {
        product: mug,
        delta: tradepost_domain::inventory::StockDelta::new(4).unwrap(),
        note: None,
        key: None,
        by: None,
        at: tradepost_contract::at(0),
    };
    let adjusted = unlucky.inventory.adjust_stock(command).answer();
    assert!(
        !proxy.armed.load(Ordering::SeqCst),
        "the connection was cut"
    );
    assert_books(&stores);
    let level = adjusted.map(|adjusted| adjusted.unwrap().executed().unwrap().level.units());
    let level = level.map_err(|error| error.kind().clone());
    (level, shop.stock(mug) == 9)
}

#[test]
fn an_unacknowledged_commit_is_looked_up_and_never_retried() {
    for cut in CUTS {
        let stored = matches!(cut, Cut::AfterCommit);
        let (_database, name) = database();
        assert_eq!(lose_orders(&name, cut), (stored, stored));
        let level = if stored {
            Ok(9)
        } else {
            // Nothing was changed: the batcher retries the command.
            Err(StoreErrorKind::Busy)
        };
        assert_eq!(lose_adjustment(&name, cut), (level, stored));
    }
}

/// As with Citus, where a transaction's writes went to another server.
#[test]
fn a_transaction_without_an_id_may_have_written() {
    let no_ids = |name: &str, functions: &[&str]| {
        for function in functions {
            sql(
                name,
                &format!(
                    "CREATE FUNCTION public.{function}() RETURNS xid8 LANGUAGE sql VOLATILE
                     AS 'SELECT CAST(NULL AS xid8)';
                     ALTER DATABASE {name} SET search_path = public, pg_catalog"
                ),
            );
        }
    };
    let if_assigned = "pg_current_xact_id_if_assigned";
    for functions in [&[if_assigned][..], &[if_assigned, "pg_current_xact_id"]] {
        for cut in CUTS {
            let stored = matches!(cut, Cut::AfterCommit);
            let (_database, name) = database();
            no_ids(&name, functions);
            assert_eq!(lose_orders(&name, cut), (stored, stored), "{functions:?}");
            // An adjustment cannot be looked up: its outcome is unknown, unless the transaction had
            // an id and was committed.
            let has_id = functions.len() == 1;
            let level = if has_id && stored {
                Ok(9)
            } else {
                Err(StoreErrorKind::OutcomeUnknown)
            };
            assert_eq!(
                lose_adjustment(&name, cut),
                (level, stored),
                "{functions:?}"
            );
        }
    }
}

/// The transaction may still be in progress on another server, and locks the row of its customer.
#[test]
fn an_order_is_looked_for_once_the_row_of_its_customer_is_free() {
    let (_, name) = database();
    let stores = Stores::new(Arc::new(open(&SERVER.0.url(&name))));
    let ada = TestShop::new(&stores).customer("ada");
    sql(
        &name,
        &format!(
            "CREATE FUNCTION public.pg_current_xact_id_if_assigned() RETURNS xid8 LANGUAGE sql
             AS 'SELECT CAST(NULL AS xid8)';
             ALTER DATABASE {name} SET search_path = public, pg_catalog"
        ),
    );
    let mut elsewhere = other(&name);
    let lock = format!("BEGIN; SELECT * FROM users WHERE id = {ada} FOR NO KEY UPDATE");
    elsewhere.batch_execute(&lock).unwrap();
    let proxy = Proxy::start(Cut::BeforeCommit);
    let unlucky = open(&proxy.url(&SERVER.0.url(&name)));
    proxy.armed.store(true, Ordering::SeqCst);
    let committed = Arc::new(AtomicBool::new(false));
    let is_stored = Arc::clone(&committed);
    let writing = thread::spawn(move || {
        unlucky.write_probed(
            |_| Ok(7),
            move |_| vec![ada],
            move |_, _| Ok(is_stored.load(Ordering::SeqCst)),
        )
    });
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = '{name}' AND wait_event_type = 'Lock'"
    );
    while sql(&name, &waiting) == "0" && !writing.is_finished() {
        sleep(Duration::from_millis(5));
    }
    committed.store(true, Ordering::SeqCst);
    elsewhere.batch_execute("COMMIT").unwrap();
    assert_eq!(writing.join().unwrap().unwrap(), Some(7));
}

/// A standby that lags behind does not know the transaction yet.
#[test]
fn an_unacknowledged_commit_is_not_looked_up_on_a_standby() {
    let cluster = Cluster::start().unwrap();
    let name = migrated(&cluster);
    let stores = Stores::new(Arc::new(open(&cluster.url(&name))));
    let shop = TestShop::new(&stores);
    let (ada, mug) = (shop.customer("ada"), shop.product(100, 10));
    shop.add(ada, mug, 2).unwrap();
    let standby = cluster.standby().unwrap();
    standby
        .sql("postgres", "SELECT pg_wal_replay_pause()")
        .unwrap();
    let proxy = Proxy::swinging(Cut::AfterCommit, cluster.port(), standby.port());
    let url = DatabaseUrl::parse(&proxy.url(&cluster.url(&name))).unwrap();
    // With a pool of one connection, none to the primary is left.
    let one = OpenOptions {
        readers: 1,
        ..options()
    };
    let unlucky = Stores::new(Arc::new(Database {
        commit_lookup_timeout: PATIENCE,
        ..Database::open(&url, &one).unwrap()
    }));
    proxy.armed.store(true, Ordering::SeqCst);
    let before = proxy.connections.load(Ordering::SeqCst);
    let placing = thread::spawn(move || unlucky.orders.place(&[place(ada)]));
    // The third connection to the standby is made after it was queried over the second at the
    // latest.
    while proxy.connections.load(Ordering::SeqCst) < before + 3 && !placing.is_finished() {
        sleep(Duration::from_millis(5));
    }
    assert_eq!(
        proxy.to.swap(cluster.port(), Ordering::SeqCst),
        standby.port()
    );
    let placements = placing.join().unwrap().unwrap();
    assert_eq!(ids(&placements), [ada]);
    assert_eq!((orders(&stores), shop.stock(mug)), (1, 8));
}

/// A backend that ends while it waits for its replica leaves a commit that no replica has.
#[test]
fn a_commit_without_a_synchronous_replica_is_waited_for() {
    let cluster = Cluster::start().unwrap();
    let name = migrated(&cluster);
    let mut standby = cluster.standby().unwrap();
    let names = "ALTER SYSTEM SET synchronous_standby_names = 'standby'";
    cluster.sql("postgres", names).unwrap();
    cluster.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    let stores = Stores::new(Arc::new(open(&cluster.url(&name))));
    let shop = TestShop::new(&stores);
    let (ada, mug) = (shop.customer("ada"), shop.product(100, 10));
    shop.add(ada, mug, 2).unwrap();
    standby.kill().unwrap();
    let placing = {
        let stores = stores.clone();
        thread::spawn(move || stores.orders.place(&[place(ada)]))
    };
    let waiting = |of: &str| {
        let pids = format!(
            "SELECT pid FROM pg_stat_activity
             WHERE wait_event = 'SyncRep' AND query LIKE '%{of}%' AND pid <> pg_backend_pid()"
        );
        loop {
            let pids = cluster.sql("postgres", &pids).unwrap();
            if !pids.is_empty() || placing.is_finished() {
                return pids;
            }
            sleep(Duration::from_millis(5));
        }
    };
    let pid = waiting("COMMIT");
    let end = format!("SELECT pg_terminate_backend({pid})");
    cluster.sql("postgres", &end).unwrap();
    assert_ne!(
        waiting("pg_logical_emit_message"),
        "",
        "acknowledged too early"
    );
    assert_eq!(
        cluster.sql(&name, "SELECT count(*) FROM orders").unwrap(),
        "1"
    );
    standby.resume_or_start().unwrap();
    assert_eq!(ids(&placing.join().unwrap().unwrap()), [ada]);
}

/// A restart loses the transactions that were not committed, and their ids are reused.
#[test]
fn a_crash_of_one_process_begins_another_epoch() {
    let cluster = Cluster::start().unwrap();
    let url = DatabaseUrl::parse(&cluster.url("postgres")).unwrap();
    let links = PooledConnManager::new(&url, Duration::from_secs(2));
    let mut link = links.connect().unwrap();
    assert_eq!(links.connect().unwrap().epoch, link.epoch);
    let pid = diesel::sql_query("SELECT CAST(pg_backend_pid() AS TEXT) AS value");
    let pid = pid.get_result::<Words>(&mut link.conn).unwrap().value;
    let mut kill = std::process::Command::new("kill");
    assert!(kill.args(["-KILL", &pid]).status().unwrap().success());
    let began = Instant::now();
    let epoch = loop {
        match links.connect() {
            Ok(after) if after.epoch != link.epoch => break after.epoch,
            _ => assert!(began.elapsed() < Duration::from_secs(60), "the same epoch"),
        }
        sleep(Duration::from_millis(50));
    };
    // Date and time.
    let started = |epoch: &str| {
        epoch
            .split(' ')
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(started(&epoch), started(&link.epoch), "the same postmaster");
}
