//! Numbers of lines: the CSV reader counts the second half of CRLF with the next row.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

/// Lines that are not empty, with the offset of their first byte.
#[derive(Default)]
struct Starts {
    lines: VecDeque<(u64, u64)>,
    offset: u64,
    line: u64,
    /// Whether a byte of this line is still expected.
    is_new: bool,
}

/// Finds the line of an offset.
#[derive(Clone)]
pub(crate) struct Lines(Rc<RefCell<Starts>>);

impl Lines {
    /// The first line that is not empty at this offset or behind it; the last line if there is none.
    /// Earlier lines are forgotten.
    pub(crate) fn at(&self, offset: u64) -> u64 {
        let mut starts = self.0.borrow_mut();
        while starts
            .lines
            .front()
            .is_some_and(|(start, _)| *start < offset)
        {
            starts.lines.pop_front();
        }
        let line = starts.line;
        starts.lines.front().map_or(line, |(_, line)| *line)
    }
}

/// A reader that notes where lines start.
pub(crate) struct Counted<R> {
    file: R,
    lines: Lines,
}

impl<R> Counted<R> {
    /// `first` is the number of the first line.
    pub(crate) fn new(file: R, first: u64) -> (Self, Lines) {
        let starts = Starts {
            line: first,
            is_new: true,
            ..Starts::default()
        };
        let lines = Lines(Rc::new(RefCell::new(starts)));
        let own = lines.clone();
        (Self { file, lines: own }, lines)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        let mut starts = self.lines.0.borrow_mut();
        for byte in into.get(..read).unwrap_or_default() {
            match byte {
                b'\n' => {
                    starts.line = starts.line.saturating_add(1);
                    starts.is_new = true;
                }
                b'\r' => {}
                _ if starts.is_new => {
                    starts.is_new = false;
                    let start = (starts.offset, starts.line);
                    starts.lines.push_back(start);
                }
                _ => {}
            }
            starts.offset = starts.offset.saturating_add(1);
        }
        Ok(read)
    }
}
