use super::*;
use futures_util::future::{join, join_all};
use std::sync::mpsc;

fn pool(running: usize, waiting: usize) -> PasswordPool {
    let pool = PasswordPool::new(PoolLimit { running, waiting }, Duration::from_secs(1));
    // So quick that any number of jobs can meet the deadline.
    pool.latency.observe(Duration::from_micros(1));
    pool
}

fn late() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn client(address: &str) -> Client {
    let network = ClientNetwork::new(address.parse().unwrap());
    Client::new(network, SignInPriority::Normal)
}

fn staff(address: &str) -> Client {
    Client {
        priority: SignInPriority::Staff,
        ..client(address)
    }
}

const A: &str = "192.0.2.1";
const B: &str = "192.0.2.2";
const C: &str = "192.0.2.3";

/// Enqueues jobs of these clients in this order while one job runs; returns the clients whose jobs
/// were run, in order, and the rejected ones.
async fn order(pool: &PasswordPool, clients: &[(&'static str, Client)]) -> (String, String) {
    let (end, ended) = mpsc::channel::<()>();
    let (done, order) = mpsc::channel::<&'static str>();
    let first = pool.run(client("198.51.100.1"), late(), move || ended.recv().is_ok());
    let jobs = clients.iter().copied().map(|(name, client)| {
        let done = done.clone();
        let job = pool.run(client, late(), move || done.send(name).is_ok());
        async move { job.await.err().map(|error| (error.code().word(), name)) }
    });
    let rest = join(join_all(jobs), async { end.send(()).unwrap() });
    let (first, (refused, ())) = join(first, rest).await;
    assert!(first.unwrap());
    assert_eq!(pool.load().waiting, 0);
    assert_eq!(pool.load().running, 0);
    let refused = refused.into_iter().flatten().map(|(code, name)| {
        assert_eq!(code, "busy");
        name
    });
    (order.try_iter().collect(), refused.collect())
}

#[actix_web::test]
async fn queries_of_a_job_have_the_deadline_of_its_request() {
    let (pool, deadline) = (pool(1, 0), late());
    let seen = pool.run(client(A), deadline, deadline::current).await;
    assert_eq!(seen.unwrap(), Some(deadline));
}

#[actix_web::test]
async fn networks_take_turns_and_staff_come_first() {
    let (a, b, c) = (("a", client(A)), ("b", client(B)), ("c", client(C)));
    let mut clients = vec![a; 8];
    clients.extend([b, c, c, ("s", staff(B))]);
    let (order, refused) = order(&pool(1, 64), &clients).await;
    assert_eq!((&*order, &*refused), ("sabcacaaaaaa", ""));
}

#[actix_web::test]
async fn all_networks_of_one_site_take_one_turn() {
    let mut clients: Vec<_> = (0..6)
        .map(|number| ("a", client(&format!("2001:db8:1:{number}::1"))))
        .collect();
    clients.extend([("b", client("2001:db8:2::1")), ("c", client(C))]);
    let (order, _) = order(&pool(1, 64), &clients).await;
    assert_eq!(order, "abcaaaaa");
}

#[actix_web::test]
async fn a_full_queue_makes_room_for_networks_with_fewer_jobs() {
    let (a, b, c) = (("a", client(A)), ("b", client(B)), ("c", client(C)));
    for (clients, expected) in [
        // One network alone has the whole queue, and no more.
        (vec![a, a, a, a, a], ("aaaa", "a")),
        // Another network gets its share of the queue.
        (vec![a, a, a, a, b, b, b], ("abab", "aab")),
        (vec![a, a, a, a, b, c, c], ("abca", "aac")),
        // Staff replace the newest job of the network with the most jobs.
        (vec![a, a, a, a, ("s", staff(A))], ("saaa", "a")),
        (
            vec![
                ("s", staff(A)),
                ("s", staff(A)),
                ("s", staff(A)),
                ("s", staff(A)),
                a,
            ],
            ("ssss", "a"),
        ),
    ] {
        let (order, refused) = order(&pool(1, 4), &clients).await;
        assert_eq!((&*order, &*refused), expected);
    }
}

/// Thirty-two connections of one client keep retrying, and all of its neighbours are served.
#[actix_web::test]
async fn one_client_with_many_connections_does_not_starve_others() {
    let mut clients = vec![("a", client(A)); 32];
    let neighbours: Vec<_> = (10..18)
        .map(|number| ("n", client(&format!("192.0.2.{number}"))))
        .collect();
    clients.extend(&neighbours);
    clients.extend(vec![("a", client(A)); 32]);
    let (order, refused) = order(&pool(1, 16), &clients).await;
    assert_eq!(order.matches('n').count(), neighbours.len());
    assert_eq!(order.find("nnnnnnnn"), Some(1), "{order}");
    assert!(!refused.contains('n'));
    assert_eq!(order.len(), 16);
}

#[actix_web::test]
async fn clients_that_go_away_leave_the_queue() {
    let pool = pool(1, 2);
    let (end, ended) = mpsc::channel::<()>();
    let first = pool.run(client(A), late(), move || ended.recv().is_ok());
    let rest = async {
        for client in [client(A), client(B), staff(A)] {
            for _ in 0..3 {
                let waiting = pool.run(client, late(), || true);
                let gone = tokio::time::timeout(Duration::from_millis(10), waiting).await;
                assert!(gone.is_err());
            }
        }
        let queue = lock(&pool.queue);
        assert_eq!(
            (queue.waiting, queue.turns.len(), queue.lines.len()),
            (0, 0, 0)
        );
        drop(queue);
        end.send(()).unwrap();
    };
    let (first, ()) = join(first, rest).await;
    assert!(first.unwrap());
    assert!(pool.run(client(B), late(), || true).await.unwrap());
    assert_eq!(pool.load().running, 0);
}

/// A job that no longer waits when its turn comes leaves the slot to the next one.
#[actix_web::test]
async fn a_slot_that_is_not_taken_goes_on_to_the_next() {
    let pool = pool(1, 8);
    let slot = pool.slot(client(A), late()).await.unwrap();
    let Entered::Waiting(_, gone) = lock(&pool.queue).enter(client(A), 8).0 else {
        panic!("a slot was free");
    };
    let next = lock(&pool.queue).enter(client(B), 8).0;
    drop(gone);
    drop(slot);
    let Entered::Waiting(_, mut next) = next else {
        panic!("a slot was free");
    };
    let slot = next.try_recv().unwrap();
    assert_eq!(pool.load().running, 1);
    drop(slot);
    // A slot whose receiver is dropped too late to be noticed goes back too.
    assert_eq!(pool.load().running, 0);
    let slot = pool.slot(client(A), late()).await.unwrap();
    let Entered::Waiting(_, told) = lock(&pool.queue).enter(client(B), 8).0 else {
        panic!("a slot was free");
    };
    drop(slot);
    drop(told);
    assert_eq!(pool.load().running, 0);
}

#[actix_web::test]
async fn a_panic_gives_its_slot_back() {
    let pool = pool(1, 0);
    for _ in 0..3 {
        let panicked = pool.run(client(A), late(), || panic!("on purpose")).await;
        let panicked: Result<(), _> = panicked;
        assert!(matches!(panicked, Err(ApiError::Panicked)));
    }
    assert_eq!(pool.load().running, 0);
}

#[actix_web::test]
async fn jobs_that_cannot_meet_the_deadline_are_rejected() {
    let limit = PoolLimit {
        running: 2,
        waiting: 64,
    };
    let pool = PasswordPool::new(limit, Duration::from_secs(15));
    // Before a job has ended, as many may wait as the expected duration allows.
    assert_eq!(pool.latency.admissible(late(), 2), 4);
    pool.latency.observe(Duration::from_secs(1));
    for (seconds, most) in [(0, 0), (1, 0), (8, 12), (80, 138)] {
        // Half a second of slack for this test.
        let deadline = Instant::now() + Duration::from_millis(seconds * 1_000 + 500);
        assert_eq!(pool.latency.admissible(deadline, 2), most, "{seconds}");
    }
    // Slots are free for jobs that can still meet their deadline; no job waits behind them in vain.
    let (end, ended) = mpsc::channel::<()>();
    let ended = Arc::new(Mutex::new(ended));
    let running = (0..2).map(|_| {
        let ended = Arc::clone(&ended);
        pool.run(client(A), late(), move || {
            ended.lock().unwrap().recv().is_ok()
        })
    });
    let rejected = async {
        let soon = Instant::now() + Duration::from_millis(1_500);
        let refused = pool.run(client(B), soon, || true).await;
        assert!(matches!(refused, Err(ApiError::Busy)));
        assert!(Instant::now() < soon, "it was rejected at once");
        end.send(()).unwrap();
        end.send(()).unwrap();
    };
    let (running, ()) = join(join_all(running), rejected).await;
    assert!(running.into_iter().all(|ran| ran.unwrap()));
}

#[actix_web::test]
async fn a_job_that_takes_too_long_is_overdue() {
    let pool = pool(1, 1);
    let soon = || Instant::now() + Duration::from_millis(50);
    let (end, ended) = mpsc::channel::<()>();
    let began = pool.run(client(A), soon(), move || ended.recv().is_ok());
    let waiting = pool.run(client(B), soon(), || true);
    let (began, waiting) = join(began, waiting).await;
    assert_eq!(began.unwrap_err().code().word(), "unavailable");
    assert_eq!(waiting.unwrap_err().code().word(), "busy");
    end.send(()).unwrap();
    assert!(pool.run(client(B), late(), || true).await.unwrap());
}
