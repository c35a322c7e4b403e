//! Holds a chunked request body until the response is written.
//!
//! Once the body is dropped, actix goes on reading to its end, for as long as the client takes to
//! send it. If the body is still held and not at its end, actix ends the connection after the
//! response, as it does with bodies whose length is known.

use crate::connection::{Shared as Lifecycle, Underway};
use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::ConnectionType;
use actix_web::web::Bytes;
use futures_util::Stream;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

type Shared = Rc<RefCell<Payload>>;

/// A request on its connection, and its body, until the response is written.
pub(super) struct HeldRequest {
    underway: Option<Underway>,
    body: Option<Shared>,
    /// Whether the client ends the connection after this request.
    is_last: bool,
}

impl HeldRequest {
    pub(super) fn begin(request: &mut ServiceRequest) -> Self {
        let underway = Underway::begin(request);
        let body = share(request, underway.as_ref());
        Self {
            underway,
            body,
            is_last: request.head().connection_type() == ConnectionType::Close,
        }
    }

    /// Whether an earlier response has announced the end of the connection.
    pub(super) fn is_on_closing_connection(&self) -> bool {
        self.underway.as_ref().is_some_and(Underway::is_closing)
    }

    /// Decides whether the response ends its connection, as it does if the connection is to be
    /// freed or if its next request could not be found, and holds the request until the response is
    /// written.
    pub(super) fn finish(
        self,
        frees_connection: bool,
        mut response: ServiceResponse<BoxBody>,
    ) -> ServiceResponse<BoxBody> {
        let underway = self.underway;
        drain(self.body.as_ref(), underway.as_ref());
        let has_unread_chunks = underway.as_ref().is_some_and(Underway::has_unread_chunks);
        if self.is_last || frees_connection || has_unread_chunks {
            let head = response.response_mut().head_mut();
            head.set_connection_type(ConnectionType::Close);
            if let Some(underway) = &underway {
                underway.announce_close();
            }
        }
        response.map_body(|_, body| hold(body, self.body, underway))
    }
}

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
fn drain(request: Option<&Shared>, underway: Option<&Underway>) {
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
