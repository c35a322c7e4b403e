//! Request coalescing: a dataloader that batches reads by key and shares reads by topic (single
//! flight). A request that arrives during a read joins the next one, together with all others that
//! arrived meanwhile. A lone request is read at once, and no request gets a value that was read
//! before it arrived.

use crate::Services;
use crate::error::ApiError;
use crate::exec::loaders::Reads;
use crate::exec::worker_pool::JobKind;
use crate::state::State;
use actix_web::rt;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tradepost_batch::{Histogram, HistogramSnapshot};
use tradepost_domain::kernel::{ShopError, StoreErrorKind};

/// Maximum reads of one topic in flight. One is enough, and makes the largest batches; another one
/// is started if it takes longer than [`HEDGE_AFTER`] (hedging), so that a hung read does not hold up all
/// requests.
const MAX_IN_FLIGHT: usize = 4;
const HEDGE_AFTER: Duration = Duration::from_millis(50);

/// Bucket bounds of the batch-size histogram.
const SIZES: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 256];

/// Reads these keys of a topic with one query; missing ones are left out of the map.
type Read<T, K, V> = fn(&Services, &T, &[K]) -> Result<HashMap<K, V>, ShopError>;

type Found<V> = Result<Option<V>, ApiError>;

/// The bounds of topics and keys, which move between threads.
pub(crate) trait Key: Clone + Eq + Hash + Send + Sync + 'static {}
impl<K: Clone + Eq + Hash + Send + Sync + 'static> Key for K {}

/// A loader for values of one kind: the keys of one topic are read with one query.
pub(crate) struct Together<T, K, V> {
    lines: Mutex<Lines<T, K, V>>,
    read: Read<T, K, V>,
    kind: JobKind,
    most_together: usize,
    most_waiting: usize,
    sizes: Histogram<8>,
}

/// Waiting requests by topic. A topic is present while it is being read.
struct Lines<T, K, V> {
    by_topic: HashMap<T, Line<K, V>>,
    waiting: usize,
}

struct Line<K, V> {
    waiting: Vec<Waiting<K, V>>,
    under_way: usize,
    /// When the latest read began.
    began: Instant,
}

struct Waiting<K, V> {
    key: K,
    deadline: Instant,
    answer: oneshot::Sender<Found<V>>,
}

impl<K, V> Line<K, V> {
    fn new() -> Self {
        Self {
            waiting: Vec::new(),
            under_way: 0,
            began: Instant::now(),
        }
    }

    /// Whether another read must be started.
    fn needs_another(&self) -> bool {
        self.under_way == 0
            || (self.under_way < MAX_IN_FLIGHT && self.began.elapsed() > HEDGE_AFTER)
    }
}

impl<T: Key, K: Key, V: Clone + Send + 'static> Together<T, K, V> {
    /// At most `most_together` keys are read with one query, and at most `most_waiting` requests
    /// wait: one more is rejected.
    pub(crate) fn new(read: Read<T, K, V>, most_together: usize, most_waiting: usize) -> Self {
        let lines = Lines {
            by_topic: HashMap::new(),
            waiting: 0,
        };
        Self {
            lines: Mutex::new(lines),
            read,
            kind: JobKind::Query,
            most_together: most_together.max(1),
            most_waiting: most_waiting.max(1),
            sizes: Histogram::new(SIZES),
        }
    }

    /// A loader for lists, whose reads run in the pool of lists.
    pub(crate) fn of_lists(self) -> Self {
        Self {
            kind: JobKind::List,
            ..self
        }
    }

    /// The number of waiting requests.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// The batch sizes so far.
    pub(crate) fn sizes(&self) -> HistogramSnapshot {
        self.sizes.read()
    }

    /// Enqueues a request; returns whether a read has to be started for it. `None` if too many
    /// wait.
    fn join(
        &self,
        topic: &T,
        key: K,
        deadline: Instant,
    ) -> Option<(oneshot::Receiver<Found<V>>, bool)> {
        let mut lines = self.lock();
        if lines.waiting >= self.most_waiting {
            return None;
        }
        lines.waiting += 1;
        let line = match lines.by_topic.entry(topic.clone()) {
            Entry::Occupied(line) => line.into_mut(),
            Entry::Vacant(place) => place.insert(Line::new()),
        };
        let (answer, found) = oneshot::channel();
        line.waiting.push(Waiting {
            key,
            deadline,
            answer,
        });
        let begin = line.needs_another();
        if begin {
            line.under_way += 1;
            line.began = Instant::now();
        }
        Some((found, begin))
    }

    /// The next batch; if it is empty, this read loop is over.
    fn next(&self, topic: &T) -> Vec<Waiting<K, V>> {
        let mut lines = self.lock();
        let Some(line) = lines.by_topic.get_mut(topic) else {
            return Vec::new();
        };
        let before = line.waiting.len();
        // A request that was dropped needs no answer.
        line.waiting.retain(|waiting| !waiting.answer.is_closed());
        let many = line.waiting.len().min(self.most_together);
        let next: Vec<_> = line.waiting.drain(..many).collect();
        let left = before - line.waiting.len();
        if next.is_empty() {
            line.under_way = line.under_way.saturating_sub(1);
            if line.under_way == 0 {
                lines.by_topic.remove(topic);
            }
        } else {
            line.began = Instant::now();
        }
        lines.waiting -= left;
        next
    }

    /// The queues are consistent even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, Lines<T, K, V>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Selects a loader.
type Of<T, K, V> = fn(&Reads) -> &Together<T, K, V>;

/// Loads the current value under a key of a topic.
///
/// # Errors
/// [`ApiError::Busy`] if too many requests wait; [`JobKind::overdue`] at the deadline; those of the
/// use case.
pub(crate) async fn find<T: Key, K: Key, V: Clone + Send + 'static>(
    state: &Arc<State>,
    of: Of<T, K, V>,
    topic: T,
    key: K,
    deadline: Instant,
) -> Found<V> {
    let joined = of(&state.reads).join(&topic, key, deadline);
    let (found, begin) = joined.ok_or(ApiError::Busy)?;
    if begin {
        // Spawned apart from this request: others wait for the result too, and this client may
        // disconnect.
        rt::spawn(serve(Arc::clone(state), of, topic));
    }
    match timeout_at(deadline.into(), found).await {
        Ok(Ok(found)) => found,
        // The server is shutting down.
        Ok(Err(_)) => Err(ApiError::Busy),
        Err(_) => Err(of(&state.reads).kind.overdue()),
    }
}

/// Reads batch after batch, until no request waits.
async fn serve<T: Key, K: Key, V: Clone + Send + 'static>(
    state: Arc<State>,
    of: Of<T, K, V>,
    topic: T,
) {
    loop {
        let next = of(&state.reads).next(&topic);
        if next.is_empty() {
            return;
        }
        let many = u64::try_from(next.len()).unwrap_or(u64::MAX);
        of(&state.reads).sizes.note(many);
        let keys: Vec<K> = next.iter().map(|waiting| waiting.key.clone()).collect();
        let deadline = next.iter().map(|waiting| waiting.deadline).max();
        let deadline = deadline.unwrap_or_else(Instant::now);
        match read(&state, of, &topic, keys, deadline).await {
            Ok(found) => {
                for waiting in next {
                    let found = found.get(&waiting.key).cloned();
                    let _ = waiting.answer.send(Ok(found));
                }
            }
            // Retry key by key: a corrupt row fails only the requests for that row.
            Err(ApiError::Store(error)) if many > 1 && is_corrupt(error.kind()) => {
                for waiting in next {
                    let key = vec![waiting.key.clone()];
                    let found = read(&state, of, &topic, key, waiting.deadline).await;
                    let found = found.map(|mut found| found.remove(&waiting.key));
                    let _ = waiting.answer.send(found);
                }
            }
            Err(error) => {
                for waiting in next {
                    let _ = waiting.answer.send(Err(error.clone()));
                }
            }
        }
    }
}

fn is_corrupt(kind: &StoreErrorKind) -> bool {
    matches!(kind, StoreErrorKind::Corrupt { .. })
}

async fn read<T: Key, K: Key, V: Clone + Send + 'static>(
    state: &Arc<State>,
    of: Of<T, K, V>,
    topic: &T,
    keys: Vec<K>,
    deadline: Instant,
) -> Result<HashMap<K, V>, ApiError> {
    let (read, topic) = (of(&state.reads).read, topic.clone());
    let job = move |shop: &Services| read(shop, &topic, &keys);
    state.run(of(&state.reads).kind, deadline, job).await
}
