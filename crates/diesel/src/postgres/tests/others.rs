//! Concurrent activity of other sessions: locks, lost connections, filled tables.

use super::super::proxy::{Cut, Proxy};
use super::*;
use crate::MigrateError;

#[test]
fn locking_the_whole_shop_is_retried_like_other_locks() {
    let (database, name) = database();
    let mut somebody = other(&name);
    somebody
        .batch_execute("BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE")
        .unwrap();
    let held = thread::spawn(move || {
        sleep(Duration::from_millis(300));
        somebody.batch_execute("COMMIT").unwrap();
    });
    database.write(locks::lock_shop_for_import).unwrap();
    held.join().unwrap();
    let mut somebody = other(&name);
    somebody
        .batch_execute("BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE")
        .unwrap();
    let error = database.write(locks::lock_shop_for_import).unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Busy);
}

#[test]
fn an_unrecognised_error_is_retried_once() {
    let (database, _name) = database();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let divide = move |conn: &mut Conn| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(conn.batch_execute("SELECT 1 / 0")?)
    };
    let error = database.write(divide).unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Other);
    assert_eq!(runs.load(Ordering::Relaxed), 2);
}

/// The id cannot show that nothing was written, and the connection is not used again.
#[test]
fn a_connection_that_is_lost_at_an_empty_commit_is_replaced() {
    let (_database, name) = database();
    let proxy = Proxy::start(Cut::BeforeCommit);
    let unlucky = open(&proxy.url(&SERVER.0.url(&name)));
    unlucky.write(|_| Ok(())).unwrap();
    proxy.armed.store(true, Ordering::SeqCst);
    let error = unlucky.write(|_| Ok(7)).unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::OutcomeUnknown);
    assert!(!proxy.armed.load(Ordering::SeqCst), "it was cut");
    let mut links: Vec<_> = (0..unlucky.pool.state().idle_connections.max(1))
        .map(|_| unlucky.pool.get().unwrap())
        .collect();
    for link in &mut links {
        link.conn.batch_execute("SELECT 1").unwrap();
    }
}

#[test]
fn a_revert_deletes_no_irreplaceable_rows() {
    let (cluster, _) = &*SERVER;
    let name = cluster.database().unwrap();
    let url = DatabaseUrl::parse(&cluster.url(&name)).unwrap();
    let mut migrator = crate::Migrator::connect(&url, Missing::Refuse).unwrap();
    migrator.run(|_| ()).unwrap();
    for (table, row) in [
        ("attempts", "'x', 1, 1"),
        ("refresh_tokens", "'x', 'x', 1, 0, 0, 0, 0, NULL"),
        ("idempotency_keys", "1, '/api/orders/', 'k', '', '', 0"),
        ("events", "1, 'stock.out', NULL, 1, NULL, NULL, '', 0, 0"),
    ] {
        sql(&name, &format!("INSERT INTO {table} VALUES ({row})"));
    }
    sql(
        &name,
        "INSERT INTO orders (user_id, status, total, archived, placement, created_at, updated_at)
         VALUES (1, 'pending', 1, FALSE, 'p', 0, 0)",
    );
    sql(&name, "UPDATE orders SET adjustment = 1");
    for (migration, table, loss, words) in [
        ("add_event_log", "events", "DELETE FROM events", "1 events"),
        (
            "add_order_adjustment",
            "orders",
            "UPDATE orders SET adjustment = 0",
            "1 adjustments of orders",
        ),
        (
            "remember_keys",
            "idempotency_keys",
            "DELETE FROM idempotency_keys",
            "1 answers under idempotency keys",
        ),
        ("open_shop", "orders", "DELETE FROM orders", "1 orders"),
    ] {
        let error = loop {
            match migrator.revert() {
                Ok(reverted) => assert!(!reverted.unwrap().name.ends_with(migration)),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, MigrateError::WouldBeLost { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(sql(&name, &format!("SELECT count(*) FROM {table}")), "1");
        sql(&name, loss);
        let reverted = migrator.revert().unwrap().unwrap();
        assert!(reverted.name.ends_with(migration), "{reverted:?}");
    }
    assert_eq!(migrator.revert().unwrap(), None);
}

#[test]
fn the_staff_are_found_among_any_number_of_users() {
    let (_database, name) = database();
    let mut conn = other(&name);
    // The tables are empty: a sequential scan would be quicker still.
    conn.batch_execute("SET enable_seqscan = off").unwrap();
    let others = queries::identity::active_staff().filter(crate::schema::users::id.ne(1_i64));
    let plan = plan(&mut conn, &others, &["bigint"]);
    assert!(plan.contains("users_staff"), "{plan}");
}
