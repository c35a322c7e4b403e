//! Readiness check of the store, shared by concurrent requests.
//!
//! A single flight with hedging: a check that takes longer than its result may be shared is joined
//! by a second one, so that one hung connection does not make the store look unavailable.

use crate::config::ConcurrencyLimits;
use crate::error::ApiError;
use actix_web::rt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// How long the result of a check may be shared, from the beginning of the check.
const SHARED_FOR: Duration = Duration::from_millis(100);

/// Less than the second after which load balancers take the server for dead.
const TIMEOUT: Duration = Duration::from_millis(800);

type Outcome = Result<(), ApiError>;

/// The checks of a server, over all of its workers.
pub(crate) struct Readiness {
    /// The result of the check that began last, of those that have ended.
    latest: watch::Sender<Option<Checked>>,
    progress: Mutex<Progress>,
}

struct Checked {
    began: Instant,
    outcome: Outcome,
}

#[derive(Default)]
struct Progress {
    under_way: usize,
    /// When the last check began.
    began: Option<Instant>,
}

impl Readiness {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            latest: watch::Sender::new(None),
            progress: Mutex::default(),
        })
    }

    /// The result of a check that began at most 100 milliseconds ago, or after this call. `check`
    /// starts one that must end by the given time.
    ///
    /// # Errors
    /// Those of the check; [`ApiError::Overdue`] if none has ended by the deadline or after 800
    /// milliseconds.
    pub(crate) async fn ask<F>(
        self: &Arc<Self>,
        deadline: Instant,
        check: impl Fn(Instant) -> F,
    ) -> Outcome
    where
        F: Future<Output = Outcome> + 'static,
    {
        let asked = Instant::now();
        let deadline = deadline.min(asked + TIMEOUT);
        let mut latest = self.latest.subscribe();
        loop {
            let is_fresh = |checked: &&Checked| checked.began + SHARED_FOR > asked;
            if let Some(checked) = latest.borrow_and_update().as_ref().filter(is_fresh) {
                return checked.outcome.clone();
            }
            let now = Instant::now();
            if now >= deadline {
                return Err(ApiError::Overdue);
            }
            if let Some(flight) = self.begin(now) {
                // Spawned apart from this request: others wait for the result too, and this client
                // may disconnect.
                let check = check(now + TIMEOUT);
                rt::spawn(async move { flight.land(check.await) });
            }
            let news = timeout_at(deadline.min(self.next_flight(deadline)), latest.changed());
            // After a result or a timeout, the conditions are checked again.
            let _ = news.await;
        }
    }

    /// Begins a check, unless one has just begun or too many hang.
    fn begin(self: &Arc<Self>, now: Instant) -> Option<Flight> {
        let mut progress = self.lock();
        let is_due = |began| now.saturating_duration_since(began) >= SHARED_FOR;
        if progress.under_way >= ConcurrencyLimits::PROBES.running
            || !progress.began.is_none_or(is_due)
        {
            return None;
        }
        progress.under_way += 1;
        progress.began = Some(now);
        Some(Flight {
            readiness: Arc::clone(self),
            began: now,
        })
    }

    /// When another check may begin; `never` if too many hang.
    fn next_flight(&self, never: Instant) -> Instant {
        let progress = self.lock();
        let began = progress.began;
        let began = began.filter(|_| progress.under_way < ConcurrencyLimits::PROBES.running);
        began.map_or(never, |began| began + SHARED_FOR)
    }

    /// The locked data is consistent at any time, also after a panic.
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A check in flight, until it is dropped.
struct Flight {
    readiness: Arc<Readiness>,
    began: Instant,
}

impl Flight {
    fn land(self, outcome: Outcome) {
        let began = self.began;
        self.readiness.latest.send_if_modified(|latest| {
            let is_newer = latest.as_ref().is_none_or(|latest| latest.began < began);
            if is_newer {
                *latest = Some(Checked { began, outcome });
            }
            is_newer
        });
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut progress = self.readiness.lock();
        progress.under_way = progress.under_way.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::cell::Cell;
    use std::rc::Rc;
    use tokio::task::{LocalSet, spawn_local};
    use tokio::time::{sleep, sleep_until};

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn milliseconds(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// A fake store: durations of its first checks, in turn, while later ones take no time; and the
    /// number of checks.
    struct Store {
        takes: Vec<Duration>,
        checks: Cell<usize>,
    }

    impl Store {
        fn new(takes: &[u64]) -> Rc<Self> {
            Rc::new(Self {
                takes: takes.iter().copied().map(milliseconds).collect(),
                checks: Cell::new(0),
            })
        }

        fn check(self: &Rc<Self>, deadline: Instant) -> impl Future<Output = Outcome> + use<> {
            let count = self.checks.get();
            self.checks.set(count + 1);
            let takes = self.takes.get(count).copied().unwrap_or_default();
            async move {
                let end = Instant::now() + takes;
                sleep_until(end.min(deadline)).await;
                if end > deadline {
                    Err(ApiError::Overdue)
                } else {
                    Ok(())
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_within_a_hundred_milliseconds_share_one_check() {
        LocalSet::new()
            .run_until(async {
                let (readiness, store) = (Readiness::new(), Store::new(&[20, 20, 20]));
                let ask = || readiness.ask(far(), |deadline| store.check(deadline));
                for checks in 1..=3 {
                    let askers = (0..1_000).map(|number| {
                        let asking = ask();
                        async move {
                            sleep(milliseconds(number % 99)).await;
                            asking.await
                        }
                    });
                    assert!(join_all(askers).await.iter().all(Result::is_ok));
                    assert_eq!(store.checks.get(), checks);
                    sleep(milliseconds(2)).await;
                }
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_check_is_joined_by_a_second_one() {
        LocalSet::new()
            .run_until(async {
                let (readiness, store) = (Readiness::new(), Store::new(&[60_000]));
                let ask = || readiness.ask(far(), |deadline| store.check(deadline));
                let began = Instant::now();
                let askers = join_all((0..100).map(|_| ask())).await;
                assert!(askers.iter().all(Result::is_ok));
                assert_eq!(began.elapsed(), SHARED_FOR);
                assert_eq!(store.checks.get(), 2);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_store_is_reported_in_time_and_gets_two_checks() {
        LocalSet::new()
            .run_until(async {
                let (readiness, store) = (Readiness::new(), Store::new(&[60_000; 1_000]));
                let mut askers = Vec::new();
                for _ in 0..1_000 {
                    let (asked_of, store) = (Arc::clone(&readiness), Rc::clone(&store));
                    askers.push(spawn_local(async move {
                        let asked = Instant::now();
                        let ready = asked_of.ask(far(), |deadline| store.check(deadline)).await;
                        (ready, asked.elapsed())
                    }));
                    assert!(readiness.lock().under_way <= ConcurrencyLimits::PROBES.running);
                    sleep(milliseconds(7)).await;
                }
                for asker in askers {
                    let (ready, took) = asker.await.unwrap();
                    assert!(matches!(ready, Err(ApiError::Overdue)), "{ready:?}");
                    assert!(took <= TIMEOUT + milliseconds(1), "{took:?}");
                }
                // Two checks in each 800 milliseconds.
                assert!(store.checks.get() <= 2 * 7_800 / 800 + 2);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_no_longer_than_a_success() {
        LocalSet::new()
            .run_until(async {
                let readiness = Readiness::new();
                let check = |ready: bool| {
                    readiness.ask(far(), move |_| async move {
                        if ready {
                            Ok(())
                        } else {
                            Err(ApiError::Overdue)
                        }
                    })
                };
                assert!(check(false).await.is_err());
                sleep(milliseconds(99)).await;
                assert!(check(true).await.is_err());
                sleep(milliseconds(1)).await;
                assert!(check(true).await.is_ok());
                sleep(milliseconds(99)).await;
                assert!(check(false).await.is_ok());
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_of_the_request_counts_if_it_is_earlier() {
        LocalSet::new()
            .run_until(async {
                let (readiness, store) = (Readiness::new(), Store::new(&[60_000; 10]));
                let (began, deadline) = (Instant::now(), Instant::now() + milliseconds(50));
                let ready = readiness
                    .ask(deadline, |deadline| store.check(deadline))
                    .await;
                assert!(ready.is_err());
                assert_eq!(began.elapsed(), milliseconds(50));
            })
            .await;
    }
}
