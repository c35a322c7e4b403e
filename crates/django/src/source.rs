//! Where a dump comes from.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A dump that can be read more than once: all rows are looked at before any is read.
pub trait Source {
    /// Its bytes, from the first on.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

impl Source for &[u8] {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(*self))
    }
}

impl Source for &Path {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(File::open(self)?))
    }
}
