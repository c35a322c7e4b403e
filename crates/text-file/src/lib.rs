//! Decoding of a file's bytes to UTF-8 while it is read: gzip, byte order marks and UTF-16. The
//! error of a file in another encoding names the encoding and the remedy.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use flate2::read::MultiGzDecoder;
use std::io::{self, BufReader, Chain, Cursor, Read};

/// The remedies that the errors name.
#[derive(Debug, Clone, Copy)]
pub struct Advice {
    /// For a compressed file: the end of a sentence.
    pub unpack: &'static str,
    /// For another encoding: one or more sentences, the last without its full stop. `{encoding}`
    /// stands for the name of the encoding.
    pub convert: &'static str,
}

/// The error of bytes that cannot be decoded, without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum NotText {
    #[error("it is compressed as {0}, which is not read here: {1}")]
    Compressed(&'static str, &'static str),
    #[error("it is UTF-32: save it as UTF-8")]
    Utf32,
    #[error("it is UTF-16, but byte {0} is no part of a character: the file is damaged")]
    BrokenUtf16(u64),
    #[error("line {line} is not UTF-8: it seems to be {encoding}. {convert}")]
    NotUtf8 {
        line: u64,
        encoding: &'static str,
        convert: String,
    },
}

impl From<NotText> for io::Error {
    fn from(error: NotText) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

type Peeked<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads the first bytes, and returns a reader that still has them.
fn peek<R: Read>(mut file: R) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut head = Vec::new();
    file.by_ref().take(8).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(file)))
}

/// Opens the text of a file, without its byte order mark.
///
/// # Errors
/// If the file cannot be read. An error of the kind [`io::ErrorKind::InvalidData`] says why the bytes
/// are no text, at the opening or later.
pub fn open<'a>(file: Box<dyn Read + 'a>, advice: Advice) -> io::Result<Box<dyn Read + 'a>> {
    let (head, file) = peek(file)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let (head, file) = peek(MultiGzDecoder::new(BufReader::new(file)))?;
        return decode(&head, Box::new(file), advice);
    }
    decode(&head, Box::new(file), advice)
}

const COMPRESSED: &[(&[u8], &str)] = &[
    (b"\x1f\x8b", "gzip twice"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x5d\x00\x00", "lzma"),
    (b"PK\x03\x04", "zip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
];

fn decode<'a>(
    head: &[u8],
    mut file: Box<dyn Read + 'a>,
    advice: Advice,
) -> io::Result<Box<dyn Read + 'a>> {
    if let Some((_, name)) = COMPRESSED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(NotText::Compressed(name, advice.unpack).into());
    }
    let mut skip = |bytes| io::copy(&mut file.by_ref().take(bytes), &mut io::sink());
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(NotText::Utf32.into()),
        [0xef, 0xbb, 0xbf, ..] => {
            skip(3)?;
            Ok(Box::new(Utf8::new(file, advice)))
        }
        [0xff, 0xfe, ..] => {
            skip(2)?;
            Ok(Box::new(Utf16::new(file, u16::from_le_bytes)))
        }
        [0xfe, 0xff, ..] => {
            skip(2)?;
            Ok(Box::new(Utf16::new(file, u16::from_be_bytes)))
        }
        // UTF-16 without a byte order mark: the first character of a dump or of a header is ASCII.
        [1..=255, 0, ..] => Ok(Box::new(Utf16::new(file, u16::from_le_bytes))),
        [0, 1..=255, ..] => Ok(Box::new(Utf16::new(file, u16::from_be_bytes))),
        _ => Ok(Box::new(Utf8::new(file, advice))),
    }
}

/// Decoded bytes that were not yet returned.
#[derive(Default)]
struct Ready {
    bytes: Vec<u8>,
    given: usize,
}

impl Ready {
    fn take(&mut self, into: &mut [u8]) -> usize {
        let rest = self.bytes.get(self.given..).unwrap_or_default();
        let count = rest.len().min(into.len());
        if let (Some(into), Some(rest)) = (into.get_mut(..count), rest.get(..count)) {
            into.copy_from_slice(rest);
        }
        self.given += count;
        count
    }

    fn is_empty(&self) -> bool {
        self.given >= self.bytes.len()
    }

    fn put(&mut self, bytes: Vec<u8>) {
        (self.bytes, self.given) = (bytes, 0);
    }
}

const CHUNK: u64 = 1 << 16;

fn chunk(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.by_ref().take(CHUNK).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Validates UTF-8 while passing it through.
struct Utf8<R> {
    file: R,
    ready: Ready,
    /// The beginning of a character that continues in the next chunk.
    begun: Vec<u8>,
    lines: u64,
    advice: Advice,
}

impl<R: Read> Utf8<R> {
    fn new(file: R, advice: Advice) -> Self {
        let (ready, begun) = Default::default();
        Self {
            file,
            ready,
            begun,
            lines: 1,
            advice,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let more = chunk(&mut self.file)?;
        let ended = more.is_empty();
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend(more);
        if let Err(error) = std::str::from_utf8(&bytes) {
            let valid = error.valid_up_to();
            if error.error_len().is_some() || ended {
                return Err(self.refuse(&bytes, valid)?.into());
            }
            self.begun = bytes.split_off(valid);
        }
        self.lines = self.lines.saturating_add(newlines(&bytes));
        self.ready.put(bytes);
        Ok(())
    }

    /// Guesses the encoding from these bytes and some of the following ones, for the error.
    fn refuse(&mut self, bytes: &[u8], valid: usize) -> io::Result<NotText> {
        let before = bytes.get(..valid).unwrap_or_default();
        let line = self.lines.saturating_add(newlines(before));
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, false);
        for _ in 0..16 {
            detector.feed(&chunk(&mut self.file)?, false);
        }
        detector.feed(&[], true);
        let encoding = detector.guess(None, Utf8Detection::Deny).name();
        let convert = self.advice.convert.replace("{encoding}", encoding);
        Ok(NotText::NotUtf8 {
            line,
            encoding,
            convert,
        })
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(lines).unwrap_or(u64::MAX)
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            self.refill()?;
            while self.ready.is_empty() && !self.begun.is_empty() {
                self.refill()?;
            }
        }
        Ok(self.ready.take(into))
    }
}

/// A decoder of UTF-16 to UTF-8.
struct Utf16<R> {
    file: R,
    unit: fn([u8; 2]) -> u16,
    ready: Ready,
    /// The first half of a surrogate pair, or of a code unit.
    begun: Vec<u8>,
    passed: u64,
}

impl<R: Read> Utf16<R> {
    fn new(file: R, unit: fn([u8; 2]) -> u16) -> Self {
        let (ready, begun) = Default::default();
        Self {
            file,
            unit,
            ready,
            begun,
            passed: 0,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        let more = chunk(&mut self.file)?;
        let ended = more.is_empty();
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend(more);
        let (pairs, odd) = bytes.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().map(|pair| (self.unit)(*pair)).collect();
        let mut rest = odd.to_vec();
        let half = pairs
            .last()
            .filter(|pair| (0xd800..0xdc00).contains(&(self.unit)(**pair)));
        if let Some(half) = half.filter(|_| !ended) {
            rest = [half.as_slice(), odd].concat();
            units.pop();
        }
        if ended && !rest.is_empty() {
            return Err(NotText::BrokenUtf16(self.passed).into());
        }
        let text = String::from_utf16(&units).map_err(|_| NotText::BrokenUtf16(self.passed))?;
        let taken = bytes.len().saturating_sub(rest.len());
        self.passed = self
            .passed
            .saturating_add(u64::try_from(taken).unwrap_or(0));
        self.begun = rest;
        self.ready.put(text.into_bytes());
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            self.refill()?;
            // A chunk may have ended in the middle of its only character.
            while self.ready.is_empty() && !self.begun.is_empty() {
                self.refill()?;
            }
        }
        Ok(self.ready.take(into))
    }
}

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use super::*;

    const ADVICE: Advice = Advice {
        unpack: "unpack it",
        convert: "Convert it from {encoding}",
    };

    fn refused(bytes: &[u8]) -> String {
        let mut text = String::new();
        let opened = open(Box::new(bytes), ADVICE);
        let read = opened.and_then(|mut file| file.read_to_string(&mut text));
        read.unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_the_remedy() {
        assert_eq!(
            refused(b"BZh91AY&SY"),
            "it is compressed as bzip2, which is not read here: unpack it"
        );
        assert_eq!(
            refused(b"sku,name\n1,Gr\xfcner Tee, gro\xdfe Dose\n"),
            "line 2 is not UTF-8: it seems to be windows-1252. Convert it from windows-1252"
        );
    }
}
