//! Lock conflicts. In the fake, the requests of users with an even id have them.

use super::{Answer, NEVER, Orders, kind, limits, placed, start, submit};
use crate::fake::{Act, Fake, request};
use crate::{BatcherConfig, QueueFull, Ticket};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::StoreErrorKind;

fn submit_until(
    batcher: &Orders,
    id: i64,
    deadline: Instant,
    answers: &Sender<(i64, Answer)>,
) -> Ticket {
    let answers = answers.clone();
    let done = move |answer| answers.send((id, answer)).unwrap();
    batcher.submit(request(id), deadline, done).unwrap()
}

/// Waits until a user's request was tried so often.
fn tried(fake: &Fake, id: i64, times: usize) {
    let until = Instant::now() + NEVER;
    while fake
        .batches()
        .concat()
        .iter()
        .filter(|one| **one == id)
        .count()
        < times
    {
        assert!(Instant::now() < until, "{id} was not tried {times} times");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_lock_conflict_is_retried_after_a_short_pause() {
    let fake = Fake::placing();
    fake.then(Act::ContendEven);
    fake.then(Act::ContendEven);
    let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    let began = Instant::now();
    submit(&batcher, 2, &sender).unwrap();
    assert_eq!(placed(&answers), 2);
    assert!(began.elapsed() >= Duration::from_millis(10), "two pauses");
    assert_eq!(fake.batches(), [[2], [2], [2]]);
    batcher.close();
    drop(sender);
    assert_eq!(answers.iter().count(), 0, "it is answered once");
}

#[test]
fn other_requests_go_on_during_a_pause() {
    let (fake, gate) = Fake::gated();
    fake.contend(true);
    let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    for id in 2..=5 {
        submit(&batcher, id, &sender).unwrap();
    }
    gate.open();
    assert_eq!([(); 3].map(|()| placed(&answers)), [1, 3, 5]);
    for id in [7, 9, 11] {
        submit(&batcher, id, &sender).unwrap();
        assert_eq!(placed(&answers), id);
    }
    tried(&fake, 4, 3);
    fake.contend(false);
    let mut rest = [placed(&answers), placed(&answers)];
    rest.sort_unstable();
    assert_eq!(rest, [2, 4]);
}

#[test]
fn half_of_a_batch_is_reserved_for_new_requests() {
    let (fake, gate) = Fake::gated();
    fake.then(Act::Place);
    fake.then(Act::ContendEven);
    let batcher = start(fake.clone(), limits(4, 100)).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    for id in [2, 4, 6] {
        submit(&batcher, id, &sender).unwrap();
    }
    let again = Arc::new(batcher);
    let (hands_in, answer) = (Arc::clone(&again), sender.clone());
    let done = move |placement| {
        answer.send((3, placement)).unwrap();
        // The worker is blocked: when it continues, three retries are due and three requests are
        // new.
        for id in [5, 7, 9] {
            submit(&hands_in, id, &answer).unwrap();
        }
        thread::sleep(Duration::from_millis(60));
    };
    again.submit(request(3), super::soon(), done).unwrap();
    gate.open();
    let ids: Vec<i64> = (0..8).map(|_| placed(&answers)).collect();
    assert_eq!(ids, [1, 3, 2, 4, 5, 7, 6, 9]);
    assert_eq!(
        fake.batches(),
        [vec![1], vec![2, 4, 6, 3], vec![2, 4, 5, 7], vec![6, 9]]
    );
}

#[test]
fn a_lock_conflict_at_the_deadline_is_answered_as_busy() {
    let fake = Fake::placing();
    fake.contend(true);
    let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    let patience = Duration::from_millis(200);
    let began = Instant::now();
    let _ticket = submit_until(&batcher, 2, began + patience, &sender);
    assert_eq!(kind(&answers), (2, StoreErrorKind::Busy));
    assert!((patience..NEVER).contains(&began.elapsed()));
    let tries = fake.batches().len();
    assert!((3..=41).contains(&tries), "{tries} tries");

    // A deadline in the past leaves one attempt.
    let _ticket = submit_until(&batcher, 4, began, &sender);
    assert_eq!(kind(&answers), (4, StoreErrorKind::Busy));
    assert_eq!(fake.batches().len(), tries + 1);
    let _ticket = submit_until(&batcher, 5, began, &sender);
    assert_eq!(placed(&answers), 5);
}

#[test]
fn a_pausing_request_can_be_withdrawn() {
    let fake = Fake::placing();
    fake.contend(true);
    let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    for round in 1.. {
        let ticket = submit(&batcher, 2, &sender).unwrap();
        tried(&fake, 2, round);
        // The request pauses for at least 5 ms now, unless the thread was held up for as long.
        thread::sleep(Duration::from_millis(1));
        if ticket.withdraw() {
            break;
        }
        assert!(round < 50, "it is never found to pause");
    }
    let tries = fake.batches().len();
    fake.contend(false);
    batcher.close();
    drop(sender);
    assert!(answers.iter().count() <= tries);
    assert_eq!(fake.batches().last(), Some(&vec![2]));
}

#[test]
fn a_pausing_request_counts_towards_the_queue_limit() {
    let fake = Fake::placing();
    fake.contend(true);
    let batcher = start(fake.clone(), limits(10, 1)).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 2, &sender).unwrap();
    // It is accepted only while a batch has the other one.
    let until = Instant::now() + NEVER;
    while submit(&batcher, 1, &sender).map(Ticket::withdraw) != Err(QueueFull) {
        assert!(Instant::now() < until);
    }
    fake.contend(false);
    let mut last = 0;
    while last != 2 {
        last = placed(&answers);
    }
    while submit(&batcher, 3, &sender).is_err() {
        thread::yield_now();
    }
    while last != 3 {
        last = placed(&answers);
    }
}

#[test]
fn closing_retries_lock_conflicts_until_their_deadlines() {
    for (clears, expected) in [(true, None), (false, Some(StoreErrorKind::Busy))] {
        let fake = Fake::placing();
        fake.contend(true);
        let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
        let (sender, answers) = mpsc::channel();
        let patience = Duration::from_millis(if clears { 20_000 } else { 150 });
        let _ticket = submit_until(&batcher, 2, Instant::now() + patience, &sender);
        tried(&fake, 2, 1);
        thread::scope(|scope| {
            let closing = scope.spawn(|| batcher.close());
            tried(&fake, 2, 3);
            if clears {
                fake.contend(false);
            }
            closing.join().unwrap();
        });
        let (_, answer) = answers
            .try_recv()
            .expect("it is answered when that returns");
        assert_eq!(answer.err().map(|error| error.kind().clone()), expected);
        assert_eq!(submit(&batcher, 6, &sender).unwrap_err(), QueueFull);
    }
}

#[test]
fn a_store_failure_ends_the_retries() {
    let fake = Fake::placing();
    fake.then(Act::ContendEven);
    fake.then(Act::Fail(StoreErrorKind::Full));
    let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 2, &sender).unwrap();
    assert_eq!(kind(&answers), (2, StoreErrorKind::Full));
    assert_eq!(fake.batches(), [[2], [2]]);
}

#[test]
fn no_answer_is_lost_or_given_twice_under_lock_conflicts() {
    const THREADS: i64 = 8;
    const EACH: i64 = 100;
    let fake = Fake::placing();
    fake.contend(true);
    let batcher = start(fake.clone(), limits(16, 10_000)).unwrap();
    let (sender, answers) = mpsc::channel();
    let withdrawn: Vec<i64> = thread::scope(|scope| {
        let run = |thread: i64| {
            let (batcher, sender) = (&batcher, sender.clone());
            scope.spawn(move || {
                let ids = thread * EACH + 1..=(thread + 1) * EACH;
                let each = ids.filter(|id| {
                    let ticket = submit(batcher, *id, &sender).unwrap();
                    if id % 6 != 0 {
                        return false;
                    }
                    thread::sleep(Duration::from_millis(1));
                    ticket.withdraw()
                });
                each.collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.flatten().collect()
    });
    fake.contend(false);
    batcher.close();
    drop(sender);
    let mut ids: Vec<i64> = answers
        .iter()
        .map(|(id, answer)| {
            answer.unwrap().unwrap();
            id
        })
        .collect();
    ids.extend(&withdrawn);
    ids.sort_unstable();
    assert_eq!(ids, (1..=THREADS * EACH).collect::<Vec<_>>());
    assert!(fake.batches().iter().all(|batch| batch.len() <= 16));
}
