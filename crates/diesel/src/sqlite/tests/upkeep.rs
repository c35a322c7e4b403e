//! Retention: old rows are purged.

use super::super::queries::maintenance;
use super::*;
use crate::sqlite::bulk;
use chrono::DateTime;
use tradepost_domain::maintenance::Retention;

#[test]
fn old_rows_are_purged_in_batches() {
    let folder = Folder::new();
    let shop = folder.shop();
    let many = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1100)";
    folder
        .conn()
        .batch_execute(&format!(
            "INSERT INTO users VALUES (1, 'ada', 'ada', NULL, NULL, '', 0, 1, 0, 0, NULL);
             INSERT INTO idempotency_keys {many} SELECT 1, '/', n, '', '', n, n FROM n;
             INSERT INTO refresh_tokens {many} SELECT n, n, 1, 0, 0, 0, n, NULL FROM n;
             INSERT INTO staff_sessions {many} SELECT n, 1, 0, 0, 0, n FROM n;
             INSERT INTO attempts {many} SELECT n, 1, n FROM n;
             INSERT INTO known_networks {many} SELECT n, n, 0, n FROM n;"
        ))
        .unwrap();
    let before = DateTime::from_timestamp_micros(1_051).unwrap();
    for old in [
        maintenance::OLD_KEYS,
        maintenance::OLD_TOKENS,
        maintenance::OLD_SESSIONS,
        maintenance::OLD_ATTEMPTS,
        maintenance::OLD_NETWORKS,
    ] {
        let first = shop.write(move |conn| Ok(bulk::purge(conn, old, 1_051, 500)?));
        assert_eq!(first.unwrap(), 500, "{old:?}");
    }
    for forget in [
        Database::purge_idempotency_keys,
        Database::purge_refresh_tokens,
        Database::purge_staff_sessions,
        Database::purge_attempts,
        Database::purge_known_networks,
    ] {
        assert_eq!(forget(&shop, before).unwrap(), 550);
        assert_eq!(forget(&shop, before).unwrap(), 0);
    }
}
