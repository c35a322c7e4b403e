//! Reads end at the deadline of their thread; writes do not.

use super::*;
use tradepost_domain::kernel::deadline;

/// Counts to ten thousand million: minutes, unless interrupted.
const ENDLESS: &str = "WITH RECURSIVE n (n) AS
    (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000000000)
    SELECT count(*) AS value FROM n";

fn endless(conn: &mut Conn) -> Result<i64, Failure> {
    Ok(connect::number(conn, ENDLESS)?)
}

/// Long enough for many checks of the deadline.
fn long(conn: &mut Conn) -> Result<i64, Failure> {
    Ok(connect::number(
        conn,
        &ENDLESS.replace("10000000000", "300000"),
    )?)
}

#[test]
fn a_read_is_interrupted_at_its_deadline_and_its_connection_goes_on() {
    let folder = Folder::new();
    let shop = folder.shop();
    let soon = Instant::now() + Duration::from_millis(30);
    // Both connections, several times.
    for _ in 0..5 {
        let (read, snapshot) =
            deadline::run_until(soon, || (shop.read(endless), shop.snapshot(endless)));
        for outcome in [read, snapshot] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), &StoreErrorKind::DeadlineExceeded, "{error}");
        }
        // No transaction is left open, and queries without a deadline are not interrupted.
        assert!(shop.snapshot(queries::require_current).is_ok());
        assert_eq!(shop.read(long).unwrap(), 300_000);
    }
}

#[test]
fn a_write_is_not_interrupted() {
    let folder = Folder::new();
    let shop = with_probe(&folder);
    let passed = Instant::now();
    let written = deadline::run_until(passed, || {
        assert!(shop.read(long).is_err());
        shop.write(|conn| {
            insert(conn, 1)?;
            long(conn)
        })
    });
    assert_eq!(written.unwrap(), 300_000);
    assert_eq!(shop.read(|conn| Ok(count(conn))).unwrap(), 1);
    // Nor a query over another connection, in the thread with the deadline.
    let mut conn = folder.conn();
    let own = deadline::run_until(passed, || long(&mut conn));
    assert!(own.is_ok());
}
