//! Leftovers of a failed start, and graceful shutdown.

use crate::place::{Place, QUICK};
use std::fs;
use std::io::{Read, Write};

#[test]
fn a_stop_leaves_everything_in_the_file_of_the_database() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    for number in 1..=10 {
        let server = place.serve(&QUICK);
        let token = server.sign_in("correct horse").unwrap();
        let headers =
            format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
        let body = format!("{{\"name\": \"Lamp {number}\", \"price\": \"9.99\"}}");
        for _ in 0..20 {
            let made = crate::place::answer(server.send("POST", "/api/products/", &headers, &body));
            assert_eq!(made.0, 201, "{made:?}");
        }
        // Threads that are busy at the stop end last.
        let busy: Vec<_> = (0..40)
            .map(|_| {
                let mut stream = server.connect();
                let request = b"GET /api/products/ HTTP/1.1\r\nHost: localhost\r\n\r\n";
                stream.write_all(request).unwrap();
                assert!(stream.read(&mut [0; 100_000]).unwrap() > 0);
                stream.write_all(request).unwrap();
                stream
            })
            .collect();
        server.stop();
        drop(busy);
        let log = fs::metadata(place.path("data/tradepost.db-wal"));
        assert!(log.is_err(), "stop {number} left {log:?}");
    }
    assert!(
        !place
            .read("data/debug.log")
            .contains("still uses the database")
    );
}

#[test]
fn a_start_that_cannot_go_well_makes_nothing() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    fs::create_dir(place.path("folder")).unwrap();
    let short = ("TRADEPOST_JWT_SECRET", "tell nobody");
    for (option, variable, said) in [
        ("--page-size=10", Some(short), "TRADEPOST_JWT_SECRET"),
        ("--database=sqlite://folder", None, "--database"),
        ("--database=sqlite://no/shop.db", None, "--database"),
        ("--jwt-secret-file=folder", None, "--jwt-secret-file"),
        ("--jwt-secret-file=file", None, "holds no signing key"),
        ("--jwt-secret-file=file/key", None, "--jwt-secret-file"),
        ("--jwt-secret-file=no/key", None, "--jwt-secret-file"),
        (
            "--listen=192.0.2.1:80",
            None,
            "is not an address of this machine",
        ),
    ] {
        let listen = if option.starts_with("--listen") {
            option
        } else {
            "--listen=127.0.0.1:0"
        };
        let mut words = vec!["serve", listen];
        words.extend((option != listen).then_some(option));
        let ended = place.run_with(&words, variable.as_slice(), "");
        let sentence = ended.sentence(if variable.is_some() { 2 } else { 1 });
        assert!(sentence.contains(said), "{sentence}");
        assert!(!place.path("data").exists(), "{option}: {sentence}");
    }
    for command in ["migrate", "serve"] {
        let ended = place.run(&[
            command,
            "--listen=127.0.0.1:0",
            "--database=sqlite://folder",
        ]);
        let sentence = ended.sentence(1);
        assert!(sentence.contains("--database"), "{sentence}");
    }
    assert_eq!(place.files(), ["file"]);
    assert!(!place.path("data").exists());
}

#[test]
fn a_wrong_demo_is_a_sentence() {
    let place = Place::new();
    let demo = ("TRADEPOST_DEMO", "maybe");
    let sentence = place.run_with(&[], &[demo], "").sentence(2);
    let expected = "--demo (TRADEPOST_DEMO) is \"maybe\", but has to be yes or no.";
    assert_eq!(sentence, expected);
    assert!(place.files().is_empty());
}
