//! The phases of a connection and their deadlines.

use std::task::{Context, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// How long the parts of a connection may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// From the first byte of a head to its last one; on a new connection, from its start.
    pub(crate) head: Duration,
    /// Between an answer and the first byte of the next head.
    pub(crate) keep_alive: Duration,
    /// In each such time in which the client takes nothing or too little, it has to take
    /// `least_taken` bytes.
    pub(crate) send_window: Duration,
    /// In bytes.
    pub(crate) least_taken: usize,
}

/// Why a connection was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// No further request came.
    Idle,
    /// The head of a request was not complete in time.
    SlowHead,
    /// The client took too little of its answer.
    SlowReader,
}

/// How the body of a request is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestBody {
    /// So many bytes; 0 if there is none.
    Sized(u64),
    /// Only HTTP can tell where it ends.
    Unbounded,
}

/// What the stream does with the bytes that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// They are a head: they pass up to its end.
    Head,
    /// At most so many belong to the body and pass.
    Body(u64),
    /// All of them pass.
    Everything,
    /// They wait: the request before them is not answered yet.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Waits for the first byte of a head.
    Idle { since: Instant },
    /// Reads a head.
    Head { since: Instant },
    /// The head is complete, and HTTP has not made a request of it yet.
    Parsing { since: Instant },
    /// A request is served, which has its own deadline.
    Request { body: RequestBody },
    /// Answered before the whole body was there. HTTP ends such a connection after a moment.
    Discarding { since: Instant },
}

/// The bytes that a client has taken since it kept the server from writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    began: Instant,
    taken: usize,
    /// Whether something waits to be written.
    blocked: bool,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    timeouts: Timeouts,
    phase: Phase,
    /// Whether no request has begun yet.
    fresh: bool,
    window: Option<Window>,
    expired: Option<Expiry>,
    /// Whether an answer has announced the end of the connection.
    closing: bool,
    /// Who reads, if bytes wait that it was not given.
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

    /// When the connection is to be ended, and why. `None` while a request is served.
    pub(crate) fn deadline(&self) -> Option<(Instant, Expiry)> {
        let Timeouts {
            head,
            keep_alive,
            send_window,
            ..
        } = self.timeouts;
        // As long as an answer is on its way, nothing further can be expected of the client.
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

    /// Ends the connection, as its deadline has passed.
    pub(crate) fn expire(&mut self, why: Expiry) {
        self.expired = Some(why);
    }

    pub(crate) fn expired(&self) -> Option<Expiry> {
        self.expired
    }

    /// The treatment of the bytes that come.
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

    /// Bytes of a head have come.
    pub(crate) fn head_began(&mut self) {
        if let Phase::Idle { since } = self.phase {
            let since = if self.fresh { since } else { Instant::now() };
            self.phase = Phase::Head { since };
        }
    }

    /// The last byte of a head has come.
    pub(crate) fn head_complete(&mut self) {
        if let Phase::Head { since } = self.phase {
            self.phase = Phase::Parsing { since };
        }
    }

    /// So many bytes of a body have passed.
    pub(crate) fn body_passed(&mut self, bytes: u64) {
        if let Phase::Request {
            body: RequestBody::Sized(left),
        } = &mut self.phase
        {
            *left = left.saturating_sub(bytes);
        }
    }

    /// HTTP has come to the end of a body.
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

    /// An answer announces the end of the connection: no further request on it may be served
    /// (RFC 9112, 9.6).
    pub(crate) fn announce_close(&mut self) {
        self.closing = true;
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Keeps the reader from its bytes until a request begins or ends.
    pub(crate) fn withhold(&mut self, reader: &Context<'_>) {
        self.reader = Some(reader.waker().clone());
    }

    pub(crate) fn begin_request(&mut self, body: RequestBody) {
        self.fresh = false;
        self.phase = Phase::Request { body };
        self.wake_reader();
    }

    /// The answer is handed over; it may still have to be written.
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

    /// The client does not take the bytes of its answer. A window that has begun goes on: a client that
    /// takes one small answer after the other, each just in time, takes too little as well.
    pub(crate) fn write_blocked(&mut self) {
        let window = self.window.get_or_insert_with(|| Window {
            began: Instant::now(),
            taken: 0,
            blocked: true,
        });
        window.blocked = true;
    }

    /// All that was to be written is written.
    pub(crate) fn flushed(&mut self) {
        let Some(window) = &mut self.window else {
            return;
        };
        // The client is waited for from now on.
        if std::mem::replace(&mut window.blocked, false) {
            let now = Instant::now();
            if let Phase::Idle { since } | Phase::Head { since } = &mut self.phase {
                *since = now;
            }
        }
    }
}
