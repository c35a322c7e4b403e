//! Response under test.

use super::described;
use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;

/// A response that has the properties of all responses.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) async fn of(
        answer: ServiceResponse<BoxBody>,
        path: &str,
        accept_problem: bool,
        method: &Method,
    ) -> Self {
        let is_head = *method == Method::HEAD;
        let status = answer.status();
        let headers = answer.headers().clone();
        let body = to_bytes(answer.into_body()).await.unwrap();
        let reply = Self {
            status: status.as_u16(),
            headers,
            body,
        };
        assert!(!reply.header("x-request-id").is_empty(), "{reply:?}");
        reply.check_what_browsers_may(path);
        let expected = if status.is_success() && path.starts_with("/api/docs") {
            "text/"
        } else if status.is_success() && path.starts_with("/metrics") {
            "text/plain; version=0.0.4; charset=utf-8"
        } else if status.is_success() {
            "application/json"
        } else if accept_problem {
            "application/problem+json"
        } else {
            "application/json"
        };
        if !reply.body.is_empty() {
            let declared = reply.header("content-type");
            let fits =
                declared == expected || expected.ends_with('/') && declared.starts_with(expected);
            assert!(fits, "{reply:?}");
        }
        if is_head || status == StatusCode::NOT_MODIFIED {
            assert!(reply.body.is_empty(), "{reply:?}");
        } else if !status.is_success() {
            reply.check_problem(status, path);
        }
        described::check(&reply, method, path);
        reply
    }

    fn check_what_browsers_may(&self, path: &str) {
        // The description of the API is the same for all callers, and its page sets its own policy.
        let describes = path.starts_with("/api/docs") || path.starts_with("/api/schema");
        let keep = match self.header("etag").as_str() {
            "" => "no-store",
            _ if describes => "no-cache",
            _ => "private, no-cache",
        };
        let nothing = "default-src 'none'; ";
        let policy = self.header("content-security-policy");
        assert!(policy.starts_with(nothing), "{policy}");
        if !describes {
            assert_eq!(policy, format!("{nothing}frame-ancestors 'none'"));
        }
        for (name, expected) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", keep),
            // The response must not reveal the server software.
            ("server", ""),
            ("x-powered-by", ""),
            ("set-cookie", ""),
        ] {
            assert_eq!(self.header(name), expected, "{name} of {path}");
        }
    }

    /// Checks the members of RFC 9457 and of this project, and the headers that belong to a status.
    fn check_problem(&self, status: StatusCode, path: &str) {
        let problem = self.json();
        let code = problem["code"].as_str().unwrap();
        assert_eq!(problem["type"], format!("urn:tradepost:error:{code}"));
        assert_eq!(problem["status"], status.as_u16());
        assert_eq!(problem["instance"], path);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        for text in ["title", "detail"] {
            assert!(!problem[text].as_str().unwrap().is_empty(), "{problem}");
        }
        let known = tradepost_http::error_codes().find(|(_, word, _)| *word == code);
        assert_eq!(known.unwrap().0, status.as_u16(), "{problem}");
        assert_eq!(
            problem["errors"].is_object(),
            code == "invalid",
            "{problem}"
        );
        let challenge = self.header("www-authenticate");
        assert_eq!(
            challenge.starts_with("Bearer"),
            status == StatusCode::UNAUTHORIZED
        );
        let allow = self.header("allow");
        assert_eq!(!allow.is_empty(), status == StatusCode::METHOD_NOT_ALLOWED);
        let later = matches!(
            code,
            "busy"
                | "unavailable"
                | "list_timeout"
                | "too_many_attempts"
                | "too_many_orders"
                | "throttled"
        );
        // Its `Retry-After` depends on whether the command had a key.
        if code != "outcome_unknown" {
            assert_eq!(!self.header("retry-after").is_empty(), later, "{problem}");
        }
    }

    /// The body without its content coding.
    pub(crate) fn decoded(&self) -> Vec<u8> {
        match self.header("content-encoding").as_str() {
            "" => self.body.to_vec(),
            "gzip" => {
                let mut body = Vec::new();
                let mut decoder = GzDecoder::new(&self.body[..]);
                decoder.read_to_end(&mut body).unwrap();
                body
            }
            other => panic!("a response is encoded as {other}"),
        }
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let values = self
            .headers
            .get_all(name)
            .map(|value| value.to_str().unwrap());
        values.collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.decoded()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Expects this status and code.
    #[track_caller]
    pub(crate) fn expect(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status, &*self.code()),
            (status, code),
            "{}",
            self.text()
        );
        self
    }

    /// Expects this success.
    #[track_caller]
    pub(crate) fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Expects a 400 that names these fields and no others.
    #[track_caller]
    pub(crate) fn expect_fields(self, fields: &[&str]) -> Self {
        let reply = self.expect(400, "invalid");
        let problem = reply.json();
        let named: Vec<&String> = problem["errors"].as_object().unwrap().keys().collect();
        assert_eq!(named, fields, "{problem}");
        for sentences in problem["errors"].as_object().unwrap().values() {
            assert!(sentences[0].is_string(), "{problem}");
        }
        reply
    }

    /// The body of an error without the members that differ between requests.
    pub(crate) fn anonymous(&self) -> Value {
        let mut problem = self.json();
        for member in ["instance", "request_id"] {
            problem.as_object_mut().unwrap().remove(member);
        }
        problem
    }
}
