//! Ends connections that exceed their deadline.

use super::Shared;
use super::lifecycle::Expiry;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long HTTP may take to close a connection after its deadline, before it is cut off.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The HTTP future of a connection, with the one timer that the connection has.
pub(crate) struct WithDeadline<F, N> {
    http: Pin<Box<F>>,
    lifecycle: Shared,
    timer: Pin<Box<Sleep>>,
    /// The time by which HTTP must have closed an expired connection.
    cut_off: Option<Instant>,
    /// Called with the reason when the connection expires.
    note: N,
}

impl<F, N> WithDeadline<F, N>
where
    F: Future,
    N: Fn(Expiry) + Unpin,
{
    pub(crate) fn new(http: F, lifecycle: Shared, note: N) -> Self {
        let deadline = lifecycle.borrow().deadline();
        let deadline = deadline.map_or_else(Instant::now, |(deadline, _)| deadline);
        Self {
            http: Box::pin(http),
            lifecycle,
            timer: Box::pin(sleep_until(deadline)),
            cut_off: None,
            note,
        }
    }

    /// Whether a time has passed. A timer set to an earlier time runs out before it is reset:
    /// deadlines move with each request, and most of them are never reached.
    fn poll_until(&mut self, time: Instant, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if time < self.timer.deadline() {
                self.timer.as_mut().reset(time);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if time <= self.timer.deadline() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(time);
        }
    }
}

impl<F, N> Future for WithDeadline<F, N>
where
    F: Future,
    N: Fn(Expiry) + Unpin,
{
    /// The connection has ended, normally or by its deadline.
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            if this.http.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if let Some(cut_off) = this.cut_off {
                return this.poll_until(cut_off, cx);
            }
            let deadline = this.lifecycle.borrow().deadline();
            let Some((deadline, why)) = deadline else {
                return Poll::Pending;
            };
            if this.poll_until(deadline, cx).is_pending() {
                return Poll::Pending;
            }
            this.lifecycle.borrow_mut().expire(why);
            this.cut_off = Some(Instant::now() + CLOSE_TIMEOUT);
            (this.note)(why);
        }
    }
}
