//! The rules for the answers of the admin interface.

use crate::pages::{PageRequest, Sender};
use crate::wire::Answer;

/// The beginning of [`MARKER`](crate::pages::MARKER), as a page must not contain it.
const RUNS: &str = "<script>hostile";

/// Violations of the rules of the admin interface, besides those of all answers.
pub(crate) fn check(page: &PageRequest, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_throttled = [429, 503].contains(&answer.status);
    if is_throttled {
        return wrong;
    }
    let to_sign_in = answer
        .header("location")
        .is_some_and(|location| location.starts_with("/admin/sign-in/"));
    // A form that is too large is refused before its token is looked for.
    let is_refused_first = page.is_form && answer.status == 413;
    let is_exact = !page.is_mutated && !is_refused_first;
    if is_exact && page.sender != Sender::Staff && answer.status != page.anonymous {
        wrong.push(format!(
            "{} for {:?}, not {}",
            answer.status, page.sender, page.anonymous
        ));
    }
    if page.sender == Sender::Staff && !page.is_form && to_sign_in {
        wrong.push("the session of the staff user has ended".to_owned());
    }
    if page.is_form && !page.has_token {
        let refused = matches!(answer.status, 400..=499)
            || page.sender != Sender::Staff && answer.status == 303 && to_sign_in;
        if !refused {
            wrong.push(format!("{} for a form without a token", answer.status));
        }
        if is_exact && page.sender == Sender::Staff && answer.status != 403 {
            wrong.push(format!("{}, not 403", answer.status));
        }
    }
    wrong
}

/// Violations of the rules for a page in HTML.
pub(crate) fn check_html(is_head: bool, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let policy = answer.header("content-security-policy").unwrap_or_default();
    let strict = "default-src 'none'; style-src 'self'; script-src 'self'";
    if !policy.starts_with(strict) || policy.contains("unsafe") {
        wrong.push(format!("the policy {policy:?}"));
    }
    if is_head {
        return wrong;
    }
    let text = String::from_utf8_lossy(&answer.body);
    if !text.starts_with("<!doctype html>") || !text.trim_end().ends_with("</html>") {
        wrong.push("a page that is not whole".to_owned());
    }
    if text.contains(RUNS) {
        wrong.push("text of a request that is not escaped".to_owned());
    }
    if text.matches("<script").count() != text.matches("<script src=\"").count() {
        wrong.push("an inline script".to_owned());
    }
    wrong
}

/// A cookie is kept from scripts and from other sites.
pub(crate) fn is_safe_cookie(value: &str) -> bool {
    value.contains("; HttpOnly") && value.contains("; SameSite=Lax")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::Request;
    use crate::pages::MARKER;
    use crate::roles::Role;
    use tradepost_http::table;

    fn answer(status: u16, body: &str) -> Answer {
        let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'";
        let headers = [("content-security-policy", policy)];
        Answer {
            status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            body: body.as_bytes().to_vec(),
            faults: Vec::new(),
        }
    }

    #[test]
    fn pages_are_whole_and_escaped() {
        let page = |content: &str| {
            let body = format!("<!doctype html><script src=\"/a.js\"></script>{content}</html>\n");
            check_html(false, &answer(200, &body))
        };
        assert!(page("&#60;script&#62;hostile(1)").is_empty());
        assert_eq!(page(MARKER).len(), 2);
        assert_eq!(page("<script>other()</script>").len(), 1);
        assert_eq!(check_html(false, &answer(200, "<p>")).len(), 1);
        let mut loose = answer(200, "");
        loose.headers[0].1 = "script-src 'unsafe-inline'".to_owned();
        assert_eq!(check_html(true, &loose).len(), 1);
        assert!(is_safe_cookie("a=b; Path=/; HttpOnly; SameSite=Lax"));
        assert!(!is_safe_cookie("a=b; Path=/; SameSite=Lax"));
    }

    #[test]
    fn forms_without_a_token_are_refused() {
        let page = |sender, has_token, is_form| PageRequest {
            request: Request {
                role: Role::Staff,
                entry: &table()[0],
                path: "/admin/products/new/".to_owned(),
                bytes: Vec::new(),
                is_head: false,
                accepts: Vec::new(),
                request_ids: Vec::new(),
                untouched: false,
                refusable: false,
                closes: false,
            },
            sender,
            has_token,
            is_mutated: false,
            is_form,
            anonymous: 303,
        };
        let redirect = |to: &str| {
            let mut answer = answer(303, "");
            answer.headers.push(("location".to_owned(), to.to_owned()));
            answer
        };
        let staff = |has_token| page(Sender::Staff, has_token, true);
        assert!(check(&staff(false), &answer(403, "")).is_empty());
        assert!(check(&staff(true), &redirect("/admin/products/1/")).is_empty());
        assert!(!check(&staff(false), &redirect("/admin/products/1/")).is_empty());
        assert!(!check(&staff(false), &answer(404, "")).is_empty());
        let anonymous = page(Sender::Anonymous, false, true);
        assert!(check(&anonymous, &redirect("/admin/sign-in/?next=/")).is_empty());
        assert!(!check(&anonymous, &redirect("/admin/")).is_empty());
        let ended = page(Sender::Staff, false, false);
        assert!(!check(&ended, &redirect("/admin/sign-in/")).is_empty());
    }
}
