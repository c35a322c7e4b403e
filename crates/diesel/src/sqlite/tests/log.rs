//! Length of the write-ahead log.

use super::super::checkpoint::WriteAheadLog;
use super::super::writer::Writer;
use super::*;
use std::fs;
use std::sync::atomic::AtomicBool;

/// In bytes: some writes of [`write_much`].
const MAX: u64 = 1024 * 1024;

fn length(folder: &Folder) -> u64 {
    let mut log = folder.path().into_os_string();
    log.push("-wal");
    fs::metadata(log).unwrap().len()
}

fn write_much(writer: &Writer) {
    let write = |conn: &mut Conn| {
        conn.batch_execute("UPDATE ballast SET value = randomblob(200000)")?;
        Ok(())
    };
    writer.write(write).unwrap();
}

/// A writer of a database with a large row, and a read connection.
fn writer(folder: &Folder) -> (Writer, Conn) {
    writer_with_limit(folder, MAX)
}

fn writer_with_limit(folder: &Folder, max: u64) -> (Writer, Conn) {
    folder.migrate();
    let mut conn = folder.conn();
    conn.batch_execute("CREATE TABLE ballast (value BLOB); INSERT INTO ballast VALUES (NULL)")
        .unwrap();
    let log = WriteAheadLog::of(&folder.path(), max, Duration::from_millis(100));
    let before = FileId::at(&folder.path()).unwrap();
    let files = Arc::new(DatabaseFiles::opened(&folder.path(), before, &mut conn).unwrap());
    (Writer::start(conn, files, log).unwrap(), folder.conn())
}

/// Reads, and keeps its snapshot.
fn begin(reader: &mut Conn) {
    reader
        .batch_execute("BEGIN; SELECT count(*) FROM ballast")
        .unwrap();
}

#[test]
fn a_long_log_is_emptied_when_its_reader_has_gone_and_nothing_is_written() {
    let folder = Folder::new();
    let (writer, mut reader) = writer(&folder);
    begin(&mut reader);
    while length(&folder) < 2 * MAX {
        write_much(&writer);
    }
    reader.batch_execute("COMMIT").unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while length(&folder) > MAX {
        assert!(Instant::now() < until, "{} bytes", length(&folder));
        std::thread::sleep(Duration::from_millis(10));
    }
    // The connection's busy timeout is restored.
    let timeout = |conn: &mut Conn| Ok(connect::number(conn, BUSY_TIMEOUT)?);
    assert_eq!(writer.write(timeout).unwrap(), 100);
}

const BUSY_TIMEOUT: &str = "SELECT timeout AS value FROM pragma_busy_timeout";

/// While readers overlap, SQLite never restarts the log.
#[test]
fn a_long_log_is_emptied_beside_readers_that_overlap() {
    let folder = Folder::new();
    let (writer, first) = writer(&folder);
    let mut readers = [first, folder.conn()];
    let enough = Arc::new(AtomicBool::new(false));
    begin(&mut readers[0]);
    let read_on = Arc::clone(&enough);
    let reading = std::thread::spawn(move || {
        let mut turn = 0;
        while !read_on.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(5));
            // The next read begins before this one ends.
            begin(&mut readers[(turn + 1) % 2]);
            readers[turn % 2].batch_execute("COMMIT").unwrap();
            turn += 1;
        }
    });
    let until = Instant::now() + Duration::from_secs(60);
    let mut before = length(&folder);
    loop {
        write_much(&writer);
        let now = length(&folder);
        if now < before {
            break;
        }
        assert!(Instant::now() < until, "{now} bytes");
        before = now;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(before > MAX);
    enough.store(true, Ordering::Relaxed);
    reading.join().unwrap();
}

/// Checkpoints alone bound the log where it can restart: nothing truncates it here.
#[test]
fn a_long_log_is_checkpointed_and_restarts_without_readers() {
    let folder = Folder::new();
    let (writer, reader) = writer_with_limit(&folder, u64::MAX);
    drop(reader);
    // 4,000 frames of 4 KB and one write are 17 MB; these are 40.
    (0..200).for_each(|_| write_much(&writer));
    assert!(length(&folder) < 20_000_000, "{} bytes", length(&folder));
}
