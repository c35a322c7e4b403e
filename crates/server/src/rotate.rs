//! A log file that stays small: when it is full it is put aside, and a few of those are kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
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

/// The file, and `PATH.1` (the latest) to `PATH.5` beside it.
#[derive(Debug)]
pub(crate) struct RotatingFile {
    path: PathBuf,
    file: File,
    written: u64,
    rotation: Rotation,
}

impl RotatingFile {
    /// Goes on with the file, or makes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn open(path: &Path, rotation: Rotation) -> io::Result<Self> {
        let file = append_to(path)?;
        Ok(Self {
            path: path.to_owned(),
            written: file.metadata()?.len(),
            file,
            rotation,
        })
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    fn rotate(&mut self) -> io::Result<()> {
        // The new file comes first: if there is no room for it, nothing has been moved yet.
        let fresh = self.numbered(0);
        let file = append_to(&fresh)?;
        for number in (1..self.rotation.kept).rev() {
            // There may not be that many yet.
            let _ = fs::rename(self.numbered(number), self.numbered(number + 1));
        }
        fs::rename(&self.path, self.numbered(1))?;
        fs::rename(fresh, &self.path)?;
        self.file = file;
        Ok(())
    }
}

/// Readable for the group, which may collect logs, and for nobody else: it has names in it.
fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o640)
        .open(path)
}

impl Write for RotatingFile {
    /// Writes a line, in whole, into one file.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.written > 0 && self.written.saturating_add(length) > self.rotation.bytes {
            // What cannot be put aside grows, and is tried again after as much again.
            let _ = self.rotate();
            self.written = 0;
        }
        self.file.write_all(line)?;
        self.written = self.written.saturating_add(length);
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
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["log", "log.1", "log.2"]);
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
}
