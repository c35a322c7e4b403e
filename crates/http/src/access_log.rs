//! Sink of the access log, which the program chooses. It is apart from the layer that writes to it
//! (`middleware/access_log.rs`), as the settings name it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;
use tradepost_domain::kernel::UserId;

/// The target of access records in the log, for filters.
pub const ACCESS_TARGET: &str = "tradepost::access";

/// One answered request, borrowed from it. A sink copies the parts that it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessRecord<'a> {
    /// The request id: at most 128 letters, digits, `.`, `_` and `-`.
    pub id: &'a str,
    /// The method, cut off at 32 bytes.
    pub method: &'a str,
    /// The path in its encoded form, cut off at 512 bytes. Without the query, which may hold
    /// private data.
    pub path: &'a str,
    /// The status code.
    pub status: u16,
    /// From the head of the request to its response.
    pub took: Duration,
    /// The signed-in user, if any.
    pub user: Option<UserId>,
    /// The client IP, if known.
    pub client: Option<IpAddr>,
}

/// Losses of a sink so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogLosses {
    /// Access records that were dropped because the queue was full.
    pub dropped: u64,
    /// Lines that were not written, by the name of their target.
    pub lines: Vec<(&'static str, u64)>,
}

/// Sink of access records. It is called on the threads that answer requests, so it must not block.
pub trait AccessLog: fmt::Debug + Send + Sync {
    /// Takes a record.
    fn record(&self, record: &AccessRecord<'_>);

    /// The losses so far, for the metrics.
    fn losses(&self) -> LogLosses {
        LogLosses::default()
    }
}

/// The default sink: the `log` facade, at level info with the target [`ACCESS_TARGET`].
#[derive(Debug, Clone, Copy, Default)]
pub struct FacadeAccessLog;

impl AccessLog for FacadeAccessLog {
    fn record(&self, record: &AccessRecord<'_>) {
        log::info!(
            target: ACCESS_TARGET,
            id = record.id,
            user:% = OrDash(record.user),
            from:% = OrDash(record.client);
            "{} {} {} {}us",
            record.method,
            record.path,
            record.status,
            record.took.as_micros(),
        );
    }
}

struct OrDash<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for OrDash<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("-"),
        }
    }
}
