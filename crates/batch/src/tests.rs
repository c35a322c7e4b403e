//! The batcher over a scripted repository.

use crate::fake::{Act, Fake, order, request};
use crate::{Batcher, BatcherConfig, QueueFull, Ticket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tradepost_domain::cart::CartRefusal;
use tradepost_domain::kernel::{Execution, Refusal, StoreError, StoreErrorKind};
use tradepost_domain::orders::{Order, PlaceOrder, Placement};

mod contended;
mod statistics;

/// A safety net: longer than anything here takes.
const NEVER: Duration = Duration::from_secs(20);

type Answer = Result<Placement, StoreError>;
type Orders = Batcher<PlaceOrder, Execution<Order>>;

fn start(fake: Arc<Fake>, limits: BatcherConfig) -> std::io::Result<Orders> {
    Batcher::start(
        "orders",
        move |requests: &[PlaceOrder]| fake.place(requests),
        limits,
    )
}

/// Submits a request of user `id`, whose result is sent with that id.
fn submit(batcher: &Orders, id: i64, answers: &Sender<(i64, Answer)>) -> Result<Ticket, QueueFull> {
    let answers = answers.clone();
    batcher.submit(request(id), soon(), move |answer| {
        answers.send((id, answer)).unwrap()
    })
}

/// A deadline beyond every pause.
fn soon() -> Instant {
    Instant::now() + NEVER
}

fn now(id: i64) -> Execution<Order> {
    Execution::Executed(order(&request(id)))
}

fn placed(answers: &Receiver<(i64, Answer)>) -> i64 {
    let (id, answer) = answers.recv_timeout(NEVER).unwrap();
    assert_eq!(answer.unwrap().unwrap(), now(id));
    id
}

fn kind(answers: &Receiver<(i64, Answer)>) -> (i64, StoreErrorKind) {
    let (id, answer) = answers.recv_timeout(NEVER).unwrap();
    (id, answer.unwrap_err().kind().clone())
}

fn limits(batch: usize, waiting: usize) -> BatcherConfig {
    BatcherConfig { batch, waiting }
}

#[test]
fn a_lone_order_does_not_wait() {
    let fake = Fake::placing();
    let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    for id in 1..=3 {
        submit(&batcher, id, &sender).unwrap();
        assert_eq!(placed(&answers), id);
    }
    assert_eq!(fake.batches(), [vec![1], vec![2], vec![3]]);
}

#[test]
fn orders_that_arrive_while_one_commits_share_the_next_batch() {
    let (fake, gate) = Fake::gated();
    let batcher = start(fake.clone(), limits(4, 100)).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    for id in 2..=8 {
        submit(&batcher, id, &sender).unwrap();
    }
    gate.open();
    let ids: Vec<i64> = (1..=8).map(|_| placed(&answers)).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(fake.batches(), [vec![1], vec![2, 3, 4, 5], vec![6, 7, 8]]);
}

#[test]
fn nothing_is_answered_before_it_is_placed() {
    let (fake, gate) = Fake::gated();
    let batcher = start(fake, BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    assert!(answers.recv_timeout(Duration::from_millis(100)).is_err());
    gate.open();
    assert_eq!(placed(&answers), 1);
}

#[test]
fn the_queue_is_bounded() {
    let (fake, gate) = Fake::gated();
    let batcher = start(fake, limits(10, 2)).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    submit(&batcher, 2, &sender).unwrap();
    submit(&batcher, 3, &sender).unwrap();
    assert_eq!(submit(&batcher, 4, &sender).unwrap_err(), QueueFull);
    gate.open();
    assert_eq!(
        (1..=3).map(|_| placed(&answers)).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    submit(&batcher, 5, &sender).unwrap();
    assert_eq!(placed(&answers), 5);
}

#[test]
fn a_limit_of_zero_counts_as_one() {
    let (fake, gate) = Fake::gated();
    let batcher = start(fake.clone(), limits(0, 0)).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    submit(&batcher, 2, &sender).unwrap();
    assert_eq!(submit(&batcher, 3, &sender).unwrap_err(), QueueFull);
    gate.open();
    assert_eq!((placed(&answers), placed(&answers)), (1, 2));
}

#[test]
fn a_request_can_be_withdrawn_until_a_batch_takes_it() {
    let (fake, gate) = Fake::gated();
    let batcher = start(fake.clone(), limits(10, 3)).unwrap();
    let (sender, answers) = mpsc::channel();
    let taken = submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    let _waits = submit(&batcher, 2, &sender).unwrap();
    let withdrawn = submit(&batcher, 3, &sender).unwrap();
    let _waits_too = submit(&batcher, 4, &sender).unwrap();
    assert!(withdrawn.withdraw(), "it waits");
    assert!(!taken.withdraw(), "a batch has it");
    submit(&batcher, 5, &sender).expect("what is withdrawn makes room");
    gate.open();
    batcher.close();
    drop(sender);
    let answered: Vec<i64> = answers.iter().map(|(id, _)| id).collect();
    assert_eq!(answered, [1, 2, 4, 5]);
    assert_eq!(fake.batches(), [vec![1], vec![2, 4, 5]]);
}

#[test]
fn an_answered_request_cannot_be_withdrawn() {
    let batcher = start(Fake::placing(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    let ticket = submit(&batcher, 1, &sender).unwrap();
    placed(&answers);
    assert!(!ticket.withdraw());
}

#[test]
fn each_request_gets_its_own_answer_refused_neighbours_or_not() {
    let (fake, gate) = Fake::gated();
    fake.then(Act::Place);
    fake.then(Act::RefuseEven);
    let batcher = start(fake, BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    for id in 2..=9 {
        submit(&batcher, id, &sender).unwrap();
    }
    gate.open();
    assert_eq!(placed(&answers), 1);
    for id in 2..=9 {
        let (answered, answer) = answers.recv_timeout(NEVER).unwrap();
        let expected = if id % 2 == 0 {
            Err(Refusal::Cart(CartRefusal::Empty))
        } else {
            Ok(now(id))
        };
        assert_eq!((answered, answer.unwrap()), (id, expected));
    }
}

#[test]
fn a_failed_batch_fails_all_of_its_requests_and_no_other() {
    for (act, expected) in [
        (Act::Fail(StoreErrorKind::Busy), StoreErrorKind::Busy),
        (Act::Fail(StoreErrorKind::Full), StoreErrorKind::Full),
        (Act::Panic, StoreErrorKind::OutcomeUnknown),
        (Act::Answer(0), StoreErrorKind::OutcomeUnknown),
        (Act::Answer(2), StoreErrorKind::OutcomeUnknown),
        (Act::Answer(4), StoreErrorKind::OutcomeUnknown),
    ] {
        let (fake, gate) = Fake::gated();
        fake.then(Act::Place);
        fake.then(act);
        let batcher = start(fake.clone(), limits(3, 100)).unwrap();
        let (sender, answers) = mpsc::channel();
        submit(&batcher, 1, &sender).unwrap();
        gate.wait_for_batch();
        for id in 2..=6 {
            submit(&batcher, id, &sender).unwrap();
        }
        gate.open();
        assert_eq!(placed(&answers), 1);
        for id in 2..=4 {
            assert_eq!(kind(&answers), (id, expected.clone()));
        }
        assert_eq!((placed(&answers), placed(&answers)), (5, 6));
        assert_eq!(fake.batches(), [vec![1], vec![2, 3, 4], vec![5, 6]]);
    }
}

#[test]
fn one_bad_row_does_not_fail_the_other_requests() {
    let (fake, gate) = Fake::gated();
    *fake.corrupt.lock().unwrap() = Some(3);
    let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    for id in 2..=4 {
        submit(&batcher, id, &sender).unwrap();
    }
    gate.open();
    assert_eq!((placed(&answers), placed(&answers)), (1, 2));
    let (user, kind) = kind(&answers);
    assert_eq!(user, 3);
    assert!(matches!(kind, StoreErrorKind::Corrupt { row: 7, .. }));
    assert_eq!(placed(&answers), 4);
    let batches = [vec![1], vec![2, 3, 4], vec![2], vec![3], vec![4]];
    assert_eq!(fake.batches(), batches);
}

#[test]
fn a_failure_describes_its_cause() {
    for (act, said) in [
        (Act::Panic, "a batch panicked: told to"),
        (Act::Answer(3), "a batch of 1 commands gave 3 results"),
    ] {
        let fake = Fake::placing();
        fake.then(act);
        let batcher = start(fake, BatcherConfig::default()).unwrap();
        let (sender, answers) = mpsc::channel();
        submit(&batcher, 1, &sender).unwrap();
        let error = answers.recv_timeout(NEVER).unwrap().1.unwrap_err();
        assert!(error.to_string().ends_with(said), "{error}");
    }
}

#[test]
fn a_panic_in_a_callback_affects_no_other_request() {
    let (fake, gate) = Fake::gated();
    let batcher = start(fake, BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    batcher
        .submit(request(2), soon(), |_| panic!("told to"))
        .unwrap();
    submit(&batcher, 3, &sender).unwrap();
    gate.open();
    assert_eq!((placed(&answers), placed(&answers)), (1, 3));
    submit(&batcher, 4, &sender).unwrap();
    assert_eq!(placed(&answers), 4);
}

#[test]
fn closing_places_waiting_requests_and_accepts_no_more() {
    let (fake, gate) = Fake::gated();
    let batcher = Arc::new(start(fake.clone(), limits(2, 100)).unwrap());
    let (sender, answers) = mpsc::channel();
    submit(&batcher, 1, &sender).unwrap();
    gate.wait_for_batch();
    for id in 2..=5 {
        submit(&batcher, id, &sender).unwrap();
    }
    let closing = thread::spawn({
        let batcher = Arc::clone(&batcher);
        move || batcher.close()
    });
    while let Ok(ticket) = submit(&batcher, 9, &sender) {
        // Not closed yet.
        assert!(ticket.withdraw());
        thread::yield_now();
    }
    assert!(!closing.is_finished());
    gate.open();
    closing.join().unwrap();
    let ids: Vec<i64> = answers.try_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5], "all are answered when it returns");
    assert_eq!(fake.batches(), [vec![1], vec![2, 3], vec![4, 5]]);
    assert_eq!(submit(&batcher, 6, &sender).unwrap_err(), QueueFull);
    batcher.close();
}

#[test]
fn dropping_it_closes_it() {
    let fake = Fake::placing();
    let batcher = start(fake.clone(), BatcherConfig::default()).unwrap();
    let (sender, answers) = mpsc::channel();
    for id in 1..=20 {
        submit(&batcher, id, &sender).unwrap();
    }
    drop(batcher);
    assert_eq!(answers.try_iter().count(), 20);
    assert_eq!(Arc::strong_count(&fake), 1, "the worker has let go of it");
}

#[test]
fn the_last_handle_may_be_dropped_by_an_answer() {
    let batcher = Arc::new(start(Fake::placing(), BatcherConfig::default()).unwrap());
    let (sender, answers) = mpsc::channel();
    let handed_over = Arc::new(Barrier::new(2));
    let last = Mutex::new(Some(Arc::clone(&batcher)));
    let go = Arc::clone(&handed_over);
    batcher
        .submit(request(1), soon(), move |_| {
            go.wait();
            drop(last.lock().unwrap().take());
            sender.send(()).unwrap();
        })
        .unwrap();
    drop(batcher);
    handed_over.wait();
    answers.recv_timeout(NEVER).unwrap();
}

#[test]
fn a_callback_may_close_the_batcher_during_another_close() {
    let (fake, gate) = Fake::gated();
    let batcher = Arc::new(start(fake, BatcherConfig::default()).unwrap());
    let (sender, answers) = mpsc::channel();
    let closes = Arc::clone(&batcher);
    let done = move |answer| {
        closes.close();
        sender.send((1, answer)).unwrap();
    };
    batcher.submit(request(1), soon(), done).unwrap();
    gate.wait_for_batch();
    let closing = [(); 2].map(|()| {
        let batcher = Arc::clone(&batcher);
        thread::spawn(move || batcher.close())
    });
    gate.open();
    assert_eq!(placed(&answers), 1);
    for closing in closing {
        closing.join().unwrap();
    }
}

#[test]
fn a_callback_may_submit_the_next_request() {
    let batcher = Arc::new(start(Fake::placing(), BatcherConfig::default()).unwrap());
    let (sender, answers) = mpsc::channel();
    let again = Arc::clone(&batcher);
    let first = sender.clone();
    batcher
        .submit(request(1), soon(), move |answer| {
            first.send((1, answer)).unwrap();
            submit(&again, 2, &sender).unwrap();
        })
        .unwrap();
    assert_eq!((placed(&answers), placed(&answers)), (1, 2));
}

#[test]
fn no_answer_is_lost_or_given_twice_under_concurrency() {
    const THREADS: i64 = 8;
    const EACH: i64 = 1_000;
    let fake = Fake::placing();
    let batcher = start(fake.clone(), limits(16, 64)).unwrap();
    let answered: Arc<Vec<AtomicUsize>> =
        Arc::new((0..=THREADS * EACH).map(|_| AtomicUsize::new(0)).collect());
    let at = |id: i64| usize::try_from(id).unwrap();
    let withdrawn: Vec<i64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (batcher, answered) = (&batcher, &answered);
                scope.spawn(move || {
                    let mut withdrawn = Vec::new();
                    for id in thread * EACH + 1..=(thread + 1) * EACH {
                        let ticket = loop {
                            let answered = Arc::clone(answered);
                            let done = move |answer: Answer| {
                                assert_eq!(answer.unwrap().unwrap(), now(id));
                                answered[at(id)].fetch_add(1, Ordering::SeqCst);
                            };
                            match batcher.submit(request(id), soon(), done) {
                                Ok(ticket) => break ticket,
                                Err(QueueFull) => thread::yield_now(),
                            }
                        };
                        if id % 7 == 0 && ticket.withdraw() {
                            withdrawn.push(id);
                        }
                    }
                    withdrawn
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.flatten().collect()
    });
    batcher.close();
    let mut placed: Vec<i64> = fake.batches().concat();
    placed.sort_unstable();
    for id in 1..=THREADS * EACH {
        let once = usize::from(!withdrawn.contains(&id));
        assert_eq!(answered[at(id)].load(Ordering::SeqCst), once, "{id}");
        assert_eq!(placed.binary_search(&id).is_ok(), once == 1, "{id}");
    }
    assert_eq!(at(THREADS * EACH), placed.len() + withdrawn.len());
    assert!(fake.batches().iter().all(|batch| batch.len() <= 16));
}
