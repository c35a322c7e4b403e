//! Malformed requests, and bytes that two parsers may read differently (request smuggling).

use crate::random::Random;

/// Bytes for a connection of their own.
#[derive(Debug)]
pub(crate) struct Malformed {
    pub(crate) bytes: Vec<u8>,
    /// The maximum number of answers.
    pub(crate) most: usize,
}

const POST: &str = "POST /api/token/verify/ HTTP/1.1\r\nHost: localhost\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
const HIDDEN: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Heads and bodies after which [`HIDDEN`] is not a request.
fn ambiguous(random: &mut Random) -> String {
    match random.below(12) {
        0 => format!("{POST}Content-Length: 4\r\n{CHUNKED}\r\n0\r\n\r\n"),
        1 => format!("{POST}{CHUNKED}Content-Length: 4\r\n\r\n0\r\n\r\n"),
        2 => format!("{POST}Content-Length: 2\r\nContent-Length: 30\r\n\r\n{{}}"),
        3 => format!("{POST}Content-Length: 2, 2\r\n\r\n{{}}"),
        4 => format!("{POST}Content-Length : 2\r\n\r\n{{}}"),
        5 => format!("{POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        6 => format!("{POST}{CHUNKED}{CHUNKED}\r\n0\r\n\r\n"),
        7 => format!("{POST}{CHUNKED}\r\n2\n{{}}\n0\n\n"),
        8 => format!("{POST}{CHUNKED}\r\nFFFFFFFFFFFFFFFFF\r\n{{}}\r\n0\r\n\r\n"),
        9 => format!("{POST}{CHUNKED}\r\n-2\r\n{{}}\r\n0\r\n\r\n"),
        10 => "GET /api/ HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n".to_owned(),
        _ => "GET /api/ HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n".to_owned(),
    }
}

/// The first bytes of other protocols and of broken clients.
fn foreign(random: &mut Random) -> Vec<u8> {
    let some: [&[u8]; 14] = [
        b"",
        b"\r\n\r\n\r\n",
        b"\0\0\0\0\0\0\0\0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"EHLO evil.example\r\nQUIT\r\n",
        b"GET /api/\r\n\r\n",
        b"GET /api/ HTTP/0.9\r\n\r\n",
        b"GET /api/ HTTP/3.0\r\nHost: localhost\r\n\r\n",
        b"GET  /api/  HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/ HTTP/1.1\nHost: localhost\n\n",
        b"GET /api/ HTTP/1.0\r\n\r\n",
        b"GET /api/ HTTP/1.1\r\n\r\n",
    ];
    random.pick(&some).to_vec()
}

/// A request in which some bytes are changed, or that ends too soon.
fn damaged(random: &mut Random) -> Vec<u8> {
    let body = "{\"token\": \"x\"}";
    let length = body.len();
    let whole = [
        "GET /api/products/1/ HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".to_owned(),
        format!("{POST}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!(
            "{POST}Content-Type: application/json\r\n{CHUNKED}\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        ),
    ];
    let mut bytes = whole[random.below(whole.len())].clone().into_bytes();
    for _ in 0..random.below(6) {
        let at = random.below(bytes.len());
        bytes[at] = u8::try_from(random.below(256)).unwrap();
    }
    if random.one_in(3) {
        bytes.truncate(random.below(bytes.len()));
    }
    bytes
}

pub(crate) fn malformed(random: &mut Random) -> Malformed {
    match random.below(3) {
        0 => Malformed {
            bytes: format!("{}{HIDDEN}", ambiguous(random)).into_bytes(),
            most: 1,
        },
        1 => Malformed {
            bytes: foreign(random),
            most: 1,
        },
        _ => Malformed {
            bytes: damaged(random),
            // A shorter Content-Length leaves the start of another request.
            most: 2,
        },
    }
}
