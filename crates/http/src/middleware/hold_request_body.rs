//! Holds a chunked request body until the response is written.
//!
//! Once the body is dropped, actix goes on reading to its end, for as long as the client takes to
//! send it. If the body is still held and not at its end, actix ends the connection after the
//! response, as it does with bodies whose length is known.

use crate::connection::{Shared as Lifecycle, Underway};
use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

type Shared = Rc<RefCell<Payload>>;

/// The body of a request, if it is chunked, to be held beside the handler that reads it. Its end is
/// noted in the connection's lifecycle.
pub(crate) fn share(request: &mut ServiceRequest, underway: Option<&Underway>) -> Option<Shared> {
    if !request.chunked().unwrap_or(false) {
        return None;
    }
    let shared = Rc::new(RefCell::new(request.take_payload()));
    let payload = Box::pin(Reader {
        body: Rc::clone(&shared),
        lifecycle: underway.map(Underway::lifecycle),
    });
    request.set_payload(Payload::Stream { payload });
    Some(shared)
}

/// Takes the bytes that have arrived of a body that its handler has left unread. If that completes
/// it, the connection can go on with the next head.
pub(crate) fn drain(request: Option<&Shared>, underway: Option<&Underway>) {
    let (Some(body), Some(underway)) = (request, underway) else {
        return;
    };
    let mut context = Context::from_waker(Waker::noop());
    while underway.has_unread_chunks() {
        match Pin::new(&mut *body.borrow_mut()).poll_next(&mut context) {
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(None) => underway.lifecycle().borrow_mut().body_ended(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => return,
        }
    }
}

/// A response body that keeps the request and its body alive.
pub(crate) fn hold(body: BoxBody, request: Option<Shared>, underway: Option<Underway>) -> BoxBody {
    if request.is_none() && underway.is_none() {
        return body;
    }
    BoxBody::new(Holding {
        body,
        _request: request,
        _underway: underway,
    })
}

struct Reader {
    body: Shared,
    lifecycle: Option<Lifecycle>,
}

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut *self.body.borrow_mut()).poll_next(context);
        if let (Poll::Ready(None), Some(lifecycle)) = (&next, &self.lifecycle) {
            lifecycle.borrow_mut().body_ended();
        }
        next
    }
}

struct Holding {
    body: BoxBody,
    _request: Option<Shared>,
    _underway: Option<Underway>,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
