//! Graceful shutdown, and clients that do not read.

use crate::sockets::{Server, get, one, rest};
use crate::support::{clock, memory, new_user, settings, shop, usd};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{MockProductRepository, Price, ProductDraft};
use tradepost_domain::kernel::Actor;

/// A store whose product lists block.
fn slow(entered: std::sync::mpsc::Sender<()>, leave: Receiver<()>) -> Stores {
    let leave = std::sync::Mutex::new(leave);
    let mut products = MockProductRepository::new();
    products.expect_find_all().returning(move |_| {
        entered.send(()).unwrap();
        let _ = leave.lock().unwrap().recv();
        Ok(Vec::new())
    });
    Stores {
        products: Arc::new(products),
        ..memory()
    }
}

/// Requests that were sent before the stop are answered, on new connections and on kept ones.
#[test]
fn a_stop_answers_requests_in_transit() {
    for _ in 0..3 {
        let server = Server::start(&memory(), settings());
        let mut kept: Vec<_> = (0..20).map(|_| server.connect()).collect();
        for stream in &mut kept {
            stream.write_all(get("/api/").as_bytes()).unwrap();
            assert!(!one(stream).contains("connection: close"));
        }
        let mut fresh: Vec<_> = (0..100).map(|_| server.connect()).collect();
        for stream in fresh.iter_mut().chain(&mut kept) {
            stream.write_all(get("/api/products/").as_bytes()).unwrap();
        }
        let address = server.address;
        let took = server.stop_after(|| {
            let mut late = TcpStream::connect(address).unwrap();
            late.write_all(get("/api/").as_bytes()).unwrap();
            // It is accepted after all the others.
            let answer = rest(&mut late);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
        });
        for stream in kept.iter_mut().chain(&mut fresh) {
            let answer = rest(stream);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
        }
        assert!(took > Duration::from_millis(400) && took < Duration::from_secs(5));
    }
}

#[test]
fn an_answer_before_the_stop_ends_its_connection() {
    let server = Server::start(&memory(), settings());
    let mut stream = server.connect();
    stream.write_all(get("/api/").as_bytes()).unwrap();
    assert!(!one(&mut stream).contains("connection: close"));
    server.stop_after(|| {
        stream.write_all(get("/api/").as_bytes()).unwrap();
        let answer = rest(&mut stream);
        assert!(answer.contains("connection: close"), "{answer}");
    });
}

/// A client that requests much and reads nothing holds neither memory nor a slot for long.
#[cfg(target_os = "linux")]
#[test]
fn clients_that_do_not_read_are_disconnected() {
    let stores = memory();
    let shop = shop(&stores, clock());
    let boss = shop
        .services
        .accounts
        .create_staff(new_user("boss"))
        .unwrap();
    let staff = Actor::Staff(boss.id);
    for _ in 0..100 {
        let price = Price::parse("1.00", usd()).unwrap();
        let draft = ProductDraft {
            description: "x".repeat(10_000).parse().unwrap(),
            ..ProductDraft::new("Tea".parse().unwrap(), price)
        };
        shop.services.catalogue.create(staff, draft, None).unwrap();
    }
    let mut hasty = settings();
    hasty.limits.send_timeout = Duration::from_secs(1);
    let server = Server::start(&stores, hasty);
    // A page is a megabyte: sixteen of them exceed the send buffers of the system.
    let least = 16_000_000;
    let ask = get("/api/products/?page_size=100").repeat(16);
    let read = |wait: Duration| {
        let mut stream = server.connect();
        stream.write_all(ask.as_bytes()).unwrap();
        std::thread::sleep(wait);
        let mut answer = Vec::new();
        // It ends after the last response, or by a reset.
        let _ = stream.read_to_end(&mut answer);
        answer.len()
    };
    let all = read(Duration::ZERO);
    assert!(all > least, "{all}");
    let some = read(Duration::from_secs(4));
    assert!(some < least, "{some}");
    server.stop();
}

#[test]
fn a_stop_lets_requests_in_flight_finish() {
    let (entered, was_entered) = channel();
    let (leave, left) = channel();
    let server = Server::start(&slow(entered, left), settings());
    let mut idle = server.connect();
    idle.write_all(get("/api/").as_bytes()).unwrap();
    one(&mut idle);
    let mut busy = server.connect();
    busy.write_all(get("/api/products/1/").as_bytes()).unwrap();
    was_entered.recv().unwrap();

    let address = server.address;
    let stopping = std::thread::spawn(move || server.stop());
    // Idle connections end soon, and no new one is accepted.
    assert_eq!(rest(&mut idle), "");
    let refused = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < refused, "still accepting");
        std::thread::sleep(Duration::from_millis(10));
    }
    leave.send(()).unwrap();
    let answer = rest(&mut busy);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.ends_with('}'), "{answer}");
    assert!(stopping.join().unwrap() < Duration::from_secs(5));
}

#[test]
fn a_stop_does_not_wait_indefinitely() {
    let (entered, was_entered) = channel();
    let (leave, left) = channel();
    let mut hasty = settings();
    hasty.request_timeout = Duration::from_millis(500);
    let server = Server::start(&slow(entered, left), hasty);
    // One request whose body never arrives, and one whose store never answers.
    let mut silent = server.connect();
    let head = "POST /api/register/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\n";
    silent.write_all(head.as_bytes()).unwrap();
    let mut stuck = server.connect();
    stuck.write_all(get("/api/products/1/").as_bytes()).unwrap();
    was_entered.recv().unwrap();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(3));
        drop(leave);
    });
    assert!(server.stop() < Duration::from_secs(8));
    assert!(rest(&mut stuck).starts_with("HTTP/1.1 503"));
    thread.join().unwrap();
}
