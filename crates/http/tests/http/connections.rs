//! Connection timeouts and limits, over sockets. Their exact times are tested beside the code,
//! under a paused clock.

use crate::sockets::{Server, get, one, rest};
use crate::support::{memory, settings};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Far beyond any deadline of these tests, for busy machines.
const SAFETY_NET: Duration = Duration::from_secs(30);

/// The value of a sample of `/metrics`.
fn metric(server: &Server, sample: &str) -> u64 {
    let mut stream = server.connect();
    let request = "GET /metrics HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let page = rest(&mut stream);
    let value = page.lines().find_map(|line| line.strip_prefix(sample));
    let value = value.unwrap_or_else(|| panic!("{sample} is not in {page}"));
    value.trim().parse().unwrap()
}

/// Whether the server has ended a connection. Pending bytes are read.
fn is_ended(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 1_024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => {
                let alive = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
                return !alive.contains(&error.kind());
            }
        }
    }
}

#[test]
fn slow_heads_are_ended_on_kept_connections() {
    let mut hasty = settings();
    hasty.request_timeout = Duration::from_secs(1);
    let server = Server::start(&memory(), hasty);
    let slow_heads = "tradepost_connections_ended_total{reason=\"slow_head\"}";
    assert_eq!(metric(&server, slow_heads), 0);
    let mut dripping: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for stream in &mut dripping {
        for _ in 0..2 {
            stream.write_all(get("/api/").as_bytes()).unwrap();
            one(stream);
        }
        stream.write_all(b"GET /api/ HTTP/1.1\r\nX: ").unwrap();
        stream.set_nonblocking(true).unwrap();
    }
    let began = Instant::now();
    while !dripping.is_empty() {
        // A write shows whether the connection is still open.
        dripping.retain_mut(|stream| stream.write_all(b"x").is_ok() && !is_ended(stream));
        assert!(began.elapsed() < SAFETY_NET, "{} are left", dripping.len());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(began.elapsed() > Duration::from_millis(500), "too soon");
    assert_eq!(metric(&server, slow_heads), 50);
    server.stop();
}

#[test]
fn connections_without_requests_are_ended() {
    let mut hasty = settings();
    hasty.limits.keep_alive = Duration::from_millis(500);
    let server = Server::start(&memory(), hasty);
    let idle = "tradepost_connections_ended_total{reason=\"idle\"}";
    let mut kept: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for stream in &mut kept {
        stream.write_all(get("/api/").as_bytes()).unwrap();
        one(stream);
    }
    for stream in &mut kept {
        stream.set_read_timeout(Some(SAFETY_NET)).unwrap();
        assert!(is_ended(stream));
    }
    assert_eq!(metric(&server, idle), 20);
    server.stop();
}

#[test]
fn no_connection_is_kept_while_they_are_scarce() {
    let mut few = settings();
    few.limits.connections = 40;
    let server = Server::start(&memory(), few);
    let mut kept: Vec<_> = (0..30).map(|_| server.connect()).collect();
    let answers = |stream: &mut TcpStream| {
        stream.write_all(get("/api/").as_bytes()).unwrap();
        one(stream)
    };
    for stream in &mut kept {
        assert!(!answers(stream).contains("connection: close"));
    }
    let mut one_more = server.connect();
    assert!(answers(&mut one_more).contains("connection: close"));
    assert!(is_ended(&mut one_more));
    server.stop();
}

/// A client with another address of this machine.
#[cfg(target_os = "linux")]
fn connect_from(address: [u8; 4], server: &Server) -> TcpStream {
    use socket2::{Domain, Socket, Type};
    use std::net::SocketAddr;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((address, 0)).into()).unwrap();
    socket.connect(&server.address.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(SAFETY_NET)).unwrap();
    stream
}

#[cfg(target_os = "linux")]
#[test]
fn one_address_has_a_bound_of_connections() {
    const OTHER: [u8; 4] = [127, 0, 0, 2];
    let mut few = settings();
    few.limits.connections_per_address = 3;
    let server = Server::start(&memory(), few);
    let is_served = |stream: &mut TcpStream| {
        let sent = stream.write_all(get("/api/").as_bytes());
        let mut first = [0; 12];
        sent.is_ok() && stream.read_exact(&mut first).is_ok() && first == *b"HTTP/1.1 200"
    };
    let mut admitted: Vec<_> = (0..3).map(|_| connect_from(OTHER, &server)).collect();
    for stream in &mut admitted {
        assert!(is_served(stream));
    }
    for _ in 0..5 {
        assert!(is_ended(&mut connect_from(OTHER, &server)));
    }
    // Other addresses have their own limit; a proxy on this machine has none.
    assert!(is_served(&mut connect_from([127, 0, 0, 3], &server)));
    let mut own: Vec<_> = (0..20).map(|_| server.connect()).collect();
    assert!(own.iter_mut().all(is_served));
    let refused = "tradepost_connections_ended_total{reason=\"too_many\"}";
    assert_eq!(metric(&server, refused), 5);
    assert!(metric(&server, "tradepost_connections ") >= 23);

    admitted.pop();
    let began = Instant::now();
    while !is_served(&mut connect_from(OTHER, &server)) {
        assert!(began.elapsed() < SAFETY_NET);
        std::thread::sleep(Duration::from_millis(10));
    }
    server.stop();
}

/// The request of Java's client with its defaults, which offers HTTP/2 each time.
#[test]
fn an_upgrade_that_is_not_taken_keeps_the_connection() {
    let server = Server::start(&memory(), settings());
    let offer = "Connection: Upgrade, HTTP2-Settings\r\nHost: shop\r\n\
        HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n";
    let json = "Content-Type: application/json\r\n";
    let mut stream = server.connect();
    for _ in 0..3 {
        let get = format!("GET /api/ HTTP/1.1\r\n{offer}\r\n");
        let post = format!(
            "POST /api/token/verify/ HTTP/1.1\r\nContent-Length: 2\r\n{offer}{json}\r\n{{}}"
        );
        for (request, status) in [(get, "200"), (post, "400")] {
            stream.write_all(request.as_bytes()).unwrap();
            let answer = one(&mut stream).to_ascii_lowercase();
            assert!(
                answer.starts_with(&format!("http/1.1 {status}")),
                "{answer}"
            );
            let (head, _) = answer.split_once("\r\n\r\n").unwrap();
            assert!(
                !head.contains("upgrade") && !head.contains("close"),
                "{head}"
            );
        }
    }
    server.stop();
}
