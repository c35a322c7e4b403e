//! What others do meanwhile: hold locks, cut connections, fill tables.

use super::super::proxy::{Cut, Proxy};
use super::*;

#[test]
fn the_whole_shop_is_tried_again_for_as_long_as_anything_else() {
    let (database, name) = database();
    let mut somebody = other(&name);
    somebody
        .batch_execute("BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE")
        .unwrap();
    let held = thread::spawn(move || {
        sleep(Duration::from_millis(300));
        somebody.batch_execute("COMMIT").unwrap();
    });
    database.write(locks::whole_shop_now).unwrap();
    held.join().unwrap();
    let mut somebody = other(&name);
    somebody
        .batch_execute("BEGIN; LOCK TABLE users IN ROW EXCLUSIVE MODE")
        .unwrap();
    let error = database.write(locks::whole_shop_now).unwrap_err();
    assert_eq!(error.kind(), &StoreErrorKind::Busy);
}

#[test]
fn what_nobody_knows_is_run_twice() {
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

/// Nothing was written, so that the outcome stands; but nobody else is given the connection.
#[test]
fn a_connection_that_is_lost_at_an_empty_commit_is_replaced() {
    let (_database, name) = database();
    let proxy = Proxy::start(Cut::BeforeCommit);
    let unlucky = open(&proxy.url(&name));
    unlucky.write(|_| Ok(())).unwrap();
    proxy.armed.store(true, Ordering::SeqCst);
    assert_eq!(unlucky.write(|_| Ok(7)).unwrap(), 7);
    assert!(!proxy.armed.load(Ordering::SeqCst), "it was cut");
    let mut links: Vec<_> = (0..unlucky.pool.state().idle_connections.max(1))
        .map(|_| unlucky.pool.get().unwrap())
        .collect();
    for link in &mut links {
        link.conn.batch_execute("SELECT 1").unwrap();
    }
}
