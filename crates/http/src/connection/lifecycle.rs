//! The phases of a connection and their deadlines.

use std::task::{Context, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// Timeouts of the phases of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// From the first byte of a head to its last one; on a new connection, from its start.
    pub(crate) head: Duration,
    /// Keep-alive timeout: between a response and the first byte of the next head.
    pub(crate) keep_alive: Duration,
    /// Send timeout: in each such window in which the client blocks the server's writes, it must
    /// take at least `least_taken` bytes.
    pub(crate) send_window: Duration,
    /// In bytes.
    pub(crate) least_taken: usize,
}

/// Why a connection was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// No further request arrived.
    Idle,
    /// The head of a request was not complete in time.
    SlowHead,
    /// The client read its response too slowly.
    SlowReader,
}

/// The framing of a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestBody {
    /// This number of bytes; 0 without a body.
    Sized(u64),
    /// Only the HTTP parser can find its end.
    Unbounded,
}

/// How the stream treats incoming bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// Part of a head: they pass up to its end.
    Head,
    /// At most this many belong to the body and pass.
    Body(u64),
    /// All bytes pass.
    Everything,
    /// All bytes are held: the request before them has no response yet.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waits for the first byte of a head.
    Idle { since: Instant },
    /// Reads a head.
    Head { since: Instant },
    /// The head is complete, but HTTP has not parsed it into a request yet.
    Parsing { since: Instant },
    /// A request is being served, under its own deadline.
    Request { body: RequestBody },
    /// The response was sent before the whole body arrived. HTTP ends such a connection shortly
    /// after.
    Discarding { since: Instant },
}

/// The bytes that a client has taken since it first blocked the server's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    began: Instant,
    taken: usize,
    /// Whether bytes wait to be written.
    blocked: bool,
}

/// The state machine of one connection.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    timeouts: Timeouts,
    phase: Phase,
    /// Whether no request has begun yet.
    fresh: bool,
    window: Option<Window>,
    expired: Option<Expiry>,
    /// Whether a response has announced the end of the connection.
    closing: bool,
    /// Waker of the reader, if bytes are withheld from it.
    reader: Option<Waker>,
}

impl Lifecycle {
    pub(crate) fn new(timeouts: Timeouts) -> Self {
        let since = Instant::now();
        Self {
            timeouts,
            phase: Phase::Idle { since },
            fresh: true,
            window: None,
            expired: None,
            closing: false,
            reader: None,
        }
    }

    /// When the connection expires, and why. `None` while a request is served.
    pub(crate) fn deadline(&self) -> Option<(Instant, Expiry)> {
        let Timeouts {
            head,
            keep_alive,
            send_window,
            ..
        } = self.timeouts;
        // While a response is being sent, nothing else can be expected of the client.
        if let Some(window) = self.window.filter(|window| window.blocked) {
            return Some((window.began + send_window, Expiry::SlowReader));
        }
        match self.phase {
            Phase::Idle { since } if self.fresh => Some((since + head, Expiry::SlowHead)),
            Phase::Idle { since } => Some((since + keep_alive, Expiry::Idle)),
            Phase::Head { since } | Phase::Parsing { since } => {
                Some((since + head, Expiry::SlowHead))
            }
            Phase::Discarding { since } => Some((since + head, Expiry::Idle)),
            Phase::Request { .. } => None,
        }
    }

    /// Marks the connection as expired, for this reason.
    pub(crate) fn expire(&mut self, why: Expiry) {
        self.expired = Some(why);
    }

    pub(crate) fn expired(&self) -> Option<Expiry> {
        self.expired
    }

    /// How incoming bytes are treated.
    pub(crate) fn incoming(&self) -> Incoming {
        match self.phase {
            Phase::Idle { .. } | Phase::Head { .. } => Incoming::Head,
            Phase::Parsing { .. } => Incoming::Nothing,
            Phase::Request { body } => match body {
                RequestBody::Sized(0) => Incoming::Nothing,
                RequestBody::Sized(left) => Incoming::Body(left),
                RequestBody::Unbounded => Incoming::Everything,
            },
            Phase::Discarding { .. } => Incoming::Everything,
        }
    }

    /// Bytes of a head have arrived.
    pub(crate) fn head_began(&mut self) {
        if let Phase::Idle { since } = self.phase {
            let since = if self.fresh { since } else { Instant::now() };
            self.phase = Phase::Head { since };
        }
    }

    /// The last byte of a head has arrived.
    pub(crate) fn head_complete(&mut self) {
        if let Phase::Head { since } = self.phase {
            self.phase = Phase::Parsing { since };
        }
    }

    /// This number of body bytes has passed.
    pub(crate) fn body_passed(&mut self, bytes: u64) {
        if let Phase::Request {
            body: RequestBody::Sized(left),
        } = &mut self.phase
        {
            *left = left.saturating_sub(bytes);
        }
    }

    /// HTTP has reached the end of a body.
    pub(crate) fn body_ended(&mut self) {
        if let Phase::Request { body } = &mut self.phase {
            *body = RequestBody::Sized(0);
        }
    }

    /// Whether the end of a body of unknown length has not been read.
    pub(crate) fn has_unread_chunks(&self) -> bool {
        let body = RequestBody::Unbounded;
        self.phase == Phase::Request { body }
    }

    /// A response announces the end of the connection: no further request on it may be served (RFC
    /// 9112, 9.6).
    pub(crate) fn announce_close(&mut self) {
        self.closing = true;
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Withholds incoming bytes from the reader until a request begins or ends.
    pub(crate) fn withhold(&mut self, reader: &Context<'_>) {
        self.reader = Some(reader.waker().clone());
    }

    pub(crate) fn begin_request(&mut self, body: RequestBody) {
        self.fresh = false;
        self.phase = Phase::Request { body };
        self.wake_reader();
    }

    /// The response is handed over to HTTP; it may still have to be written.
    pub(crate) fn end_request(&mut self) {
        let since = Instant::now();
        self.phase = match self.phase {
            Phase::Request {
                body: RequestBody::Sized(0),
            } => Phase::Idle { since },
            _ => Phase::Discarding { since },
        };
        self.wake_reader();
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// The client has taken bytes.
    pub(crate) fn wrote(&mut self, bytes: usize) {
        if let Some(window) = &mut self.window {
            window.taken = window.taken.saturating_add(bytes);
            if window.taken >= self.timeouts.least_taken {
                self.window = None;
            }
        }
    }

    /// The client does not take the bytes of its response. A window that has begun goes on: a
    /// client that takes one small response after the other, each just in time, is too slow as
    /// well.
    pub(crate) fn write_blocked(&mut self) {
        let window = self.window.get_or_insert_with(|| Window {
            began: Instant::now(),
            taken: 0,
            blocked: true,
        });
        window.blocked = true;
    }

    /// All pending bytes are written.
    pub(crate) fn flushed(&mut self) {
        let Some(window) = &mut self.window else {
            return;
        };
        // From now on the server waits for the client.
        if std::mem::replace(&mut window.blocked, false) {
            let now = Instant::now();
            if let Phase::Idle { since } | Phase::Head { since } = &mut self.phase {
                *since = now;
            }
        }
    }
}
