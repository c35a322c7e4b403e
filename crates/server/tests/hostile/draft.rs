//! A request before its serialisation.

use crate::bodies::{self, Fields};
use crate::paths;
use crate::random::Random;
use crate::roles::Role;
use crate::world::World;
use std::fmt::Write as _;
use tradepost_http::Endpoint;

/// The encoding of a body's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    Form,
    Multipart,
}

impl Media {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
            Self::Multipart => "multipart/form-data; boundary=x",
        }
    }

    fn write(self, fields: &Fields) -> String {
        let mut body = String::new();
        match self {
            Self::Json => {
                let members = fields.iter().map(|(name, value)| {
                    let name = serde_json::to_string(name).unwrap();
                    format!("{name}: {value}")
                });
                body = format!("{{{}}}", members.collect::<Vec<_>>().join(", "));
            }
            Self::Form => {
                for (name, value) in fields {
                    write!(body, "{}={}&", encoded(name), encoded(&plain(value))).unwrap();
                }
            }
            Self::Multipart => {
                for (name, value) in fields {
                    let head = format!("Content-Disposition: form-data; name=\"{name}\"");
                    write!(body, "--x\r\n{head}\r\n\r\n{}\r\n", plain(value)).unwrap();
                }
                body.push_str("--x--\r\n");
            }
        }
        body
    }
}

/// A JSON text as a form value: strings without quotes.
fn plain(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())
}

fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// A request to mutate.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) role: Role,
    pub(crate) entry: &'static Endpoint,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The id or file in the path.
    pub(crate) id: String,
    /// Query parameters, percent-encoded: `name=value`.
    pub(crate) query: Vec<String>,
    /// Besides `Host`, `Authorization`, `Content-Type` and the framing headers; a header of the
    /// same name replaces one of those.
    pub(crate) headers: Vec<(String, String)>,
    /// Headers that are sent beside others of the same name.
    pub(crate) doubled: Vec<(String, String)>,
    pub(crate) fields: Option<Fields>,
    pub(crate) media: Media,
    /// The raw body, if it replaces that of the fields.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) chunked: bool,
    /// Whether method and path are those of the route table's entry.
    pub(crate) untouched: bool,
    /// Whether the HTTP parser may reject it, and need not answer.
    pub(crate) refusable: bool,
    /// Whether the connection cannot be used afterwards.
    pub(crate) closes: bool,
}

impl Draft {
    /// A valid request for the route.
    pub(crate) fn valid(
        entry: &'static Endpoint,
        role: Role,
        number: u64,
        random: &mut Random,
        world: &World,
    ) -> Self {
        let method = entry.method().as_str().to_owned();
        let (path, id) = paths::fill(entry.path(), &method, role, random, world);
        Self {
            fields: bodies::valid(entry, role, number, random, world),
            role,
            entry,
            method,
            path,
            id,
            query: Vec::new(),
            headers: Vec::new(),
            doubled: Vec::new(),
            media: Media::Json,
            body: None,
            chunked: false,
            untouched: true,
            refusable: false,
            closes: false,
        }
    }

    fn has(&self, name: &str) -> bool {
        let mut headers = self.headers.iter();
        headers.any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    /// The body.
    pub(crate) fn text(&self) -> Vec<u8> {
        match (&self.body, &self.fields) {
            (Some(body), _) => body.clone(),
            (None, Some(fields)) => self.media.write(fields).into_bytes(),
            (None, None) => Vec::new(),
        }
    }

    /// The bytes to send.
    pub(crate) fn finish(self, world: &World) -> Request {
        let mut target = self.path.clone();
        if !self.query.is_empty() {
            write!(target, "?{}", self.query.join("&")).unwrap();
        }
        let body = self.text();
        let mut head = format!("{} {target} HTTP/1.1\r\n", self.method);
        let mut line = |name: &str, value: &str| write!(head, "{name}: {value}\r\n").unwrap();
        if !self.has("Host") {
            line("Host", "localhost");
        }
        let token = world.session(self.role).token;
        if !token.is_empty() && !self.has("Authorization") {
            line("Authorization", &format!("Bearer {token}"));
        }
        let has_body = !body.is_empty() || self.fields.is_some();
        if has_body && !self.has("Content-Type") {
            line("Content-Type", self.media.content_type());
        }
        let framed = self.has("Content-Length") || self.has("Transfer-Encoding");
        if self.chunked && !framed {
            line("Transfer-Encoding", "chunked");
        } else if has_body && !framed {
            line("Content-Length", &body.len().to_string());
        }
        for (name, value) in self.headers.iter().chain(&self.doubled) {
            line(name, value);
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        if self.chunked && !framed {
            bytes.extend(chunks(&body));
        } else {
            bytes.extend(body);
        }
        let given = |name: &str| {
            let all = self.headers.iter().chain(&self.doubled);
            let values = all.filter(|(other, _)| other.eq_ignore_ascii_case(name));
            let values = values.map(|(_, value)| value.clone());
            values.collect::<Vec<_>>()
        };
        Request {
            accepts: given("Accept"),
            request_ids: given("X-Request-ID"),
            is_head: self.method == "HEAD",
            role: self.role,
            entry: self.entry,
            path: self.path,
            bytes,
            untouched: self.untouched,
            refusable: self.refusable,
            closes: self.closes,
        }
    }
}

/// The body in chunks of up to seven bytes and one of the rest.
fn chunks(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (first, rest) = body.split_at(body.len().min(7));
    for chunk in [first, rest] {
        if !chunk.is_empty() {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// The bytes of a request, with the facts that its answer is checked against.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) role: Role,
    /// The route table entry that it was built for.
    pub(crate) entry: &'static Endpoint,
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_head: bool,
    /// Its `Accept` headers.
    pub(crate) accepts: Vec<String>,
    /// Its `X-Request-ID` headers.
    pub(crate) request_ids: Vec<String>,
    /// See [`Draft::untouched`].
    pub(crate) untouched: bool,
    /// See [`Draft::refusable`].
    pub(crate) refusable: bool,
    /// See [`Draft::closes`].
    pub(crate) closes: bool,
}

/// Bytes as one printable line, truncated.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 1_500;
    let text = bytes[..bytes.len().min(MOST)].escape_ascii();
    let more = bytes.len().saturating_sub(MOST);
    match more {
        0 => text.to_string(),
        _ => format!("{text} ... and {more} bytes"),
    }
}
