//! Whose tokens those are: who asks while a look-up is under way is looked up with all others who
//! do, in one query. A lone request waits for nobody.

use crate::error::ApiError;
use crate::state::State;
use crate::work::Kind;
use actix_web::rt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tradepost_domain::{Account, ShopError, StoreErrorKind, UserId};

/// The most that are looked up together.
const TOGETHER: usize = 256;

/// The most look-ups at once. One is enough, and makes the largest batches; another is begun if it
/// takes longer than [`SLOW`], so that one which hangs does not hold up everybody.
const AT_ONCE: usize = 4;
const SLOW: Duration = Duration::from_millis(50);

type Found = Result<Option<Account>, ApiError>;

/// Those who wait to be looked up.
pub(crate) struct Roll {
    line: Mutex<Line>,
    most: usize,
}

struct Line {
    waiting: Vec<Waiting>,
    under_way: usize,
    /// When the latest look-up began.
    began: Instant,
}

struct Waiting {
    user: UserId,
    deadline: Instant,
    answer: oneshot::Sender<Found>,
}

impl Roll {
    /// At most so many may wait; one more is refused.
    pub(crate) fn new(most: usize) -> Self {
        let line = Line {
            waiting: Vec::new(),
            under_way: 0,
            began: Instant::now(),
        };
        Self {
            line: Mutex::new(line),
            most: most.max(1),
        }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Puts somebody in line; whether a look-up has to be begun for it.
    fn join(&self, user: UserId, deadline: Instant) -> Option<(oneshot::Receiver<Found>, bool)> {
        let (answer, found) = oneshot::channel();
        let mut line = self.lock();
        if line.waiting.len() >= self.most {
            return None;
        }
        line.waiting.push(Waiting {
            user,
            deadline,
            answer,
        });
        let begin =
            line.under_way == 0 || (line.under_way < AT_ONCE && line.began.elapsed() > SLOW);
        if begin {
            line.under_way += 1;
            line.began = Instant::now();
        }
        Some((found, begin))
    }

    /// Those who are next; nobody if nobody waits, and then this look-up is over.
    fn next(&self) -> Vec<Waiting> {
        let mut line = self.lock();
        // Who has gone away needs no answer.
        line.waiting.retain(|waiting| !waiting.answer.is_closed());
        let many = line.waiting.len().min(TOGETHER);
        let next: Vec<Waiting> = line.waiting.drain(..many).collect();
        if next.is_empty() {
            line.under_way = line.under_way.saturating_sub(1);
        } else {
            line.began = Instant::now();
        }
        next
    }

    /// A thread that panicked has left a line that is whole.
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account of a user as it is now.
///
/// # Errors
/// [`ApiError::Busy`] if too many wait; [`ApiError::Overdue`]; as the store says.
pub(crate) async fn find(state: &Arc<State>, user: UserId, deadline: Instant) -> Found {
    let (found, begin) = state.roll.join(user, deadline).ok_or(ApiError::Busy)?;
    if begin {
        // Not in this request's own time: others wait for it too, and its client may go away.
        rt::spawn(look_up(Arc::clone(state)));
    }
    match timeout_at(deadline.into(), found).await {
        Ok(Ok(found)) => found,
        // The server stops.
        Ok(Err(_)) => Err(ApiError::Busy),
        Err(_) => Err(ApiError::Overdue),
    }
}

async fn look_up(state: Arc<State>) {
    loop {
        let next = state.roll.next();
        if next.is_empty() {
            return;
        }
        let many = u64::try_from(next.len()).unwrap_or(u64::MAX);
        state.metrics.lookups.note(many);
        let users: Vec<UserId> = next.iter().map(|waiting| waiting.user).collect();
        let deadline = next.iter().map(|waiting| waiting.deadline).max();
        let deadline = deadline.unwrap_or_else(Instant::now);
        match accounts(&state, users, deadline).await {
            Ok(found) => {
                for waiting in next {
                    let account = found.get(&waiting.user).cloned();
                    let _ = waiting.answer.send(Ok(account));
                }
            }
            // One bad row is the trouble of its owner alone.
            Err(ApiError::Store(error)) if is_corrupt(error.kind()) => {
                for waiting in next {
                    let found = accounts(&state, vec![waiting.user], waiting.deadline).await;
                    let found = found.map(|mut found| found.remove(&waiting.user));
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

async fn accounts(
    state: &Arc<State>,
    users: Vec<UserId>,
    deadline: Instant,
) -> Result<HashMap<UserId, Account>, ApiError> {
    let find = move |shop: &crate::Shop| -> Result<_, ShopError> {
        let accounts = shop.accounts.find_all(&users)?;
        Ok(accounts
            .into_iter()
            .map(|account| (account.id, account))
            .collect())
    };
    state.run(Kind::Query, deadline, find).await
}
