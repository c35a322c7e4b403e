//! `tradepost serve`, on the real binary.

use crate::place::{Place, QUICK, answer, each_migration, token};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

#[test]
fn serve_creates_missing_files_and_prints_their_paths() {
    let place = Place::new();
    let server = place.serve(&[]);
    assert_eq!(server.get("/api/", "").0, 200);
    let address = server.address.clone();
    let said = server.stop();
    let (said, secret) = without_secret(&said);
    assert!(
        !fs::read_to_string(place.path("data/debug.log"))
            .unwrap()
            .contains(&secret)
    );
    let applied = each_migration(|name| format!("Applied the migration {name}.\n"));
    assert_eq!(
        said,
        format!(
            "{applied}\
             Tradepost 0.1.0\n\
             \x20 Admin     http://{address}/admin/\n\
             \x20 API       http://{address}/api/\n\
             \x20 Docs      http://{address}/api/docs/\n\
             \x20 Data      ./data\n\
             \x20 Database  sqlite://./data/tradepost.db\n\
             \x20 Log       ./data/debug.log\n\
             There is no staff user yet. Make one in a browser within 30 minutes:\n\
             \x20 http://{address}/admin/setup/?token=...\n\
             or with:\n\
             \x20 tradepost createsuperuser\n"
        )
    );
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/jwt.key")), (0o700, 0o600));
}

/// The output with dots in place of the secret of the setup link, and the secret.
fn without_secret(said: &str) -> (String, String) {
    let (_, rest) = said.split_once("?token=").unwrap();
    let secret = rest.split_once('\n').unwrap().0.to_owned();
    assert_eq!(secret.len(), 43, "{said}");
    (said.replace(&secret, "..."), secret)
}

#[test]
fn without_a_command_it_serves_too() {
    let place = Place::new();
    let mut command = place.command(&["--listen", "127.0.0.1:0"]);
    command.env("TRADEPOST_DEMO", "yes");
    let server = place.start(command);
    let (_, page) = server.get("/api/products/", "");
    assert!(page.starts_with("{\"count\":12,"), "{page}");
}

#[test]
fn the_hint_names_this_shop_until_there_is_a_staff_user() {
    let place = Place::new();
    let options = ["--data-dir", "my shop", "--database", "sqlite://shop.db"];
    let said = place.serve(&options).stop();
    let hint = "  tradepost createsuperuser --data-dir 'my shop' --database sqlite://shop.db\n";
    assert!(said.ends_with(hint), "{said}");
    place.make_staff(&[&options[..], &QUICK].concat()).well();
    let said = place.serve(&options).stop();
    assert!(
        !said.contains("createsuperuser") && said.ends_with("debug.log\n"),
        "{said}"
    );
}

#[test]
fn the_demo_fills_an_empty_catalogue_once() {
    let place = Place::new();
    let server = place.serve(&["--demo", "--currency", "JPY"]);
    let (status, page) = server.get("/api/products/?page_size=1", "");
    assert_eq!(status, 200);
    assert!(
        page.starts_with("{\"count\":12,") && page.contains("\"price\":\"3900\""),
        "{page}"
    );
    let said = server.stop();
    assert!(said.contains("The demo made 12 products.\n"), "{said}");
    let server = place.serve(&["--demo", "--currency", "JPY"]);
    assert!(
        server
            .get("/api/products/", "")
            .1
            .starts_with("{\"count\":12,")
    );
    assert!(
        server
            .stop()
            .contains("The demo made nothing: there are products already.\n")
    );
}

#[test]
fn the_first_start_fixes_the_currency() {
    let place = Place::new();
    place.serve(&["--currency", "EUR"]).stop();
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]).code;
    assert_eq!(refused, Some(1));
    place.serve(&["--currency", "EUR"]).stop();
}

#[test]
fn a_token_outlives_a_restart_but_not_another_key() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    let status = |words: &[&str], token: &str| {
        let server = place.serve(words);
        let header = format!("Authorization: Bearer {token}\r\n");
        let (status, _) = server.get("/api/cart/", &header);
        server.stop();
        status
    };
    let server = place.serve(&[]);
    assert_eq!(server.sign_in("wrong horse"), None);
    let token = server.sign_in("correct horse").unwrap();
    server.stop();
    assert_eq!(status(&[], &token), 200);
    assert_eq!(status(&["--jwt-secret-file", "other.key"], &token), 401);
    let (ours, theirs) = (place.read("data/jwt.key"), place.read("other.key"));
    fs::write(place.path("other.key"), format!("{theirs}{ours}")).unwrap();
    assert_eq!(
        status(&["--jwt-secret-file", "other.key"], &token),
        200,
        "a key was replaced"
    );
    for text in [place.read("err"), place.read("data/debug.log")] {
        assert!(!text.contains(ours.trim()) && !text.contains(theirs.trim()));
    }
}

#[test]
fn a_changed_password_counts_at_once() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    let server = place.serve(&QUICK);
    assert!(server.sign_in("correct horse").is_some());
    let change = ["changepassword", "ada", "--bcrypt-cost", "10"];
    place.run_with(&change, &[], "another horse\n").well();
    assert!(server.sign_in("correct horse").is_none());
    assert!(server.sign_in("another horse").is_some());
}

#[test]
fn log_lines_go_to_the_file_and_access_records_to_standard_error_alone() {
    let place = Place::new();
    let server = place.serve(&["--log-file", "shop.log"]);
    server.get("/api/", "");
    server.stop();
    let log = place.read("shop.log");
    let err = place.read("err");
    let (access, lines): (Vec<_>, Vec<_>) = err
        .split_inclusive('\n')
        .partition(|line| line.contains(" INFO  tradepost::access: "));
    assert_eq!(log, lines.concat());
    assert!(
        access.len() == 1 && access[0].contains(": GET /api/ 200 "),
        "{err}"
    );
    assert!(log.ends_with("stopped\n"), "{log}");
    let serving = log
        .lines()
        .find_map(|line| line.split_once(": serving on "));
    let (address, value) = serving.unwrap().1.split_once(' ').unwrap();
    assert_eq!(value, format!("address={address}"));
    for line in log.lines() {
        let time = line.split(' ').next().unwrap();
        assert!(time.len() == 27 && time.ends_with('Z'), "{line}");
    }
}

#[test]
fn either_signal_stops_it_once_requests_in_flight_have_ended() {
    let place = Place::new();
    // One sign-in takes about a second of hashing.
    place.make_staff(&["--bcrypt-cost", "14"]).well();
    for signal in ["TERM", "INT"] {
        let server = place.serve(&["--bcrypt-cost", "14", "--request-timeout", "50"]);
        let in_flight = server.begin_sign_in("correct horse");
        std::thread::sleep(Duration::from_millis(200));
        server.signal(signal);
        assert!(token(in_flight).is_some(), "{signal}");
        assert_eq!(server.end().0, Some(0), "{signal}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    let server = place.serve(&["--request-timeout", "50"]);
    let mut stuck = server.connect();
    let head = "POST /api-token-auth/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    stuck.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let start = Instant::now();
    server.signal("TERM");
    std::thread::sleep(Duration::from_millis(300));
    server.signal("TERM");
    assert_eq!(server.end().0, Some(1));
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_port_in_use_is_reported_before_anything_is_changed() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let sentence = place.run(&["serve", "--listen", &address]).sentence(1);
    assert!(
        sentence.contains(&address) && sentence.contains("--listen"),
        "{sentence}"
    );
    assert!(place.files().is_empty() && !place.path("data").exists());
}

#[test]
fn files_that_cannot_be_created_are_reported_in_a_sentence() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    for (words, said) in [
        (
            ["--data-dir", "file/data"],
            "The data folder file/data cannot be made",
        ),
        (
            ["--data-dir", "file"],
            "The data folder file cannot be made",
        ),
        (
            ["--log-file", "file/log"],
            "The log file file/log cannot be written",
        ),
    ] {
        let sentence = place.run(&["serve", words[0], words[1]]).sentence(1);
        assert!(sentence.contains(said), "{sentence}");
    }
    for (words, said) in [
        (["--jwt-secret-file", "file/key"], "--jwt-secret-file"),
        (["--jwt-secret-file", "file"], "holds no signing key"),
        (["--database", "sqlite://no/shop.db"], "no/shop.db"),
    ] {
        let ended = place.run(&["serve", "--listen", "127.0.0.1:0", words[0], words[1]]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains(said), "{ended:?}");
    }
}

#[test]
fn a_secret_that_is_too_short_is_wrong_usage_and_stays_secret() {
    let place = Place::new();
    let secret = ("TRADEPOST_JWT_SECRET", "tell nobody");
    let ended = place.run_with(&["serve", "--listen", "127.0.0.1:0"], &[secret], "");
    let sentence = ended.sentence(2);
    assert!(
        sentence.contains("TRADEPOST_JWT_SECRET") && sentence.contains("at least 32"),
        "{sentence}"
    );
    assert!(!sentence.contains("tell nobody"), "{sentence}");
}

#[test]
fn only_the_hosts_that_are_allowed_are_answered() {
    let place = Place::new();
    let server = place.serve(&["--public-url", "https://shop.example.org"]);
    let status = |host: &str| {
        let mut stream = server.connect();
        let request = format!("GET /api/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        answer(stream).0
    };
    assert_eq!(status(&server.address), 200);
    assert_eq!(status("localhost"), 200);
    assert_eq!(status("shop.example.org"), 200);
    assert_eq!(status("example.org"), 400);
}

#[test]
fn an_order_that_was_acknowledged_outlives_a_kill() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    let server = place.serve(&["--demo"]);
    let token = server.sign_in("correct horse").unwrap();
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let post = |path: &str, body: &str| answer(server.send("POST", path, &headers, body)).0;
    assert_eq!(post("/api/cart/", "{\"product_id\": 12}"), 201);
    assert_eq!(post("/api/orders/", "{}"), 201);
    server.signal("KILL");
    server.end();
    let server = place.serve(&[]);
    let (status, orders) = server.get("/api/orders/", &headers);
    assert!(
        status == 200 && orders.starts_with("{\"count\":1,"),
        "{orders}"
    );
    server.stop();
    let verified = place.run(&["verify"]).well();
    assert_eq!(
        verified,
        "The books are right: 12 products, 1 order, 13 movements.\n"
    );
}

#[test]
fn a_stop_does_not_wait_for_connections_without_a_request() {
    let place = Place::new();
    let server = place.serve(&["--request-timeout", "50"]);
    let _idle = server.connect();
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < Duration::from_secs(20));
}
