//! Tests of the worker pool.

use super::*;
use futures_util::FutureExt;
use futures_util::future::{join, join_all, join3};
use std::sync::{Mutex, mpsc};

fn pool(running: usize, waiting: usize) -> WorkerPool {
    WorkerPool::new(PoolLimit { running, waiting })
}

fn soon(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

#[actix_web::test]
async fn jobs_beyond_the_queue_are_rejected_at_once() {
    let pool = Arc::new(pool(1, 1));
    let (end, ended) = mpsc::channel::<()>();
    let first = pool.run(JobKind::Query, soon(5_000), move || {
        Ok(ended.recv().is_ok())
    });
    let second = pool.run(JobKind::Query, soon(5_000), || Ok(true));
    let third = async {
        let began = Instant::now();
        let refused = pool.run(JobKind::Query, soon(5_000), || Ok(true)).await;
        assert!(matches!(refused, Err(ApiError::Busy)));
        assert!(began.elapsed() < Duration::from_millis(500));
        end.send(()).unwrap();
    };
    let (first, second, ()) = join3(first, second, third).await;
    assert!(first.unwrap() && second.unwrap());
    assert!(
        pool.run(JobKind::Query, soon(5_000), || Ok(true))
            .await
            .unwrap()
    );
}

#[actix_web::test]
async fn no_job_waits_longer_than_its_deadline() {
    for (kind, overdue) in [
        (JobKind::Query, "unavailable"),
        (JobKind::Probe, "unavailable"),
        (JobKind::Command, "outcome_unknown"),
        (JobKind::List, "list_timeout"),
        (JobKind::Search, "list_timeout"),
    ] {
        let pool = pool(1, 1);
        let (end, ended) = mpsc::channel::<()>();
        let began = pool.run(kind, soon(50), move || Ok(ended.recv().is_ok()));
        let waiting = pool.run(kind, soon(50), || Ok(true));
        let (began, waiting) = join(began, waiting).await;
        assert_eq!(began.unwrap_err().code().word(), overdue);
        assert_eq!(waiting.unwrap_err().code().word(), "busy");
        // The job still runs and holds its slot; it frees it at its end.
        assert!(pool.run(kind, soon(50), || Ok(true)).await.is_err());
        end.send(()).unwrap();
        assert!(pool.run(kind, soon(5_000), || Ok(true)).await.unwrap());
    }
}

/// Of 64 jobs that arrive at once, the number of admitted ones, which must all succeed; each of
/// the others must be rejected on the first poll. No job ends before all have arrived.
async fn admitted(pool: &WorkerPool, deadline: Instant) -> usize {
    let (end, ended) = mpsc::channel::<()>();
    let ended = Arc::new(Mutex::new(ended));
    let mut jobs = Vec::new();
    for _ in 0..64 {
        let ended = Arc::clone(&ended);
        let job = move || Ok(ended.lock().unwrap().recv().is_err());
        let mut job = Box::pin(pool.run(JobKind::Command, deadline, job));
        match job.as_mut().now_or_never() {
            None => jobs.push(job),
            Some(refused) => assert!(matches!(refused, Err(ApiError::Busy))),
        }
    }
    drop(end);
    let outcomes = join_all(jobs).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(true))));
    outcomes.len()
}

/// Durations of minutes, in which the run time of the test itself is negligible.
#[actix_web::test]
async fn jobs_that_cannot_meet_the_deadline_are_rejected_at_once() {
    const LIMIT: PoolLimit = PoolLimit {
        running: 2,
        waiting: 100,
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    let pool = WorkerPool::with_admission(LIMIT, minutes(500));
    pool.latency.as_ref().unwrap().observe(minutes(50));
    // Two at once for 50 minutes each: 20 in 500 minutes, less an eighth of the time in
    // reserve.
    assert_eq!(admitted(&pool, Instant::now() + minutes(500)).await, 16);

    // Before a job has ended, the expected duration counts; without admission, all may wait.
    let pool = WorkerPool::with_admission(LIMIT, minutes(100));
    assert_eq!(admitted(&pool, Instant::now() + minutes(500)).await, 8);
    let pool = WorkerPool::new(LIMIT);
    assert_eq!(admitted(&pool, Instant::now() + minutes(500)).await, 64);
}

/// The duration of jobs is measured: otherwise none would be admitted to the queue.
#[actix_web::test]
async fn the_duration_of_jobs_is_learnt() {
    const LIMIT: PoolLimit = PoolLimit {
        running: 1,
        waiting: 100,
    };
    let far = || Instant::now() + Duration::from_secs(3_600);
    let pool = WorkerPool::with_admission(LIMIT, Duration::from_secs(3_600));
    assert_eq!(admitted(&pool, far()).await, 1);
    // One job has ended, in far less than an hour.
    assert!(admitted(&pool, far()).await > 1);
}

#[test]
fn the_average_follows_the_latest_jobs() {
    let milliseconds = Duration::from_millis;
    let latency = LatencyEwma::new(milliseconds(500));
    assert_eq!(latency.rounds(milliseconds(1_000)), 2);
    latency.observe(milliseconds(100));
    assert_eq!(latency.rounds(milliseconds(1_000)), 10);
    (0..100).for_each(|_| latency.observe(milliseconds(10)));
    assert!(latency.rounds(milliseconds(1_000)) >= 99);
    (0..100).for_each(|_| latency.observe(Duration::MAX));
    assert_eq!(latency.rounds(milliseconds(1_000)), 0);
    (0..1_000).for_each(|_| latency.observe(Duration::ZERO));
    assert!(latency.rounds(milliseconds(1_000)) > 1_000);
}

#[actix_web::test]
async fn a_panic_gives_its_place_back() {
    let pool = pool(1, 0);
    for _ in 0..3 {
        let panicked = pool
            .run(JobKind::Query, soon(5_000), || panic!("on purpose"))
            .await;
        let panicked: Result<(), _> = panicked;
        assert!(matches!(panicked, Err(ApiError::Panicked)));
    }
}

#[actix_web::test]
async fn clients_that_disconnect_leave_the_queue() {
    let pool = pool(1, 1);
    let (end, ended) = mpsc::channel::<()>();
    let first = pool.run(JobKind::Query, soon(5_000), move || {
        Ok(ended.recv().is_ok())
    });
    let rest = async {
        for _ in 0..3 {
            let waiting = pool.run(JobKind::Query, soon(5_000), || Ok(true));
            let gone = tokio::time::timeout(Duration::from_millis(10), waiting).await;
            assert!(gone.is_err());
        }
        assert_eq!(pool.waiting.load(Ordering::Relaxed), 0);
        end.send(()).unwrap();
    };
    let (first, ()) = join(first, rest).await;
    assert!(first.unwrap());
}

#[actix_web::test]
async fn a_job_that_goes_on_gives_its_slot_up_while_others_wait() {
    let pool = Arc::new(pool(1, 1));
    let (begun, begins) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let job = move || {
        begun.send(()).unwrap();
        ended.recv().is_ok()
    };
    let endless = pool.run_while(soon(5_000), job);
    let other = async {
        // It runs, and keeps its slot while no other job waits.
        for _ in 0..3 {
            while begins.try_recv().is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!((pool.load().running, pool.load().waiting), (1, 0));
            end.send(()).unwrap();
        }
        while begins.try_recv().is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let waits = pool.run(JobKind::Query, soon(5_000), || Ok(true));
        let release = async {
            assert_eq!(pool.load().waiting, 1);
            end.send(()).unwrap();
        };
        join(waits, release).await.0
    };
    let (goes_on, other) = join(endless, other).await;
    assert!(goes_on.unwrap() && other.unwrap());
}
