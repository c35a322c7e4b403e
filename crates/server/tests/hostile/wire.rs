//! A connection, and answers read strictly.

use flate2::read::GzDecoder;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// A timeout above any answer's duration on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer. Header names are in lower case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Violations of the HTTP syntax.
    pub(crate) faults: Vec<String>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// Removes the content coding of the body, which answers to HEAD have not.
    fn decode(&mut self) {
        let Some(coding) = self.header("content-encoding").map(str::to_owned) else {
            return;
        };
        let mut body = Vec::new();
        let decoded = GzDecoder::new(&self.body[..]).read_to_end(&mut body);
        if coding == "gzip" && (decoded.is_ok() || self.body.is_empty()) {
            self.body = body;
        } else {
            self.faults.push(format!("a body that is not {coding}"));
        }
    }

    /// Whether the server closes the connection after it.
    pub(crate) fn is_last(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default();
        connection.eq_ignore_ascii_case("close")
    }
}

/// The reason for a missing answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The connection was closed before the first byte.
    Closed,
    /// The connection was closed within an answer.
    CutOff(usize),
    /// No byte arrived for [`PATIENCE`].
    Silent,
}

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Whether the server has neither closed the connection nor sent unsolicited bytes.
    pub(crate) fn is_idle(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        self.buffer.is_empty() && peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Errors are ignored: a server that has rejected a request need not read it to its end, and
    /// the answer decides.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    pub(crate) fn end_sending(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next answer that is not an interim one (1xx).
    pub(crate) fn read(&mut self, is_head: bool) -> Result<Answer, NoAnswer> {
        loop {
            let answer = self.read_any(is_head)?;
            if answer.status != 100 {
                return Ok(answer);
            }
        }
    }

    fn read_any(&mut self, is_head: bool) -> Result<Answer, NoAnswer> {
        let end = loop {
            let end = self.buffer.windows(4).position(|four| four == b"\r\n\r\n");
            match end {
                Some(end) => break end,
                None => self.more()?,
            }
        };
        let mut answer = head(&self.buffer[..end]);
        self.buffer.drain(..end + 4);
        let length = length(&mut answer, is_head);
        while self.buffer.len() < length {
            let more = self.more();
            if more == Err(NoAnswer::Closed) {
                return Err(NoAnswer::CutOff(self.buffer.len()));
            }
            more?;
        }
        answer.body = self.buffer.drain(..length).collect();
        answer.decode();
        Ok(answer)
    }

    fn more(&mut self) -> Result<(), NoAnswer> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(0) => {}
            Ok(count) => {
                self.buffer.extend(&bytes[..count]);
                return Ok(());
            }
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                return Err(NoAnswer::Silent);
            }
            Err(_) => {}
        }
        Err(match self.buffer.len() {
            0 => NoAnswer::Closed,
            length => NoAnswer::CutOff(length),
        })
    }
}

/// Parses the head of an answer, without the empty line at its end.
fn head(bytes: &[u8]) -> Answer {
    let mut answer = Answer::default();
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap_or_default();
    let known = ["HTTP/1.1 ", "HTTP/1.0 "];
    let code = known
        .iter()
        .find_map(|version| status.strip_prefix(version));
    let code = code.and_then(|rest| rest.get(..3)?.parse().ok());
    match code {
        Some(code) => answer.status = code,
        None => answer.faults.push(format!("no status line: {status:?}")),
    }
    for line in lines {
        let Some((name, value)) = line.split_once(": ") else {
            answer.faults.push(format!("no header: {line:?}"));
            continue;
        };
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let is_text = |byte: u8| byte == b'\t' || (b' '..0x7f).contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) || !value.bytes().all(is_text) {
            answer.faults.push(format!("a strange header: {line:?}"));
        }
        let header = (name.to_ascii_lowercase(), value.to_owned());
        answer.headers.push(header);
    }
    answer
}

/// The length of the body. Every answer declares it, or has none.
fn length(answer: &mut Answer, is_head: bool) -> usize {
    let lengths = answer.headers.iter();
    let lengths = lengths.filter(|(name, _)| name == "content-length");
    let lengths: Vec<_> = lengths.map(|(_, value)| value.parse().ok()).collect();
    let has_none =
        is_head || (100..200).contains(&answer.status) || [204, 304].contains(&answer.status);
    if answer.header("transfer-encoding").is_some() {
        answer.faults.push("a coded body".to_owned());
    }
    match lengths[..] {
        _ if has_none => 0,
        [Some(length)] => length,
        _ => {
            answer.faults.push(format!("lengths: {lengths:?}"));
            0
        }
    }
}

#[test]
fn answers_are_read_strictly() {
    for (text, faults) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2", 0),
        ("HTTP/1.1 204 No Content", 0),
        ("HTTP/1.1 200 OK", 1),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2",
            1,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: x", 1),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked",
            1,
        ),
        ("HTTP/1.1 OK\r\nContent-Length: 2", 1),
        ("HTTP/2 200 OK\r\nContent-Length: 2", 1),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX:a", 1),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: a\nb: c", 1),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX Y: a", 1),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: \u{e9}", 1),
    ] {
        let mut answer = head(text.as_bytes());
        length(&mut answer, false);
        assert_eq!(answer.faults.len(), faults, "{text}: {:?}", answer.faults);
    }
}
