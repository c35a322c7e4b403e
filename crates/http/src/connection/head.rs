//! Incremental scanner for the end of a request head, which also removes its `Upgrade`.
//!
//! This server speaks HTTP/1.1 alone and ignores an `Upgrade` (RFC 9110, 7.8). actix-http would
//! accept it: it answers `Connection: upgrade`, closes the connection, and takes everything after
//! `Upgrade: websocket` for a body.

use memchr::memchr;

/// Longer lines pass unchanged: no real `Upgrade` or `Connection` field is as long.
const MAX_LINE: usize = 256;

/// Scans a head piece by piece.
#[derive(Debug, Default)]
pub(super) struct HeadScanner {
    place: Place,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the request line. Empty lines are allowed here (RFC 9112, 2.2).
    #[default]
    Before,
    /// Inside a line that passes unchanged.
    Inside,
    /// At the start of a header line.
    LineStart,
}

/// How much of a piece may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned {
    /// The number of bytes that may pass. The rest must be scanned again, with the next piece.
    pub(super) pass: usize,
    /// Whether the passed bytes end with the end of the head.
    pub(super) complete: bool,
}

impl HeadScanner {
    /// Scans the next piece, and overwrites the parts that must not pass.
    pub(super) fn scan(&mut self, piece: &mut [u8]) -> Scanned {
        let mut pass = 0;
        loop {
            let rest = piece.get_mut(pass..).unwrap_or_default();
            let line = memchr(b'\n', rest);
            let line = line.map(|end| end.saturating_add(1));
            match (self.place, line) {
                (Place::Before, _) => {
                    let blank = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
                    let blanks = rest.iter().take_while(blank).count();
                    if blanks < rest.len() {
                        self.place = Place::Inside;
                    } else {
                        return Scanned {
                            pass: pass.saturating_add(blanks),
                            complete: false,
                        };
                    }
                    pass = pass.saturating_add(blanks);
                }
                (Place::Inside, Some(line)) => {
                    self.place = Place::LineStart;
                    pass = pass.saturating_add(line);
                }
                (Place::LineStart, Some(line)) => {
                    let line = rest.get_mut(..line).unwrap_or_default();
                    pass = pass.saturating_add(line.len());
                    if matches!(&*line, b"\n" | b"\r\n") {
                        self.place = Place::Before;
                        return Scanned {
                            pass,
                            complete: true,
                        };
                    }
                    neutralise(line);
                }
                (place, None) => {
                    let undecided = place == Place::LineStart && is_undecided(rest);
                    if !undecided {
                        self.place = Place::Inside;
                        pass = piece.len();
                    }
                    return Scanned {
                        pass,
                        complete: false,
                    };
                }
            }
        }
    }
}

const UPGRADE: &[u8] = b"upgrade";
const CONNECTION: &[u8] = b"connection";

/// Whether a line may still turn out to be a field that is changed, or the empty line.
fn is_undecided(start: &[u8]) -> bool {
    let is_of = |field: &[u8]| {
        let known = start.len().min(field.len());
        let named = start.get(..known).zip(field.get(..known));
        named.is_some_and(|(start, field)| start.eq_ignore_ascii_case(field))
    };
    start.len() < MAX_LINE && (start == b"\r" || is_of(UPGRADE) || is_of(CONNECTION))
}

/// Overwrites the value of `Upgrade`, and the option of that name in `Connection`, with spaces.
fn neutralise(line: &mut [u8]) {
    let mut parts = line.splitn_mut(2, |byte| *byte == b':');
    let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
        return;
    };
    if name.eq_ignore_ascii_case(UPGRADE) {
        blank(value);
    } else if name.eq_ignore_ascii_case(CONNECTION) {
        for option in value.split_mut(|byte| *byte == b',') {
            if option.trim_ascii().eq_ignore_ascii_case(UPGRADE) {
                blank(option);
            }
        }
    }
}

/// Line ends are kept.
fn blank(value: &mut [u8]) {
    for byte in value {
        if !matches!(*byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a text that pass when it arrives in pieces of `size` bytes, and the end of the
    /// head.
    fn scan(text: &str, size: usize) -> (String, Option<usize>) {
        let (mut scanner, mut held, mut passed) = (HeadScanner::default(), Vec::new(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            held.extend_from_slice(piece);
            let scanned = scanner.scan(&mut held);
            passed.extend(held.drain(..scanned.pass));
            if scanned.complete {
                let end = passed.len();
                passed.extend(held);
                return (String::from_utf8(passed).unwrap(), Some(end));
            }
        }
        passed.extend(held);
        (String::from_utf8(passed).unwrap(), None)
    }

    #[test]
    fn the_end_of_a_head_is_found_however_it_comes() {
        for (head, rest) in [
            ("GET / HTTP/1.1\r\nHost: shop\r\n\r\n", "GET /"),
            ("GET / HTTP/1.1\nHost: shop\n\n", "\n"),
            ("\r\n\r\n\nGET / HTTP/1.1\r\nHost: shop\r\nA: b\n\r\n", "{}"),
            ("GET / HTTP/1.0\r\n\r\n", "\r\n"),
        ] {
            let text = format!("{head}{rest}");
            for size in 1..=text.len() {
                let (passed, end) = scan(&text, size);
                assert_eq!(end, Some(head.len()), "{text:?} by {size}");
                assert!(text.starts_with(&passed), "{passed:?}");
            }
        }
        for unfinished in ["", "\r\n\r\n", "GET / HTTP/1.1\r\n", "GET /\r\nA: b\r\n\r"] {
            for size in 1..=unfinished.len().max(1) {
                assert_eq!(scan(unfinished, size), (unfinished.to_owned(), None));
            }
        }
    }

    #[test]
    fn an_upgrade_is_removed_however_it_comes() {
        for (line, expected) in [
            ("Upgrade: h2c", "Upgrade:    "),
            ("uPGRADE:websocket", "uPGRADE:         "),
            ("Connection: Upgrade", "Connection:        "),
            (
                "Connection: Upgrade, HTTP2-Settings",
                "Connection:        , HTTP2-Settings",
            ),
            (
                "connection:keep-alive,upgrade ,x",
                "connection:keep-alive,        ,x",
            ),
            ("Connection: close", "Connection: close"),
            ("Connection: upgraded", "Connection: upgraded"),
            ("X-Upgrade: h2c", "X-Upgrade: h2c"),
            (
                "Upgrade-Insecure-Requests: 1",
                "Upgrade-Insecure-Requests: 1",
            ),
            ("Upgrade", "Upgrade"),
        ] {
            let text = |line: &str| format!("GET / HTTP/1.1\r\nA: b\r\n{line}\r\nB: c\r\n\r\n");
            let (text, expected) = (text(line), text(expected));
            for size in 1..=text.len() {
                assert_eq!(scan(&text, size), (expected.clone(), Some(text.len())));
            }
        }
        let first = "Upgrade: h2c\r\nUpgrade: h2c\r\n";
        assert_eq!(scan(first, 100).0, "Upgrade: h2c\r\nUpgrade:    \r\n");
    }

    #[test]
    fn a_line_is_held_back_only_while_it_may_be_an_upgrade() {
        for (line, held) in [
            ("Upg", 3),
            ("Connection: keep-al", 19),
            ("\r", 1),
            ("Auth", 0),
            ("Conx", 0),
            (&*format!("Connection: {}", "x".repeat(MAX_LINE)), 0),
        ] {
            let mut text = format!("GET / HTTP/1.1\r\n{line}").into_bytes();
            let scanned = HeadScanner::default().scan(&mut text);
            assert_eq!(text.len() - scanned.pass, held, "{line}");
        }
    }
}
