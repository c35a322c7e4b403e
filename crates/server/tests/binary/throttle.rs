//! Login throttling of the real binary: over restarts, and on two servers.

use crate::place::{Place, QUICK, Serving};
use std::io::Read;
use tradepost_test_postgres::Cluster;

/// The status, and the seconds of Retry-After.
fn try_it(server: &Serving, password: &str) -> (u16, Option<u64>) {
    let mut text = String::new();
    let mut stream = server.begin_sign_in(password);
    stream.read_to_string(&mut text).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let wait = head
        .lines()
        .find_map(|line| line.strip_prefix("retry-after: "));
    (status, wait.map(|wait| wait.parse().unwrap()))
}

#[track_caller]
fn assert_locked_out(server: &Serving) {
    let (status, wait) = try_it(server, "correct horse");
    assert_eq!(status, 429);
    assert!(
        wait.is_some_and(|wait| (1..=60).contains(&wait)),
        "{wait:?}"
    );
}

#[test]
fn a_restart_does_not_end_a_lockout() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    let server = place.serve(&QUICK);
    for _ in 0..3 {
        assert_eq!(try_it(&server, "wrong horse"), (400, None));
    }
    server.signal("KILL");
    drop(server.end());
    let server = place.serve(&QUICK);
    for _ in 0..2 {
        assert_eq!(try_it(&server, "wrong horse"), (400, None));
    }
    assert_locked_out(&server);
    server.stop();
    let server = place.serve(&QUICK);
    assert_locked_out(&server);
    server.stop();
    let off = [&QUICK[..], &["--throttle", "off"]].concat();
    let server = place.serve(&off);
    for _ in 0..7 {
        assert_eq!(try_it(&server, "wrong horse"), (400, None));
    }
    assert_eq!(try_it(&server, "correct horse").0, 200);
}

#[test]
fn two_servers_share_their_counts_of_concurrent_sign_ins() {
    let cluster = Cluster::start().unwrap();
    let url = cluster.url(&cluster.database().unwrap());
    let place = Place::new();
    let here = [&QUICK[..], &["--database", &url]].concat();
    place.make_staff(&here).well();
    let one = place.serve(&here);
    let other = place.serve(&[&here[..], &["--data-dir", "data2"]].concat());
    let (one_server, other_server) = (&one, &other);
    let tries: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..16)
            .map(|number| {
                let server = if number % 2 == 0 {
                    one_server
                } else {
                    other_server
                };
                // The queue for password hashing is short: a sign-in that it rejects is no failed
                // attempt.
                scope.spawn(move || {
                    loop {
                        match try_it(server, "wrong horse").0 {
                            503 => std::thread::sleep(std::time::Duration::from_millis(50)),
                            status => return status,
                        }
                    }
                })
            })
            .collect();
        tries
            .into_iter()
            .map(|tried| tried.join().unwrap())
            .collect()
    });
    let with = |status| tries.iter().filter(|tried| **tried == status).count();
    assert_eq!((with(400), with(429)), (5, 11), "{tries:?}");
    assert_locked_out(&one);
    assert_locked_out(&other);
}
