//! What several ask for at the same time is read together: whoever asks while it is being read is
//! served by the next read, with all others who do. A lone request waits for nobody, and nobody is
//! told what was true before they asked.

use crate::Shop;
use crate::error::ApiError;
use crate::reads::Reads;
use crate::state::State;
use crate::work::Kind;
use actix_web::rt;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tradepost_batch::{Histogram, Reading};
use tradepost_domain::{ShopError, StoreErrorKind};

/// The most reads of one topic at once. One is enough, and makes the largest batches; another is
/// begun if it takes longer than [`SLOW`], so that one which hangs does not hold up everybody.
const AT_ONCE: usize = 4;
const SLOW: Duration = Duration::from_millis(50);

/// How many asked together.
const SIZES: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 256];

/// Reads these keys of a topic with one question; those that are not there are left out.
type Read<T, K, V> = fn(&Shop, &T, &[K]) -> Result<HashMap<K, V>, ShopError>;

type Found<V> = Result<Option<V>, ApiError>;

/// What a topic and a key have to be, and what is found: they go from thread to thread.
pub(crate) trait Key: Clone + Eq + Hash + Send + Sync + 'static {}
impl<K: Clone + Eq + Hash + Send + Sync + 'static> Key for K {}

/// Values of one kind that are read together: the keys of one topic with one question.
pub(crate) struct Together<T, K, V> {
    lines: Mutex<Lines<T, K, V>>,
    read: Read<T, K, V>,
    kind: Kind,
    most_together: usize,
    most_waiting: usize,
    sizes: Histogram<8>,
}

/// Those who wait, by topic. A topic is there as long as it is being read.
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

    /// Whether another read is to be begun.
    fn needs_another(&self) -> bool {
        self.under_way == 0 || (self.under_way < AT_ONCE && self.began.elapsed() > SLOW)
    }
}

impl<T: Key, K: Key, V: Clone + Send + 'static> Together<T, K, V> {
    /// At most `most_together` are read with one question, and at most `most_waiting` wait: one more
    /// is refused.
    pub(crate) fn new(read: Read<T, K, V>, most_together: usize, most_waiting: usize) -> Self {
        let lines = Lines {
            by_topic: HashMap::new(),
            waiting: 0,
        };
        Self {
            lines: Mutex::new(lines),
            read,
            kind: Kind::Query,
            most_together: most_together.max(1),
            most_waiting: most_waiting.max(1),
            sizes: Histogram::new(SIZES),
        }
    }

    /// The same for lists, which have a bound of their own.
    pub(crate) fn of_lists(self) -> Self {
        Self {
            kind: Kind::List,
            ..self
        }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// How many were read for together.
    pub(crate) fn sizes(&self) -> Reading {
        self.sizes.read()
    }

    /// Puts somebody in line; whether a read has to be begun for it.
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

    /// Those who are next; nobody if nobody waits, and then this read is over.
    fn next(&self, topic: &T) -> Vec<Waiting<K, V>> {
        let mut lines = self.lock();
        let Some(line) = lines.by_topic.get_mut(topic) else {
            return Vec::new();
        };
        let before = line.waiting.len();
        // Who has gone away needs no answer.
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

    /// A thread that panicked has left lines that are whole.
    fn lock(&self) -> MutexGuard<'_, Lines<T, K, V>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where something is read together.
type Of<T, K, V> = fn(&Reads) -> &Together<T, K, V>;

/// What is there under a key of a topic, as it is now.
///
/// # Errors
/// [`ApiError::Busy`] if too many wait; what [`Kind::overdue`] says; as the use case says.
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
        // Not in this request's own time: others wait for it too, and its client may go away.
        rt::spawn(serve(Arc::clone(state), of, topic));
    }
    match timeout_at(deadline.into(), found).await {
        Ok(Ok(found)) => found,
        // The server stops.
        Ok(Err(_)) => Err(ApiError::Busy),
        Err(_) => Err(of(&state.reads).kind.overdue()),
    }
}

/// Reads for whoever waits, until nobody does.
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
            // One bad row is the trouble of those who asked for it.
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
    let job = move |shop: &Shop| read(shop, &topic, &keys);
    state.run(of(&state.reads).kind, deadline, job).await
}
