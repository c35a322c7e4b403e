//! The error page: what happened, and what to do. It is the only page for errors that a handler does
//! not show itself.

use crate::Shared;
use crate::page::{Frame, set_headers};
use actix_web::http::header::HeaderMap;
use askama::Template;
use tradepost_http::kit::{ApiError, Code, Failure};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    page: Frame,
    status: u16,
    title: &'a str,
    what: String,
    advice: &'a str,
    request_id: &'a str,
}

/// Renders the page of an error.
pub(crate) fn render(shared: &Shared, failure: &Failure<'_>, headers: &mut HeaderMap) -> Vec<u8> {
    let status = failure.code.status().as_u16();
    let seconds = failure
        .retry_after
        .and_then(|seconds| seconds.to_str().ok());
    let what = match (failure.code, seconds) {
        (Code::Throttled, Some(seconds)) => {
            format!("Too many requests came from here. Wait {seconds} seconds.")
        }
        (Code::Forbidden, _) => {
            "This account may not do that, or the request came from another site.".to_owned()
        }
        (Code::BodyTooLarge, _) => "The form is too large: it may have at most 256 KiB.".to_owned(),
        (Code::NotFound, _) => "This page does not exist. The link may be old.".to_owned(),
        (Code::MethodNotAllowed, _) => {
            "This address only takes forms, or only shows a page.".to_owned()
        }
        _ => sentence(failure.error),
    };
    let page = ErrorPage {
        page: Frame {
            is_staff: failure.actor.is_some_and(|actor| actor.is_staff()),
            ..Frame::new(shared, failure.path)
        },
        status,
        title: failure.code.title(),
        what,
        advice: advice(failure.code),
        request_id: failure.request_id,
    };
    set_headers(headers);
    // Templates write into memory, which cannot fail.
    page.render().unwrap_or_default().into_bytes()
}

fn sentence(error: &ApiError) -> String {
    error.to_string()
}

/// What to do about an error.
fn advice(code: Code) -> &'static str {
    match code {
        Code::PreconditionFailed => "Open the page again to see the current values.",
        Code::BodyTooLarge => "Send less text at once.",
        Code::OutcomeUnknown => "Look whether the change was made before you send the form again.",
        Code::Forbidden => "Sign in with another account, or open the page again.",
        Code::NotFound | Code::MethodNotAllowed => "Go back, or start from the dashboard.",
        Code::InternalError => "Tell the person who runs this shop, and name the request below.",
        code if code.status().is_server_error() => {
            "Go back and try again in a moment. Your browser keeps the text that you typed."
        }
        _ => "Go back and try again. Your browser keeps the text that you typed.",
    }
}
