//! Deadline for SQLite statements.
//!
//! diesel does not expose the handle of its connection, so a progress handler cannot be set from
//! outside. SQLite itself calls an "automatic extension" for every connection that is opened in the
//! process ([`sqlite3_auto_extension`](https://sqlite.org/c3ref/auto_extension.html)); the one here
//! sets a [progress handler](https://sqlite.org/c3ref/progress_handler.html), which SQLite calls
//! every thousand instructions of its virtual machine. The handler compares the deadline of the
//! thread that runs the statement with the clock, and past it SQLite ends the statement with
//! `SQLITE_INTERRUPT`. A thread without a deadline is never interrupted, on any connection.
//!
//! This is the only crate with `unsafe` code: three lines that call C.

use libsqlite3_sys as ffi;
use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::fmt;
use std::ptr;
use std::sync::OnceLock;
use std::time::Instant;

/// Instructions of SQLite's virtual machine between two reads of the clock. A query runs some tens
/// of millions a second: each read is some tens of microseconds after the one before, and costs
/// less than a hundredth of that.
const STEPS: c_int = 1_000;

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// SQLite did not register the extension: it is out of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotInstalled {
    /// SQLite's [result code](https://sqlite.org/rescode.html).
    pub code: i32,
}

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SQLite takes no extension (code {})", self.code)
    }
}

impl std::error::Error for NotInstalled {}

/// Installs the extension: connections that this process opens from now on obey deadlines.
/// Connections that are open already do not. Further calls do nothing.
///
/// # Errors
/// [`NotInstalled`].
pub fn install() -> Result<(), NotInstalled> {
    static CODE: OnceLock<c_int> = OnceLock::new();
    let code = *CODE.get_or_init(|| {
        #[expect(unsafe_code, reason = "SQLite is a library in C")]
        // SAFETY: SQLite calls `prepare_connection` with a connection that is being opened, as the
        // signature of an entry point says. It is a function of this program, and so never unloaded.
        unsafe {
            ffi::sqlite3_auto_extension(Some(prepare_connection))
        }
    });
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(NotInstalled { code }),
    }
}

/// Runs a job whose statements on this thread are interrupted after the deadline; `None` for no
/// deadline. SQLite reports an interrupted statement as `interrupted`; its connection stays usable.
/// A statement with fewer instructions than lie between two reads of the clock may end after its
/// deadline.
pub fn run_until<T>(deadline: Option<Instant>, job: impl FnOnce() -> T) -> T {
    let _restore = Restore(DEADLINE.replace(deadline));
    job()
}

/// Restores the outer deadline, also if the job panics.
struct Restore(Option<Instant>);

impl Drop for Restore {
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

/// Whether the deadline of this thread has passed.
fn is_overdue() -> bool {
    // The thread-local value is gone while a thread ends, and then no statement runs.
    let deadline = DEADLINE.try_with(Cell::get).ok().flatten();
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// The entry point of the extension.
#[expect(unsafe_code, reason = "SQLite declares its entry points as unsafe")]
unsafe extern "C" fn prepare_connection(
    db: *mut ffi::sqlite3,
    _error: *mut *mut c_char,
    _api: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: SQLite passes an open connection that no other thread uses; the handler uses no
    // context, so nothing has to outlive this call.
    unsafe {
        ffi::sqlite3_progress_handler(db, STEPS, Some(interrupt_overdue), ptr::null_mut());
    }
    ffi::SQLITE_OK
}

/// The progress handler: anything but 0 interrupts the statement.
#[expect(unsafe_code, reason = "SQLite declares its callbacks as unsafe")]
unsafe extern "C" fn interrupt_overdue(_context: *mut c_void) -> c_int {
    c_int::from(is_overdue())
}

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sql_types::BigInt;
    use std::time::Duration;

    /// Counts to ten thousand million: takes minutes unless interrupted.
    const ENDLESS: &str = "WITH RECURSIVE n (n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 10000000000) SELECT count(*) AS n FROM n";

    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }

    fn connection() -> SqliteConnection {
        install().unwrap();
        SqliteConnection::establish(":memory:").unwrap()
    }

    fn number(conn: &mut SqliteConnection, sql: &str) -> QueryResult<i64> {
        diesel::sql_query(sql)
            .get_result::<Number>(conn)
            .map(|row| row.n)
    }

    fn overdue() -> Option<Instant> {
        Some(Instant::now())
    }

    #[test]
    fn a_statement_is_interrupted_at_its_deadline() {
        let mut conn = connection();
        let soon = Instant::now() + Duration::from_millis(20);
        let error = run_until(Some(soon), || number(&mut conn, ENDLESS)).unwrap_err();
        assert_eq!(error.to_string(), "interrupted");
        assert!(Instant::now() >= soon);
        // The connection stays usable, with and without a deadline.
        assert_eq!(number(&mut conn, "SELECT 7 AS n"), Ok(7));
        assert!(run_until(overdue(), || number(&mut conn, ENDLESS)).is_err());
        assert_eq!(number(&mut conn, "SELECT 8 AS n"), Ok(8));
    }

    #[test]
    fn an_interrupted_read_leaves_its_transaction_open() {
        let mut conn = connection();
        conn.batch_execute("CREATE TABLE t (n); INSERT INTO t VALUES (1); BEGIN")
            .unwrap();
        assert!(run_until(overdue(), || number(&mut conn, ENDLESS)).is_err());
        assert_eq!(number(&mut conn, "SELECT n FROM t"), Ok(1));
        conn.batch_execute("ROLLBACK").unwrap();
    }

    #[test]
    fn a_thread_without_a_deadline_is_not_interrupted() {
        let mut conn = connection();
        let many = ENDLESS.replace("10000000000", "100000");
        run_until(overdue(), || {
            assert!(number(&mut conn, &many).is_err());
            assert_eq!(run_until(None, || number(&mut conn, &many)), Ok(100_000));
            let other = std::thread::spawn(move || number(&mut conn, &many));
            assert_eq!(other.join().unwrap(), Ok(100_000));
        });
    }

    #[test]
    fn a_deadline_ends_with_its_job_and_with_a_panic() {
        let far = Instant::now() + Duration::from_secs(60);
        run_until(Some(far), || assert!(!is_overdue()));
        let panicking = || run_until(overdue(), || panic!("on purpose"));
        assert!(std::panic::catch_unwind(panicking).is_err());
        assert!(!is_overdue());
    }
}
