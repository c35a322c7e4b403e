//! Keeps hold of a chunked body until the answer is written.
//!
//! Where nobody holds it any longer, actix goes on reading to the body's end, for as long as the
//! client cares to take. Where it is still held and not at its end, actix ends the connection after
//! the answer, as it does with bodies whose length is known.

use actix_web::HttpMessage;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

type Shared = Rc<RefCell<Payload>>;

/// The body of a request, if it is chunked, to be held beside the handler that reads it.
pub(crate) fn share(request: &mut ServiceRequest) -> Option<Shared> {
    if !request.chunked().unwrap_or(false) {
        return None;
    }
    let shared = Rc::new(RefCell::new(request.take_payload()));
    let reader = Reader(Rc::clone(&shared));
    let payload = Box::pin(reader);
    request.set_payload(Payload::Stream { payload });
    Some(shared)
}

/// An answer's body that holds on to the request's.
pub(crate) fn hold(body: BoxBody, request: Option<Shared>) -> BoxBody {
    match request {
        None => body,
        Some(request) => BoxBody::new(Holding {
            body,
            _request: request,
        }),
    }
}

struct Reader(Shared);

impl Stream for Reader {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

struct Holding {
    body: BoxBody,
    _request: Shared,
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
