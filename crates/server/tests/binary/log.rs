//! The log of the real binary. `log_load.rs` has its behaviour under load.

use crate::place::{Place, Serving, answer};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, Instant};

#[test]
fn an_unread_standard_error_stops_nothing() {
    let place = Place::new();
    let (reader, writer) = io::pipe().unwrap();
    let words = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--access-log",
        "access.log",
    ];
    let mut command = place.command(&words);
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
    let log = place.read("access.log");
    assert_eq!(log.matches(" GET /api/").count(), asked);
    assert_eq!(
        log.lines().count(),
        asked,
        "the file has access records alone"
    );
    let log = place.read("data/debug.log");
    assert!(log.ends_with("stopped\n"), "the file has all of it");
    assert!(!log.contains("tradepost::access"), "{log}");
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

/// The sum of the samples of a metric.
pub(crate) fn metric(server: &Serving, name: &str) -> u64 {
    let (_, page) = server.get("/metrics", "");
    let samples = page.lines().filter_map(|line| line.strip_prefix(name));
    let values = samples.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap());
    values.sum()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends the bytes of a request head, and returns the status.
fn status(server: &Serving, head: &[u8]) -> u16 {
    let mut stream = server.connect();
    stream.write_all(head).unwrap();
    answer(stream).0
}

#[test]
fn json_lines_are_objects_with_stable_keys_for_every_input() {
    for signal in ["TERM", "INT"] {
        let place = Place::new();
        let words = ["--log-format", "json", "--access-log", "access.log"];
        let server = place.serve(&words);
        let paths = [
            "/api/",
            "/a\"}{\\u0000",
            "/%0a%00\u{1F980}",
            "/\u{85}\u{2028}\u{202e}x",
            "/\u{7f}",
        ];
        for (number, path) in paths.iter().enumerate() {
            let head = format!(
                "GET {path}?q HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: json-{number}\r\n\
                 X-Forwarded-For: \"}}\r\nConnection: close\r\n\r\n"
            );
            status(&server, head.as_bytes());
        }
        status(
            &server,
            b"}\"{ /x HTTP/1.1\r\nHost: \"}\r\nConnection: close\r\n\r\n",
        );
        status(
            &server,
            b"GET /\xff\x80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        );
        status(
            &server,
            b"GET / HTTP/1.1\r\nHost: a\"b\xffc\r\nConnection: close\r\n\r\n",
        );
        server.signal(signal);
        assert_eq!(server.end().0, Some(0));
        let objects = |name: &str| -> Vec<Value> {
            let text = place.read(name);
            assert!(text.ends_with('\n'), "{text}");
            let lines = text.split_terminator('\n');
            let objects = lines.map(|line| {
                assert!(!line.contains(char::is_control), "{line}");
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            });
            objects.collect()
        };
        let (log, access, all) = (
            objects("data/debug.log"),
            objects("access.log"),
            objects("err"),
        );
        assert_eq!(log.len() + access.len(), all.len());
        for line in &all {
            let keys = ["time", "level", "target", "message"];
            assert!(keys.iter().all(|key| line[key].is_string()), "{line}");
        }
        assert!(
            log.iter().any(|line| line["message"] == "stopped"),
            "{log:?}"
        );
        let keys = [
            "duration_us",
            "from",
            "id",
            "level",
            "message",
            "method",
            "path",
            "status",
            "target",
            "time",
            "user",
        ];
        for line in &access {
            let names: BTreeSet<_> = line
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(names, BTreeSet::from(keys));
        }
        let first = access.iter().find(|line| line["id"] == "json-0").unwrap();
        assert_eq!(
            (&first["path"], &first["status"]),
            (&"/api/".into(), &200.into())
        );
        assert!(
            first["user"].is_null() && first["from"] == "127.0.0.1",
            "{first}"
        );
        // A restart without the database recognises the log of the earlier shop.
        for name in ["tradepost.db", "jwt.key"] {
            fs::remove_file(place.path("data").join(name)).unwrap();
        }
        let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]).sentence(1);
        assert!(
            refused.contains("but the log ./data/debug.log says"),
            "{refused}"
        );
    }
}

#[test]
fn a_signal_reopens_both_log_files() {
    let place = Place::new();
    for name in ["log", "access"] {
        fs::write(place.path(&format!("{name}.target")), "").unwrap();
        // The target of a link is replaced unnoticed, until the signal.
        symlink(place.path(&format!("{name}.target")), place.path(name)).unwrap();
    }
    let server = place.serve(&["--log-file", "log", "--access-log", "access"]);
    server.get("/healthz", "X-Request-ID: before\r\n");
    wait_until("the record is not written", || {
        place.read("access").contains("id=before")
    });
    for name in ["log", "access"] {
        let target = place.path(&format!("{name}.target"));
        fs::rename(&target, place.path(&format!("{name}.old"))).unwrap();
    }
    server.signal("HUP");
    wait_until("the files are not reopened", || {
        ["log.target", "access.target"]
            .iter()
            .all(|name| place.path(name).exists())
    });
    server.get("/healthz", "X-Request-ID: after\r\n");
    server.stop();
    assert!(place.read("access.old").contains("id=before"));
    let log = place.read("access");
    assert!(
        log.contains("id=after") && !log.contains("id=before"),
        "{log}"
    );
    assert!(place.read("log.old").contains("serving on"));
    assert!(place.read("log").ends_with("stopped\n"));
}

#[test]
fn removed_and_renamed_log_files_are_created_again_without_a_signal() {
    let place = Place::new();
    let server = place.serve(&["--access-log", "access.log"]);
    for number in 0..3 {
        let id = format!("X-Request-ID: number-{number}\r\n");
        server.get("/healthz", &id);
        let written = || {
            let log = fs::read_to_string(place.path("access.log")).unwrap_or_default();
            log.contains(&format!("id=number-{number} "))
        };
        wait_until("the record is not written", written);
        match number {
            0 => fs::remove_file(place.path("access.log")).unwrap(),
            _ => fs::rename(
                place.path("access.log"),
                place.path(&format!("old.{number}")),
            )
            .unwrap(),
        }
    }
    fs::remove_file(place.path("data/debug.log")).unwrap();
    server.stop();
    assert!(place.read("data/debug.log").ends_with("stopped\n"));
    assert_eq!(place.read("old.1").matches("id=number-1 ").count(), 1);
    assert_eq!(place.read("old.2").lines().count(), 1);
    assert!(!place.path("access.log").exists());
}

#[test]
fn a_closed_standard_error_stops_nothing_and_is_counted() {
    let place = Place::new();
    let (reader, writer) = io::pipe().unwrap();
    let words = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--access-log",
        "access.log",
    ];
    let server = place.start_into(place.command(&words), writer);
    drop(reader);
    let lost = "tradepost_log_lines_lost_total{target=\"stderr\"}";
    wait_until("the loss is not counted", || metric(&server, lost) > 0);
    assert_eq!(
        metric(
            &server,
            "tradepost_log_lines_lost_total{target=\"access_log\"}"
        ),
        0
    );
    wait_until("the loss is not in the log", || {
        place
            .read("data/debug.log")
            .contains("ERROR tradepost::logging: standard error cannot be written: ")
    });
    server.stop();
    let log = place.read("data/debug.log");
    assert_eq!(log.matches("cannot be written").count(), 1, "{log}");
    assert!(log.ends_with("stopped\n"), "{log}");
    let access = place.read("access.log");
    assert!(access.lines().count() >= 2, "{access}");
}

/// `/dev/full` behind a link stands for a full disk, and another target for room on it.
#[test]
fn a_full_disk_stops_nothing_and_its_losses_are_reported_once_it_has_room() {
    let place = Place::new();
    symlink("/dev/full", place.path("access.log")).unwrap();
    let server = place.serve(&["--access-log", "access.log"]);
    let lost = "tradepost_log_lines_lost_total{target=\"access_log\"}";
    wait_until("the loss is not counted", || metric(&server, lost) >= 3);
    fs::remove_file(place.path("access.log")).unwrap();
    symlink(place.path("room"), place.path("access.log")).unwrap();
    server.signal("HUP");
    // Without another request.
    let reported =
        || fs::read_to_string(place.path("room")).is_ok_and(|log| log.contains(" were lost"));
    wait_until("the loss is not reported", reported);
    let count = metric(&server, lost);
    server.get("/healthz", "X-Request-ID: after\r\n");
    server.stop();
    let log = place.read("room");
    assert!(
        log.lines()
            .next()
            .unwrap()
            .ends_with(&format!(" {count} lines of log were lost")),
        "{log}"
    );
    assert!(log.contains("id=after"), "{log}");
    let log = place.read("data/debug.log");
    let complaint = "ERROR tradepost::logging: the access log file cannot be written: ";
    assert_eq!(log.matches(complaint).count(), 1, "{log}");
}

#[test]
fn an_access_log_is_a_file_of_its_own() {
    let place = Place::new();
    for (words, said) in [
        (
            ["--access-log", "data/debug.log"],
            "has to be another file than the log file",
        ),
        (
            ["--access-log", "no/file"],
            "The access log file no/file cannot be written",
        ),
        (["--log-format", "xml"], "has to be text or json"),
    ] {
        for command in ["serve", "check"] {
            let ended = place.run(&[&[command, "--listen", "127.0.0.1:0"], &words[..]].concat());
            assert_ne!(ended.code, Some(0), "{ended:?}");
            let all = format!("{}{}", ended.out, ended.err);
            assert!(all.contains(words[0]) && all.contains(said), "{all}");
        }
    }
    let server = place.serve(&["--access-log", "access.log"]);
    assert!(server.stop().contains("\n  Access    access.log\n"));
}
