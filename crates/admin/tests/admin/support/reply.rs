//! A response, checked for the properties of all pages.

use super::Browser;
use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{HeaderMap, SET_COOKIE};

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) text: String,
    path: String,
}

impl Reply {
    pub(super) async fn of(answer: ServiceResponse<BoxBody>, path: &str) -> Self {
        let headers = answer.headers().clone();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body()).await.unwrap();
        let set_cookies = headers.get_all(SET_COOKIE);
        let set_cookies = set_cookies.map(|cookie| cookie.to_str().unwrap().to_owned());
        let reply = Self {
            status,
            set_cookies: set_cookies.collect(),
            headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
            path: path.split('?').next().unwrap().to_owned(),
        };
        reply.check();
        reply
    }

    /// Properties of all responses.
    fn check(&self) {
        let what = format!("{} {}", self.status, self.path);
        assert!(self.headers.contains_key("x-request-id"), "{what}");
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{what}");
        for cookie in &self.set_cookies {
            assert!(
                cookie.contains("; HttpOnly; SameSite=Lax"),
                "{what}: {cookie}"
            );
        }
        if !self.header("content-type").starts_with("text/html") {
            return;
        }
        let policy = self.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self'"),
            "{what}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{what}: {policy}");
        assert_eq!(self.header("cache-control"), "no-store", "{what}");
        assert!(
            self.text.starts_with("<!doctype html>"),
            "{what}: {}",
            self.text
        );
        for part in [
            "<title>",
            "<h1",
            "href=\"#content\"",
            "lang=\"en\"",
            "name=\"viewport\"",
        ] {
            assert!(self.text.contains(part), "{what} has no {part}");
        }
        assert_eq!(
            self.text.matches("<h1").count(),
            1,
            "{what} has one heading"
        );
        for part in [
            " style=",
            " onclick=",
            "javascript:",
            "<style",
            "http://",
            "https://",
        ] {
            assert!(
                !self.text.contains(part),
                "{what} has {part}: {}",
                self.text
            );
        }
        // Scripts are files.
        assert_eq!(
            self.text.matches("<script").count(),
            self.text.matches("<script src=\"").count()
        );
        self.check_labels(&what);
    }

    /// Every visible field has a label, and no two elements have the same id.
    fn check_labels(&self, what: &str) {
        let mut ids: Vec<&str> = self.attributes(" id=\"");
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "{what} repeats an id: {ids:?}");
        let labels = self.attributes("<label for=\"");
        for tag in ["<input", "<textarea", "<select"] {
            for element in self.text.split(tag).skip(1) {
                let element = element.split('>').next().unwrap();
                let is_labelled = element.contains("type=\"hidden\"")
                    || element.contains("aria-label=")
                    || labels
                        .iter()
                        .any(|id| element.contains(&format!("id=\"{id}\"")));
                assert!(is_labelled, "{what}: no label for {tag}{element}>");
            }
        }
        for form in self.text.split("method=\"post\"").skip(1) {
            let form = form.split("</form>").next().unwrap();
            assert!(
                form.contains("name=\"csrf\""),
                "{what}: a form without a token"
            );
        }
    }

    fn attributes(&self, start: &str) -> Vec<&str> {
        let parts = self.text.split(start).skip(1);
        parts.map(|rest| rest.split('"').next().unwrap()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The target of a redirect.
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}: {}", self.path, self.text);
        self.header("location")
    }

    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.path, self.text);
        self
    }

    pub(crate) fn has(self, text: &str) -> Self {
        assert!(
            self.text.contains(text),
            "{} has no {text}: {}",
            self.path,
            self.text
        );
        self
    }

    pub(crate) fn has_not(self, text: &str) -> Self {
        assert!(
            !self.text.contains(text),
            "{} has {text}: {}",
            self.path,
            self.text
        );
        self
    }

    /// The value of a field of the page.
    pub(crate) fn field(&self, name: &str) -> String {
        let start = format!("name=\"{name}\"");
        let found = self.text.split(&start).nth(1);
        let element = found.unwrap_or_else(|| panic!("{} has no {name}", self.path));
        let element = element.split('>').next().unwrap();
        let value = element.split("value=\"").nth(1);
        let value = value.map_or("", |rest| rest.split('"').next().unwrap());
        value.replace("&#34;", "\"").replace("&#38;", "&")
    }

    /// The target of the link with this `rel`.
    pub(crate) fn link(&self, rel: &str) -> String {
        let before = self.text.split(&format!("\" rel=\"{rel}\"")).next();
        let href = before.and_then(|text| text.rsplit("href=\"").next());
        href.unwrap_or_default().replace("&#38;", "&")
    }

    /// Sends the form of the page to its own address.
    pub(crate) async fn submit(&self, browser: &Browser<'_>, fields: &[(&str, &str)]) -> Self {
        self.submit_to(browser, &self.path, fields).await
    }

    /// Sends a form of the page to another address, with the hidden fields of the page.
    pub(crate) async fn submit_to(
        &self,
        browser: &Browser<'_>,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Self {
        let hidden = self.text.split("type=\"hidden\" name=\"").skip(1);
        let hidden = hidden.map(|rest| rest.split('"').next().unwrap());
        let mut all: Vec<(String, String)> = Vec::new();
        for name in hidden {
            if fields.iter().all(|(field, _)| *field != name) && all.iter().all(|(n, _)| n != name)
            {
                all.push((name.to_owned(), self.field(name)));
            }
        }
        all.extend(
            fields
                .iter()
                .map(|(name, value)| (String::from(*name), String::from(*value))),
        );
        let all: Vec<(&str, &str)> = all
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        browser.post(path, &all).await
    }
}
