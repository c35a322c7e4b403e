//! SQLite connections and their settings.

use super::Conn;
use super::checkpoint::MAX_LOG;
use super::classify::kind;
use super::files::DatabaseFiles;
use crate::open::FIRST_CONNECTION_TIMEOUT;
use crate::{Missing, OpenError, OpenOptions};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sql_types::{BigInt, Text};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tradepost_domain::kernel::StoreErrorKind;

/// "TPST", written by the first migration: marks the file as Tradepost's.
const APPLICATION_ID: i64 = 1_414_550_356;

/// Versions 3.7.0 to 3.51.2 can corrupt a database with a write-ahead log that has several
/// connections (sqlite.org/wal.html, "WAL-reset bug").
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Connects to a file that is Tradepost's or empty. Writes nothing.
pub(super) fn connection(path: &Path, missing: Missing, wait: Duration) -> Result<Conn, OpenError> {
    let path = name(path)?;
    let exists = Path::new(path)
        .try_exists()
        .map_err(|error| OpenError::unusable(path, &error))?;
    match (exists, missing) {
        (false, Missing::Refuse) => {
            return Err(OpenError::Missing {
                database: path.to_owned(),
            });
        }
        (false, Missing::Create) => make_private(path)?,
        (true, _) => {}
    }
    let unusable = |error: diesel::result::Error| OpenError::unusable(path, &error);
    let mut conn =
        Conn::establish(&uri(path, "rw")).map_err(|error| OpenError::unusable(path, &error))?;
    // The timeout comes first, as any later statement may have to wait.
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", wait.as_millis()))
        .map_err(unusable)?;
    check_owner(&mut conn, path)?;
    check_version(&words(&mut conn, "SELECT sqlite_version() AS value").map_err(unusable)?)?;
    Ok(conn)
}

/// Creates an empty file that only its owner can read, as it will hold e-mail addresses and
/// password hashes. SQLite treats it as an empty database, and gives its log the same permissions.
pub(super) fn make_private(path: &str) -> Result<(), OpenError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(OpenError::unusable(path, &error)),
    }
}

/// Makes commits on the writing connection durable, and sets the modes that the readers expect.
pub(super) fn keep_promises(conn: &mut Conn, path: &str, wait: Duration) -> Result<(), OpenError> {
    write_ahead_log(conn, path, wait)?;
    // Statement journals stay in memory: otherwise each savepoint would write a file.
    conn.batch_execute(&format!(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -8000;
         PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = {MAX_LOG};
         PRAGMA wal_autocheckpoint = 0",
    ))
    .map_err(|error| OpenError::unusable(path, &error))
}

/// Turns on the write-ahead log. If another process does the same, SQLite ignores busy_timeout and
/// fails at once, so this retries.
pub(super) fn write_ahead_log(
    conn: &mut Conn,
    path: &str,
    wait: Duration,
) -> Result<(), OpenError> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    while let Err(error) = conn.batch_execute("PRAGMA journal_mode = WAL") {
        if waited >= wait || kind(&error) != StoreErrorKind::Busy {
            return Err(OpenError::unusable(path, &error));
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
    let mode = words(
        conn,
        "SELECT journal_mode AS value FROM pragma_journal_mode",
    );
    match mode
        .map_err(|error| OpenError::unusable(path, &error))?
        .as_str()
    {
        "wal" => Ok(()),
        _ => Err(OpenError::NoWriteAheadLog {
            database: path.to_owned(),
        }),
    }
}

fn check_owner(conn: &mut Conn, path: &str) -> Result<(), OpenError> {
    // The tables first: if another process creates them meanwhile, its mark exists when it is read.
    let tables = "SELECT count(*) AS value FROM sqlite_master
                  WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'";
    let tables = number(conn, tables).map_err(|error| {
        if error.to_string().contains("not a database") {
            OpenError::NotADatabase {
                database: path.to_owned(),
            }
        } else {
            OpenError::unusable(path, &error)
        }
    })?;
    let owner = owner(conn).map_err(|error| OpenError::unusable(path, &error))?;
    if owner == APPLICATION_ID || (owner == 0 && tables == 0) {
        Ok(())
    } else {
        Err(OpenError::OtherProgram {
            database: path.to_owned(),
        })
    }
}

/// Whether the first migration has run.
pub(super) fn is_a_shop(conn: &mut Conn) -> QueryResult<bool> {
    Ok(owner(conn)? == APPLICATION_ID)
}

fn owner(conn: &mut Conn) -> QueryResult<i64> {
    number(
        conn,
        "SELECT application_id AS value FROM pragma_application_id",
    )
}

pub(super) fn check_version(version: &str) -> Result<(), OpenError> {
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or_default());
    let mut part = || parts.next().unwrap_or_default();
    if (part(), part(), part()) < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite {
            version: version.to_owned(),
        });
    }
    Ok(())
}

/// Pool of read-only connections. The writer was opened before, and has created the write-ahead
/// log.
pub(super) fn readers(
    path: &Path,
    options: &OpenOptions,
    files: &Arc<DatabaseFiles>,
) -> Result<Pool<ConnectionManager<Conn>>, OpenError> {
    // The first connection is made outside the pool, which would delay the error.
    let path = name(path)?;
    tradepost_sqlite_deadline::install().map_err(|error| OpenError::unusable(path, &error))?;
    drop(read_only(path)?);
    let pool = Pool::builder()
        .max_size(options.readers.max(1))
        .min_idle(Some(1))
        .connection_timeout(options.wait)
        .test_on_check_out(false)
        .connection_customizer(Box::new(Reader {
            wait: options.wait,
            files: Arc::clone(files),
        }))
        .build_unchecked(ConnectionManager::new(uri(path, "ro")));
    let first = pool.get_timeout(FIRST_CONNECTION_TIMEOUT);
    drop(first.map_err(|error| OpenError::unusable(path, &error))?);
    Ok(pool)
}

struct Reader {
    wait: Duration,
    files: Arc<DatabaseFiles>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl CustomizeConnection<Conn, diesel::r2d2::Error> for Reader {
    fn on_acquire(&self, conn: &mut Conn) -> Result<(), diesel::r2d2::Error> {
        // Opened by its path, which may lead to another file by now.
        let moved = |error| diesel::result::Error::QueryBuilderError(Box::new(error));
        let checked = self.files.check().map_err(moved);
        checked.map_err(diesel::r2d2::Error::QueryError)?;
        let wait = self.wait.as_millis();
        conn.batch_execute(&format!(
            "PRAGMA busy_timeout = {wait}; PRAGMA query_only = ON; PRAGMA cache_size = -512"
        ))
        .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// A read-only connection.
pub(super) fn read_only(path: &str) -> Result<Conn, OpenError> {
    Conn::establish(&uri(path, "ro")).map_err(|error| OpenError::unusable(path, &error))
}

/// The path as text.
pub(super) fn name(path: &Path) -> Result<&str, OpenError> {
    let unnamed = || OpenError::unusable(&path.to_string_lossy(), &"its name is not UTF-8");
    path.to_str().ok_or_else(unnamed)
}

/// A path as an SQLite URI, with special characters escaped.
fn uri(path: &str, mode: &str) -> String {
    let escaped = path
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    // Two slashes at the start would make the first name a host.
    let separator = if escaped.starts_with("//") { "//" } else { "" };
    format!("file:{separator}{escaped}?mode={mode}")
}

pub(super) fn number(conn: &mut Conn, sql: &str) -> QueryResult<i64> {
    diesel::sql_query(sql)
        .get_result::<Number>(conn)
        .map(|row| row.value)
}

pub(super) fn all_words(conn: &mut Conn, sql: &str) -> QueryResult<Vec<String>> {
    let rows = diesel::sql_query(sql).load::<Words>(conn)?;
    Ok(rows.into_iter().map(|row| row.value).collect())
}

pub(super) fn words(conn: &mut Conn, sql: &str) -> QueryResult<String> {
    diesel::sql_query(sql)
        .get_result::<Words>(conn)
        .map(|row| row.value)
}
