//! The log of the real binary.

use crate::place::Place;
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

#[test]
fn an_unread_standard_error_stops_nothing() {
    let place = Place::new();
    let (reader, writer) = io::pipe().unwrap();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    // A pipe holds 64 KiB; the excess is never read.
    command.env("RUST_LOG", "info");
    let server = place.start_into(command, writer);
    let path = format!("/api/{}", "x".repeat(1_000));
    let asked = 400;
    for _ in 0..asked {
        assert_eq!(server.get(&path, "").0, 404);
    }
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(15));
    let log = place.read("data/debug.log");
    assert_eq!(log.matches(" GET /api/").count(), asked);
    assert!(log.ends_with("stopped\n"), "the file has all of it");
    drop(reader);
}

#[test]
fn an_unread_standard_output_does_not_stop_the_start() {
    let place = Place::new();
    let (reader, mut writer) = io::pipe().unwrap();
    // The pipe is full before the first line.
    let mut filler = writer.try_clone().unwrap();
    let full = std::thread::spawn(move || filler.write_all(&[b'x'; 1 << 20]));
    std::thread::sleep(Duration::from_millis(200));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    drop(taken);
    let mut command = place.command(&["serve", "--listen", &address]);
    command
        .stdout(writer.try_clone().unwrap())
        .stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    let answers = || {
        let mut stream = std::net::TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        stream.read_exact(&mut [0; 12])
    };
    while answers().is_err() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let answered = answers();
    child.kill().unwrap();
    child.wait().unwrap();
    drop(reader);
    let _ = (full.join(), writer.flush());
    answered.unwrap();
}

#[test]
fn malformed_requests_are_not_logged_as_errors() {
    let place = Place::new();
    let server = place.serve(&[]);
    for garbage in [
        "\x16\x03\x01\x02\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
    ] {
        let mut stream = server.connect();
        stream.write_all(garbage.as_bytes()).unwrap();
        // An answer is optional.
        let _ = stream.read(&mut [0; 100]);
    }
    server.stop();
    let log = place.read("data/debug.log");
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn files_that_others_can_read_are_reported_in_the_log() {
    let place = Place::new();
    place.serve(&[]).stop();
    assert!(!place.read("data/debug.log").contains("by others"));
    for file in ["data/jwt.key", "data/tradepost.db"] {
        fs::set_permissions(place.path(file), Permissions::from_mode(0o644)).unwrap();
        place.serve(&[]).stop();
        let log = place.read("err");
        assert_eq!(log.matches("by others (mode 644)").count(), 1, "{log}");
        assert!(log.contains(file), "{log}");
        fs::set_permissions(place.path(file), Permissions::from_mode(0o600)).unwrap();
    }
}
