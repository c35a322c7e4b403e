//! Tests with database files that are deleted, replaced or truncated under an open database.

use super::files::{beside, checkpoint};
use super::tests::Folder;
use super::*;
use diesel::RunQueryDsl;
use std::fs;
use std::time::Instant;

/// Longer than any of these tests takes.
const NEVER: Duration = Duration::from_secs(60);

struct Shop {
    folder: Folder,
    database: Option<Database>,
}

impl Shop {
    fn new() -> Self {
        let folder = Folder::new();
        let database = folder.shop();
        folder
            .conn()
            .batch_execute("CREATE TABLE probe (value INTEGER UNIQUE) STRICT")
            .unwrap();
        Self {
            folder,
            database: Some(database),
        }
    }

    /// With two values, of which the second is only in the log.
    fn with_values() -> Self {
        let shop = Self::new();
        shop.write(1).unwrap();
        checkpoint(&mut shop.folder.conn(), "TRUNCATE").unwrap();
        shop.write(2).unwrap();
        shop
    }

    fn database(&self) -> &Database {
        self.database.as_ref().unwrap()
    }

    fn path(&self, end: &str) -> PathBuf {
        beside(&self.folder.path(), end)
    }

    fn write(&self, value: i64) -> Result<(), StoreErrorKind> {
        self.write_and(value, || ())
    }

    /// Runs something between a write and its commit.
    fn write_and(
        &self,
        value: i64,
        then: impl Fn() + Send + 'static,
    ) -> Result<(), StoreErrorKind> {
        let written = self.database().write(move |conn| {
            diesel::sql_query(format!("INSERT INTO probe VALUES ({value})")).execute(conn)?;
            then();
            Ok(())
        });
        written.map_err(|error| error.kind().clone())
    }

    fn values(conn: &mut Conn) -> QueryResult<Vec<String>> {
        let sql = "SELECT CAST(value AS TEXT) AS value FROM probe ORDER BY probe.value";
        connect::all_words(conn, sql)
    }

    /// The values that the next start finds. After a loss the connection is never closed, as if the
    /// process had been killed.
    fn values_after_a_loss(&mut self) -> Vec<String> {
        assert!(self.database().files.loss().is_some());
        drop(self.database.take());
        Self::values(&mut self.folder.conn()).unwrap()
    }

    fn wait_for_loss(&self) {
        let start = Instant::now();
        while self.database().files.loss().is_none() {
            assert!(start.elapsed() < NEVER, "not noticed");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn replace_by_copy(path: &Path) {
    let copy = beside(path, ".copy");
    fs::copy(path, &copy).unwrap();
    fs::rename(&copy, path).unwrap();
}

fn cut(path: &Path, length: impl FnOnce(u64) -> u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    let length = length(file.metadata().unwrap().len());
    file.set_len(length).unwrap();
}

type Attack = (&'static str, fn(&Path));

/// Ways to damage the files of a database at a path.
const ATTACKS: [Attack; 13] = [
    ("database deleted", |path| fs::remove_file(path).unwrap()),
    ("database moved", |path| {
        fs::rename(path, beside(path, ".moved")).unwrap();
    }),
    ("database replaced by a copy of itself", replace_by_copy),
    ("database replaced by a link", |path| {
        let copy = beside(path, ".copy");
        fs::copy(path, &copy).unwrap();
        fs::remove_file(path).unwrap();
        std::os::unix::fs::symlink(copy, path).unwrap();
    }),
    ("database replaced by a folder", |path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("database emptied", |path| cut(path, |_| 0)),
    ("database overwritten by a shorter one", |path| {
        cut(path, |length| length / 2);
    }),
    ("log deleted", |path| {
        fs::remove_file(beside(path, "-wal")).unwrap();
    }),
    ("log replaced by a copy of itself", |path| {
        replace_by_copy(&beside(path, "-wal"));
    }),
    ("shared memory deleted", |path| {
        fs::remove_file(beside(path, "-shm")).unwrap();
    }),
    ("log emptied", |path| cut(&beside(path, "-wal"), |_| 0)),
    ("log cut in half", |path| {
        cut(&beside(path, "-wal"), |length| length / 2);
    }),
    ("log without its last byte", |path| {
        cut(&beside(path, "-wal"), |length| length - 1);
    }),
];

#[test]
fn writes_after_an_attack_on_the_files_are_refused() {
    for (name, attack) in ATTACKS {
        let shop = Shop::with_values();
        attack(&shop.folder.path());
        let refused = Err(StoreErrorKind::Unavailable);
        assert_eq!(shop.write(3), refused, "{name}");
        assert_eq!(shop.write(4), refused, "{name}");
        let database = shop.database();
        assert!(database.check_schema().is_err(), "{name}");
        assert!(database.read(|_| Ok(())).is_err(), "{name}");
    }
}

#[test]
fn a_commit_into_files_that_were_attacked_meanwhile_is_not_acknowledged() {
    for (name, attack) in ATTACKS {
        let shop = Shop::with_values();
        let path = shop.folder.path();
        let written = shop.write_and(3, move || attack(&path));
        assert_eq!(written, Err(StoreErrorKind::OutcomeUnknown), "{name}");
        assert_eq!(shop.write(4), Err(StoreErrorKind::Unavailable), "{name}");
    }
}

#[test]
fn an_attack_is_noticed_without_a_write() {
    for (name, attack) in ATTACKS {
        let shop = Shop::with_values();
        attack(&shop.folder.path());
        shop.wait_for_loss();
        assert!(shop.database().check_schema().is_err(), "{name}");
    }
}

#[test]
fn a_folder_that_was_renamed_is_a_loss() {
    let shop = Shop::with_values();
    let folder = shop.folder.path().parent().unwrap().to_owned();
    let elsewhere = beside(&folder, ".elsewhere");
    fs::rename(&folder, &elsewhere).unwrap();
    assert_eq!(shop.write(3), Err(StoreErrorKind::Unavailable));
    fs::rename(&elsewhere, &folder).unwrap();
}

#[test]
fn files_that_came_back_before_a_check_are_no_loss_and_later_ones_are() {
    let mut shop = Shop::with_values();
    let (path, away) = (shop.folder.path(), shop.path(".away"));
    let [here, there] = [path.clone(), away.clone()];
    // The idle check may run at this moment, but not in the middle of a write.
    let written = shop.write_and(3, move || {
        fs::rename(&here, &there).unwrap();
        fs::rename(&there, &here).unwrap();
    });
    assert_eq!(written, Ok(()));
    fs::rename(&path, &away).unwrap();
    assert_eq!(shop.write(4), Err(StoreErrorKind::Unavailable));
    fs::rename(&away, &path).unwrap();
    assert_eq!(shop.write(5), Err(StoreErrorKind::Unavailable), "it stays");
    assert_eq!(shop.values_after_a_loss(), ["1", "2", "3"]);
    let next = shop.folder.open("USD").unwrap();
    assert!(next.check_schema().is_ok(), "the next start is well");
}

#[test]
fn a_link_to_the_database_may_not_lead_elsewhere() {
    let shop = Shop::with_values();
    drop(shop.database);
    let link = beside(&shop.folder.path(), ".link");
    std::os::unix::fs::symlink(shop.folder.path(), &link).unwrap();
    let database = Database::open(&link, &super::tests::options("USD")).unwrap();
    assert!(database.check_schema().is_ok());
    let other = beside(&shop.folder.path(), ".other");
    fs::copy(shop.folder.path(), &other).unwrap();
    let swap = beside(&link, ".swap");
    std::os::unix::fs::symlink(&other, &swap).unwrap();
    fs::rename(swap, &link).unwrap();
    assert!(database.check_schema().is_err());
}

#[test]
fn acknowledged_writes_survive_the_deletion_of_the_log() {
    let mut shop = Shop::with_values();
    fs::remove_file(shop.path("-wal")).unwrap();
    assert!(shop.write(3).is_err());
    assert_eq!(shop.values_after_a_loss(), ["1", "2"]);
}

#[test]
fn acknowledged_writes_survive_the_deletion_of_the_database() {
    let mut shop = Shop::with_values();
    let path = shop.folder.path();
    fs::remove_file(&path).unwrap();
    assert!(shop.write(3).is_err());
    // Joins the writer.
    drop(shop.database.take());
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    let rescued: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|file| file.to_string_lossy().contains(".rescued-"))
        .collect();
    let [rescued] = &rescued[..] else {
        panic!("{rescued:?}")
    };
    let mut conn = connect::read_only(connect::name(rescued).unwrap()).unwrap();
    assert_eq!(Shop::values(&mut conn).unwrap(), ["1", "2"]);
}

/// The server may be killed while it makes a copy, and the operator moves the copy to the path of
/// the database.
#[test]
fn a_salvaged_copy_is_complete_once_it_has_its_name() {
    let mut shop = Shop::with_values();
    let filler = "CREATE TABLE filler (value BLOB) STRICT;
        INSERT INTO filler SELECT zeroblob(1000000) FROM (VALUES (1), (2), (3), (4), (5), (6), (7))";
    shop.database()
        .write(move |conn| Ok(conn.batch_execute(filler)?))
        .unwrap();
    let path = shop.folder.path();
    fs::remove_file(&path).unwrap();
    assert!(shop.write(3).is_err());
    let named = || {
        let mut files = fs::read_dir(path.parent().unwrap()).unwrap();
        files.find_map(|file| {
            let file = file.unwrap().path();
            file.to_string_lossy().contains(".rescued-").then_some(file)
        })
    };
    let until = Instant::now() + NEVER;
    let rescued = loop {
        if let Some(rescued) = named() {
            break rescued;
        }
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_micros(100));
    };
    let mut conn = connect::read_only(connect::name(&rescued).unwrap()).unwrap();
    assert_eq!(Shop::values(&mut conn).unwrap(), ["1", "2"]);
    drop(shop.database.take());
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names = files.map(|file| file.unwrap().file_name());
    assert!(!names.any(|name| name.to_string_lossy().contains(".rescuing-")));
}

#[test]
fn the_log_of_a_replacement_database_is_not_deleted() {
    let mut shop = Shop::with_values();
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(shop.path(end)).unwrap();
    }
    shop.wait_for_loss();
    let successor = shop.folder.shop();
    let probe = "CREATE TABLE probe (value INTEGER UNIQUE) STRICT";
    successor
        .write(move |conn| Ok(conn.batch_execute(probe)?))
        .unwrap();
    drop(shop.database.take());
    assert!(shop.path("-wal").exists());
    assert!(successor.check_schema().is_ok());
}

#[test]
fn a_new_reader_refuses_another_file() {
    let shop = Shop::with_values();
    let files = &shop.database().files;
    let readers = || connect::readers(&shop.folder.path(), &super::tests::options("USD"), files);
    assert!(readers().is_ok());
    replace_by_copy(&shop.folder.path());
    assert!(readers().is_err());
}

#[test]
fn other_processes_that_write_or_checkpoint_are_no_loss() {
    let shop = Shop::with_values();
    let other = shop.folder.open("USD").unwrap();
    let mut outside = shop.folder.conn();
    for round in 0..30 {
        let value = 10 * (round + 1);
        shop.write(value).unwrap();
        for mode in ["PASSIVE", "FULL", "RESTART", "TRUNCATE"] {
            checkpoint(&mut outside, mode).unwrap();
            let insert = "INSERT INTO probe SELECT max(value) + 1 FROM probe";
            other
                .write(move |conn| Ok(conn.batch_execute(insert)?))
                .unwrap();
        }
        outside.batch_execute("VACUUM").unwrap();
    }
    // The file shrinks with its content.
    let grow = "CREATE TABLE bulk AS SELECT zeroblob(100000) AS zeros; PRAGMA wal_checkpoint(FULL)";
    outside.batch_execute(grow).unwrap();
    shop.write(900).unwrap();
    outside.batch_execute("DROP TABLE bulk; VACUUM").unwrap();
    checkpoint(&mut outside, "TRUNCATE").unwrap();
    assert_eq!(shop.write(901), Ok(()));
    drop(other);
    assert!(shop.database().check_schema().is_ok());
    assert_eq!(shop.write(1_000), Ok(()));
}
