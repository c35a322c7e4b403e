//! Streaming parser of dump files: a JSON list as dumpdata writes it, JSON Lines (`--format
//! jsonl`), several of them in one file, and surrounding text that a program printed.

use crate::row::{Row, name, printable};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use std::fmt;
use std::io::{self, BufReader, Read};

/// Text in a file outside the JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outside {
    /// The number of lines.
    pub lines: u64,
    /// The beginning of the first line.
    pub first: String,
}

/// The error of a stream that cannot be read.
#[derive(Debug)]
pub(crate) enum StreamError {
    /// The file is not a dump, or is damaged.
    NotADump(String),
    Unreadable(io::Error),
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

/// Passes each row of a dump to `take`.
pub(crate) fn each(file: impl Read, mut take: impl FnMut(Row)) -> Result<Outside, StreamError> {
    let mut scan = Scan::new(BufReader::with_capacity(1 << 16, file));
    let mut outside = Outside::default();
    let mut found = false;
    let mut an_object = false;
    loop {
        match scan.next()? {
            Next::End => break,
            Next::List => {
                found = true;
                let mut json = serde_json::Deserializer::from_reader(&mut scan);
                let read = json.deserialize_seq(Each(&mut take));
                read.map_err(|error| scan.refuse(error))?;
            }
            Next::Row => {
                found = true;
                let mut json = serde_json::Deserializer::from_reader(&mut scan);
                match Row::deserialize(&mut json) {
                    Ok(row) => take(shown(row)),
                    Err(error) => return Err(scan.refuse(error)),
                }
            }
            Next::Text(line) => {
                an_object |= outside.lines == 0 && line.trim_start().starts_with('{');
                if outside.lines == 0 {
                    outside.first = printable(line.trim());
                }
                outside.lines = outside.lines.saturating_add(1);
            }
        }
    }
    if found {
        return Ok(outside);
    }
    Err(StreamError::NotADump(if outside.lines == 0 {
        "EOF, it is empty".to_owned()
    } else if an_object {
        "invalid type: map, expected a list of rows, each with model, pk and fields".to_owned()
    } else {
        format!(
            "there is no list of rows in it, and it begins with {:?}",
            outside.first
        )
    }))
}

/// The row, with its model's name made safe for a terminal.
fn shown(mut row: Row) -> Row {
    if row.model.chars().count() > 100 || row.model.chars().any(char::is_control) {
        row.model = name(&row.model);
    }
    row
}

struct Each<'a, F>(&'a mut F);

impl<'de, F: FnMut(Row)> Visitor<'de> for Each<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows, each with model, pk and fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element::<Row>()? {
            (self.0)(shown(row));
        }
        Ok(())
    }
}

/// The next item in a file.
enum Next {
    /// A list of rows, or an empty one.
    List,
    /// One row, as in JSON Lines.
    Row,
    /// A line, or the rest of one, that is neither.
    Text(String),
    End,
}

/// The keys of a row's object, one of which comes first.
const ROW_KEYS: [&[u8]; 3] = [b"\"model\"", b"\"pk\"", b"\"fields\""];

/// A reader with lookahead that tracks line and column.
struct Scan<R> {
    file: R,
    /// Pushed-back bytes, the next one last.
    back: Vec<u8>,
    line: usize,
    column: usize,
    /// The position at which the current JSON begins.
    start: (usize, usize),
}

impl<R: Read> Scan<R> {
    /// How many bytes of a line outside the JSON are kept.
    const KEPT: usize = 400;
    /// The maximum of white space between a bracket and the text that distinguishes a dump from a
    /// log line.
    const AHEAD: usize = 1_000;

    fn new(file: R) -> Self {
        Self {
            file,
            back: Vec::new(),
            line: 1,
            column: 0,
            start: (1, 0),
        }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        let count = self.read(&mut byte)?;
        let [byte] = byte;
        Ok((count > 0).then_some(byte))
    }

    fn next(&mut self) -> io::Result<Next> {
        let mut text = Vec::new();
        loop {
            let before = (self.line, self.column);
            let Some(byte) = self.byte()? else {
                break;
            };
            let blank = text.is_empty();
            let is_json = match byte {
                b'[' => self.looks_at(|ahead| match ahead.first() {
                    Some(b'{') => true,
                    // An empty list in the middle of a line does not belong to a dump.
                    Some(b']') => blank,
                    _ => false,
                })?,
                b'{' if blank => self.looks_at(is_row)?,
                _ => false,
            };
            if is_json {
                self.release(byte, before);
                self.start = before;
                return Ok(match byte {
                    _ if !blank => Next::Text(lossy(&text)),
                    b'[' => Next::List,
                    _ => Next::Row,
                });
            }
            if byte == b'\n' && !blank {
                return Ok(Next::Text(lossy(&text)));
            }
            if text.len() < Self::KEPT && !(blank && byte.is_ascii_whitespace()) {
                text.push(byte);
            }
        }
        Ok(match text.is_empty() {
            true => Next::End,
            false => Next::Text(lossy(&text)),
        })
    }

    /// Whether the next bytes, after white space, are as expected. Consumes nothing.
    fn looks_at(&mut self, expected: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
        let place = (self.line, self.column);
        let mut read = Vec::new();
        let mut ahead = Vec::new();
        while ahead.len() < 10 && read.len() < Self::AHEAD {
            let Some(byte) = self.byte()? else {
                break;
            };
            read.push(byte);
            if !(ahead.is_empty() && byte.is_ascii_whitespace()) {
                ahead.push(byte);
            }
        }
        self.back.extend(read.into_iter().rev());
        (self.line, self.column) = place;
        Ok(expected(&ahead))
    }

    fn release(&mut self, byte: u8, place: (usize, usize)) {
        self.back.push(byte);
        (self.line, self.column) = place;
    }

    /// The error with its position in the file, not in the JSON.
    fn refuse(&self, error: serde_json::Error) -> StreamError {
        if error.is_io() {
            return StreamError::Unreadable(error.into());
        }
        let text = error.to_string();
        let what = text.rfind(" at line ").and_then(|at| text.get(..at));
        let (line, column) = match (error.line(), error.column()) {
            (0 | 1, column) => (self.start.0, self.start.1.saturating_add(column)),
            (line, column) => (self.start.0.saturating_add(line - 1), column),
        };
        StreamError::NotADump(format!(
            "{} at line {line} column {column}",
            what.unwrap_or(&text)
        ))
    }
}

fn is_row(ahead: &[u8]) -> bool {
    ROW_KEYS.iter().any(|key| ahead.starts_with(key))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl<R: Read> Read for Scan<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = match (self.back.pop(), into.first_mut()) {
            (Some(byte), Some(first)) => {
                *first = byte;
                1
            }
            _ => self.file.read(into)?,
        };
        for byte in into.iter().take(count) {
            if *byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.column = 0;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        Ok(count)
    }
}
