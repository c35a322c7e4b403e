//! Connection management below HTTP: timeouts for each phase of a connection, and connection
//! limits.
//!
//! actix-http has a timer for the head of a connection's first request, and one that ends with the
//! first byte of each later head: a client that goes on byte by byte keeps its connection. So the
//! stream below HTTP is wrapped ([`stream`]), the phase of each connection is tracked beside it
//! ([`lifecycle`]), and one timer per connection ends it when it exceeds its deadline
//! ([`deadline`]). [`admission`] limits the connections of one client.

pub(crate) mod admission;
pub(crate) mod deadline;
mod head;
pub(crate) mod lifecycle;
pub(crate) mod stream;
#[cfg(test)]
mod tests;

use crate::connection::lifecycle::{Lifecycle, RequestBody};
use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::CONTENT_LENGTH;
use std::cell::RefCell;
use std::rc::Rc;

/// The lifecycle of a connection, shared by its stream, its timer and its requests. All of them are
/// on one thread.
pub(crate) type Shared = Rc<RefCell<Lifecycle>>;

/// A request in flight on a connection, until it is dropped with the body of its response.
pub(crate) struct Underway(Shared);

impl Underway {
    /// Notes that a request has begun on its connection. `None` for a request without a connection,
    /// as in tests.
    pub(crate) fn begin(request: &ServiceRequest) -> Option<Self> {
        let lifecycle = request.conn_data::<Shared>()?;
        lifecycle.borrow_mut().begin_request(body_of(request));
        Some(Self(Rc::clone(lifecycle)))
    }

    /// Whether the end of a chunked body has not been read, so that the next head cannot be found.
    /// The response then ends the connection.
    pub(crate) fn has_unread_chunks(&self) -> bool {
        self.0.borrow().has_unread_chunks()
    }

    /// Notes that the response announces the end of the connection.
    pub(crate) fn announce_close(&self) {
        self.0.borrow_mut().announce_close();
    }

    /// Whether an earlier response has announced the end of the connection. HTTP may already have
    /// parsed a further request behind a chunked body; it must not be served.
    pub(crate) fn is_closing(&self) -> bool {
        self.0.borrow().is_closing()
    }

    /// A handle for noting the end of the request body.
    pub(crate) fn lifecycle(&self) -> Shared {
        Rc::clone(&self.0)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.borrow_mut().end_request();
    }
}

/// The framing of a request body. HTTP has validated the headers.
fn body_of(request: &ServiceRequest) -> RequestBody {
    if request.chunked().unwrap_or(true) || request.method() == Method::CONNECT {
        return RequestBody::Unbounded;
    }
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.trim().parse().ok());
    RequestBody::Sized(length.unwrap_or(0))
}
