//! Slow clients (slowloris): connections that send as slowly as possible, to exhaust the server.

use crate::load::{Load, between, slowest, summary};
use crate::shop::{IN_TIME, Shop, print_line};
use crate::verify::prove;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The number of clients of each kind.
const CROWD: usize = 300;

/// The pause between two bytes.
const PAUSE: Duration = Duration::from_millis(200);

/// The behaviour of a slow client on a connection that has served a request before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Sends a request head byte by byte.
    Head,
    /// Sends a request head after a whole request, byte by byte.
    PipelinedHead,
    /// Sends blank lines, which are allowed before a request head.
    BlankLines,
    /// Sends a body byte by byte.
    Body,
    /// Sends a chunked body byte by byte.
    ChunkedBody,
    /// Sends nothing.
    Silent,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Head,
        Self::PipelinedHead,
        Self::BlankLines,
        Self::Body,
        Self::ChunkedBody,
        Self::Silent,
    ];

    /// The bytes that are sent at once.
    fn start(self) -> String {
        let get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
        let post = "POST /api/token/verify/ HTTP/1.1\r\nHost: localhost\r\n\
                    Content-Type: application/json\r\n";
        match self {
            Self::Head => format!("{get}X: "),
            Self::PipelinedHead => format!("{get}\r\n{get}X: "),
            Self::BlankLines | Self::Silent => String::new(),
            Self::Body => format!("{post}Content-Length: 60000\r\n\r\n"),
            Self::ChunkedBody => format!("{post}Transfer-Encoding: chunked\r\n\r\nea60\r\n"),
        }
    }

    fn next(self) -> &'static [u8] {
        match self {
            Self::Silent => b"",
            Self::BlankLines => b"\n",
            _ => b"x",
        }
    }
}

struct SlowClient {
    kind: Kind,
    stream: TcpStream,
}

impl SlowClient {
    fn connect(kind: Kind, address: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(6 * IN_TIME)).unwrap();
        let whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(whole).unwrap();
        let (mut answer, mut byte) = (Vec::new(), [0]);
        while !answer.ends_with(b"{\"status\":\"ok\"}") {
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        stream.write_all(kind.start().as_bytes()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { kind, stream }
    }

    /// Sends the next byte; returns whether the connection is still open.
    fn drip(&mut self) -> bool {
        if self.stream.write_all(self.kind.next()).is_err() {
            return false;
        }
        let mut buffer = [0; 1_024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }
}

#[test]
fn slow_clients_are_disconnected_and_keep_no_other_client_out() {
    let shop = Shop::on_sqlite(&[]);
    let load = Load::start(shop.buyers(4));
    let address = shop.address(0);
    let began = Instant::now();
    let kinds = Kind::ALL.iter().cycle().take(CROWD * Kind::ALL.len());
    let mut crowd: Vec<_> = kinds
        .map(|&kind| SlowClient::connect(kind, &address))
        .collect();
    let gathered = Instant::now();
    while !crowd.is_empty() {
        crowd.retain_mut(SlowClient::drip);
        // Each is due after five seconds. Without a timeout, they stay forever.
        let left = crowd.iter().map(|client| client.kind).collect::<Vec<_>>();
        assert!(gathered.elapsed() < 6 * IN_TIME, "left: {left:?}");
        sleep(PAUSE);
    }
    let ended = Instant::now();
    let buyers = load.stop();
    let meanwhile = between(&buyers, began, ended);
    print_line(&format!(
        "{CROWD} slow clients of each kind, gone after {:.0?}; orders meanwhile: {}",
        gathered.elapsed(),
        summary(&meanwhile)
    ));
    assert!(!meanwhile.is_empty() && slowest(&meanwhile) < IN_TIME);
    assert!(
        meanwhile.iter().any(|event| event.is_served()),
        "{}",
        summary(&meanwhile)
    );
    prove(&shop, buyers);
}
