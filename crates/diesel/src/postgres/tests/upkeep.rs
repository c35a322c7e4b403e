//! Retention: old rows are purged.

use super::super::queries::maintenance;
use super::*;
use chrono::DateTime;
use tradepost_domain::maintenance::Retention;

#[test]
fn old_rows_are_purged_in_batches_and_locked_ones_skipped() {
    let (database, name) = database();
    sql(
        &name,
        "INSERT INTO idempotency_keys
            SELECT 1, '/', n, '', '', n, n FROM generate_series(1, 1100) n;
         INSERT INTO refresh_tokens
            SELECT n, n, 1, 0, 0, 0, n, NULL FROM generate_series(1, 1100) n;
         INSERT INTO staff_sessions
            SELECT n, 1, 0, 0, 0, n FROM generate_series(1, 1100) n;
         INSERT INTO attempts SELECT n, 1, n FROM generate_series(1, 1100) n;
         INSERT INTO known_networks SELECT n, n, FALSE, n FROM generate_series(1, 1100) n;",
    );
    let mut somebody = other(&name);
    somebody
        .batch_execute(
            "BEGIN;
             SELECT FROM idempotency_keys WHERE key = '7' FOR NO KEY UPDATE;
             SELECT FROM refresh_tokens WHERE digest = '7' FOR NO KEY UPDATE;
             SELECT FROM staff_sessions WHERE digest = '7' FOR NO KEY UPDATE;
             UPDATE attempts SET at = 9999 WHERE key = '7';
             UPDATE known_networks SET at = 9999 WHERE account = '7';",
        )
        .unwrap();
    let before = DateTime::from_timestamp_micros(1_051).unwrap();
    for old in [
        maintenance::OLD_KEYS,
        maintenance::OLD_TOKENS,
        maintenance::OLD_SESSIONS,
        maintenance::OLD_ATTEMPTS,
        maintenance::OLD_NETWORKS,
    ] {
        let first = database.write(move |conn| Ok(bulk::purge(conn, old, 1_051, 500)?));
        assert_eq!(first.unwrap(), 500, "{old:?}");
    }
    let forget: [fn(&Database, _) -> _; 5] = [
        Database::purge_idempotency_keys,
        Database::purge_refresh_tokens,
        Database::purge_staff_sessions,
        Database::purge_attempts,
        Database::purge_known_networks,
    ];
    for forget in forget {
        assert_eq!(forget(&database, before).unwrap(), 549);
    }
    somebody.batch_execute("COMMIT").unwrap();
    let left = forget.map(|forget| forget(&database, before).unwrap());
    assert_eq!(left, [1, 1, 1, 0, 0], "the last was tried again meanwhile");
}
