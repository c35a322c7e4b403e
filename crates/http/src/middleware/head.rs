//! Responses to HEAD: the headers of the GET response, with its length, and no body.

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::Method;
use actix_web::web::Bytes;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Removes the body of a response to HEAD.
pub(super) fn strip_body(method: &Method, response: HttpResponse) -> HttpResponse {
    if *method == Method::HEAD {
        response.map_body(|_, body| BoxBody::new(NoBody(body.size())))
    } else {
        response
    }
}

/// A body of this size that yields no bytes.
struct NoBody(BodySize);

impl MessageBody for NoBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}
