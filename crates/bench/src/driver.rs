//! Load generator with little overhead: one thread, many keep-alive connections with one request in
//! flight each. Of a response it parses only the end and the status. Its unit is a session: requests
//! that one client sends one after the other.

use crate::Outcome;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::slice;
use std::time::{Duration, Instant};

/// Timeout without any response.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request, and the expected status.
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: u16,
}

/// Requests of one client, each of which is sent once the one before is answered. Most have one.
pub(crate) type Session = Vec<Request>;

/// Connections to a server.
pub(crate) struct Driver {
    poll: Poll,
    connections: Vec<Connection>,
}

/// Results of some sessions.
pub(crate) struct Answers {
    pub(crate) elapsed: Duration,
    /// Latencies of whole sessions in microseconds, ascending.
    pub(crate) latencies: Vec<u32>,
    /// Number of sessions all of whose responses had the expected status.
    pub(crate) right: u32,
    pub(crate) wrong: u32,
    /// The size of the first body, in bytes.
    pub(crate) size: usize,
    /// The beginning of an unexpected response.
    pub(crate) example: Option<String>,
}

struct Connection {
    stream: TcpStream,
    /// Whether a request is in flight.
    busy: bool,
    /// The received part of the current response.
    answer: Vec<u8>,
}

/// A session on its connection.
struct Progress<'a> {
    rest: slice::Iter<'a, Request>,
    /// Status that the request in flight is to get.
    expected: u16,
    began: Instant,
    is_right: bool,
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
                busy: false,
                answer: Vec::with_capacity(16 * 1024),
            })
        };
        let connections = (0..connections).map(connect).collect::<io::Result<_>>()?;
        Ok(Self { poll, connections })
    }

    /// Runs each session once, in order, each as soon as a connection is free.
    pub(crate) fn run(&mut self, sessions: &[Session]) -> Outcome<Answers> {
        let mut sessions = sessions.iter();
        let mut answers = Answers {
            elapsed: Duration::ZERO,
            latencies: Vec::with_capacity(sessions.len()),
            right: 0,
            wrong: 0,
            size: 0,
            example: None,
        };
        let mut events = Events::with_capacity(self.connections.len());
        let mut buffer = vec![0; 64 * 1024];
        let began = Instant::now();
        let mut running = Vec::with_capacity(self.connections.len());
        for connection in &mut self.connections {
            running.push(connection.begin(sessions.next())?);
        }
        while running.iter().any(Option::is_some) {
            self.poll.poll(&mut events, Some(PATIENCE))?;
            if events.is_empty() {
                return Err("the server does not answer any longer".into());
            }
            for event in &events {
                let at = event.token().0;
                let connection = self.connections.get_mut(at);
                let Some((connection, current)) = connection.zip(running.get_mut(at)) else {
                    continue;
                };
                let Some(status) = connection.receive(&mut buffer)? else {
                    continue;
                };
                let ended = match current.as_mut() {
                    Some(session) => {
                        answers.note(connection, session, status);
                        !connection.go_on(session)?
                    }
                    None => false,
                };
                if ended && let Some(session) = current.take() {
                    answers.count(&session);
                    *current = connection.begin(sessions.next())?;
                }
            }
        }
        answers.elapsed = began.elapsed();
        answers.latencies.sort_unstable();
        Ok(answers)
    }
}

impl Answers {
    /// Notes a response.
    fn note(&mut self, connection: &Connection, session: &mut Progress<'_>, status: u16) {
        if self.size == 0 {
            let head = connection.answer.windows(4).position(is_end);
            let head = head.map_or(0, |head| head.saturating_add(4));
            self.size = connection.answer.len().saturating_sub(head);
        }
        if status != session.expected {
            session.is_right = false;
            let example = || String::from_utf8_lossy(&connection.answer).into_owned();
            self.example.get_or_insert_with(example);
        }
    }

    /// Counts a session that has ended.
    fn count(&mut self, session: &Progress<'_>) {
        let micros = session.began.elapsed().as_micros();
        self.latencies
            .push(u32::try_from(micros).unwrap_or(u32::MAX));
        if session.is_right {
            self.right += 1;
        } else {
            self.wrong += 1;
        }
    }
}

impl Connection {
    /// Begins a session, if there is one.
    fn begin<'a>(&mut self, session: Option<&'a Session>) -> io::Result<Option<Progress<'a>>> {
        let Some(session) = session else {
            return Ok(None);
        };
        let mut progress = Progress {
            rest: session.iter(),
            expected: 0,
            began: Instant::now(),
            is_right: true,
        };
        Ok(self.go_on(&mut progress)?.then_some(progress))
    }

    /// Sends the next request of a session; returns whether there was one.
    fn go_on(&mut self, session: &mut Progress<'_>) -> io::Result<bool> {
        let next = session.rest.next();
        self.busy = next.is_some();
        if let Some(request) = next {
            session.expected = request.expected;
            self.send(&request.bytes)?;
        }
        Ok(self.busy)
    }

    /// Sends a request. It is small and the only one in flight, so the system's buffer takes all of
    /// it.
    fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.answer.clear();
        if self.stream.write(request)? == request.len() {
            Ok(())
        } else {
            Err(io::Error::other("a request was not taken whole"))
        }
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
