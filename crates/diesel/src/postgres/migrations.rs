//! Migrations of a PostgreSQL database.

use super::transaction::RETRY_TIMEOUT;
use super::{Conn, Flag, Migrator, connect, server};
use crate::{DatabaseUrl, MigrateError, OpenError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::path::PathBuf;

/// A connection for migrations.
pub(crate) fn migrator(url: &DatabaseUrl) -> Result<Migrator, OpenError> {
    let mut conn = connect::first(url, RETRY_TIMEOUT)?;
    // Waits for a concurrent migration of another server.
    conn.batch_execute("SET lock_timeout = '60s'")
        .map_err(|error| OpenError::unusable(&url.to_string(), &error))?;
    Ok(Migrator::new(conn, url.to_string()))
}

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

pub(crate) fn has_history(conn: &mut Conn) -> QueryResult<bool> {
    diesel::sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS value")
        .get_result::<Flag>(conn)
        .map(|flag| flag.value)
}

/// Runs a job under the advisory lock of migrations, numbered "TPST".
pub(crate) fn exclusively<T>(
    conn: &mut Conn,
    database: &str,
    job: impl FnOnce(&mut Conn) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    server::require_writable(conn, database)?;
    conn.build_transaction().run(|conn| {
        conn.batch_execute("SELECT pg_advisory_xact_lock(1414550356)")?;
        job(conn)
    })
}

/// Data that cannot be restored: the migration whose revert would delete it, the table, the
/// condition for its rows, and their name.
const IRREPLACEABLE: [(&str, &str, &str, &str); 5] = [
    ("open_shop", "orders", "TRUE", "orders"),
    // Without them, a retried request would place a second order.
    (
        "remember_keys",
        "idempotency_keys",
        "TRUE",
        "answers under idempotency keys",
    ),
    // Without them, the audit would report a wrong total for each of these orders.
    // All but the first event of each row, which the migration writes.
    (
        "add_event_log",
        "events",
        "kind NOT IN ('account.registered', 'product.created', 'order.imported')",
        "events",
    ),
    ("add_event_log", "outbox", "TRUE", "events"),
    (
        "add_order_adjustment",
        "orders",
        "adjustment <> 0",
        "adjustments of orders",
    ),
];

/// Makes no copy on PostgreSQL: refuses if the revert would delete data that cannot be restored.
pub(crate) fn keep_copy(
    conn: &mut Conn,
    _database: &str,
    migration: &str,
) -> Result<Option<PathBuf>, MigrateError> {
    for (made, table, condition, what) in IRREPLACEABLE {
        if !migration.ends_with(made) {
            continue;
        }
        conn.batch_execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))?;
        let rows = format!("SELECT CAST(count(*) AS TEXT) AS value FROM {table} WHERE {condition}");
        let rows = diesel::sql_query(rows).get_result::<Words>(conn)?.value;
        if rows != "0" {
            return Err(MigrateError::WouldBeLost {
                name: migration.to_owned(),
                rows,
                what,
            });
        }
    }
    Ok(None)
}

#[derive(QueryableByName)]
pub(super) struct Words {
    #[diesel(sql_type = Text)]
    pub(super) value: String,
}
