//! An HTTP client with a persistent connection, which distinguishes failed requests from those with
//! an unknown outcome.

use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A timeout above any request's duration on a busy machine.
const NEVER: Duration = Duration::from_secs(120);

/// The addresses of the servers. An address changes when a server is restarted.
#[derive(Clone, Default)]
pub(crate) struct Addresses(Arc<Mutex<Vec<String>>>);

impl Addresses {
    pub(crate) fn of(&self, server: usize) -> String {
        self.0.lock().unwrap()[server].clone()
    }

    pub(crate) fn set(&self, server: usize, address: &str) {
        let mut addresses = self.0.lock().unwrap();
        if server == addresses.len() {
            addresses.push(String::new());
        }
        addresses[server] = address.to_owned();
    }
}

/// The reason for a missing answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// No listener: the request was not sent.
    Unasked,
    /// The connection ended before the answer: the request may have taken effect.
    Unanswered,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
    pub(crate) took: Duration,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The value of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut cookies = lines.filter(|(key, _)| key.eq_ignore_ascii_case("Set-Cookie"));
        cookies.find_map(|(_, cookie)| {
            let (pair, _) = cookie.split_once(';')?;
            pair.strip_prefix(name)?.strip_prefix('=')
        })
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The code of the problem document.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Asserts the status; returns the JSON body.
    #[track_caller]
    pub(crate) fn with(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }
}

pub(crate) struct Client {
    addresses: Addresses,
    /// The index of the server.
    pub(crate) server: usize,
    pub(crate) token: String,
    stream: Option<TcpStream>,
}

impl Client {
    pub(crate) fn new(addresses: &Addresses, server: usize, token: &str) -> Self {
        Self {
            addresses: addresses.clone(),
            server,
            token: token.to_owned(),
            stream: None,
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Answer, Lost> {
        self.ask("GET", path, "", "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> Result<Answer, Lost> {
        self.ask("POST", path, "", body)
    }

    /// Sends one request, without retries. `headers` end with CR LF each.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<Answer, Lost> {
        let began = Instant::now();
        let kept = self.stream.take().filter(is_open);
        let mut stream = match kept {
            Some(stream) => stream,
            None => connect(&self.addresses.of(self.server))?,
        };
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}");
        if !self.token.is_empty() {
            request += &format!("Authorization: Bearer {}\r\n", self.token);
        }
        if !headers.contains("Content-Type: ") {
            request += "Content-Type: application/json\r\n";
        }
        request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let sent = stream.write_all(request.as_bytes());
        let (head, body) = sent
            .and_then(|()| read(&mut stream))
            .map_err(|error| unanswered(&error, method, path))?;
        let answer = Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head,
            body,
            took: began.elapsed(),
        };
        if answer.header("Connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

/// A closed connection is an expected fault; a silent one is a defect.
fn unanswered(error: &std::io::Error, method: &str, path: &str) -> Lost {
    let silent = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
    assert!(!silent, "{method} {path} got no answer within {NEVER:?}");
    Lost::Unanswered
}

fn connect(address: &str) -> Result<TcpStream, Lost> {
    let stream = TcpStream::connect(address).map_err(|_| Lost::Unasked)?;
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(NEVER)).unwrap();
    Ok(stream)
}

/// Whether the peer has neither closed the connection nor sent unsolicited bytes.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Reads the head and body of an answer.
fn read(stream: &mut TcpStream) -> std::io::Result<(String, String)> {
    let mut text = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let end = text.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(text[..end].to_vec()).unwrap();
            let length = content_length(&head);
            if text.len() >= end + 4 + length {
                let body = text[end + 4..end + 4 + length].to_vec();
                return Ok((head, String::from_utf8(body).unwrap()));
            }
        }
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            length => text.extend_from_slice(&buffer[..length]),
        }
    }
}

fn content_length(head: &str) -> usize {
    let head = head.to_ascii_lowercase();
    let value = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    value.map_or(0, |value| value.parse().unwrap())
}
