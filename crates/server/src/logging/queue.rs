//! Bounded queue between the threads that log and the log thread. A push copies into buffers that
//! the log thread hands back, so that it neither allocates nor blocks on a write.

use chrono::{DateTime, Utc};
use log::Level;
use std::mem;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tradepost_domain::kernel::UserId;

/// The capacity in bytes, about twenty thousand records: half a second of the highest load.
const ROOM: usize = 4 * 1024 * 1024;

/// Further capacity for warnings and errors.
const RESERVE: usize = 1024 * 1024;

/// From this size on, the log thread takes the batch without a delay.
const EARLY: usize = ROOM / 8;

/// How long records may wait for others, so that they are written in large pieces. With a margin
/// for scheduling and writing, a record is written within 100 milliseconds.
const DELAY: Duration = Duration::from_millis(50);

/// The class of a line, which decides on its targets and on its place in full queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// An access record.
    Access,
    /// A line of level info or below.
    Line,
    /// A warning or an error.
    Alarm,
}

impl Class {
    pub(super) fn of(level: Level) -> Self {
        if level <= Level::Warn {
            Self::Alarm
        } else {
            Self::Line
        }
    }
}

/// An access record and its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access<'a> {
    pub(super) at: DateTime<Utc>,
    /// In microseconds.
    pub(super) took: u64,
    pub(super) status: u16,
    pub(super) user: Option<UserId>,
    pub(super) client: Option<IpAddr>,
    pub(super) id: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
}

/// An item of a batch.
#[derive(Debug)]
pub(super) enum Item<'a> {
    Access(Access<'a>),
    /// A formatted line.
    Line(Class, &'a str),
}

/// An entry of a batch; its texts are in the text of the batch.
#[derive(Debug)]
enum Entry {
    Access {
        /// Without its texts.
        record: Access<'static>,
        id: usize,
        method: usize,
        path: usize,
    },
    Line(Class, usize),
}

/// Records in the order in which they were pushed.
#[derive(Debug, Default)]
pub(super) struct Batch {
    entries: Vec<Entry>,
    text: String,
}

impl Batch {
    fn size(&self) -> usize {
        let entries = self.entries.len().saturating_mul(size_of::<Entry>());
        entries.saturating_add(self.text.len())
    }

    /// Passes each item to a function, and empties the batch.
    pub(super) fn drain(&mut self, mut each: impl FnMut(Item<'_>)) {
        let mut text = &*self.text;
        let mut take = |length| {
            let (part, rest) = text.split_at_checked(length).unwrap_or((text, ""));
            text = rest;
            part
        };
        for entry in &self.entries {
            each(match *entry {
                Entry::Line(class, length) => Item::Line(class, take(length)),
                Entry::Access {
                    record,
                    id,
                    method,
                    path,
                } => Item::Access(Access {
                    id: take(id),
                    method: take(method),
                    path: take(path),
                    ..record
                }),
            });
        }
        // The memory of an exceptional load is not kept.
        if self.size() > EARLY.saturating_mul(2) {
            *self = Self::default();
        }
        self.entries.clear();
        self.text.clear();
    }
}

#[derive(Debug, Default)]
struct Pending {
    batch: Batch,
    /// Whether the batch is to be taken at once.
    is_urgent: bool,
    /// Whether a caller waits until everything is written.
    is_draining: bool,
    /// The number of batches taken, and how many of them are processed.
    taken: u64,
    processed: u64,
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pending: Mutex<Pending>,
    wake: Condvar,
    dropped: AtomicU64,
    lost: AtomicU64,
}

impl Queue {
    /// Queues an access record, or drops it if the queue is full.
    pub(super) fn push_access(&self, record: &Access<'_>) {
        let mut pending = self.lock();
        let batch = &mut pending.batch;
        let before = batch.size();
        let text = record.id.len() + record.method.len() + record.path.len();
        if before + size_of::<Entry>() + text > ROOM {
            drop(pending);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        batch.entries.push(Entry::Access {
            id: record.id.len(),
            method: record.method.len(),
            path: record.path.len(),
            record: Access {
                id: "",
                method: "",
                path: "",
                ..*record
            },
        });
        for text in [record.id, record.method, record.path] {
            batch.text.push_str(text);
        }
        self.notify(pending, before, false);
    }

    /// Queues a line, or counts it as lost if the queue is full. All lines but access records are
    /// few, and are written at once.
    pub(super) fn push_line(&self, class: Class, line: &str) {
        let mut pending = self.lock();
        let before = pending.batch.size();
        let room = match class {
            Class::Alarm => ROOM + RESERVE,
            Class::Access | Class::Line => ROOM,
        };
        if before + size_of::<Entry>() + line.len() > room {
            drop(pending);
            let counter = match class {
                Class::Access => &self.dropped,
                Class::Line | Class::Alarm => &self.lost,
            };
            counter.fetch_add(1, Ordering::Relaxed);
            return;
        }
        pending.batch.entries.push(Entry::Line(class, line.len()));
        pending.batch.text.push_str(line);
        self.notify(pending, before, class != Class::Access);
    }

    /// Wakes the log thread where it waits for a first record, or should not wait for more.
    fn notify(&self, mut pending: MutexGuard<'_, Pending>, before: usize, is_urgent: bool) {
        let is_early = pending.batch.size() > EARLY || is_urgent;
        let is_new = is_early && !pending.is_urgent;
        pending.is_urgent |= is_early;
        drop(pending);
        if before == 0 || is_new {
            self.wake.notify_one();
        }
    }

    /// Takes the next batch in exchange for an empty one, for the log thread. The previous batch
    /// counts as processed. Waits for a record, at most for `idle`. Returns whether a caller waits until
    /// everything is written.
    pub(super) fn next(&self, batch: &mut Batch, idle: Option<Duration>) -> bool {
        let mut pending = self.lock();
        pending.processed = pending.taken;
        let until = idle.map(|idle| Instant::now() + idle);
        while pending.batch.entries.is_empty() && !pending.is_urgent {
            let Some(until) = until else {
                let woken = self.wake.wait(pending);
                pending = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            if Instant::now() >= until {
                return false;
            }
            pending = self.wait(pending, until);
        }
        let until = Instant::now() + DELAY;
        while !pending.is_urgent && Instant::now() < until {
            pending = self.wait(pending, until);
        }
        pending.is_urgent = false;
        pending.taken += 1;
        mem::swap(batch, &mut pending.batch);
        mem::take(&mut pending.is_draining)
    }

    /// Blocks until all records pushed before are processed, or until the deadline.
    pub(super) fn drain(&self, until: Instant) {
        let mut pending = self.lock();
        let last = pending.taken + 1;
        pending.is_urgent = true;
        pending.is_draining = true;
        drop(pending);
        self.wake.notify_one();
        while self.lock().processed < last && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Access records that were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Other lines that were lost.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        pending: MutexGuard<'a, Pending>,
        until: Instant,
    ) -> MutexGuard<'a, Pending> {
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.wake.wait_timeout(pending, left);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str) -> Access<'_> {
        Access {
            at: DateTime::UNIX_EPOCH,
            took: 1,
            status: 200,
            user: None,
            client: None,
            id: "id",
            method: "GET",
            path,
        }
    }

    /// The next batch, as text.
    fn next(queue: &Queue) -> Vec<String> {
        let mut batch = Batch::default();
        queue.next(&mut batch, Some(Duration::ZERO));
        let mut items = Vec::new();
        batch.drain(|item| {
            items.push(match item {
                Item::Access(access) => {
                    format!("{} {} {}", access.id, access.method, access.path)
                }
                Item::Line(class, line) => format!("{class:?} {line}"),
            });
        });
        assert_eq!(batch.size(), 0);
        items
    }

    #[test]
    fn records_and_lines_keep_their_order_and_their_texts() {
        let queue = Queue::default();
        queue.push_access(&record("/a"));
        queue.push_line(Class::Alarm, "é");
        queue.push_access(&record(""));
        queue.push_line(Class::Access, "");
        queue.push_access(&record("/b"));
        let expected = ["id GET /a", "Alarm é", "id GET ", "Access ", "id GET /b"];
        assert_eq!(next(&queue), expected);
        assert_eq!(next(&queue), [""; 0]);
    }

    #[test]
    fn a_full_queue_drops_access_records_and_keeps_warnings_and_errors() {
        let queue = Queue::default();
        let path = "x".repeat(512);
        let fill = || {
            let before = queue.dropped();
            while queue.dropped() == before {
                queue.push_access(&record(&path));
            }
        };
        fill();
        // Smaller ones still fit in.
        while queue.lost() == 0 {
            queue.push_line(Class::Line, &"i".repeat(512));
        }
        for _ in 0..1_000 {
            queue.push_line(Class::Alarm, &"w".repeat(512));
        }
        assert_eq!((queue.dropped(), queue.lost()), (1, 1));
        let items = next(&queue);
        let alarms = items.iter().filter(|item| item.starts_with("Alarm"));
        assert_eq!(alarms.count(), 1_000);
        assert!(items.len() > 5_000, "{}", items.len());
        // The reserve has a bound too, and the loss is counted.
        while queue.lost() == 1 {
            queue.push_line(Class::Alarm, &path);
        }
        assert!(next(&queue).len() > 5_000);
        queue.push_access(&record("/again"));
        assert_eq!(next(&queue), ["id GET /again"]);
    }

    #[test]
    fn a_drain_waits_for_the_batch_that_is_being_processed() {
        let queue = Queue::default();
        queue.push_line(Class::Alarm, "one");
        thread::scope(|scope| {
            let drain = scope.spawn(|| queue.drain(Instant::now() + Duration::from_secs(60)));
            let mut batch = Batch::default();
            while queue.lock().taken == 0 {
                queue.next(&mut batch, Some(Duration::from_millis(1)));
                batch.drain(|_| ());
            }
            // It is processed once the next one is asked for; under way, another may be taken.
            while !drain.is_finished() {
                queue.next(&mut batch, Some(Duration::from_millis(1)));
            }
        });
        let pending = queue.lock();
        assert_eq!(pending.processed, pending.taken);
    }
}
