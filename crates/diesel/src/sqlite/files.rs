//! The files of an open database, and whether they are still the ones at their paths.
//!
//! SQLite keeps writing to files that were deleted or replaced, and reports success; their content
//! is lost when the process ends. So the writer compares the paths with the opened files before
//! each batch, again between its commit and its answers, and once a second when idle. A difference
//! is final for this process: while a file was away, another program may have opened it without its
//! log.
//!
//! No file but the log may be opened here: closing any descriptor of the database or of the shared
//! memory releases every lock that SQLite holds on it (POSIX advisory locks).

use super::{Conn, connect};
use crate::OpenError;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tradepost_domain::kernel::{StoreError, StoreErrorKind};

/// Sizes of the write-ahead log's parts in bytes (sqlite.org/fileformat2.html, section 4.1).
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// Reads of a log before it counts as damaged: between the query for its length and the read,
/// another process may have restarted it.
const LOOKS: u32 = 3;

/// Device and inode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file that a path leads to, links followed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|file| Self::of(&file))
    }

    fn of(file: &fs::Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
        }
    }
}

/// A difference between the files that are open and those at the paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Loss {
    /// The path of the database does not exist.
    #[error("the database file {0} was deleted or moved away")]
    DatabaseMissing(PathBuf),
    /// The path of the database leads to another file.
    #[error("the database file {0} was replaced by another file")]
    DatabaseReplaced(PathBuf),
    /// The database file is shorter than before, and than its content: it was overwritten in place.
    #[error("the database file {0} was cut short or overwritten")]
    DatabaseOverwritten(PathBuf),
    /// The write-ahead log is missing or replaced.
    #[error("the database's write-ahead log {0} was deleted or replaced")]
    LogReplaced(PathBuf),
    /// The shared memory of the log is missing or replaced.
    #[error("the database's shared memory {0} was deleted or replaced")]
    SharedMemoryReplaced(PathBuf),
    /// The write-ahead log lacks frames that were written to it.
    #[error("the database's write-ahead log {0} was cut short or overwritten")]
    LogDamaged(PathBuf),
}

impl From<Loss> for StoreError {
    fn from(loss: Loss) -> Self {
        Self::caused(StoreErrorKind::Unavailable, loss)
    }
}

/// The end of the write-ahead log at a check.
#[derive(Default)]
pub(super) struct LogTail {
    frames: u64,
    /// Salts of the header, which change whenever the log is restarted.
    salts: Vec<u8>,
    /// The last frame, which is unchanged until then.
    last: Vec<u8>,
    /// Length of the database file in bytes.
    database_length: u64,
}

impl LogTail {
    /// Frames of the log.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }
}

/// Result of `PRAGMA wal_checkpoint`, in frames.
#[derive(QueryableByName)]
pub(super) struct Checkpoint {
    #[diesel(sql_type = BigInt)]
    pub(super) busy: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) log: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) checkpointed: i64,
}

/// The files of an open database.
pub(super) struct DatabaseFiles {
    /// Absolute, links not followed: the path that the next start opens.
    path: PathBuf,
    database: FileId,
    log: FileId,
    shared_memory: FileId,
    /// A descriptor of our own. SQLite takes no locks on this file.
    log_file: File,
    frame_size: u64,
    loss: OnceLock<Loss>,
}

impl DatabaseFiles {
    /// The files of a connection that has read from its write-ahead log. `before` is the id of the
    /// database file before the connection was opened.
    pub(super) fn opened(path: &Path, before: FileId, conn: &mut Conn) -> Result<Self, OpenError> {
        let name = connect::name(path)?;
        let page_size = "SELECT page_size AS value FROM pragma_page_size";
        let page_size =
            connect::number(conn, page_size).map_err(|error| OpenError::unusable(name, &error))?;
        let page_size = u64::try_from(page_size).unwrap_or_default();
        Self::at(path, before, page_size).map_err(|error| OpenError::unusable(name, &error))
    }

    fn at(path: &Path, before: FileId, page_size: u64) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let target = fs::canonicalize(&path)?;
        let log_file = File::open(beside(&target, "-wal"))?;
        let files = Self {
            database: before,
            log: FileId::of(&log_file.metadata()?),
            shared_memory: FileId::at(&beside(&target, "-shm"))?,
            log_file,
            frame_size: page_size.saturating_add(FRAME_HEADER),
            loss: OnceLock::new(),
            path,
        };
        match files.difference()? {
            None => Ok(files),
            Some(loss) => Err(io::Error::other(format!(
                "while it was being opened, {loss}"
            ))),
        }
    }

    /// The absolute path of the database.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Compares the paths with the opened files. A difference is final.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`].
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.check_known()?;
        match self.difference() {
            Ok(None) => Ok(()),
            Ok(Some(loss)) => Err(self.lose(loss)),
            // A transient error, which loses nothing.
            Err(error) => Err(StoreError::caused(StoreErrorKind::Unavailable, error)),
        }
    }

    /// Whether a difference is already known, without a new check.
    pub(super) fn check_known(&self) -> Result<(), StoreError> {
        self.loss().map_or(Ok(()), |loss| Err(loss.clone().into()))
    }

    /// The difference, if one was found.
    pub(super) fn loss(&self) -> Option<&Loss> {
        self.loss.get()
    }

    /// Compares the paths, and compares the log with the frames that the connection has read from
    /// it and written to it since the last check, as remembered in `tail`.
    ///
    /// # Errors
    /// [`StoreErrorKind::Unavailable`].
    pub(super) fn check_log(&self, conn: &mut Conn, tail: &mut LogTail) -> Result<(), StoreError> {
        self.check()?;
        let unreadable = |error| StoreError::caused(StoreErrorKind::Unavailable, error);
        for _ in 0..LOOKS {
            let frames = checkpoint(conn, "NOOP").map_err(super::Failure::from);
            let frames = frames.map_err(super::store_error)?.log;
            let frames = u64::try_from(frames).unwrap_or_default();
            if let Some(now) = self.tail(frames, tail).map_err(unreadable)? {
                let database_length = self.database_length().map_err(unreadable)?;
                if database_length < tail.database_length && database_length < content(conn)? {
                    return Err(self.lose(Loss::DatabaseOverwritten(self.path.clone())));
                }
                *tail = LogTail {
                    database_length,
                    ..now
                };
                return Ok(());
            }
        }
        let log = beside(&self.path, "-wal");
        Err(self.lose(Loss::LogDamaged(log)))
    }

    /// Whether log and database are at least as long as at the last check. Cheaper than
    /// [`DatabaseFiles::check_log`], which is exact.
    pub(super) fn is_long_enough(&self, tail: &LogTail) -> bool {
        let length = self.log_file.metadata().map(|log| log.len());
        let database = self.database_length();
        length.is_ok_and(|length| tail.frames == 0 || length >= self.end_of(tail.frames))
            && database.is_ok_and(|length| length >= tail.database_length)
    }

    fn database_length(&self) -> io::Result<u64> {
        fs::metadata(&self.path).map(|database| database.len())
    }

    fn end_of(&self, frames: u64) -> u64 {
        LOG_HEADER.saturating_add(frames.saturating_mul(self.frame_size))
    }

    /// The tail of a log with this many frames, if it has them and still has the previous last
    /// frame: a log that was truncated and then written to has a hole there.
    fn tail(&self, frames: u64, before: &LogTail) -> io::Result<Option<LogTail>> {
        if frames == 0 {
            return Ok(Some(LogTail::default()));
        }
        let header = self.read(LOG_HEADER, 0)?;
        let salts = header.get(16..24).unwrap_or_default();
        let of_now = |frame: &[u8]| !salts.is_empty() && frame.get(8..16) == Some(salts);
        if before.frames > 0 && salts == before.salts {
            let last_before = self.frame(before.frames)?;
            if last_before != before.last {
                return Ok(None);
            }
        }
        let (first, last) = (self.frame(1)?, self.frame(frames)?);
        Ok((of_now(&first) && of_now(&last)).then(|| LogTail {
            frames,
            salts: salts.to_vec(),
            last,
            database_length: before.database_length,
        }))
    }

    /// A frame with its header; empty if the log is too short.
    fn frame(&self, number: u64) -> io::Result<Vec<u8>> {
        self.read(self.frame_size, self.end_of(number.saturating_sub(1)))
    }

    fn read(&self, length: u64, at: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        match self.log_file.read_exact_at(&mut bytes, at) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn difference(&self) -> io::Result<Option<Loss>> {
        let path = || self.path.clone();
        match identity(&self.path)? {
            None => return Ok(Some(Loss::DatabaseMissing(path()))),
            Some(found) if found != self.database => {
                return Ok(Some(Loss::DatabaseReplaced(path())));
            }
            Some(_) => {}
        }
        // As SQLite: beside the file, and not beside a link to it.
        let target = match fs::canonicalize(&self.path) {
            Ok(target) => target,
            Err(error) if is_missing(&error) => return Ok(Some(Loss::DatabaseMissing(path()))),
            Err(error) => return Err(error),
        };
        let log = beside(&target, "-wal");
        if identity(&log)? != Some(self.log) {
            return Ok(Some(Loss::LogReplaced(log)));
        }
        let shared_memory = beside(&target, "-shm");
        if identity(&shared_memory)? != Some(self.shared_memory) {
            return Ok(Some(Loss::SharedMemoryReplaced(shared_memory)));
        }
        Ok(None)
    }

    /// Records a difference, and logs it once.
    fn lose(&self, found: Loss) -> StoreError {
        let mut is_new = false;
        let loss = self.loss.get_or_init(|| {
            is_new = true;
            found
        });
        if is_new {
            log::error!(
                path:% = self.path.display();
                "{loss}. Every request is answered 503 from now on, as what is written would be \
                 lost. Stop this server, put {} and its -wal file back as they were, and start it \
                 again",
                self.path.display()
            );
        }
        loss.clone().into()
    }
}

/// Runs a checkpoint in this mode.
pub(super) fn checkpoint(conn: &mut Conn, mode: &str) -> QueryResult<Checkpoint> {
    diesel::sql_query(format!("PRAGMA wal_checkpoint({mode})")).get_result(conn)
}

/// Length of the database's content in bytes, which is that of its file after a `VACUUM` and a
/// checkpoint.
fn content(conn: &mut Conn) -> Result<u64, StoreError> {
    let sql = "SELECT page_count * page_size AS value FROM pragma_page_count, pragma_page_size";
    let length = connect::number(conn, sql).map_err(super::Failure::from);
    let length = length.map_err(super::store_error)?;
    Ok(u64::try_from(length).unwrap_or_default())
}

/// The path with a suffix after its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

fn identity(path: &Path) -> io::Result<Option<FileId>> {
    match FileId::at(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
