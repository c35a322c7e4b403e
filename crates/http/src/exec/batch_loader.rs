//! Dataloader: batches the reads of concurrent requests, many keys with one query.
//!
//! The thread that has read a batch reads the next one, until no request waits: it hands results
//! over to the workers, and no worker hands a batch over to it.

use crate::error::ApiError;
use crate::exec::read_queue::{
    BATCH_SIZES, Loaded, ReadLoop, ReadQueue, Waiter, finish_all, latest, wait,
};
use crate::exec::worker_pool::{JobKind, WorkerPool};
use actix_web::rt;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tradepost_domain::kernel::{Error, StoreErrorKind};
use tradepost_metrics::{Histogram, HistogramSnapshot};

/// Reads these keys, each of which is named once, with one query; missing ones are left out of the
/// map.
type Read<K, V> = Box<dyn Fn(&[K]) -> Result<HashMap<K, V>, Error> + Send + Sync>;

/// A loader for values of one kind.
pub(crate) struct BatchLoader<K, V>(Arc<Inner<K, V>>);

struct Inner<K, V> {
    queue: Mutex<ReadQueue<(K, Waiter<Option<V>>)>>,
    read: Read<K, V>,
    pool: Arc<WorkerPool>,
    kind: JobKind,
    max_batch: usize,
    max_waiting: usize,
    sizes: Histogram<8>,
}

impl<K, V> BatchLoader<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + 'static,
{
    /// Reads run in `pool` as jobs of this kind. At most `max_batch` keys are read with one query,
    /// and at most `max_waiting` requests wait: one more is rejected.
    pub(crate) fn new(
        pool: &Arc<WorkerPool>,
        kind: JobKind,
        max_batch: usize,
        max_waiting: usize,
        read: impl Fn(&[K]) -> Result<HashMap<K, V>, Error> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            queue: Mutex::new(ReadQueue::new()),
            read: Box::new(read),
            pool: Arc::clone(pool),
            kind,
            max_batch: max_batch.max(1),
            max_waiting: max_waiting.max(1),
            sizes: Histogram::new(BATCH_SIZES),
        }))
    }

    /// The number of waiting requests.
    pub(crate) fn waiting(&self) -> usize {
        self.0.lock().len()
    }

    /// The batch sizes so far.
    pub(crate) fn sizes(&self) -> HistogramSnapshot {
        self.0.sizes.read()
    }

    /// Loads the current value under a key.
    ///
    /// # Errors
    /// [`ApiError::Busy`] if too many requests wait; [`JobKind::overdue`] at the deadline; those of
    /// the read.
    pub(crate) async fn load(&self, key: K, deadline: Instant) -> Loaded<Option<V>> {
        let (waiter, value) = Waiter::new(deadline);
        let reads = {
            let mut queue = self.0.lock();
            if queue.len() >= self.0.max_waiting {
                return Err(ApiError::Busy);
            }
            queue.join((key, waiter))
        };
        if let Some(reads) = reads {
            // Spawned apart from this request: others wait for the result too, and this client may
            // disconnect.
            rt::spawn(Arc::clone(&self.0).read_until_idle(reads));
        }
        wait(value, deadline, self.0.kind.overdue()).await
    }
}

/// Requests by the key that they wait for.
type Batch<K, V> = Vec<(K, Waiter<Option<V>>)>;

impl<K, V> Inner<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + 'static,
{
    /// Reads batch after batch, until no request waits.
    async fn read_until_idle(self: Arc<Self>, reads: ReadLoop) {
        loop {
            let of_job = Arc::clone(&self);
            let job = move || of_job.read_batch(reads);
            let error = match self.pool.run_while(self.latest_waiting(), job).await {
                Ok(true) => continue,
                Ok(false) => return,
                Err(error) => error,
            };
            let batch = self.next_batch(reads);
            if batch.is_empty() {
                return;
            }
            finish_all(batch.into_iter().map(|(_, it)| (it, Err(error.clone()))));
        }
    }

    /// The latest deadline of the waiting requests.
    fn latest_waiting(&self) -> Instant {
        let queue = self.lock();
        latest(queue.waiting().map(|(_, waiter)| waiter.deadline))
    }

    fn next_batch(&self, reads: ReadLoop) -> Batch<K, V> {
        let is_gone = |(_, waiter): &(K, Waiter<_>)| waiter.is_gone();
        let deadline = |(_, waiter): &(K, Waiter<_>)| waiter.deadline;
        let mut queue = self.lock();
        queue.next_batch(reads, self.max_batch, is_gone, deadline)
    }

    /// Reads the next batch on this thread; returns whether there was one.
    fn read_batch(&self, reads: ReadLoop) -> bool {
        let batch = self.next_batch(reads);
        if batch.is_empty() {
            return false;
        }
        self.sizes
            .observe(u64::try_from(batch.len()).unwrap_or(u64::MAX));
        let mut seen = HashSet::with_capacity(batch.len());
        let keys = batch.iter().map(|(key, _)| key);
        let keys: Vec<K> = keys.filter(|key| seen.insert(*key)).cloned().collect();
        let deadline = latest(batch.iter().map(|(_, waiter)| waiter.deadline));
        match self.read(&keys, deadline) {
            Ok(found) => {
                let value = |key: &K| Ok(found.get(key).cloned());
                finish_all(batch.into_iter().map(|(key, waiter)| (waiter, value(&key))));
            }
            Err(ApiError::Store(error)) if batch.len() > 1 && is_corrupt(error.kind()) => {
                self.read_each(batch);
            }
            Err(error) => {
                let failed = batch.into_iter();
                finish_all(failed.map(|(_, waiter)| (waiter, Err(error.clone()))));
            }
        }
        true
    }

    /// Reads key by key: a corrupt row fails only the requests for that row.
    fn read_each(&self, batch: Batch<K, V>) {
        for (key, waiter) in batch {
            let found = self.read(slice::from_ref(&key), waiter.deadline);
            let value = found.map(|mut found| found.remove(&key));
            finish_all([(waiter, value)]);
        }
    }

    fn read(&self, keys: &[K], deadline: Instant) -> Loaded<HashMap<K, V>> {
        self.kind.run_until(deadline, || (self.read)(keys))
    }

    /// The queue is consistent even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, ReadQueue<(K, Waiter<Option<V>>)>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_corrupt(kind: &StoreErrorKind) -> bool {
    matches!(kind, StoreErrorKind::Corrupt { .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::worker_pool::PoolLimit;
    use futures_util::future::{join, join_all};
    use std::sync::mpsc;
    use std::time::Duration;
    use tradepost_domain::kernel::StoreError;

    type Batches = Arc<Mutex<Vec<Vec<u64>>>>;

    fn pool() -> Arc<WorkerPool> {
        Arc::new(WorkerPool::new(PoolLimit {
            running: 8,
            waiting: 8,
        }))
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn squares(keys: &[u64]) -> HashMap<u64, u64> {
        let known = keys.iter().filter(|key| **key < 100);
        known.map(|key| (*key, key * key)).collect()
    }

    #[actix_web::test]
    async fn keys_that_arrive_during_a_read_are_read_with_one_query() {
        let batches = Batches::default();
        let (open, gate) = mpsc::channel::<()>();
        let (seen, gate) = (Arc::clone(&batches), Mutex::new(gate));
        let loader = BatchLoader::new(&pool(), JobKind::Query, 3, 100, move |keys: &[u64]| {
            seen.lock().unwrap().push(keys.to_vec());
            let _ = gate.lock().unwrap().recv();
            Ok(squares(keys))
        });
        let first = loader.load(7, soon());
        let others = async {
            // The first read is under way before the others arrive.
            let deadline = soon();
            while batches.lock().unwrap().is_empty() {
                assert!(Instant::now() < deadline, "no read begins");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let others = join_all([1, 2, 100, 4, 5].map(|key| loader.load(key, soon())));
            let release = async {
                assert_eq!(loader.waiting(), 5);
                drop(open);
            };
            join(others, release).await.0
        };
        let (first, others) = join(first, others).await;
        assert_eq!(first.unwrap(), Some(49));
        let others: Vec<_> = others.into_iter().map(Result::unwrap).collect();
        assert_eq!(others, [Some(1), Some(4), None, Some(16), Some(25)]);
        let expected = [vec![7], vec![1, 2, 100], vec![4, 5]];
        assert_eq!(*batches.lock().unwrap(), expected);
        assert_eq!((loader.sizes().count, loader.sizes().sum), (3, 6));
    }

    #[actix_web::test]
    async fn a_hung_read_is_hedged_by_a_bounded_number_of_others() {
        let batches = Batches::default();
        let (open, gate) = mpsc::channel::<()>();
        let (seen, gate) = (Arc::clone(&batches), Mutex::new(gate));
        let loader = BatchLoader::new(&pool(), JobKind::Query, 64, 100, move |keys: &[u64]| {
            seen.lock().unwrap().push(keys.to_vec());
            let _ = gate.lock().unwrap().recv();
            Ok(squares(keys))
        });
        let requests = join_all((0..8).map(|key| {
            let loader = &loader;
            async move {
                tokio::time::sleep(Duration::from_millis(80 * key)).await;
                loader.load(key, soon()).await
            }
        }));
        let release = async {
            tokio::time::sleep(Duration::from_millis(80 * 9)).await;
            // Four reads hang, and the requests since then wait for one of them to end.
            assert_eq!(batches.lock().unwrap().len(), 4);
            drop(open);
        };
        let (values, ()) = join(requests, release).await;
        assert!(values.iter().all(|value| matches!(value, Ok(Some(_)))));
    }

    #[actix_web::test]
    async fn requests_beyond_the_queue_are_rejected_and_dropped_ones_leave_it() {
        let (open, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let loader = BatchLoader::new(&pool(), JobKind::Query, 1, 2, move |keys: &[u64]| {
            let _ = gate.lock().unwrap().recv();
            Ok(squares(keys))
        });
        let brief = Instant::now() + Duration::from_millis(20);
        let values = join_all([1, 2, 3].map(|key| loader.load(key, brief))).await;
        let codes = values
            .into_iter()
            .map(|value| value.unwrap_err().code().word());
        let codes: Vec<_> = codes.collect();
        assert_eq!(codes, ["unavailable", "unavailable", "busy"]);
        drop(open);
        assert_eq!(loader.load(5, soon()).await.unwrap(), Some(25));
        assert_eq!((loader.waiting(), loader.sizes().count), (0, 2));
    }

    #[actix_web::test]
    async fn a_corrupt_row_fails_only_its_own_request() {
        let (open, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let loader = BatchLoader::new(&pool(), JobKind::Query, 64, 100, move |keys: &[u64]| {
            let _ = gate.lock().unwrap().recv();
            if keys.contains(&3) {
                let corrupt = StoreErrorKind::Corrupt {
                    table: "squares",
                    column: "square",
                    row: 3,
                };
                return Err(StoreError::new(corrupt).into());
            }
            Ok(squares(keys))
        });
        let first = loader.load(1, soon());
        let others = join_all([2, 3, 4].map(|key| loader.load(key, soon())));
        let ((first, others), ()) = join(join(first, others), async { drop(open) }).await;
        assert_eq!(first.unwrap(), Some(1));
        let failed: Vec<bool> = others.iter().map(Result::is_err).collect();
        assert_eq!(failed, [false, true, false]);
    }

    #[actix_web::test]
    async fn a_read_that_panics_fails_only_the_requests_of_its_batch() {
        let loader = BatchLoader::new(&pool(), JobKind::Query, 1, 100, |keys: &[u64]| {
            assert_ne!(keys, [3], "on purpose");
            Ok(squares(keys))
        });
        let values = join_all([2, 3, 4].map(|key| loader.load(key, soon()))).await;
        assert!(matches!(
            &values[..],
            [Ok(Some(4)), Err(ApiError::Panicked), Ok(Some(16))]
        ));
        assert_eq!(loader.load(5, soon()).await.unwrap(), Some(25));
    }

    #[actix_web::test]
    async fn requests_that_get_no_slot_are_rejected_and_later_ones_are_read() {
        let pool = Arc::new(WorkerPool::new(PoolLimit {
            running: 1,
            waiting: 0,
        }));
        let loader = BatchLoader::new(&pool, JobKind::Query, 2, 100, |keys: &[u64]| {
            Ok(squares(keys))
        });
        let (end, ended) = mpsc::channel::<()>();
        let busy = pool.run(JobKind::Command, soon(), move || Ok(ended.recv().is_err()));
        let rejected = async {
            let values = join_all([1, 2, 3].map(|key| loader.load(key, soon()))).await;
            drop(end);
            values
        };
        let (busy, rejected) = join(busy, rejected).await;
        assert!(busy.unwrap());
        assert!(
            rejected
                .iter()
                .all(|value| matches!(value, Err(ApiError::Busy)))
        );
        assert_eq!(loader.load(5, soon()).await.unwrap(), Some(25));
    }
}
