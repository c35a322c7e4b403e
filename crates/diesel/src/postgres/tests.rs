//! Tests of the PostgreSQL backend: classification of errors, lock conflicts, and unacknowledged
//! commits. The rules of the ports are in the contract suite.

mod deadlines;
mod events;
mod lists;
mod others;
mod read_only;
mod roles;
mod slices;
mod starts;
mod unacked_commits;
mod upkeep;

use super::classify::meaning;
use super::*;
use crate::Missing;
use crate::rows::UsageQuery;
use diesel::query_builder::QueryFragment;
use diesel::sql_types::Text;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::{self, sleep};
use std::time::Instant;
use tradepost_contract::{PortResult, TestShop, place};
use tradepost_domain::Stores;
use tradepost_domain::cart::CartAction;
use tradepost_domain::catalog::ProductList;
use tradepost_domain::kernel::{Execution, IdempotencyKey, IdempotencyScope, Refusal, UserId};
use tradepost_domain::orders::{OrderList, Placement};
use tradepost_test_postgres::Cluster;

pub(super) static SERVER: LazyLock<(Cluster, String)> = LazyLock::new(|| {
    let cluster = Cluster::with(&["fsync=off", "max_connections=200"]).unwrap();
    let template = cluster.database().unwrap();
    let url = DatabaseUrl::parse(&cluster.url(&template)).unwrap();
    crate::Migrator::connect(&url, Missing::Refuse)
        .unwrap()
        .run(|_| ())
        .unwrap();
    (cluster, template)
});

/// Longer than any connection, lock or commit takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn options() -> OpenOptions {
    let currency = ShopCurrency::Is(tradepost_contract::usd());
    OpenOptions {
        currency,
        readers: 6,
        wait: PATIENCE,
    }
}

/// Short timeouts, for tests that wait until a lock or a connection is refused.
fn impatient() -> OpenOptions {
    OpenOptions {
        wait: Duration::from_millis(300),
        ..options()
    }
}

/// A new database with every migration on this server; its name.
fn migrated(cluster: &Cluster) -> String {
    let name = cluster.database().unwrap();
    let url = DatabaseUrl::parse(&cluster.url(&name)).unwrap();
    crate::Migrator::connect(&url, Missing::Refuse)
        .unwrap()
        .run(|_| ())
        .unwrap();
    name
}

/// A new open database, and its name on the server.
fn database() -> (Arc<Database>, String) {
    let (cluster, template) = &*SERVER;
    let name = cluster.copy(template).unwrap();
    (Arc::new(open(&cluster.url(&name))), name)
}

fn open(url: &str) -> Database {
    let url = DatabaseUrl::parse(url).unwrap();
    Database {
        commit_lookup_timeout: PATIENCE,
        ..Database::open(&url, &options()).unwrap()
    }
}

/// With [`impatient`] options.
fn open_impatiently(url: &str) -> Database {
    Database::open(&DatabaseUrl::parse(url).unwrap(), &impatient()).unwrap()
}

fn sql(name: &str, sql: &str) -> String {
    SERVER.0.sql(name, sql).unwrap()
}

/// Another session.
fn other(name: &str) -> Conn {
    Conn::establish(&SERVER.0.url(name)).unwrap()
}

fn failure(conn: &mut Conn, sql: &str) -> (StoreErrorKind, bool) {
    let error = conn.batch_execute(sql).unwrap_err();
    let meaning = meaning(&error);
    (meaning.kind, meaning.again)
}

fn orders(stores: &Stores) -> u64 {
    stores
        .orders
        .list(&OrderList::default(), tradepost_contract::first_page())
        .unwrap()
        .count
}

fn assert_books(stores: &Stores) {
    let audit = stores.ledger.audit().unwrap();
    assert_eq!(audit.discrepancies, []);
}

/// PostgreSQL's generic plan for a query with parameters of these types.
fn plan(conn: &mut Conn, query: &impl QueryFragment<Db>, types: &[&str]) -> String {
    let sql = diesel::debug_query::<Db, _>(query).to_string();
    let (sql, _binds) = sql.split_once("--").unwrap();
    conn.batch_execute("SET plan_cache_mode = force_generic_plan")
        .unwrap();
    let (nulls, types) = (vec!["NULL"; types.len()].join(","), types.join(","));
    conn.batch_execute(&format!("PREPARE asked ({types}) AS {sql}"))
        .unwrap();
    diesel::sql_query(format!("EXPLAIN (COSTS OFF) EXECUTE asked ({nulls})"))
        .load::<Step>(conn)
        .unwrap()
        .into_iter()
        .map(|step| step.detail + "\n")
        .collect()
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    detail: String,
}

/// A user may send any number of keys, and a connection keeps the plan that it made while the table
/// was empty.
#[test]
fn a_key_is_found_among_any_number_of_others() {
    let (_database, name) = database();
    let scope = IdempotencyScope {
        path: "/api/orders/".to_owned(),
        key: IdempotencyKey::new("k").unwrap(),
    };
    let query = bulk::asked(&[(UserId::new(1).unwrap(), &scope)]);
    let plan = plan(&mut other(&name), &query, &["bigint[]", "text[]", "text[]"]);
    let found =
        "Index Cond: ((user_id = sent.user_id) AND (path = sent.path) AND (key = sent.key))";
    assert!(plan.contains(found), "{plan}");
}

/// A customer may have any number of orders and keys, and a batch queries all of its customers.
#[test]
fn the_usage_of_quotas_is_read_from_indexes() {
    let (_database, name) = database();
    let asked = UsageQuery::of_keys(UserId::new(1).unwrap());
    let query = bulk::usage_of(&[asked]);
    let plan = plan(&mut other(&name), &query, &["bigint[]"; 6]);
    for index in [
        "Index Only Scan using orders_pending_of_user",
        "Index Only Scan Backward using orders_of_user_by_creation",
        "Index Only Scan using idempotency_keys_by_total",
        "Index Only Scan Backward using idempotency_keys_by_total",
    ] {
        assert!(plan.contains(index), "{index}: {plan}");
    }
    assert!(
        !plan.contains("Sort") && !plan.contains("Seq Scan"),
        "{plan}"
    );
}

#[test]
fn concurrent_orders_share_one_commit() {
    let (database, name) = database();
    let stores = Stores::new(database);
    let shop = TestShop::new(&stores);
    let mug = shop.product(100, 50);
    let buyers = shop.customers(20);
    for buyer in &buyers {
        shop.add(*buyer, mug, 1).unwrap();
    }
    let requests: Vec<_> = buyers.iter().map(|buyer| place(*buyer)).collect();
    let placements = stores.orders.place(&requests).unwrap();
    assert!(placements.iter().all(Result::is_ok));
    assert_eq!(
        sql(
            &name,
            "SELECT count(*), count(DISTINCT xmin::text) FROM orders"
        ),
        "20|1"
    );
    assert_books(&stores);
}

#[test]
fn errors_are_classified() {
    let (_database, name) = database();
    let mut conn = other(&name);
    let mut rival = other(&name);
    conn.batch_execute(
        "CREATE TABLE probe (id INT PRIMARY KEY); INSERT INTO probe VALUES (1), (2)",
    )
    .unwrap();

    rival
        .batch_execute("BEGIN; UPDATE probe SET id = id WHERE id = 1")
        .unwrap();
    let blocked = "SET lock_timeout = 50; SELECT * FROM probe WHERE id = 1 FOR UPDATE";
    assert_eq!(failure(&mut conn, blocked), (StoreErrorKind::Busy, false));
    let cancelled = "SET lock_timeout = 0; SET statement_timeout = 50;
                     SELECT * FROM probe WHERE id = 1 FOR UPDATE";
    assert_eq!(
        failure(&mut conn, cancelled),
        (StoreErrorKind::DeadlineExceeded, false)
    );
    conn.batch_execute("SET statement_timeout = 0").unwrap();
    let refused = "SELECT * FROM probe WHERE id = 1 FOR UPDATE NOWAIT";
    assert_eq!(failure(&mut conn, refused), (StoreErrorKind::Busy, false));
    rival.batch_execute("ROLLBACK").unwrap();

    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM probe";
    conn.batch_execute(begin).unwrap();
    rival.batch_execute("UPDATE probe SET id = id").unwrap();
    let stale = failure(&mut conn, "UPDATE probe SET id = id");
    assert_eq!(stale, (StoreErrorKind::Busy, true));
    conn.batch_execute("ROLLBACK").unwrap();

    assert_eq!(
        failure(&mut conn, "INSERT INTO probe VALUES (1)"),
        (StoreErrorKind::Busy, true)
    );
    assert_eq!(
        failure(&mut conn, "SELECT 1 / 0"),
        (StoreErrorKind::Other, true)
    );
    assert_eq!(
        failure(&mut conn, "INSERT INTO stock VALUES (77, 1)"),
        (StoreErrorKind::Other, false)
    );
    assert_eq!(
        failure(&mut conn, "BEGIN READ ONLY; CREATE TABLE nothing ()"),
        (StoreErrorKind::Unavailable, false)
    );
    conn.batch_execute("ROLLBACK").unwrap();
    let suicide = failure(&mut conn, "SELECT pg_terminate_backend(pg_backend_pid())");
    assert_eq!(suicide, (StoreErrorKind::Unavailable, true));
    assert_eq!(
        failure(&mut conn, "SELECT 1"),
        (StoreErrorKind::Unavailable, true)
    );
}

#[test]
fn a_deadlock_is_retried() {
    let (database, name) = database();
    sql(
        &name,
        "CREATE TABLE probe (id INT PRIMARY KEY, n INT); INSERT INTO probe VALUES (1, 0), (2, 0)",
    );
    sql(
        &name,
        &format!("ALTER DATABASE {name} SET deadlock_timeout = '20ms'"),
    );
    let both = Arc::new(std::sync::Barrier::new(2));
    let attempts = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = [(1, 2), (2, 1)]
        .into_iter()
        .map(|(first, second)| {
            let (database, both) = (open(&SERVER.0.url(&name)), Arc::clone(&both));
            let attempts = Arc::clone(&attempts);
            thread::spawn(move || {
                let met = AtomicBool::new(false);
                database.write(move |conn| {
                    attempts.fetch_add(1, Ordering::Relaxed);
                    conn.batch_execute("SET LOCAL lock_timeout = 0")?;
                    conn.batch_execute(&format!("UPDATE probe SET n = n + 1 WHERE id = {first}"))?;
                    if !met.swap(true, Ordering::Relaxed) {
                        both.wait();
                    }
                    conn.batch_execute(&format!("UPDATE probe SET n = n + 1 WHERE id = {second}"))?;
                    Ok(())
                })
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap().unwrap();
    }
    // On a busy machine, the retry may take its row before the other transaction is woken up, and
    // deadlock with it again.
    let attempts = attempts.load(Ordering::Relaxed);
    assert!(attempts >= 3, "one of the two gave way: {attempts}");
    assert_eq!(sql(&name, "SELECT sum(n) FROM probe"), "4");
    drop(database);
}

#[test]
fn a_locked_row_blocks_no_other_transaction() {
    let (database, name) = database();
    let stores = Stores::new(database);
    let impatient = Stores::new(Arc::new(open_impatiently(&SERVER.0.url(&name))));
    let shop = TestShop::new(&stores);
    let (held, free) = (shop.product(100, 5), shop.product(100, 5));
    let (blocked, lucky, idle) = (
        shop.customer("blocked"),
        shop.customer("lucky"),
        shop.customer("idle"),
    );
    shop.add(blocked, held, 1).unwrap();
    shop.add(lucky, free, 1).unwrap();
    shop.add(idle, free, 1).unwrap();
    for hold in [
        format!("SELECT * FROM stock WHERE product_id = {held} FOR UPDATE"),
        format!("SELECT * FROM products WHERE id = {held} FOR UPDATE"),
        format!("SELECT * FROM users WHERE id = {blocked} FOR UPDATE"),
    ] {
        let mut holder = other(&name);
        holder.batch_execute(&format!("BEGIN; {hold}")).unwrap();
        let began = Instant::now();
        let placements = stores
            .orders
            .place(&[place(blocked), place(lucky)])
            .unwrap();
        // Waiting for the row would take as long as the lock timeout.
        assert!(began.elapsed() < PATIENCE / 2, "{hold}");
        let first = &placements[0];
        // An order does not touch the wide row of its product.
        let through = hold.contains("products");
        assert_eq!(first.is_ok(), through, "{hold}: {first:?}");
        assert!(through || *first == Err(Refusal::LockConflict));
        assert!(placements[1].is_ok(), "{hold}");
        holder.batch_execute("ROLLBACK").unwrap();
        shop.add(lucky, free, 1).unwrap();
        if through {
            shop.add(blocked, held, 1).unwrap();
        }
    }
    // A transaction that waits for a row holds no other, and times out.
    let mut holder = other(&name);
    holder
        .batch_execute(&format!(
            "BEGIN; SELECT * FROM users WHERE id = {blocked} FOR UPDATE"
        ))
        .unwrap();
    let command = tradepost_domain::cart::ChangeCart {
        seen: None,
        user: blocked,
        action: CartAction::Empty,
        key: None,
        at: tradepost_contract::at(0),
    };
    let error = impatient.carts.change(command).answer().unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Busy);
    shop.add(idle, free, 1).unwrap();
    holder.batch_execute("ROLLBACK").unwrap();
    assert_books(&stores);
}

#[test]
fn connections_that_are_cut_are_replaced() {
    let (database, name) = database();
    let stores = Stores::new(database);
    let shop = TestShop::new(&stores);
    let mug = shop.product(100, 100);
    let buyer = shop.customer("ada");
    for round in 0..10 {
        sql(
            &name,
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        assert!(
            !stores.products.find_all(&[mug]).unwrap().is_empty(),
            "round {round}"
        );
        shop.add(buyer, mug, 1).unwrap();
    }
    assert_eq!(shop.cart(buyer), [(mug, 10)]);
}

#[test]
fn an_unreachable_server_is_unavailable_at_once() {
    let mut cluster = Cluster::start().unwrap();
    let name = migrated(&cluster);
    let database = open_impatiently(&cluster.url(&name));
    cluster.kill().unwrap();
    // The pool learns it from its idle connection, and from the first that it cannot make.
    let began = Instant::now();
    while database.reachable.load(Ordering::Relaxed) {
        assert!(database.check_schema().is_err());
        assert!(began.elapsed() < PATIENCE);
    }
    for _ in 0..3 {
        let began = Instant::now();
        let error = database.check_schema().unwrap_err();
        assert_eq!(error.kind(), &StoreErrorKind::Unavailable, "{error}");
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    cluster.resume_or_start().unwrap();
    let back = Instant::now();
    while database.check_schema().is_err() {
        assert!(back.elapsed() < PATIENCE);
    }
}

/// `wait` is the time of a request, and the server delays each connection for longer than that.
#[test]
fn the_first_connection_of_a_pool_may_be_slow() {
    let (_database, name) = database();
    let url = SERVER.0.url(&name) + "&options=-cpost_auth_delay%3D1";
    let slow = open_impatiently(&url);
    slow.check_schema().unwrap();
}

fn ids(placements: &[Placement]) -> Vec<UserId> {
    let user = |placement: &Placement| match placement {
        Ok(Execution::Executed(order)) => Some(order.user),
        _ => None,
    };
    placements.iter().filter_map(user).collect()
}
