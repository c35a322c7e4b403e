//! Lost databases, clocks that jump, and files prepared by an attacker.

use crate::place::{Place, QUICK, Serving, answer};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::time::{Duration, Instant};

/// A timeout far above the duration of any step.
const NEVER: Duration = Duration::from_secs(60);

/// A server with a catalogue, and a session of the user ada.
struct Shop {
    server: Serving,
    headers: String,
}

impl Shop {
    fn start(place: &Place) -> Self {
        let server = place.serve(&["--demo", QUICK[0], QUICK[1]]);
        let token = server.sign_in("correct horse").unwrap();
        let headers =
            format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        Self { server, headers }
    }

    fn order(&self, key: &str) -> (u16, String) {
        let headers = format!("{}Idempotency-Key: {key}\r\n", self.headers);
        let post = |path: &str, body: &str| answer(self.server.send("POST", path, &headers, body));
        match post("/api/cart/", "{\"product_id\": 1}") {
            (201, _) => post("/api/orders/", "{}"),
            refused => refused,
        }
    }

    fn orders(&self) -> String {
        let (status, page) = self.server.get("/api/orders/", &self.headers);
        assert_eq!(status, 200, "{page}");
        page.split(',').next().unwrap().to_owned()
    }
}

#[test]
fn a_database_that_was_replaced_is_noticed_and_no_order_is_lost() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    let shop = Shop::start(&place);
    assert_eq!(shop.order("one").0, 201);
    let (database, kept) = (place.path("data/tradepost.db"), place.path("kept.db"));
    fs::rename(&database, &kept).unwrap();
    fs::copy(&kept, &database).unwrap();
    let (status, body) = shop.order("two");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("\"unavailable\""), "{body}");
    let (status, body) = shop.server.get("/readyz", "");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("\"unavailable\""), "{body}");
    assert_eq!(shop.server.get("/healthz", "").0, 200);
    fs::rename(&kept, &database).unwrap();
    assert_eq!(
        shop.order("three").0,
        503,
        "it may have been changed elsewhere"
    );
    shop.server.stop();
    let log = place.read("data/debug.log");
    let loud = "was replaced by another file. Every request is answered 503";
    assert_eq!(log.matches(loud).count(), 1, "{log}");
    let shop = Shop::start(&place);
    assert_eq!(shop.orders(), "{\"count\":1");
    assert_eq!(shop.order("two").0, 201);
}

#[test]
fn a_missing_database_is_created_again_only_on_request() {
    let place = Place::new();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    place.serve(&[]).stop();
    let remove = |name: &str| fs::remove_file(place.path(name)).unwrap();
    remove("data/tradepost.db");
    let said = "There is no database at ./data/tradepost.db, but the signing key ./data/jwt.key \
                says that there was a shop.";
    for words in [&serve[..], &["migrate"]] {
        let refused = place.run(words).sentence(1);
        assert!(
            refused.starts_with(said) && refused.contains("--new"),
            "{refused}"
        );
    }
    assert!(place.make_staff(&QUICK).sentence(1).starts_with(said));
    let checked = place.run(&["check", "--listen=127.0.0.1:0"]);
    assert!(
        checked.out.contains(&format!("error: {said}")),
        "{checked:?}"
    );
    assert_eq!(checked.code, Some(1));
    // An empty file counts as a missing database.
    fs::write(place.path("data/tradepost.db"), "").unwrap();
    assert!(place.run(&serve).sentence(1).starts_with(said));
    remove("data/tradepost.db");
    remove("data/jwt.key");
    let refused = place.run(&serve).sentence(1);
    assert!(
        refused.contains("but the log ./data/debug.log says"),
        "{refused}"
    );
    assert!(!place.path("data/tradepost.db").exists());

    place.serve(&["--new"]).stop();
    place.serve(&[]).stop();
    assert!(!place.read("data/debug.log").contains("--new was given"));
    place.serve(&["--new"]).stop();
    assert!(
        place
            .read("data/debug.log")
            .contains("--new was given and not needed")
    );
    // A WAL of another database would be applied to the new one.
    remove("data/tradepost.db");
    fs::write(place.path("data/tradepost.db-wal"), "frames").unwrap();
    let words = [&serve[..], &["--new"]].concat();
    let refused = place.run(&words).sentence(1);
    assert!(
        refused.contains("write-ahead log ./data/tradepost.db-wal"),
        "{refused}"
    );
}

#[test]
fn a_key_that_was_provided_is_no_evidence_of_a_shop() {
    let place = Place::new();
    fs::write(place.path("our.key"), "f3a9c17e5b2d8064e91b7fd3ac5820b6").unwrap();
    place.serve(&["--jwt-secret-file", "our.key"]).stop();
}

/// To a server whose clock is years ahead, records that were just stored are years old.
#[test]
fn a_start_with_the_clock_years_ahead_forgets_nothing() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    let shop = Shop::start(&place);
    let (status, first) = shop.order("one");
    assert_eq!(status, 201, "{first}");
    let body = "{\"username\": \"ada\", \"password\": \"correct horse\"}";
    let signed_in = answer(shop.server.send("POST", "/api/token/", &shop.headers, body));
    assert_eq!(signed_in.0, 200, "{signed_in:?}");
    shop.server.stop();
    let path = place.path("data/tradepost.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let years = 3_i64 * 365 * 86_400 * 1_000_000;
    conn.batch_execute(&format!(
        "UPDATE idempotency_keys SET created_at = created_at - {years};
         UPDATE refresh_tokens SET issued_at = issued_at - {years},
             signed_in_at = signed_in_at - {years}, expires_at = expires_at - {years};"
    ))
    .unwrap();
    drop(conn);
    for _ in 0..2 {
        let shop = Shop::start(&place);
        let headers = format!("{}Idempotency-Key: one\r\n", shop.headers);
        // The first purge runs at the start.
        std::thread::sleep(Duration::from_millis(300));
        let again = answer(shop.server.send("POST", "/api/orders/", &headers, "{}"));
        assert_eq!(again, (201, first.clone()));
        assert_eq!(shop.orders(), "{\"count\":1");
        shop.server.stop();
    }
    let log = place.read("data/debug.log");
    assert!(!log.contains("that were old"), "{log}");
}

#[test]
fn check_fails_for_each_reason_for_which_serve_refuses() {
    let place = Place::new();
    place.serve(&[]).stop();
    for folder in ["folder", "lost"] {
        fs::create_dir(place.path(folder)).unwrap();
    }
    fs::write(place.path("file"), "a file").unwrap();
    fs::write(place.path("junk.db"), "x".repeat(5_000)).unwrap();
    fs::write(place.path("weak.key"), "changeme".repeat(8)).unwrap();
    fs::copy(place.path("data/jwt.key"), place.path("lost/jwt.key")).unwrap();
    for words in [
        ["--log-file", "no/debug.log"],
        ["--log-file", "folder"],
        ["--log-file", "file/debug.log"],
        ["--jwt-secret-file", "no/jwt.key"],
        ["--jwt-secret-file", "folder"],
        ["--jwt-secret-file", "file"],
        ["--jwt-secret-file", "weak.key"],
        ["--database", "sqlite://no/shop.db"],
        ["--database", "sqlite://folder"],
        ["--database", "sqlite://junk.db"],
        ["--database", "postgres://127.0.0.1:1/shop"],
        ["--data-dir", "file"],
        ["--data-dir", "lost"],
        ["--currency", "EUR"],
        ["--listen", "192.0.2.1:8000"],
    ] {
        let listen = ["serve", "--listen", "127.0.0.1:0"];
        let listen = if words[0] == "--listen" {
            &listen[..1]
        } else {
            &listen[..]
        };
        let refused = place.run(&[listen, &words[..]].concat()).sentence(1);
        let checked = [&["check"][..], &listen[1..], &words[..]].concat();
        let checked = place.run(&checked);
        assert_eq!(checked.code, Some(1), "{words:?}: {checked:?}");
        let found = format!("error: {refused}\n");
        assert!(checked.out.contains(&found), "{found}{checked:?}");
    }
}

#[test]
fn an_address_in_use_fails_check_unless_it_is_the_shop_itself() {
    let place = Place::new();
    let server = place.serve(&[]);
    let listen = ["--listen", &server.address];
    let checked = place.run(&[&["check"], &listen[..]].concat());
    assert!(
        checked.out.contains("note: A shop is served on"),
        "{checked:?}"
    );
    assert_eq!(checked.code, Some(0), "{checked:?}");
    server.stop();
    // Accepts connections into its backlog, and never answers.
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let refused = place.run(&["serve", "--listen", &address]).sentence(1);
    let checked = place.run(&["check", "--listen", &address]);
    assert!(
        checked.out.contains(&format!("error: {refused}\n")),
        "{checked:?}"
    );
    assert_eq!(checked.code, Some(1), "{checked:?}");
}

#[test]
fn weak_secrets_are_refused_without_being_shown() {
    let place = Place::new();
    for secret in [
        "changemechangemechangemechangeme",
        "your-256-bit-secret-your-256-bit-secret",
        "11111111111111111111111111111111111111112",
    ] {
        for command in ["serve", "check"] {
            let ended = place.run_with(&[command], &[("TRADEPOST_JWT_SECRET", secret)], "");
            assert_ne!(ended.code, Some(0), "{ended:?}");
            let said = format!("{}{}", ended.out, ended.err);
            assert!(said.contains("can be guessed"), "{said}");
            assert!(
                said.contains("openssl rand -hex 32") && !said.contains(secret),
                "{said}"
            );
        }
    }
    assert!(place.files().is_empty());
}

#[test]
fn links_in_a_folder_that_others_may_write_are_refused() {
    let place = Place::new();
    place.serve(&["--log-file", "real.log"]).stop();
    fs::create_dir(place.path("open")).unwrap();
    for (name, target) in [
        ("debug.log", "real.log"),
        ("jwt.key", "data/jwt.key"),
        ("shop.db", "data/tradepost.db"),
        ("data", "data"),
    ] {
        symlink(place.path(target), place.path("open").join(name)).unwrap();
    }
    let mode = |mode| {
        fs::set_permissions(place.path("open"), Permissions::from_mode(mode)).unwrap();
    };
    let settings = [
        "--log-file=open/debug.log",
        "--jwt-secret-file=open/jwt.key",
        "--database=sqlite://open/shop.db",
        "--data-dir=open/data",
    ];
    // Links owned by root in a folder with the sticky bit are followed: only root can create them.
    let link = fs::symlink_metadata(place.path("open/data")).unwrap();
    let open_to_others: &[u32] = match link.uid() {
        0 => &[0o777],
        _ => &[0o777, 0o1777],
    };
    for open in open_to_others {
        mode(*open);
        for setting in settings {
            let refused = place
                .run(&["serve", "--listen=127.0.0.1:0", setting])
                .sentence(1);
            let said = "it is a link, and others may write the folder";
            assert!(refused.contains(said), "{open:o} {setting}: {refused}");
        }
    }
    mode(0o755);
    for setting in settings {
        place.serve(&[setting]).stop();
    }
}

fn wait_for_log(place: &Place, words: &str) {
    let start = Instant::now();
    while !place.read("data/debug.log").contains(words) {
        assert!(start.elapsed() < NEVER, "{words} is not in the log");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn signals_other_than_those_to_stop_end_nothing_and_one_opens_the_log_again() {
    let place = Place::new();
    let server = place.serve(&[]);
    for name in ["USR1", "USR2"] {
        server.signal(name);
        wait_for_log(&place, &format!("SIG{name} means nothing here"));
    }
    fs::rename(place.path("data/debug.log"), place.path("data/old.log")).unwrap();
    fs::write(place.path("data/debug.log"), "").unwrap();
    server.signal("HUP");
    wait_for_log(&place, "the log file was opened again");
    assert_eq!(server.get("/healthz", "").0, 200);
    server.stop();
    assert!(place.read("data/old.log").contains("SIGUSR1"));
}

/// A link to a file is never rotated by the server, so that only the signal makes it follow the
/// link.
#[test]
fn a_log_behind_a_link_is_opened_again_at_a_signal() {
    let place = Place::new();
    fs::create_dir(place.path("data")).unwrap();
    fs::write(place.path("target.log"), "").unwrap();
    symlink(place.path("target.log"), place.path("data/debug.log")).unwrap();
    let server = place.serve(&[]);
    fs::rename(place.path("target.log"), place.path("old.log")).unwrap();
    server.signal("HUP");
    let start = Instant::now();
    while !place.path("target.log").exists() {
        assert!(start.elapsed() < NEVER);
        std::thread::sleep(Duration::from_millis(10));
    }
    wait_for_log(&place, "the log file was opened again");
    server.stop();
    assert!(place.read("old.log").contains("serving on"));
}

#[test]
fn a_refused_host_is_named_in_the_log_with_its_setting() {
    let place = Place::new();
    let server = place.serve(&[]);
    for _ in 0..20 {
        let mut stream = server.connect();
        let request = "GET /api/ HTTP/1.1\r\nHost: shop.example.net\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(answer(stream).0, 400);
    }
    server.stop();
    let log = place.read("data/debug.log");
    let lines = log
        .matches("refused a request for the host \"shop.example.net\"")
        .count();
    // At most one per ten seconds, however long the test took.
    assert!((1..10).contains(&lines), "{log}");
    assert!(
        log.contains("--allowed-hosts (TRADEPOST_ALLOWED_HOSTS)"),
        "{log}"
    );
}
