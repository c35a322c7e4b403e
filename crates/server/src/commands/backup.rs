//! `tradepost backup`: an online copy of an SQLite database, verified before it gets its name.

use crate::cli::Backup;
use crate::commands::verify;
use crate::config::Config;
use crate::exit::CliError;
use crate::system::console::print_line;
use crate::system::progress::ProgressReport;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tradepost_auth::SystemClock;
use tradepost_diesel::{BackupError, DatabaseUrl, OpenError, Proof};
use tradepost_domain::kernel::{Clock, Progress};

pub(super) fn run(config: &Config, options: &Backup) -> Result<(), CliError> {
    let target = &options.file;
    let database = match &config.database {
        DatabaseUrl::Sqlite(path) => path,
        DatabaseUrl::Postgres(_) => return Err(by_pg_dump(config, target)),
    };
    if !database.exists() {
        let database = database.display().to_string();
        return Err(OpenError::Missing { database }.into());
    }
    preflight(database, options)?;
    let mut draft = Draft::new(target)?;
    let (size, copy) = (fs::metadata(database).ok(), draft.path.clone());
    let written = move || fs::metadata(&copy).map(|copy| copy.len()).ok();
    let total = size.map(|database| database.len());
    let progress = ProgressReport::of("Copying bytes", total, written);
    tradepost_diesel::back_up(&config.database, &draft.path)
        .map_err(|error| not_copied(target, error))?;
    progress.begin("Checking the copy", None);
    let proof = tradepost_diesel::prove(&draft.path).map_err(|error| not_copied(target, error))?;
    progress.end();
    draft.sync().map_err(|error| not_written(target, &error))?;
    let good = match &proof {
        Proof::Books(audit) => audit.discrepancies.is_empty(),
        Proof::File { damage } => damage.is_empty(),
    };
    if good {
        let kept = draft.keep_as(target, options.force);
        let kept = kept.map_err(|error| not_written(target, &error))?;
        print_line(format_args!("The shop is copied to {}.", kept.display()));
    } else {
        // The findings are defects of the shop itself: the copy does not replace an older backup.
        let kept = draft.keep_as(&beside(target, ".unproven"), true);
        let kept = kept.map_err(|error| not_written(target, &error))?;
        print_line(format_args!("The copy is kept as {}.", kept.display()));
    }
    report(&proof)
}

fn report(proof: &Proof) -> Result<(), CliError> {
    let damage = match proof {
        Proof::Books(audit) => return verify::report(audit),
        Proof::File { damage } => damage,
    };
    damage.iter().for_each(print_line);
    if damage.is_empty() {
        print_line(
            "The file is whole. Its books were not looked at: the database is not of this version \
             of tradepost.",
        );
        return Ok(());
    }
    Err(CliError::Failed("The database is damaged.".to_owned()))
}

fn by_pg_dump(config: &Config, target: &Path) -> CliError {
    // Quoted, so that a shell parses it as one word.
    let file = target.to_string_lossy().replace('\'', "'\\''");
    CliError::Usage(format!(
        "The shop is kept by PostgreSQL, which copies it itself: \
         pg_dump --format=custom --file='{file}' --dbname='{}', with the password in PGPASSWORD.",
        config.database
    ))
}

/// Preflight check: finds obstacles before anything is copied.
fn preflight(database: &Path, options: &Backup) -> Result<(), CliError> {
    let target = &options.file;
    let failed = |why: &str| Err(CliError::Failed(format!("{} {why}", target.display())));
    let the_same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    let own = ["", "-wal", "-shm", "-journal"].map(|end| beside(database, end));
    match fs::metadata(target) {
        Ok(there) if there.is_dir() => {
            return failed("is a folder. Name the file that the copy is to be.");
        }
        Ok(there) => {
            for path in own {
                if fs::metadata(path).is_ok_and(|own| the_same(own, there.clone())) {
                    return failed("is the shop's database itself. Name another file.");
                }
            }
            if !options.force {
                return failed("is there already. Name another file, or replace it with --force.");
            }
        }
        // A dangling symbolic link exists as well.
        Err(_) if target.symlink_metadata().is_ok() && !options.force => {
            return failed("is there already. Name another file, or replace it with --force.");
        }
        Err(_) => {}
    }
    // SQLite would take such a file for the copy's own, and apply it to the copy.
    for end in ["-wal", "-shm", "-journal"] {
        let log = beside(target, end);
        if log.symlink_metadata().is_ok() {
            let log = log.display();
            return failed(&format!(
                "cannot be used: {log} belongs to another database."
            ));
        }
    }
    Ok(())
}

/// The path with a suffix appended to its file name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    PathBuf::from(name)
}

fn folder(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn not_written(target: &Path, why: &io::Error) -> CliError {
    let target = target.display();
    CliError::Failed(match why.kind() {
        ErrorKind::NotFound => {
            format!("The copy {target} cannot be written: its folder is not there.")
        }
        ErrorKind::AlreadyExists => {
            format!("{target} is there already. Name another file, or replace it with --force.")
        }
        _ => format!("The copy {target} cannot be written: {why}."),
    })
}

fn not_copied(target: &Path, error: BackupError) -> CliError {
    match error {
        BackupError::Open(error) => error.into(),
        error => CliError::Failed(format!(
            "The copy {} cannot be made: {error}.",
            target.display()
        )),
    }
}

/// A backup in progress, under a temporary name beside its target: a file that has the target's
/// name is always a complete copy.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn new(target: &Path) -> Result<Self, CliError> {
        let now = SystemClock.now().timestamp_micros();
        let path = beside(target, &format!(".{now}.partial"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let made = options.open(&path);
        made.map_err(|error| not_written(target, &error))?;
        Ok(Self { path })
    }

    /// Syncs file and folder to disk, so that the copy survives a power failure.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Renames the draft to its target; an existing file of that name stays unless `replace` is
    /// set.
    fn keep_as(&mut self, name: &Path, replace: bool) -> io::Result<PathBuf> {
        if !replace {
            // Claims the name; fails if another process claimed it first.
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(name)?;
        }
        fs::rename(&self.path, name).inspect_err(|_| {
            if !replace {
                // The claimed file is still empty.
                let _ = fs::remove_file(name);
            }
        })?;
        File::open(folder(name))?.sync_all()?;
        Ok(name.to_owned())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The file is gone if it was kept; SQLite may have left a journal of it.
        for end in ["", "-journal", "-wal", "-shm"] {
            let _ = fs::remove_file(beside(&self.path, end));
        }
    }
}
