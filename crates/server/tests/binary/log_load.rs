//! The log of the real binary under load, with a standard error that nothing reads.

use crate::log::metric;
use crate::place::{Place, Serving};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Concurrent clients.
const CLIENTS: usize = 4;

/// Requests of a client on one connection.
const PIPELINED: usize = 100;

/// Connections of a client between two errors.
const CONNECTIONS: usize = 16;

/// Rounds of load, each of which ends with an error.
const ROUNDS: usize = 3;

const REQUESTS: usize = CLIENTS * PIPELINED * CONNECTIONS * ROUNDS;

/// Sends the requests of a client for one round. Their ids are numbered.
fn load(server: &Serving, client: usize, round: usize) {
    // The access log of all requests is longer than one file may be.
    let path = format!("/{}", "x".repeat(600));
    for connection in 0..CONNECTIONS {
        let first = (round * CONNECTIONS + connection) * PIPELINED;
        let mut requests = String::new();
        for number in first..first + PIPELINED {
            let close = match number + 1 == first + PIPELINED {
                true => "Connection: close\r\n",
                false => "",
            };
            let id = format!("X-Request-ID: {client}.{number:06}\r\n");
            requests += &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{id}{close}\r\n");
        }
        let mut stream = server.connect();
        let mut writer = stream.try_clone().unwrap();
        let answers = thread::scope(|scope| {
            scope.spawn(move || writer.write_all(requests.as_bytes()).unwrap());
            let mut answers = String::new();
            stream.read_to_string(&mut answers).unwrap();
            answers
        });
        assert_eq!(answers.matches("HTTP/1.1 404 ").count(), PIPELINED);
    }
}

/// The numbers of the requests in a log, by client, in their order.
fn numbers<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeMap<String, Vec<usize>> {
    let mut numbers = BTreeMap::<String, Vec<usize>>::new();
    for line in lines.filter(|line| line.contains(" GET /xxx")) {
        let (_, id) = line.split_once(" id=").unwrap();
        let (client, number) = id.split(' ').next().unwrap().split_once('.').unwrap();
        let of_client = numbers.entry(client.to_owned()).or_default();
        of_client.push(number.parse().unwrap());
    }
    for numbers in numbers.values() {
        assert!(
            numbers.is_sorted_by(|one, other| one < other),
            "an order is lost"
        );
    }
    numbers
}

#[test]
fn a_full_load_leaves_errors_in_the_log_and_every_record_is_written_or_counted() {
    let place = Place::new();
    let (reader, writer) = io::pipe().unwrap();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--throttle", "off"]);
    command.args(["--access-log", "access.log"]);
    let server = place.start_into(command, writer);
    let url = place.path("data/tradepost.db");
    let mut database = SqliteConnection::establish(&url.to_string_lossy()).unwrap();
    for round in 0..ROUNDS {
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let server = &server;
                scope.spawn(move || load(server, client, round));
            }
        });
        let rename = |from: &str, to: &str| format!("ALTER TABLE {from} RENAME TO {to}");
        database
            .batch_execute(&rename("products", "elsewhere"))
            .unwrap();
        let id = format!("X-Request-ID: error-{round}\r\n");
        assert_eq!(server.get("/api/products/", &id).0, 503);
        database
            .batch_execute(&rename("elsewhere", "products"))
            .unwrap();
    }
    let dropped = metric(&server, "tradepost_access_records_dropped_total ");
    let unread = metric(&server, "tradepost_log_lines_lost_total{target=\"stderr\"}");
    assert!(unread > 0, "the pipe and the queue hold less");
    let of_file = metric(
        &server,
        "tradepost_log_lines_lost_total{target=\"access_log\"}",
    );
    assert_eq!(of_file, 0);

    // The pipe is read again, until all of its queue is written.
    let err = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&err);
    let reading = thread::spawn(move || {
        for line in BufReader::new(reader).lines() {
            lines.lock().unwrap().push(line.unwrap());
        }
    });
    let start = Instant::now();
    let is_read = || {
        server.get("/healthz", "X-Request-ID: the-last\r\n");
        thread::sleep(Duration::from_millis(100));
        let lines = err.lock().unwrap();
        lines.iter().any(|line| line.contains(" id=the-last "))
    };
    while !is_read() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "nothing is written"
        );
    }
    server.stop();
    reading.join().unwrap();
    let err = std::mem::take(&mut *err.lock().unwrap());
    let log = place.read("data/debug.log");
    for round in 0..ROUNDS {
        for (name, log) in [("debug.log", &log), ("standard error", &err.join("\n"))] {
            let lines = log.lines().filter(|line| line.contains(" ERROR "));
            let lines = lines.filter(|line| line.contains(&format!("error-{round}")));
            assert_eq!(lines.count(), 1, "error-{round} in {name}");
        }
    }
    assert!(!place.path("data/debug.log.1").exists());
    assert!(log.len() < 100_000, "{} bytes", log.len());

    let newest = place.read("access.log");
    let older = place.read("access.log.1");
    let access = numbers(older.lines().chain(newest.lines()));
    let written: usize = access.values().map(Vec::len).sum();
    assert_eq!(written, REQUESTS - usize::try_from(dropped).unwrap());
    let (reports, err): (Vec<_>, Vec<_>) = err
        .iter()
        .map(String::as_str)
        .partition(|line| line.contains(" lines of log were lost"));
    let lost = reports.iter().map(|line| {
        let (line, _) = line.split_once(" lines of log were lost").unwrap();
        line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()
    });
    let in_files = [&log, &older, &newest].map(|log| log.lines().count());
    assert_eq!(
        err.len() + lost.sum::<usize>(),
        in_files.iter().sum::<usize>()
    );
    numbers(err.into_iter());
}
