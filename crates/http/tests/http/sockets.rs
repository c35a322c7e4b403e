//! Behaviour that only a real connection shows: HEAD, slow bodies, stopping.

use crate::support::{clock, memory, settings, shop};
use futures_util::FutureExt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tradepost_domain::Stores;
use tradepost_http::{Api, Settings, StopHandle};

/// A server on a thread of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: StopHandle,
    thread: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(stores: &Stores, settings: Settings) -> Self {
        let api = Api::new(shop(stores, clock()), settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = api.serve(listener).unwrap();
                tell.send(running.stop_handle()).unwrap();
                running.finished().await.unwrap();
            });
        });
        let stop = told.recv().unwrap();
        Self {
            address,
            stop,
            thread,
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// Sends bytes and reads until the connection ends.
    pub(crate) fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        rest(&mut stream)
    }

    /// Stops the server; returns how long that took.
    pub(crate) fn stop(self) -> Duration {
        let began = Instant::now();
        let stop = self.stop.clone();
        actix_web::rt::System::new().block_on(async move { stop.stop().await });
        self.thread.join().unwrap();
        began.elapsed()
    }

    /// Stops the server; returns how long that took. `act` runs in the drain period, in which the
    /// server goes on accepting and serving. That period cannot end before `act` does, however slow
    /// the machine is: the rest of the stop is not polled until then.
    pub(crate) fn stop_after(self, act: impl FnOnce()) -> Duration {
        let began = Instant::now();
        let stop = self.stop.clone();
        actix_web::rt::System::new().block_on(async move {
            let mut stopping = std::pin::pin!(stop.stop());
            assert_eq!(stopping.as_mut().now_or_never(), None);
            act();
            stopping.await;
        });
        self.thread.join().unwrap();
        began.elapsed()
    }
}

pub(crate) fn rest(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    // A connection that is reset after the response has still been answered.
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// Reads a response with a length, and leaves the connection open.
pub(crate) fn one(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n")
}

#[test]
fn head_has_the_length_of_get_and_no_body() {
    let server = Server::start(&memory(), settings());
    let tail = "/api/ HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
    let get = server.exchange(&format!("GET {tail}"));
    let head = server.exchange(&format!("HEAD {tail}"));
    let length = |answer: &str| {
        let line = answer
            .lines()
            .find(|line| line.starts_with("content-length"));
        line.unwrap().to_owned()
    };
    assert_eq!(length(&get), length(&head));
    assert!(get.ends_with('}') && head.ends_with("\r\n\r\n"), "{head}");
    server.stop();
}

#[test]
fn unusual_requests_that_the_parser_accepts_get_a_response() {
    let server = Server::start(&memory(), settings());
    for (head, status) in [
        ("GET /api/products/%zz HTTP/1.1\r\nHost: shop", "404"),
        ("GET /api/products/\u{e9} HTTP/1.1\r\nHost: shop", "40"),
        ("FOO /api/products/ HTTP/1.1\r\nHost: shop", "405"),
        ("OPTIONS * HTTP/1.1\r\nHost: shop", "200"),
        ("GET * HTTP/1.1\r\nHost: shop", "404"),
        ("GET http://shop/api/ HTTP/1.1\r\nHost: shop", "200"),
        ("GET http://evil/api/ HTTP/1.1\r\nHost: shop", "400"),
        ("GET /api/ HTTP/1.0\r\nHost: shop", "200"),
        ("GET /api/ HTTP/1.0\r\nX: y", "400"),
        ("GET /api/ HTTP/1.1\r\nX: y", "400"),
        ("GET /api/ HTTP/1.1\r\nHost: shop\r\nHost: evil", "400"),
        ("GET /api/ HTTP/1.1\r\nHost: shop\r\nHost: shop", "400"),
        (
            "GET http://shop/api/ HTTP/1.1\r\nHost: shop\r\nHost: shop",
            "400",
        ),
        ("GET /api/ HTTP/1.1\r\nHost: evil, shop", "400"),
        ("GET /api/ HTTP/1.1\r\nHost: shop:+80", "400"),
        ("GET /healthz HTTP/1.1\r\nHost: 10.0.0.1", "200"),
        ("CONNECT shop:80 HTTP/1.1\r\nHost: shop", "40"),
        (
            "POST /api/register/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 99999999",
            "413",
        ),
        (
            "POST /api/register/ HTTP/1.1\r\nHost: shop\r\nContent-Length: -1",
            "400",
        ),
    ] {
        let answer = server.exchange(&format!("{head}\r\nConnection: close\r\n\r\n"));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}"))
                || answer.starts_with(&format!("HTTP/1.0 {status}")),
            "{head}: {answer}"
        );
    }
    server.stop();
}

/// Request smuggling: input that a proxy in front may parse in another way than this server is
/// rejected, and so is everything that follows on its connection.
#[test]
fn ambiguous_framing_is_rejected() {
    let server = Server::start(&memory(), settings());
    let post = "POST /api/token/verify/ HTTP/1.1\r\nHost: shop\r\n";
    let old = "POST /api/token/verify/ HTTP/1.0\r\nHost: shop\r\nConnection: keep-alive\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    for head in [
        format!("{post}Content-Length: 4\r\n{chunked}\r\n0\r\n\r\n"),
        format!("{post}{chunked}Content-Length: 4\r\n\r\n0\r\n\r\n"),
        format!("{old}{chunked}Content-Length: 5\r\n\r\n0\r\n\r\n"),
        format!("{post}Content-Length: 2\r\nContent-Length: 30\r\n\r\n{{}}"),
        format!("{post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}"),
        format!("{post}Content-Length: 2, 2\r\n\r\n{{}}"),
        format!("{post}Content-Length: +2\r\n\r\n{{}}"),
        format!("{post}Content-Length : 2\r\n\r\n{{}}"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("{post}{chunked}{chunked}\r\n0\r\n\r\n"),
        format!("{post}{chunked}\r\n2\n{{}}\n0\n\n"),
        format!("{post}{chunked}\r\n-2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{post}{chunked}\r\n0x2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{post}{chunked}\r\nFFFFFFFFFFFFFFFFF\r\n{{}}\r\n0\r\n\r\n"),
        "GET /api/ HTTP/1.1\r\nHost: shop\r\nX: a\r\n b\r\n\r\n".to_owned(),
        "GET /api/ HTTP/1.1\r\nHost: shop\r\nX: a\rb\r\n\r\n".to_owned(),
        "GET /api/ HTTP/1.1\r\nHost: shop\r\nX: a\0b\r\n\r\n".to_owned(),
    ] {
        let hidden = "GET /healthz HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
        let answer = server.exchange(&format!("{head}{hidden}"));
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head}: {answer}");
    }
    server.stop();
}

#[test]
fn the_server_as_a_whole_says_what_it_allows() {
    let server = Server::start(&memory(), settings());
    let tail = "HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
    let answer = server.exchange(&format!("OPTIONS * {tail}"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let allow = "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";
    assert!(answer.contains(allow), "{answer}");
    server.stop();
}

#[test]
fn a_body_that_does_not_come_is_408() {
    let mut hasty = settings();
    // Long enough for the head to be read in time on any machine: a late head gets another
    // response.
    hasty.request_timeout = Duration::from_secs(2);
    let server = Server::start(&memory(), hasty);
    let began = Instant::now();
    let head = "POST /api/register/ HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n";
    for framing in [
        "Content-Length: 10\r\n\r\n{",
        "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ] {
        let answer = server.exchange(&format!("{head}{framing}"));
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
    }
    assert!(began.elapsed() < Duration::from_secs(20));
    server.stop();
}

/// Nor is a rejected client read from indefinitely.
#[test]
fn a_rejected_body_ends_the_connection() {
    let server = Server::start(&memory(), settings());
    for (path, status) in [
        ("/api/products/", "401"),
        ("/nothing/", "404"),
        ("/api/", "405"),
    ] {
        for framing in [
            "Content-Length: 10\r\n\r\n{",
            "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        ] {
            let began = Instant::now();
            let request = format!("POST {path} HTTP/1.1\r\nHost: shop\r\n{framing}");
            let answer = server.exchange(&request);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{answer}"
            );
            assert!(answer.contains("connection: close"), "{answer}");
            assert!(began.elapsed() < Duration::from_secs(4), "{path} {framing}");
        }
    }
    server.stop();
}

/// A body that was read to its end leaves the connection open.
#[test]
fn a_chunked_body_that_is_whole_keeps_the_connection() {
    let server = Server::start(&memory(), settings());
    let mut stream = server.connect();
    for _ in 0..3 {
        let request = "POST /api/register/ HTTP/1.1\r\nHost: shop\r\n\
            Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
            1\r\n{\r\n1\r\n}\r\n0\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let answer = one(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(answer.contains("\"username\":"), "{answer}");
    }
    drop(stream);
    server.stop();
}

#[test]
fn a_chunked_body_over_the_limit_is_413() {
    let server = Server::start(&memory(), settings());
    let mut stream = server.connect();
    let head = "POST /api/register/ HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4_096));
    for _ in 0..20 {
        // The server may have ended the connection by now.
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let answer = rest(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // The end of the body was not read, so that a further head cannot be found.
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    server.stop();
}

/// A further request behind a chunked body may have been parsed before the first one is answered.
#[test]
fn requests_behind_an_announced_close_are_not_served() {
    let server = Server::start(&memory(), settings());
    let head = "POST /api/register/ HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n\
        Transfer-Encoding: chunked\r\n";
    let next = "GET /api/ HTTP/1.1\r\nHost: shop\r\n\r\n";
    let large = format!("1000\r\n{}\r\n", " ".repeat(4_096)).repeat(20);
    for (head, chunks, status) in [
        (format!("{head}Connection: close\r\n"), "2\r\n{}\r\n", "400"),
        (head.to_owned(), &*large, "413"),
    ] {
        let mut stream = server.connect();
        let pipeline = format!("{head}\r\n{chunks}0\r\n\r\n{next}");
        // The server may have ended the connection by now.
        let _ = stream.write_all(pipeline.as_bytes());
        let answers = rest(&mut stream);
        let first = format!("HTTP/1.1 {status}");
        assert!(answers.starts_with(&first), "{answers}");
        // A body that has arrived whole, though it is too large, does not end the connection.
        let (first, behind) = answers.split_once("\r\n\r\n").unwrap();
        let is_last = first.contains("connection: close");
        assert!(is_last || status == "413", "{answers}");
        assert!(!is_last || !behind.contains("HTTP/1.1 200"), "{answers}");
    }
    server.stop();
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let server = Server::start(&memory(), settings());
    let mut stream = server.connect();
    for path in ["/api/", "/api/cart/", "/nothing/", "/api/products/"] {
        stream.write_all(get(path).as_bytes()).unwrap();
        let answer = one(&mut stream);
        assert!(answer.ends_with('}'), "{answer}");
    }
    drop(stream);
    server.stop();
}
