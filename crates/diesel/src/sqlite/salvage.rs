//! Salvage of acknowledged writes after a file of the database was removed: the open descriptors
//! still have all content until the process ends.

use super::files::{DatabaseFiles, Loss, beside, checkpoint};
use super::{Conn, connect, prove};
use crate::Proof;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Attempts to checkpoint the log while readers hold it up.
const ATTEMPTS: u32 = 10;

/// Salvages the orders that only this process still has, and logs where they are.
pub(super) fn salvage(conn: &mut Conn, files: &DatabaseFiles) {
    match files.loss() {
        None => {}
        // The database file is in place: the log is merged into it.
        Some(Loss::LogReplaced(_)) => match merge(conn) {
            Ok(true) => log::error!(
                "every write that was acknowledged has been moved from the write-ahead log into \
                 the database file: nothing is lost if this server is now stopped and started again"
            ),
            Ok(false) => log::error!(
                "the write-ahead log could not be moved into the database file: another process \
                 is reading. The latest writes may be lost"
            ),
            Err(error) => log::error!(
                "the write-ahead log could not be moved into the database file: {error}. The \
                 latest writes may be lost"
            ),
        },
        Some(Loss::DatabaseOverwritten(_)) => log::error!(
            "what the database file held may be lost. Keep a copy of it and of its -wal file, and \
             restore a backup"
        ),
        Some(Loss::LogDamaged(_)) => log::error!(
            "what the write-ahead log held since its last checkpoint may be lost. Run `tradepost \
             verify` on the database before it is used again, or restore a backup"
        ),
        Some(
            Loss::DatabaseMissing(_) | Loss::DatabaseReplaced(_) | Loss::SharedMemoryReplaced(_),
        ) => match copy(conn, files.path()) {
            Ok(copy) => log::error!(
                copy:% = copy.display();
                "a copy of the database with every write that was acknowledged is in {}: put it \
                 in the place of the database file if that is really lost",
                copy.display()
            ),
            Err(why) => log::error!(
                "no copy of the database that is still open could be made: {why}. Its file has to \
                 be put back"
            ),
        },
    }
}

/// Checkpoints the log into the database; whether all of it was moved.
fn merge(conn: &mut Conn) -> QueryResult<bool> {
    for _ in 0..ATTEMPTS {
        // Each attempt waits for readers as long as a write does.
        let done = checkpoint(conn, "FULL")?;
        if done.busy == 0 && done.log == done.checkpointed {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Copies the open database, and verifies the copy.
fn copy(conn: &mut Conn, path: &Path) -> Result<PathBuf, String> {
    let now = connect::words(conn, "SELECT strftime('%Y%m%dT%H%M%fZ', 'now') AS value")
        .map_err(|error| error.to_string())?;
    let copy = beside(path, &format!(".rescued-{now}"));
    // Under a temporary name until it is complete and synced: this process may be killed before.
    let partial = beside(path, &format!(".rescuing-{now}"));
    let made = fill(conn, &partial)
        .and_then(|()| publish(&partial, &copy).map_err(|error| error.to_string()));
    if made.is_err() {
        // Absent if the folder is gone as well.
        let _ = fs::remove_file(&partial);
    }
    made.map(|()| copy)
}

/// Renames a file to its final name, durably. `VACUUM INTO` leaves its output in the page cache.
fn publish(partial: &Path, copy: &Path) -> io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, copy)?;
    copy.parent()
        .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn fill(conn: &mut Conn, copy: &Path) -> Result<(), String> {
    let name = connect::name(copy).map_err(|error| error.to_string())?;
    connect::make_private(name).map_err(|error| error.to_string())?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(name)
        .execute(conn)
        .map_err(|error| error.to_string())?;
    let is_good = match prove(copy).map_err(|error| error.to_string())? {
        Proof::Books(audit) => audit.discrepancies.is_empty(),
        Proof::File { damage } => damage.is_empty(),
    };
    if is_good {
        Ok(())
    } else {
        Err("the copy is damaged".to_owned())
    }
}
