//! Server settings that can lose orders.

use super::transaction::RETRY_TIMEOUT;
use super::{Conn, Flag, connect, server};
use crate::{DatabaseUrl, OpenError};
use diesel::prelude::*;

/// Unsafe settings of the server.
pub(crate) fn warnings(url: &DatabaseUrl) -> Result<Vec<String>, OpenError> {
    let (database, mut conn) = (url.to_string(), connect::first(url, RETRY_TIMEOUT)?);
    of_settings(&mut conn).map_err(|error| OpenError::unusable(&database, &error))
}

/// Refuses a server that accepts no writes.
pub(crate) fn require_writable(url: &DatabaseUrl) -> Result<(), OpenError> {
    let mut conn = connect::first(url, RETRY_TIMEOUT)?;
    server::require_writable(&mut conn, &url.to_string())
}

pub(super) fn of_settings(conn: &mut Conn) -> QueryResult<Vec<String>> {
    let mut warnings = Vec::new();
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        if server::setting(conn, name)? == "off" {
            warnings.push(format!(
                "PostgreSQL runs with {name} = off: a crash can lose orders that were acknowledged"
            ));
        }
    }
    let language = server::setting(conn, "lc_messages")?;
    let english = ["C", "POSIX", ""].contains(&&*language) || language.starts_with("en");
    if !(english || language.starts_with("C.")) {
        warnings.push(format!(
            "PostgreSQL speaks {language}: set lc_messages = 'C', or its errors are not understood"
        ));
    }
    if has_unawaited_replicas(conn)? {
        warnings.push(
            "PostgreSQL has replicas and acknowledges commits without them: a failover can lose \
             orders that were acknowledged, unless synchronous_standby_names names a replica and \
             synchronous_commit is on"
                .to_owned(),
        );
    }
    Ok(warnings)
}

/// Whether there are replicas that no commit waits for. Base backups in progress and logical
/// subscribers are no replicas.
fn has_unawaited_replicas(conn: &mut Conn) -> QueryResult<bool> {
    let awaits = !server::setting(conn, "synchronous_standby_names")?
        .trim()
        .is_empty()
        && server::setting(conn, "synchronous_commit")? != "local";
    let replicas = diesel::sql_query(
        "SELECT EXISTS (
             SELECT FROM pg_stat_replication AS sender
             WHERE coalesce(sender.state, '') <> 'backup' AND NOT EXISTS (
                 SELECT FROM pg_replication_slots AS slot
                 WHERE slot.active_pid = sender.pid AND slot.slot_type = 'logical')
         ) AS value",
    );
    Ok(!awaits && replicas.get_result::<Flag>(conn)?.value)
}
