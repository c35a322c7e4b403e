//! The source of a dump.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A dump that can be read more than once, as reading takes two passes.
pub trait Source {
    /// Opens the dump, from its first byte.
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
