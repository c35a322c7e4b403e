//! Processor time of processes, from Linux' `/proc`.

use crate::Outcome;
use crate::data::{Link, TestShop};
use std::fs;

/// Microseconds per unit of processor time in Linux' user interface: a hundredth of a second.
const TICK: u64 = 10_000;

/// Processor time in microseconds of each process group that shares the machine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) server: u64,
    pub(crate) database: u64,
    pub(crate) driver: u64,
}

/// The processes to measure.
pub(crate) struct Watch {
    server: Option<u32>,
    postmaster: Option<u32>,
}

impl Watch {
    /// Watches a server, and the PostgreSQL server behind a connection.
    pub(crate) fn new(shop: &TestShop, server: Option<u32>) -> Outcome<Self> {
        let mut link = shop.connect()?;
        let postmaster = match link {
            Link::Sqlite(_) => None,
            Link::Postgres(_) => {
                let backend = link.number("SELECT CAST(pg_backend_pid() AS BIGINT) AS value")?;
                Some(
                    stat(&backend.to_string())
                        .ok_or("PostgreSQL is elsewhere")?
                        .parent,
                )
            }
        };
        Ok(Self { server, postmaster })
    }

    /// Watches a server without a database.
    pub(crate) fn of_server(server: u32) -> Self {
        Self {
            server: Some(server),
            postmaster: None,
        }
    }

    /// Processor time used so far.
    pub(crate) fn read(&self) -> Outcome<Times> {
        let of = |pid: u32| stat(&pid.to_string()).map_or(0, |stat| stat.used);
        let mut database = self.postmaster.map_or(0, of);
        if let Some(postmaster) = self.postmaster {
            for entry in fs::read_dir("/proc")? {
                let name = entry?.file_name();
                let child = name.to_str().and_then(stat);
                let child = child.filter(|child| child.parent == postmaster);
                database += child.map_or(0, |child| child.used);
            }
        }
        Ok(Times {
            server: self.server.map_or(0, of),
            database,
            driver: of(std::process::id()),
        })
    }
}

impl Times {
    /// The difference from an earlier reading.
    pub(crate) fn since(self, then: Self) -> Self {
        Self {
            server: self.server.saturating_sub(then.server),
            database: self.database.saturating_sub(then.database),
            driver: self.driver.saturating_sub(then.driver),
        }
    }
}

struct Stat {
    parent: u32,
    /// In microseconds.
    used: u64,
}

/// Parses `/proc/PID/stat`: pid (name) state parent ...; `None` without such a process.
fn stat(pid: &str) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let user: u64 = fields.get(11)?.parse().ok()?;
    let system: u64 = fields.get(12)?.parse().ok()?;
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        used: (user + system) * TICK,
    })
}
