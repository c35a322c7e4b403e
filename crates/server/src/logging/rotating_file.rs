//! Log rotation: a full log file is renamed, and a limited number of rotated files is kept.

use crate::system::symlinks;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Rotation settings: the maximum size, and the number of rotated files kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    /// The maximum size of a file in bytes.
    pub(crate) bytes: u64,
    /// The number of rotated files kept, besides the current one.
    pub(crate) kept: u32,
}

impl Rotation {
    /// 60 MiB in all: weeks of a small shop, without a risk of filling its disk.
    pub(crate) const LOG: Self = Self {
        bytes: 10 * 1024 * 1024,
        kept: 5,
    };
}

/// The current file, and `PATH.1` (the latest) to `PATH.5` beside it. Several processes may write
/// to it.
#[derive(Debug)]
pub(crate) struct RotatingFile {
    path: PathBuf,
    file: File,
    /// Whether the file is ever rotated.
    rotates: bool,
    /// The offset from which its bytes count: the length at which the last rotation failed.
    tried_at: u64,
    /// The file whose last line is incomplete, as its disk took no more.
    torn: Option<(u64, u64)>,
    rotation: Rotation,
}

impl RotatingFile {
    /// Opens the file for appending, or creates it. Only a regular file is ever rotated: a device
    /// belongs to the system, and the target of a link to the owner of the link.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let file = append_to(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            rotates: fs::symlink_metadata(path)?.is_file(),
            tried_at: 0,
            torn: None,
            rotation,
        })
    }

    /// Reopens the path, whose file may have been moved.
    ///
    /// # Errors
    /// If it cannot be opened; the previous file stays in use.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        let torn = self.torn;
        *self = Self::open(&self.path, self.rotation)?;
        self.torn = torn;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    /// Ensures that the open file is the one at the path, and that it has room for these lines. An
    /// incomplete line is completed before a rotation.
    fn make_room(&mut self, line: &[u8]) -> io::Result<()> {
        let Some(now) = self.still_there()? else {
            // The file was rotated by another process, or deleted.
            self.file = append_to(&self.path)?;
            self.tried_at = 0;
            return Ok(());
        };
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        let counted = now.len().saturating_sub(self.tried_at);
        // A process that does not get the lock leaves the rotation to the one that holds it.
        if counted > 0
            && self.torn.is_none()
            && counted.saturating_add(length) > self.rotation.bytes
            && self.file.try_lock().is_ok()
        {
            if self.still_there()?.is_some() && self.rotate().is_err() {
                // If the rotation fails, the file grows by another maximum size before the next
                // attempt.
                self.tried_at = now.len();
                self.file.unlock()?;
            } else {
                self.file = append_to(&self.path)?;
                self.tried_at = 0;
            }
        }
        Ok(())
    }

    /// The metadata of the file at the path, if it is the open file.
    fn still_there(&self) -> io::Result<Option<Metadata>> {
        let open = self.file.metadata()?;
        match fs::symlink_metadata(&self.path) {
            Ok(now) => Ok(Some(now).filter(|now| identity(now) == identity(&open))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Renames the file, and puts an empty one in its place.
    fn rotate(&self) -> io::Result<()> {
        // The new file is created first: if the disk has no room for it, nothing has been moved
        // yet.
        let fresh = self.numbered(0);
        append_to(&fresh)?;
        for number in (1..self.rotation.kept).rev() {
            // The file may not exist.
            let _ = fs::rename(self.numbered(number), self.numbered(number + 1));
        }
        let latest = self.numbered(1);
        let _ = fs::remove_file(&latest);
        // A file exists at the path at all times, or another process would create one of its own.
        // Not every file system has hard links.
        fs::hard_link(&self.path, &latest).or_else(|_| fs::rename(&self.path, latest))?;
        fs::rename(fresh, &self.path)
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Mode 0640: readable for the group, which may collect logs, and for no other user, as it contains
/// names.
fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o640)
        .custom_flags(symlinks::open_flags(path))
        .open(path)
}

impl Write for RotatingFile {
    /// Writes whole lines to one file, or the beginning of them if the disk takes no more.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.rotates {
            self.make_room(lines)?;
        }
        if lines.is_empty() {
            return Ok(0);
        }
        if let Some(torn) = self.torn
            && torn != identity(&self.file.metadata()?)
        {
            // The beginning of this line is in a file that was moved or deleted.
            self.torn = None;
            let end = lines.iter().position(|byte| *byte == b'\n');
            return Ok(end.map_or(lines.len(), |end| end + 1));
        }
        let written = self.file.write(lines)?;
        let end = written.checked_sub(1).and_then(|last| lines.get(last));
        if let Some(end) = end {
            self.torn = match *end == b'\n' {
                true => None,
                false => Some(identity(&self.file.metadata()?)),
            };
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Rotation = Rotation { bytes: 10, kept: 2 };

    fn read(folder: &Path, name: &str) -> Option<String> {
        fs::read_to_string(folder.join(name)).ok()
    }

    fn write(file: &mut RotatingFile, lines: &[&str]) {
        for line in lines {
            file.write_all(line.as_bytes()).unwrap();
        }
    }

    #[test]
    fn a_full_file_is_rotated_and_the_oldest_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let path = folder.join("log");
        let mut file = RotatingFile::open(&path, SMALL).unwrap();
        write(&mut file, &["1234\n", "5678\n"]);
        assert_eq!(read(folder, "log").unwrap(), "1234\n5678\n");
        assert_eq!(read(folder, "log.1"), None);
        write(&mut file, &["two\n"]);
        assert_eq!(read(folder, "log").unwrap(), "two\n");
        assert_eq!(read(folder, "log.1").unwrap(), "1234\n5678\n");
        write(&mut file, &["3 3 3 3 3 3\n", "four\n"]);
        assert_eq!(read(folder, "log").unwrap(), "four\n");
        assert_eq!(read(folder, "log.1").unwrap(), "3 3 3 3 3 3\n");
        assert_eq!(read(folder, "log.2").unwrap(), "two\n");
        assert_eq!(names(folder), ["log", "log.1", "log.2"]);
    }

    #[test]
    fn an_existing_file_is_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        for line in ["one\n", "two\n", "three\n"] {
            let mut file = RotatingFile::open(&path, SMALL).unwrap();
            write(&mut file, &[line]);
        }
        assert_eq!(read(folder.path(), "log").unwrap(), "three\n");
        assert_eq!(read(folder.path(), "log.1").unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_file_that_cannot_be_rotated_is_written_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = RotatingFile::open(&path, SMALL).unwrap();
        // A folder that obstructs the new file.
        fs::create_dir(folder.path().join("log.0")).unwrap();
        write(&mut file, &["1234567\n", "89\n", "more\n"]);
        assert_eq!(read(folder.path(), "log").unwrap(), "1234567\n89\nmore\n");
        fs::remove_dir(folder.path().join("log.0")).unwrap();
        write(&mut file, &["12345678\n"]);
        assert_eq!(read(folder.path(), "log").unwrap(), "12345678\n");
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(RotatingFile::open(folder.path(), SMALL).is_err());
        assert!(RotatingFile::open(&folder.path().join("no/log"), SMALL).is_err());
    }

    #[test]
    fn the_log_is_not_readable_for_other_users() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        RotatingFile::open(&path, SMALL).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o007, 0);
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn only_a_regular_file_is_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("file"), "").unwrap();
        for (name, target) in [
            ("null", Path::new("/dev/null")),
            ("link", Path::new("file")),
        ] {
            std::os::unix::fs::symlink(target, folder.join(name)).unwrap();
            let mut file = RotatingFile::open(&folder.join(name), SMALL).unwrap();
            write(&mut file, &["12345678\n", "12345678\n"]);
            assert!(
                fs::symlink_metadata(folder.join(name))
                    .unwrap()
                    .is_symlink()
            );
        }
        assert_eq!(read(folder, "file").unwrap(), "12345678\n12345678\n");
        assert_eq!(names(folder), ["file", "link", "null"]);
        // A path that is not a link is returned unchanged. The test needs no special permissions.
        assert!(
            !RotatingFile::open(Path::new("/dev/null"), SMALL)
                .unwrap()
                .rotates
        );
    }

    #[test]
    fn two_writers_of_one_file_rotate_by_its_size_not_by_their_own_count() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let path = folder.join("log");
        let open = || RotatingFile::open(&path, SMALL).unwrap();
        let (mut one, mut two) = (open(), open());
        write(&mut one, &["1111\n"]);
        write(&mut two, &["2222\n"]);
        write(&mut one, &["1\n"]);
        write(&mut two, &["2\n"]);
        assert_eq!(read(folder, "log").unwrap(), "1\n2\n");
        assert_eq!(read(folder, "log.1").unwrap(), "1111\n2222\n");
        assert_eq!(names(folder), ["log", "log.1"]);
    }

    #[test]
    fn concurrent_rotations_lose_no_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let rotation = Rotation {
            bytes: 1_000,
            kept: 1_000,
        };
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let mut file = RotatingFile::open(path, rotation).unwrap();
                    for line in 0..500 {
                        file.write_all(format!("{writer} {line}\n").as_bytes())
                            .unwrap();
                    }
                });
            }
        });
        let names = names(folder.path());
        let lines = names
            .iter()
            .map(|name| read(folder.path(), name).unwrap().lines().count());
        assert_eq!(lines.sum::<usize>(), 2_000, "{names:?}");
        assert!(!names.contains(&"log.0".to_owned()), "{names:?}");
    }

    #[test]
    fn the_rest_of_a_line_does_not_begin_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let path = folder.join("log");
        let mut file = RotatingFile::open(&path, SMALL).unwrap();
        write(&mut file, &["12345678 begun"]);
        write(&mut file, &[", and finished\n", "two\n", "three"]);
        assert_eq!(
            read(folder, "log.1").unwrap(),
            "12345678 begun, and finished\n"
        );
        assert_eq!(read(folder, "log").unwrap(), "two\nthree");
        fs::remove_file(&path).unwrap();
        write(&mut file, &[", and finished\nfour\n", "fi"]);
        assert_eq!(read(folder, "log").unwrap(), "four\nfi");
        fs::rename(&path, folder.join("old")).unwrap();
        file.reopen().unwrap();
        assert_eq!(file.write(b"").unwrap(), 0);
        write(&mut file, &["ve\n", "six\n"]);
        assert_eq!(read(folder, "log").unwrap(), "six\n");
    }

    #[test]
    fn a_deleted_file_is_created_again() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let path = folder.join("log");
        let mut file = RotatingFile::open(&path, SMALL).unwrap();
        write(&mut file, &["one\n"]);
        fs::rename(&path, folder.join("old")).unwrap();
        write(&mut file, &["two\n"]);
        assert_eq!(read(folder, "log").unwrap(), "two\n");
    }
}
