//! Single flight: concurrent requests for the same value share one read.

use crate::error::ApiError;
use crate::exec::read_queue::{
    BATCH_SIZES, Loaded, ReadLoop, ReadQueue, Waiter, finish_all, latest, wait,
};
use crate::exec::worker_pool::{JobKind, WorkerPool};
use actix_web::rt;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tradepost_domain::kernel::Error;
use tradepost_metrics::{Histogram, HistogramSnapshot};

type Read<K, V> = Box<dyn Fn(&K) -> Result<V, Error> + Send + Sync>;

/// A loader for lists of one kind, shared by their keys.
pub(crate) struct SingleFlight<K, V>(Arc<Inner<K, V>>);

struct Inner<K, V> {
    flights: Mutex<Flights<K, V>>,
    read: Read<K, V>,
    pool: Arc<WorkerPool>,
    max_waiting: usize,
    /// How many requests each read served.
    sizes: Histogram<8>,
}

/// Waiting requests by key. A key is present while it is being read.
struct Flights<K, V> {
    by_key: HashMap<K, ReadQueue<Waiter<V>>>,
    waiting: usize,
}

impl<K, V> SingleFlight<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + 'static,
{
    /// Reads run as lists in `pool`. At most `max_waiting` requests wait, over all keys: one more
    /// is rejected.
    pub(crate) fn new(
        pool: &Arc<WorkerPool>,
        max_waiting: usize,
        read: impl Fn(&K) -> Result<V, Error> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            flights: Mutex::new(Flights {
                by_key: HashMap::new(),
                waiting: 0,
            }),
            read: Box::new(read),
            pool: Arc::clone(pool),
            max_waiting: max_waiting.max(1),
            sizes: Histogram::new(BATCH_SIZES),
        }))
    }

    /// The number of waiting requests.
    pub(crate) fn waiting(&self) -> usize {
        self.0.lock().waiting
    }

    /// How many requests each read served so far.
    pub(crate) fn sizes(&self) -> HistogramSnapshot {
        self.0.sizes.read()
    }

    /// Loads the current value of a key.
    ///
    /// # Errors
    /// [`ApiError::Busy`] if too many requests wait; [`ApiError::ListOverdue`] at the deadline;
    /// those of the read.
    pub(crate) async fn load(&self, key: K, deadline: Instant) -> Loaded<V> {
        let (waiter, value) = Waiter::new(deadline);
        let reads = {
            let mut flights = self.0.lock();
            if flights.waiting >= self.0.max_waiting {
                return Err(ApiError::Busy);
            }
            flights.waiting += 1;
            let queue = flights.by_key.entry(key.clone());
            queue.or_insert_with(ReadQueue::new).join(waiter)
        };
        if let Some(reads) = reads {
            // Spawned apart from this request: others wait for the result too, and this client may
            // disconnect.
            rt::spawn(Arc::clone(&self.0).read_until_idle(reads, key));
        }
        wait(value, deadline, JobKind::List.overdue()).await
    }
}

impl<K, V> Inner<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + 'static,
{
    /// Reads a key again and again, until no request waits for it.
    async fn read_until_idle(self: Arc<Self>, reads: ReadLoop, key: K) {
        loop {
            let batch = self.next_batch(reads, &key);
            if batch.is_empty() {
                return;
            }
            self.sizes
                .observe(u64::try_from(batch.len()).unwrap_or(u64::MAX));
            let deadline = latest(batch.iter().map(|waiter| waiter.deadline));
            let (this, key) = (Arc::clone(&self), key.clone());
            let job = move || (this.read)(&key);
            let value = self.pool.run(JobKind::List, deadline, job).await;
            finish_all(batch.into_iter().map(|waiter| (waiter, value.clone())));
        }
    }

    fn next_batch(&self, reads: ReadLoop, key: &K) -> Vec<Waiter<V>> {
        let mut flights = self.lock();
        let Some(queue) = flights.by_key.get_mut(key) else {
            return Vec::new();
        };
        let before = queue.len();
        let deadline = |waiter: &Waiter<V>| waiter.deadline;
        let batch = queue.next_batch(reads, usize::MAX, Waiter::is_gone, deadline);
        let left = before - queue.len();
        if queue.is_idle() {
            flights.by_key.remove(key);
        }
        flights.waiting -= left;
        batch
    }

    /// The queues are consistent even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, Flights<K, V>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::worker_pool::PoolLimit;
    use futures_util::future::{join, join_all};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    fn pool() -> Arc<WorkerPool> {
        Arc::new(WorkerPool::new(PoolLimit {
            running: 8,
            waiting: 8,
        }))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    /// A loader whose reads wait until the sender is dropped, and number themselves.
    fn held(max_waiting: usize) -> (SingleFlight<&'static str, u64>, mpsc::Sender<()>) {
        let (open, gate) = mpsc::channel::<()>();
        let (gate, reads) = (Mutex::new(gate), AtomicU64::new(0));
        let loader = SingleFlight::new(&pool(), max_waiting, move |_: &&str| {
            let number = reads.fetch_add(1, Ordering::Relaxed);
            let _ = gate.lock().unwrap().recv();
            Ok(number)
        });
        (loader, open)
    }

    /// Waits until a read has taken all waiting requests.
    async fn taken(loader: &SingleFlight<&'static str, u64>) {
        let deadline = soon();
        while loader.waiting() > 0 {
            assert!(Instant::now() < deadline, "{} wait", loader.waiting());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[actix_web::test]
    async fn requests_during_a_read_share_the_next_one_of_their_key() {
        let (loader, open) = held(100);
        let first = loader.load("a", soon());
        let others = async {
            taken(&loader).await;
            let others = join_all((0..10).map(|_| loader.load("a", soon())));
            join(others, async { drop(open) }).await.0
        };
        let (first, others) = join(first, others).await;
        // The others arrived during read 0, and none of them gets its value.
        assert_eq!(first.unwrap(), 0);
        assert!(others.into_iter().all(|value| value.unwrap() == 1));
        assert_eq!((loader.sizes().count, loader.sizes().sum), (2, 11));
        assert!(loader.0.lock().by_key.is_empty());
    }

    #[actix_web::test]
    async fn keys_do_not_wait_for_each_other_and_share_one_bound() {
        let (loader, open) = held(3);
        let rest = async {
            // Each key has a read of its own, which does not count as waiting.
            taken(&loader).await;
            let waiting = join_all(["a", "a", "b"].map(|key| loader.load(key, soon())));
            let full = async {
                let full = loader.load("c", soon()).await;
                assert!(matches!(full, Err(ApiError::Busy)), "{full:?}");
                drop(open);
            };
            join(waiting, full).await.0
        };
        let first = join(loader.load("a", soon()), loader.load("b", soon()));
        let (first, rest) = join(first, rest).await;
        assert!(first.0.is_ok() && first.1.is_ok());
        assert!(rest.iter().all(Result::is_ok));
        assert_eq!(loader.sizes().count, 4);
    }

    #[actix_web::test]
    async fn a_request_waits_no_longer_than_its_deadline() {
        let (loader, open) = held(10);
        let brief = Instant::now() + Duration::from_millis(20);
        let overdue = loader.load("a", brief).await;
        assert!(matches!(overdue, Err(ApiError::ListOverdue)), "{overdue:?}");
        drop(open);
        assert!(loader.load("a", soon()).await.is_ok());
        assert_eq!(loader.waiting(), 0);
    }
}
