//! Worker pool for passwords: a bulkhead whose queue is shared fairly between client networks.
//!
//! A password occupies a core for a quarter of a second, so a queue in the order of arrival could
//! be filled by one client with many connections. Jobs are scheduled round-robin over the networks,
//! those of staff first; when the queue is full, the newest job of the network with the most jobs
//! makes room for a network with fewer (longest queue drop).

use crate::error::ApiError;
use crate::exec::worker_pool::{LatencyEwma, PoolLimit, PoolLoad, run_blocking};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tradepost_domain::identity::{ClientNetwork, SignInPriority};
use tradepost_domain::kernel::deadline;

/// The client of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// The network; for IPv6 the /48, as one customer may have all of its /64 networks.
    network: ClientNetwork,
    priority: SignInPriority,
}

impl Client {
    pub(crate) fn new(network: ClientNetwork, priority: SignInPriority) -> Self {
        Self {
            network: network.site().unwrap_or(network),
            priority,
        }
    }
}

pub(crate) struct PasswordPool {
    limit: PoolLimit,
    queue: Arc<Mutex<Queue>>,
    latency: Arc<LatencyEwma>,
}

impl PasswordPool {
    /// `expected` is the duration that is assumed until jobs have ended; later durations are
    /// measured.
    pub(crate) fn new(limit: PoolLimit, expected: Duration) -> Self {
        let limit = PoolLimit {
            running: limit.running.max(1),
            ..limit
        };
        Self {
            limit,
            queue: Arc::new(Mutex::new(Queue::new(limit.running))),
            latency: Arc::new(LatencyEwma::new(expected)),
        }
    }

    /// The current number of jobs.
    pub(crate) fn load(&self) -> PoolLoad {
        let queue = lock(&self.queue);
        PoolLoad {
            running: self.limit.running.saturating_sub(queue.free),
            waiting: queue.waiting,
            limit: self.limit,
        }
    }

    /// Runs a job when it is its client's turn. Its queries are interrupted at the deadline; its
    /// writes, and the work on the password itself, never are.
    ///
    /// # Errors
    /// Those of [`WorkerPool::run`](crate::exec::worker_pool::WorkerPool::run): [`ApiError::Busy`] also for a job that
    /// cannot end by the deadline, and for one that made room for another network.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        client: Client,
        deadline: Instant,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let slot = self.slot(client, deadline).await?;
        let latency = Arc::clone(&self.latency);
        let job = move || {
            let began = Instant::now();
            let outcome = deadline::run_until(deadline, job);
            latency.observe(began.elapsed());
            drop(slot);
            outcome
        };
        run_blocking(deadline, ApiError::Overdue, job).await
    }

    async fn slot(&self, client: Client, deadline: Instant) -> Result<Slot, ApiError> {
        let max = self.latency.admissible(deadline, self.limit.running);
        let max = max.min(self.limit.waiting);
        let (entered, _evicted) = lock(&self.queue).enter(client, max);
        let (ticket, turn) = match entered {
            Entered::Free => return Ok(Slot::of(&self.queue)),
            Entered::Waiting(ticket, turn) => (ticket, turn),
            Entered::Full => return Err(ApiError::Busy),
        };
        let _waiting = Waiting {
            queue: &self.queue,
            ticket,
        };
        // An error of the channel: the job made room for another one.
        let turn = timeout_at(deadline.into(), turn).await;
        turn.ok().and_then(Result::ok).ok_or(ApiError::Busy)
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to run one job. Dropping it passes it to the next waiting job.
struct Slot(Option<Arc<Mutex<Queue>>>);

impl Slot {
    fn of(queue: &Arc<Mutex<Queue>>) -> Self {
        Self(Some(Arc::clone(queue)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(queue) = self.0.take() else { return };
        loop {
            let Some(next) = lock(&queue).next_or_free() else {
                return;
            };
            match next.send(Self::of(&queue)) {
                Ok(()) => return,
                // The receiver is gone. Its slot is this one, for the next job in turn.
                Err(mut slot) => drop(slot.0.take()),
            }
        }
    }
}

/// A job in the queue, until its turn or until its client disconnects.
struct Waiting<'a> {
    queue: &'a Mutex<Queue>,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(self.queue).leave(self.ticket);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticket {
    client: Client,
    number: u64,
}

type Turn = oneshot::Sender<Slot>;
type Line = VecDeque<(u64, Turn)>;

enum Entered {
    /// A slot was free, and is taken.
    Free,
    /// A place in the queue.
    Waiting(Ticket, oneshot::Receiver<Slot>),
    /// Neither a slot nor a place.
    Full,
}

struct Queue {
    /// Free slots. There is none while a job waits.
    free: usize,
    waiting: usize,
    next_number: u64,
    staff: Line,
    /// No queue in it is empty.
    lines: HashMap<ClientNetwork, Line>,
    /// The networks of `lines`, in the order of their turns.
    turns: VecDeque<ClientNetwork>,
}

impl Queue {
    fn new(free: usize) -> Self {
        Self {
            free,
            waiting: 0,
            next_number: 0,
            staff: Line::new(),
            lines: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// Takes a slot, or a place in a queue of at most `max`. The second value is the turn of the
    /// job that made room, to be dropped outside of the lock.
    fn enter(&mut self, client: Client, max: usize) -> (Entered, Option<Turn>) {
        if self.free > 0 {
            self.free -= 1;
            return (Entered::Free, None);
        }
        let mut evicted = None;
        if self.waiting >= max {
            evicted = self.make_room(client);
            if evicted.is_none() {
                return (Entered::Full, None);
            }
        }
        let (turn, told) = oneshot::channel();
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        self.waiting += 1;
        if client.priority == SignInPriority::Staff {
            self.staff.push_back((number, turn));
        } else {
            let line = self.lines.entry(client.network).or_default();
            if line.is_empty() {
                self.turns.push_back(client.network);
            }
            line.push_back((number, turn));
        }
        let ticket = Ticket { client, number };
        (Entered::Waiting(ticket, told), evicted)
    }

    /// Removes the newest job of the network with the most jobs, unless that would leave it fewer
    /// than the client's network gets. A job of staff replaces any.
    fn make_room(&mut self, client: Client) -> Option<Turn> {
        let own = match client.priority {
            SignInPriority::Staff => 0,
            SignInPriority::Normal => self
                .lines
                .get(&client.network)
                .map_or(1, |own| own.len() + 1),
        };
        let (network, longest) = self.lines.iter().max_by_key(|(_, line)| line.len())?;
        if longest.len() <= own {
            return None;
        }
        let network = *network;
        let (_, turn) = self.lines.get_mut(&network)?.pop_back()?;
        self.waiting -= 1;
        self.forget_if_empty(network);
        Some(turn)
    }

    /// The job whose turn it is; if none waits, the slot becomes free.
    fn next_or_free(&mut self) -> Option<Turn> {
        let next = self.staff.pop_front().or_else(|| self.next_in_turn());
        match next {
            Some((_, turn)) => {
                self.waiting -= 1;
                Some(turn)
            }
            None => {
                self.free += 1;
                None
            }
        }
    }

    fn next_in_turn(&mut self) -> Option<(u64, Turn)> {
        let network = self.turns.pop_front()?;
        let line = self.lines.get_mut(&network)?;
        let next = line.pop_front();
        if line.is_empty() {
            self.lines.remove(&network);
        } else {
            self.turns.push_back(network);
        }
        next
    }

    /// Removes a job, unless it has had its turn or made room before.
    fn leave(&mut self, Ticket { client, number }: Ticket) {
        let line = match client.priority {
            SignInPriority::Staff => Some(&mut self.staff),
            SignInPriority::Normal => self.lines.get_mut(&client.network),
        };
        let Some(line) = line else { return };
        let before = line.len();
        line.retain(|(other, _)| *other != number);
        self.waiting -= before - line.len();
        if client.priority == SignInPriority::Normal {
            self.forget_if_empty(client.network);
        }
    }

    fn forget_if_empty(&mut self, network: ClientNetwork) {
        if self.lines.get(&network).is_some_and(VecDeque::is_empty) {
            self.lines.remove(&network);
            self.turns.retain(|other| *other != network);
        }
    }
}

#[cfg(test)]
#[path = "password_pool_tests.rs"]
mod tests;
