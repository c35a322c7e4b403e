//! A bound on the bytes of a row: a quotation mark without its end would make one row of the rest of
//! the file.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// Maximum bytes of a row: several descriptions of maximum length, in any script.
pub(crate) const MAX_ROW: u64 = 1 << 20;

/// Bytes read since the last row.
pub(crate) type RowBytes = Rc<Cell<u64>>;

/// A reader that ends with an error once a row is too long.
pub(crate) struct Bounded<R> {
    file: R,
    bytes: RowBytes,
}

impl<R> Bounded<R> {
    pub(crate) fn new(file: R) -> (Self, RowBytes) {
        let bytes = RowBytes::default();
        let own = Rc::clone(&bytes);
        (Self { file, bytes: own }, bytes)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.bytes.get() > MAX_ROW {
            let why = format!("a row is longer than {MAX_ROW} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let read = self.file.read(into)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        Ok(read)
    }
}
