//! Load generator with little overhead: one thread, many keep-alive connections with one request in
//! flight each. Of a response it parses only the end and the status.

use crate::Outcome;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Timeout without any response.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections to a server.
pub(crate) struct Driver {
    poll: Poll,
    connections: Vec<Connection>,
}

/// Results of some requests.
pub(crate) struct Answers {
    pub(crate) elapsed: Duration,
    /// Latencies in microseconds, ascending.
    pub(crate) latencies: Vec<u32>,
    /// Number of responses with the expected status.
    pub(crate) right: u32,
    pub(crate) wrong: u32,
    /// The size of the first body, in bytes.
    pub(crate) size: usize,
    /// The beginning of an unexpected response.
    pub(crate) example: Option<String>,
}

struct Connection {
    stream: TcpStream,
    sent: Instant,
    busy: bool,
    /// The received part of the current response.
    answer: Vec<u8>,
}

impl Driver {
    pub(crate) fn connect(address: SocketAddr, connections: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let connect = |number| {
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(number), Interest::READABLE)?;
            Ok(Connection {
                stream,
                sent: Instant::now(),
                busy: false,
                answer: Vec::with_capacity(16 * 1024),
            })
        };
        let connections = (0..connections).map(connect).collect::<io::Result<_>>()?;
        Ok(Self { poll, connections })
    }

    /// Sends each request once, in order, each as soon as a connection is free.
    pub(crate) fn run(&mut self, requests: &[Vec<u8>], expected: u16) -> Outcome<Answers> {
        let mut requests = requests.iter();
        let mut answers = Answers {
            elapsed: Duration::ZERO,
            latencies: Vec::with_capacity(requests.len()),
            right: 0,
            wrong: 0,
            size: 0,
            example: None,
        };
        let mut events = Events::with_capacity(self.connections.len());
        let mut buffer = vec![0; 64 * 1024];
        let began = Instant::now();
        let mut under_way = 0_usize;
        for connection in &mut self.connections {
            under_way += usize::from(connection.send(requests.next())?);
        }
        while under_way > 0 {
            self.poll.poll(&mut events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err("the server does not answer any longer".into());
            }
            for event in &events {
                let Some(connection) = self.connections.get_mut(event.token().0) else {
                    continue;
                };
                if let Some(status) = connection.receive(&mut buffer)? {
                    answers.note(connection, status == expected);
                    under_way -= 1;
                    under_way += usize::from(connection.send(requests.next())?);
                }
            }
        }
        answers.elapsed = began.elapsed();
        answers.latencies.sort_unstable();
        Ok(answers)
    }
}

impl Answers {
    fn note(&mut self, connection: &Connection, right: bool) {
        let micros = connection.sent.elapsed().as_micros();
        self.latencies
            .push(u32::try_from(micros).unwrap_or(u32::MAX));
        if self.size == 0 {
            let head = connection.answer.windows(4).position(is_end);
            let head = head.map_or(0, |head| head.saturating_add(4));
            self.size = connection.answer.len().saturating_sub(head);
        }
        if right {
            self.right += 1;
        } else {
            self.wrong += 1;
            let example = || String::from_utf8_lossy(&connection.answer).into_owned();
            self.example.get_or_insert_with(example);
        }
    }
}

impl Connection {
    /// Sends a request, if any. It is small and the only one in flight, so the system's buffer
    /// takes all of it.
    fn send(&mut self, request: Option<&Vec<u8>>) -> io::Result<bool> {
        self.busy = request.is_some();
        if let Some(request) = request {
            self.answer.clear();
            self.sent = Instant::now();
            let sent = self.stream.write(request)?;
            if sent != request.len() {
                return Err(io::Error::other("a request was not taken whole"));
            }
        }
        Ok(self.busy)
    }

    /// Reads the available bytes; returns the status once the response is complete.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<u16>> {
        while self.busy {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.answer
                .extend_from_slice(buffer.get(..count).unwrap_or_default());
            if let Some(status) = whole(&self.answer)? {
                // No bytes can follow, as no other request was sent.
                return Ok(Some(status));
            }
        }
        Ok(None)
    }
}

/// Whether these bytes end a head.
fn is_end(bytes: &[u8]) -> bool {
    bytes == b"\r\n\r\n"
}

/// The status of a response if it is complete.
pub(crate) fn whole(answer: &[u8]) -> io::Result<Option<u16>> {
    let Some(head) = answer.windows(4).position(is_end) else {
        return Ok(None);
    };
    let unreadable = || io::Error::other("an answer has no status or no length");
    let text = answer.get(..head).map(std::str::from_utf8);
    let text = text.and_then(Result::ok).ok_or_else(unreadable)?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim())
    });
    let status: Option<u16> = status.and_then(|status| status.parse().ok());
    // By definition without a body (RFC 9110, section 15.4.5).
    if status == Some(304) {
        return Ok(status);
    }
    let length: Option<usize> = length.and_then(|length| length.parse().ok());
    let (status, length) = status.zip(length).ok_or_else(unreadable)?;
    Ok((answer.len() >= head + 4 + length).then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_complete_at_its_last_byte() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX: y\r\n\r\n{}";
        for length in 0..answer.len() {
            assert_eq!(whole(&answer[..length]).unwrap(), None, "{length}");
        }
        assert_eq!(whole(answer).unwrap(), Some(201));
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
