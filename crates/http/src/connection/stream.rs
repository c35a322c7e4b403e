//! Stream wrapper below HTTP that tracks the lifecycle of its connection.

use super::Shared;
use super::head::HeadScanner;
use super::lifecycle::{Expiry, Incoming, Lifecycle, Timeouts};
use actix_web::rt::net::TcpStream;
use actix_web::web::{Buf, BytesMut};
use socket2::SockRef;
use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The response to a head that was not complete in time.
const REQUEST_TIMEOUT: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A transport: TCP, or an in-memory stream in tests.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {
    /// Lets the operating system discard unsent bytes when the connection is closed.
    fn discard_unsent(&self);
}

impl Transport for TcpStream {
    fn discard_unsent(&self) {
        // If this fails, the operating system keeps sending for a while.
        let _ = SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

/// A stream that tracks the lifecycle of its connection, and passes one request at a time to HTTP.
pub(crate) struct Stream<T> {
    inner: T,
    lifecycle: Shared,
    scanner: HeadScanner,
    /// Bytes that have arrived and may not pass yet.
    held: BytesMut,
    timeout_is_said: bool,
}

impl<T: Transport> Stream<T> {
    pub(crate) fn new(inner: T, timeouts: Timeouts) -> Self {
        Self {
            inner,
            lifecycle: Rc::new(RefCell::new(Lifecycle::new(timeouts))),
            scanner: HeadScanner::default(),
            held: BytesMut::new(),
            timeout_is_said: false,
        }
    }

    pub(crate) fn lifecycle(&self) -> &Shared {
        &self.lifecycle
    }

    fn expired(&self) -> Option<Expiry> {
        self.lifecycle.borrow().expired()
    }

    /// How many of the incoming bytes may pass.
    fn inspect(lifecycle: &Shared, scanner: &mut HeadScanner, bytes: &mut [u8]) -> usize {
        let mut lifecycle = lifecycle.borrow_mut();
        match lifecycle.incoming() {
            Incoming::Nothing => 0,
            Incoming::Everything => bytes.len(),
            Incoming::Body(left) => {
                let left = usize::try_from(left).unwrap_or(usize::MAX);
                let pass = left.min(bytes.len());
                lifecycle.body_passed(u64::try_from(pass).unwrap_or(u64::MAX));
                pass
            }
            Incoming::Head => {
                lifecycle.head_began();
                let scanned = scanner.scan(bytes);
                if scanned.complete {
                    lifecycle.head_complete();
                }
                scanned.pass
            }
        }
    }

    /// Passes the held bytes that may pass; returns whether any did.
    fn give_held(&mut self, out: &mut ReadBuf<'_>) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let bytes = self.held.len().min(out.remaining());
        let first = self.held.get_mut(..bytes).unwrap_or_default();
        let pass = Self::inspect(&self.lifecycle, &mut self.scanner, first);
        out.put_slice(self.held.get(..pass).unwrap_or_default());
        self.held.advance(pass);
        if self.held.is_empty() {
            // Most connections hold nothing most of the time.
            self.held = BytesMut::new();
        }
        pass > 0
    }

    /// Reads from the connection into `out`, and holds the bytes that may not pass.
    fn poll_fresh(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Fresh>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, out))?;
        let fresh = out.filled_mut().get_mut(before..).unwrap_or_default();
        if fresh.is_empty() {
            return Poll::Ready(Ok(Fresh::End));
        }
        let pass = if self.held.is_empty() {
            Self::inspect(&self.lifecycle, &mut self.scanner, fresh)
        } else {
            0
        };
        self.held
            .extend_from_slice(fresh.get(pass..).unwrap_or_default());
        out.set_filled(before.saturating_add(pass));
        Poll::Ready(Ok(if pass > 0 { Fresh::Passed } else { Fresh::Held }))
    }
}

/// The result of a read from the connection.
enum Fresh {
    /// End of the stream.
    End,
    /// At least some of the bytes have passed.
    Passed,
    Held,
}

impl<T: Transport> AsyncRead for Stream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if out.remaining() == 0 || self.expired().is_some() {
            // An empty read: HTTP takes it for the end, and closes.
            return Poll::Ready(Ok(()));
        }
        loop {
            if self.give_held(out) {
                return Poll::Ready(Ok(()));
            }
            let waits = self.lifecycle.borrow().incoming() == Incoming::Nothing;
            if waits && !self.held.is_empty() {
                self.lifecycle.borrow_mut().withhold(cx);
                return Poll::Pending;
            }
            match ready!(self.poll_fresh(cx, out))? {
                Fresh::End | Fresh::Passed => return Poll::Ready(Ok(())),
                Fresh::Held => {}
            }
        }
    }
}

impl<T: Transport> Stream<T> {
    fn note_write(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let mut lifecycle = self.lifecycle.borrow_mut();
        match &written {
            Poll::Ready(Ok(bytes)) => lifecycle.wrote(*bytes),
            Poll::Pending => lifecycle.write_blocked(),
            Poll::Ready(Err(_)) => {}
        }
        written
    }

    /// Fails if the client reads too slowly.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`] if it does.
    fn check_reader(&self) -> io::Result<()> {
        if self.expired() == Some(Expiry::SlowReader) {
            self.inner.discard_unsent();
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl<T: Transport> AsyncWrite for Stream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_reader()?;
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.note_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_reader()?;
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.note_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// HTTP flushes when it has written everything.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        if flushed.is_ready() {
            self.lifecycle.borrow_mut().flushed();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.expired() == Some(Expiry::SlowHead) && !self.timeout_is_said {
            self.timeout_is_said = true;
            // If the write would block, the client is not reading and the response is useless to
            // it.
            let _ = Pin::new(&mut self.inner).poll_write(cx, REQUEST_TIMEOUT);
        }
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
