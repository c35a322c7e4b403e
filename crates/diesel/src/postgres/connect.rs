//! PostgreSQL connections and their session settings.

use super::server::{server, setting};
use super::{Conn, tls};
use crate::{DatabaseUrl, OpenError};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tradepost_domain::kernel::{StoreError, StoreErrorKind};

/// Older versions are no longer maintained.
const OLDEST_POSTGRES: u32 = 150_000;

/// A pooled connection.
pub(super) struct PooledConn {
    pub(super) conn: Conn,
    /// Whether the connection was lost; the pool then replaces it.
    pub(super) lost: bool,
    /// Start of the server and reset of its statistics: changes with every crash.
    pub(super) epoch: String,
    /// The session's `statement_timeout`; zero for none.
    pub(super) statement_timeout: Duration,
    /// Whether one transaction may write on several servers (Citus).
    pub(super) is_distributed: bool,
}

/// Connection manager of the pool.
pub(super) struct PooledConnManager {
    url: String,
    wait: Duration,
    /// Whether the last connection attempt succeeded.
    reachable: Arc<AtomicBool>,
}

impl PooledConnManager {
    pub(super) fn new(url: &DatabaseUrl, wait: Duration) -> Self {
        tls::init();
        let url = tls::with_system_store(with_defaults(url.secret()));
        let reachable = Arc::new(AtomicBool::new(true));
        Self {
            url,
            wait,
            reachable,
        }
    }

    /// Whether the last connection attempt succeeded; shared with the pool.
    pub(super) fn reachable(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.reachable)
    }

    /// Connects with timeouts, so that nothing waits forever on the connection.
    pub(super) fn establish(&self) -> ConnectionResult<Conn> {
        let mut conn = Conn::establish(&self.url)?;
        let wait = self.wait.as_millis();
        conn.batch_execute(&format!(
            "SET lock_timeout = {wait};
             SET idle_in_transaction_session_timeout = '10s';
             SET client_min_messages = warning"
        ))
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
        // Errors are classified by their English text. Only a superuser may choose the language;
        // for others `open` warns if it is another one.
        let _ = conn.batch_execute("SET lc_messages = 'C'");
        Ok(conn)
    }
}

/// Adds defaults to a URL: a dead host or a network that drops packets is given up on within
/// seconds, and of several hosts the primary is chosen.
fn with_defaults(mut url: String) -> String {
    let primary = names_several_hosts(&url).then_some(("target_session_attrs", "read-write"));
    let defaults = [
        ("connect_timeout", "2"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
        ("tcp_user_timeout", "5000"),
        ("application_name", "tradepost"),
    ];
    for (name, value) in defaults.into_iter().chain(primary) {
        if !parameters(&url).any(|(given, _)| given == name) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(value);
        }
    }
    url
}

/// Parameters of a URL, not decoded.
pub(super) fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|one| one.split_once('='))
}

/// Whether a URL names several hosts, as libpq parses it: user and password end at the first `@`
/// before the path, and a parameter may name the hosts as well.
fn names_several_hosts(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority
        .split_once('@')
        .map_or(authority, |(_, hosts)| hosts);
    let by_parameter = |(name, value): (&str, &str)| {
        ["host", "hostaddr"].contains(&name)
            && (value.contains(',') || value.to_ascii_lowercase().contains("%2c"))
    };
    hosts.contains(',') || parameters(url).any(by_parameter)
}

/// Rate-limited log of connection errors: at most one line per [`LogSometimes::INTERVAL`], as the
/// pool retries for as long as its database is unreachable.
#[derive(Debug, Default)]
pub(super) struct LogSometimes(Mutex<Suppressed>);

#[derive(Debug, Default)]
struct Suppressed {
    /// Time of the last line.
    last: Option<Instant>,
    /// Failures since then.
    count: u64,
}

impl LogSometimes {
    const INTERVAL: Duration = Duration::from_secs(5);

    /// Whether to log a failure at this time; returns the number of suppressed failures before it.
    fn note(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = state.last.map(|last| now.saturating_duration_since(last));
        if since.is_some_and(|since| since < Self::INTERVAL) {
            state.count += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.count))
    }
}

impl r2d2::HandleError<ConnectionError> for LogSometimes {
    fn handle_error(&self, error: ConnectionError) {
        let reason = sentence(&error.to_string());
        match self.note(Instant::now()) {
            None => {}
            Some(0) => log::error!("no connection to the database: {reason}"),
            Some(before) => {
                log::error!(
                    more = before;
                    "no connection to the database: {reason} ({before} more since the last line)"
                );
            }
        }
    }
}

impl r2d2::ManageConnection for PooledConnManager {
    type Connection = PooledConn;
    type Error = ConnectionError;

    fn connect(&self) -> Result<PooledConn, ConnectionError> {
        let made = self.establish().and_then(|mut conn| {
            let server = server(&mut conn).map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(PooledConn {
                conn,
                lost: false,
                epoch: server.epoch,
                is_distributed: server.is_distributed,
                statement_timeout: Duration::ZERO,
            })
        });
        self.reachable.store(made.is_ok(), Ordering::Relaxed);
        made
    }

    fn is_valid(&self, pooled: &mut PooledConn) -> Result<(), ConnectionError> {
        pooled
            .conn
            .batch_execute("SELECT 1")
            .map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, pooled: &mut PooledConn) -> bool {
        pooled.lost || std::thread::panicking()
    }
}

/// No connection was free in time: either all are in use, or none can be made. The pool reports the
/// reason to one waiting thread only, so it is remembered for the others.
pub(super) fn no_connection(error: r2d2::Error, reachable: bool) -> StoreError {
    let kind = if reachable {
        StoreErrorKind::Busy
    } else {
        StoreErrorKind::Unavailable
    };
    StoreError::caused(kind, error)
}

/// Connects once outside the pool, and refuses a server that cannot keep the shop's guarantees.
pub(super) fn first(url: &DatabaseUrl, wait: Duration) -> Result<Conn, OpenError> {
    let database = url.to_string();
    let manager = PooledConnManager::new(url, wait);
    let mut conn = (manager.establish())
        .map_err(|error| tls::open_error(&database, &manager.url, sentence(&error.to_string())))?;
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

/// libpq's message as one line, without its prefixes. With `sslmode=prefer`, libpq repeats a refused
/// connection without encryption: the first refusal is then the reason.
fn sentence(message: &str) -> String {
    let message = message.trim().replace(['\n', '\t'], " ");
    let (before, last) = message.rsplit_once("FATAL: ").unwrap_or(("", &message));
    let first = before.rsplit_once("FATAL: ").map(|(_, first)| first);
    let first = first.and_then(|first| first.split(" connection to server").next());
    first
        .filter(|_| last.contains("no encryption"))
        .unwrap_or(last)
        .trim()
        .trim_end_matches('.')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_hosts_mean_the_primary_unless_the_url_says_otherwise() {
        for (url, several) in [
            ("postgres://h/shop", false),
            ("postgres://u:p@h:5432/shop", false),
            ("postgres://u:p,q@h/shop", false),
            ("postgres://u:p@h/a,b?options=-c%20search_path%3Da,b", false),
            ("postgres://u:p@[::1]:5432/shop", false),
            ("postgres://h1,h2/shop", true),
            ("postgres://u:p@h1:5432,h2:5433/shop", true),
            ("postgres://h1,h2", true),
            ("postgres://h1,h2?sslmode=disable", true),
            ("postgres:///shop?host=h1,h2", true),
            ("postgres:///shop?host=h1%2Ch2&port=1", true),
            ("postgres:///shop?hostaddr=10.0.0.1,10.0.0.2", true),
            ("postgres:///shop?host=/var/run/postgresql", false),
        ] {
            let defaulted = with_defaults(url.to_owned());
            assert_eq!(
                defaulted.ends_with("&target_session_attrs=read-write"),
                several,
                "{defaulted}"
            );
        }
        let own = "postgres://h1,h2/shop?target_session_attrs=any";
        assert_eq!(
            with_defaults(own.to_owned())
                .matches("target_session")
                .count(),
            1
        );
        // A password that looks like a parameter is not one.
        let url = with_defaults("postgres://u:connect_timeout=@h/shop".to_owned());
        assert!(url.contains("?connect_timeout=2&"), "{url}");
    }

    #[test]
    fn a_refusal_of_the_second_try_in_the_clear_does_not_hide_the_first() {
        let password = "password authentication failed for user \"shop\"";
        let clear = "no pg_hba.conf entry for host \"::1\", user \"shop\", no encryption";
        let to = "connection to server at \"db\" (::1), port 5432 failed:";
        for (message, expected) in [
            (format!("{to} FATAL:  {password}\n"), password),
            (format!("{to} FATAL:  {clear}\n"), clear),
            (
                format!("{to} FATAL:  {password}\n{to} FATAL:  {clear}\n"),
                password,
            ),
            (
                format!("{to} FATAL:  {clear}\n{to} FATAL:  {password}\n"),
                password,
            ),
            ("SSL error: no.\n".to_owned(), "SSL error: no"),
        ] {
            assert_eq!(sentence(&message), expected);
        }
    }

    #[test]
    fn failures_to_connect_are_logged_once_in_five_seconds() {
        let log = LogSometimes::default();
        let began = Instant::now();
        for (milliseconds, expected) in [
            (0, Some(0)),
            (1, None),
            (4_999, None),
            (5_000, Some(2)),
            (9_999, None),
            (60_000, Some(1)),
            (65_000, Some(0)),
        ] {
            let now = began + Duration::from_millis(milliseconds);
            assert_eq!(log.note(now), expected, "{milliseconds}");
        }
    }
}
