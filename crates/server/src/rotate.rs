//! A log file that stays small: when it is full it is put aside, and a few of those are kept.

use crate::exposed;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// When to put the file aside, and how many to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    /// Bytes in one file.
    pub(crate) bytes: u64,
    /// Files besides the one that is written.
    pub(crate) kept: u32,
}

impl Rotation {
    /// 60 MiB in all: weeks of a small shop, and no danger to its disk.
    pub(crate) const LOG: Self = Self {
        bytes: 10 * 1024 * 1024,
        kept: 5,
    };
}

/// The file, and `PATH.1` (the latest) to `PATH.5` beside it. Several processes may write it.
#[derive(Debug)]
pub(crate) struct RotatingFile {
    path: PathBuf,
    file: File,
    /// Whether it is ever put aside.
    rotates: bool,
    /// From where on its bytes count: it could not be put aside when it was as long as this.
    tried_at: u64,
    rotation: Rotation,
}

impl RotatingFile {
    /// Goes on with the file, or makes it. Only a regular file is ever put aside: a device belongs
    /// to the system, and what a link leads to belongs to whoever made the link.
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
            rotation,
        })
    }

    /// Opens the path again: what it leads to may have been moved.
    ///
    /// # Errors
    /// If it cannot be written; the file from before is written on.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        *self = Self::open(&self.path, self.rotation)?;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    /// Sees to it that the file is the one at the path, and that there is room in it for a line.
    fn make_room(&mut self, line: &[u8]) -> io::Result<()> {
        let Some(now) = self.still_there()? else {
            // Another process has put it aside, or somebody has taken it away.
            self.file = append_to(&self.path)?;
            self.tried_at = 0;
            return Ok(());
        };
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        let counted = now.len().saturating_sub(self.tried_at);
        // Who does not get the lock leaves it to the process that has it.
        if counted > 0
            && counted.saturating_add(length) > self.rotation.bytes
            && self.file.try_lock().is_ok()
        {
            if self.still_there()?.is_some() && self.rotate().is_err() {
                // What cannot be put aside grows, and is tried again after as much again.
                self.tried_at = now.len();
                self.file.unlock()?;
            } else {
                self.file = append_to(&self.path)?;
                self.tried_at = 0;
            }
        }
        Ok(())
    }

    /// What is at the path, if that is the file that is open.
    fn still_there(&self) -> io::Result<Option<Metadata>> {
        let open = self.file.metadata()?;
        match fs::symlink_metadata(&self.path) {
            Ok(now) => Ok(Some(now).filter(|now| identity(now) == identity(&open))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Puts the file aside, and an empty one in its place.
    fn rotate(&self) -> io::Result<()> {
        // The new file comes first: if there is no room for it, nothing has been moved yet.
        let fresh = self.numbered(0);
        append_to(&fresh)?;
        for number in (1..self.rotation.kept).rev() {
            // There may not be that many yet.
            let _ = fs::rename(self.numbered(number), self.numbered(number + 1));
        }
        let latest = self.numbered(1);
        let _ = fs::remove_file(&latest);
        // There is a file at the path all the time, or another process would make one of its own.
        // Not every file system has links.
        fs::hard_link(&self.path, &latest).or_else(|_| fs::rename(&self.path, latest))?;
        fs::rename(fresh, &self.path)
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Readable for the group, which may collect logs, and for nobody else: it has names in it.
fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o640)
        .custom_flags(exposed::open_flags(path))
        .open(path)
}

impl Write for RotatingFile {
    /// Writes a line, in whole, into one file.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.rotates {
            self.make_room(line)?;
        }
        self.file.write_all(line)?;
        Ok(line.len())
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
    fn a_full_file_is_put_aside_and_the_oldest_goes() {
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
    fn a_file_from_before_is_gone_on_with() {
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
    fn what_cannot_be_put_aside_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = RotatingFile::open(&path, SMALL).unwrap();
        // A folder is in the way of the new file.
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
    fn nobody_else_may_read_it() {
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
    fn only_a_regular_file_is_put_aside() {
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
        // What is no link either. Made without a right that a test has not.
        assert!(
            !RotatingFile::open(Path::new("/dev/null"), SMALL)
                .unwrap()
                .rotates
        );
    }

    #[test]
    fn two_that_write_one_file_go_by_its_size_and_not_by_their_own_count() {
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
    fn two_that_put_it_aside_at_once_lose_nothing() {
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
    fn a_file_that_was_taken_away_is_made_again() {
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
