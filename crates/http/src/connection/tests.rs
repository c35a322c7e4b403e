//! Connections over in-memory streams, under a paused clock that advances only when all tasks are
//! idle.

mod client;

use super::lifecycle::Expiry;
use client::{BIG_SIZE, Client};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep, timeout};

const SMALL: &str = "GET / HTTP/1.1\r\nHost: shop\r\n\r\n";
const BIG: &str = "GET /big HTTP/1.1\r\nHost: shop\r\n\r\n";

/// Runs a test; returns its duration by the paused clock, in seconds. A test that takes an hour of
/// it hangs.
async fn timed(test: impl Future<Output = ()>) -> u64 {
    let start = Instant::now();
    let test = timeout(Duration::from_secs(3_600), test);
    let ended = LocalSet::new().run_until(test).await;
    assert!(ended.is_ok(), "the connection is still there");
    start.elapsed().as_secs()
}

fn long_head() -> String {
    format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(1_000))
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_ended_on_a_new_connection() {
    let took = timed(async {
        let mut client = Client::connect(8_192).await;
        client.drip(&long_head()).await;
        let (rest, why) = client.end().await;
        assert!(rest.starts_with("HTTP/1.1 408 "), "{rest}");
        assert_eq!(why, Some(Expiry::SlowHead));
    });
    assert_eq!(took.await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_ended_on_a_kept_connection() {
    for before in [1, 2, 7] {
        let took = timed(async {
            let mut client = Client::connect(8_192).await;
            for _ in 0..before {
                client.send(SMALL).await;
                client.expect("small").await;
            }
            client.drip(&long_head()).await;
            let (rest, why) = client.end().await;
            assert!(rest.starts_with("HTTP/1.1 408 "), "{rest}");
            assert_eq!(why, Some(Expiry::SlowHead));
        });
        assert_eq!(took.await, 5, "{before}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_is_ended_that_stops_in_the_middle_or_never_gets_beyond_blank_lines() {
    for start in [
        "G",
        "GET / HTTP/1.1\r\nHost: shop\r\n",
        "Con",
        "\r\n\r\n",
        "\r",
    ] {
        let took = timed(async {
            let mut client = Client::connect(8_192).await;
            client.send(SMALL).await;
            client.expect("small").await;
            sleep(Duration::from_secs(9)).await;
            client.send(start).await;
            let (rest, why) = client.end().await;
            assert!(rest.starts_with("HTTP/1.1 408 "), "{start:?} {rest}");
            assert_eq!(why, Some(Expiry::SlowHead));
        });
        assert_eq!(took.await, 9 + 5, "{start:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pipelined_head_has_the_same_deadline() {
    for next in ["", "GET / HTTP/1.1\r\nHo"] {
        let took = timed(async {
            let mut client = Client::connect(8_192).await;
            client.send(&format!("{SMALL}{BIG}{SMALL}G{next}")).await;
            client.expect("small").await;
            client.expect(&"x".repeat(BIG_SIZE)).await;
            client.expect("small").await;
            client.drip(&"x".repeat(1_000)).await;
            let (rest, why) = client.end().await;
            assert!(rest.starts_with("HTTP/1.1 408 "), "{rest}");
            assert_eq!(why, Some(Expiry::SlowHead));
        });
        assert_eq!(took.await, 5, "{next}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_head_has_its_whole_time() {
    let took = timed(async {
        let mut client = Client::connect(8_192).await;
        for _ in 0..20 {
            let (start, end) = SMALL.split_at(10);
            client.send(start).await;
            sleep(Duration::from_millis(4_500)).await;
            client.send(end).await;
            client.expect("small").await;
            sleep(Duration::from_millis(9_500)).await;
        }
    });
    assert_eq!(took.await, 20 * 14);
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_requests_is_ended() {
    let took = timed(async {
        let mut client = Client::connect(8_192).await;
        client.send(SMALL).await;
        client.expect("small").await;
        assert_eq!(client.end().await, (String::new(), Some(Expiry::Idle)));
    });
    assert_eq!(took.await, 10);
    let took = timed(async {
        let (rest, why) = Client::connect(8_192).await.end().await;
        assert!(rest.starts_with("HTTP/1.1 408 "), "{rest}");
        assert_eq!(why, Some(Expiry::SlowHead));
    });
    assert_eq!(took.await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_request_under_way_has_its_own_deadline() {
    let took = timed(async {
        let mut client = Client::connect(8_192).await;
        client
            .send("GET /slow HTTP/1.1\r\nHost: shop\r\n\r\n")
            .await;
        // The head of the next request waits meanwhile.
        client.send("GET / HT").await;
        client.expect("late").await;
        client.send("TP/1.1\r\nHost: shop\r\n\r\n").await;
        client.expect("small").await;
        client
            .send("POST /echo HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\n")
            .await;
        for byte in ["a", "b", "c"] {
            sleep(Duration::from_secs(60)).await;
            client.send(byte).await;
        }
        client.expect("abc").await;
    });
    assert_eq!(took.await, 600 + 180);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_read_too_slowly_ends_the_connection() {
    for (bytes, every) in [(100, 1_000), (10_000, 40_000), (1, 2)] {
        let took = timed(async {
            let mut client = Client::connect(1_024).await;
            client.send(BIG).await;
            let mut piece = vec![0; bytes];
            while !client.serving.is_finished() {
                client.stream.read_exact(&mut piece).await.unwrap();
                sleep(Duration::from_millis(every)).await;
            }
            assert!(client.discarded.get());
            assert_eq!(*client.ended.borrow(), [Expiry::SlowReader]);
        });
        // The second response may have been in progress for a window.
        let took = took.await;
        assert!((60..=120).contains(&took), "{bytes} {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn small_answers_that_are_read_too_slowly_end_the_connection() {
    let took = timed(async {
        let client = Client::connect(64).await;
        let (mut read, mut write) = tokio::io::split(client.stream);
        let asking =
            spawn_local(async move { while write.write_all(SMALL.as_bytes()).await.is_ok() {} });
        while !client.serving.is_finished() {
            let _ = read.read_u8().await;
            sleep(Duration::from_millis(100)).await;
        }
        client.serving.await.unwrap();
        assert_eq!(client.ended.take(), [Expiry::SlowReader]);
        asking.abort();
    });
    let took = took.await;
    assert!((60..=120).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pauses_or_is_slow_gets_its_answer() {
    let took = timed(async {
        let mut client = Client::connect(1_024).await;
        for pause in [20, 59] {
            client.send(BIG).await;
            sleep(Duration::from_secs(pause)).await;
            client.expect(&"x".repeat(BIG_SIZE)).await;
        }
        // One kibibyte a second, with a pause of thirty seconds in between.
        client.send(BIG).await;
        let mut read = 0;
        for second in 0.. {
            let mut piece = vec![0; 1_024];
            let count = client.stream.read(&mut piece).await.unwrap();
            read += count;
            if read >= BIG_SIZE {
                break;
            }
            sleep(Duration::from_secs(if second % 60 == 30 { 28 } else { 1 })).await;
        }
        assert!(client.ended.borrow().is_empty());
        assert!(!client.discarded.get());
    });
    assert!(took.await > 79 + 195);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_took_long_to_read_may_ask_again() {
    timed(async {
        let mut client = Client::connect(1_024).await;
        client.send(BIG).await;
        sleep(Duration::from_secs(50)).await;
        client.expect(&"x".repeat(BIG_SIZE)).await;
        sleep(Duration::from_secs(9)).await;
        client.send(SMALL).await;
        client.expect("small").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_is_not_taken_is_ignored() {
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    let websocket = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
    timed(async {
        let mut client = Client::connect(8_192).await;
        for offer in [
            h2c,
            websocket,
            h2c,
            "Upgrade: h2c\r\n",
            "Connection: upgrade\r\n",
        ] {
            let get = format!("GET / HTTP/1.1\r\nHost: shop\r\n{offer}\r\n");
            let post = "POST /echo HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n";
            let post = format!("{post}{offer}\r\nbody");
            for (request, body) in [(get, "small"), (post, "body")] {
                client.send(&request).await;
                let (head, found) = client.answer().await;
                assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
                let head = head.to_ascii_lowercase();
                assert!(
                    !head.contains("upgrade") && !head.contains("connection"),
                    "{head}"
                );
                assert_eq!(found, body);
            }
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_in_one_piece_or_in_many_are_told_apart() {
    let post = "POST /echo HTTP/1.1\r\nHost: shop\r\n";
    let sized = format!("{post}Content-Length: 16\r\n\r\nGET / HTTP/1.1\r\n");
    let chunked = format!("{post}Transfer-Encoding: chunked\r\n\r\n3\r\n\r\n\r\r\n0\r\n\r\n");
    let requests = [SMALL, &sized, &chunked, SMALL, &chunked, &sized, SMALL].concat();
    for size in [1, 2, 3, 7, 50, 10_000] {
        timed(async {
            let mut client = Client::connect(8_192).await;
            for piece in requests.as_bytes().chunks(size) {
                client.stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            for body in ["small", "GET / HTTP/1.1\r\n", "\r\n\r", "small"] {
                client.expect(body).await;
            }
            for body in ["\r\n\r", "GET / HTTP/1.1\r\n", "small"] {
                client.expect(body).await;
            }
            assert_eq!(client.end().await, (String::new(), Some(Expiry::Idle)));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_read_ends_the_connection() {
    let took = timed(async {
        for framing in ["Content-Length: 99999", "Transfer-Encoding: chunked"] {
            let mut client = Client::connect(8_192).await;
            client
                .send(&format!(
                    "POST / HTTP/1.1\r\nHost: shop\r\n{framing}\r\n\r\n"
                ))
                .await;
            let (head, _) = client.answer().await;
            assert!(head.contains("connection: close\r\n"), "{head}");
            assert_eq!(client.end().await, (String::new(), None));
        }
    });
    assert_eq!(took.await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_ends_its_connection() {
    let took = timed(async {
        let mut client = Client::connect(8_192).await;
        client.send(SMALL).await;
        client.expect("small").await;
        drop(client.stream);
        client.serving.await.unwrap();
        assert!(client.ended.borrow().is_empty());
    });
    assert_eq!(took.await, 0);
}
