//! Connections to PostgreSQL, and what every one of them is set to.

use super::Conn;
use crate::{DatabaseUrl, OpenError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tradepost_domain::{StoreError, StoreErrorKind};

/// Older versions are no longer maintained.
const OLDEST_POSTGRES: u32 = 150_000;

/// A connection in the pool.
pub(super) struct Link {
    pub(super) conn: Conn,
    /// Whether it was lost: the pool then makes another one.
    pub(super) lost: bool,
    /// Since when the server runs: another one after any crash.
    pub(super) epoch: String,
    /// The `statement_timeout` of its session; zero for none.
    pub(super) statement_timeout: Duration,
}

/// Makes connections for the pool.
pub(super) struct Links {
    url: String,
    wait: Duration,
    /// Whether the last connection could be made.
    reachable: Arc<AtomicBool>,
}

impl Links {
    pub(super) fn new(url: &DatabaseUrl, wait: Duration) -> Self {
        let url = with_defaults(url.secret());
        let reachable = Arc::new(AtomicBool::new(true));
        Self {
            url,
            wait,
            reachable,
        }
    }

    /// Whether the last connection could be made, as long as the pool lives.
    pub(super) fn reachable(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.reachable)
    }

    /// A connection on which nothing can wait for ever.
    pub(super) fn establish(&self) -> ConnectionResult<Conn> {
        let mut conn = Conn::establish(&self.url)?;
        let wait = self.wait.as_millis();
        conn.batch_execute(&format!(
            "SET lock_timeout = {wait};
             SET idle_in_transaction_session_timeout = '10s';
             SET client_min_messages = warning"
        ))
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
        // Errors are told apart by their English text. Only a superuser may choose the language;
        // for others `open` warns of another one.
        let _ = conn.batch_execute("SET lc_messages = 'C'");
        Ok(conn)
    }
}

/// Adds to a URL what it does not say: a host that is gone, or a network that swallows packets, is
/// given up on within seconds.
fn with_defaults(mut url: String) -> String {
    for (name, value) in [
        ("connect_timeout", "2"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "5000"),
        ("application_name", "tradepost"),
    ] {
        if !url.contains(&format!("{name}=")) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(value);
        }
    }
    url
}

impl r2d2::ManageConnection for Links {
    type Connection = Link;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Link, ConnectionError> {
        let made = self.establish().and_then(|mut conn| {
            let epoch = epoch(&mut conn).map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(Link {
                conn,
                lost: false,
                epoch,
                statement_timeout: Duration::ZERO,
            })
        });
        self.reachable.store(made.is_ok(), Ordering::Relaxed);
        made
    }

    fn is_valid(&self, link: &mut Link) -> Result<(), ConnectionError> {
        link.conn
            .batch_execute("SELECT 1")
            .map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.lost || std::thread::panicking()
    }
}

/// No connection was to be had in time: because all are taken, or because none can be made. The
/// pool tells the reason to one of those who wait, so it is remembered for the others.
pub(super) fn no_connection(error: r2d2::Error, reachable: bool) -> StoreError {
    let kind = if reachable {
        StoreErrorKind::Busy
    } else {
        StoreErrorKind::Unavailable
    };
    StoreError::caused(kind, error)
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

pub(super) fn setting(conn: &mut Conn, name: &str) -> QueryResult<String> {
    diesel::sql_query(format!("SELECT current_setting('{name}') AS value"))
        .get_result::<Setting>(conn)
        .map(|setting| setting.value)
}

/// A crash of one of its processes restarts all but the first of a server: then its statistics are
/// of no use any more, and it begins new ones.
fn epoch(conn: &mut Conn) -> QueryResult<String> {
    let since = "SELECT concat_ws(' ', pg_postmaster_start_time(), stats_reset) AS value
                 FROM pg_stat_bgwriter";
    diesel::sql_query(since)
        .get_result::<Setting>(conn)
        .map(|row| row.value)
}

/// Connects once by hand, and refuses a server that cannot keep the shop's promises.
pub(super) fn first(url: &DatabaseUrl, wait: Duration) -> Result<Conn, OpenError> {
    let database = url.to_string();
    let mut conn = Links::new(url, wait)
        .establish()
        .map_err(|error| OpenError::unusable(&database, &sentence(&error.to_string())))?;
    let unusable = |error: diesel::result::Error| OpenError::unusable(&database, &error);
    let version = setting(&mut conn, "server_version_num").map_err(unusable)?;
    if version
        .parse::<u32>()
        .is_ok_and(|version| version < OLDEST_POSTGRES)
    {
        let version = setting(&mut conn, "server_version").map_err(unusable)?;
        return Err(OpenError::OldPostgres { version });
    }
    let encoding = setting(&mut conn, "server_encoding").map_err(unusable)?;
    if encoding != "UTF8" {
        return Err(OpenError::NotUtf8 { database, encoding });
    }
    Ok(conn)
}

/// What libpq says, in one line without its prefixes.
fn sentence(message: &str) -> String {
    let message = message.trim().replace(['\n', '\t'], " ");
    message
        .rsplit("FATAL: ")
        .next()
        .unwrap_or_default()
        .trim()
        .trim_end_matches('.')
        .to_owned()
}
