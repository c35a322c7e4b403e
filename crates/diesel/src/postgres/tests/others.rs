//! What others do meanwhile: hold locks, cut connections, fill tables.

use super::super::proxy::{Cut, Proxy};
use super::*;

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
