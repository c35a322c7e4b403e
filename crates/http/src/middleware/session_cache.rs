//! Session cache: verified tokens for less than a second, so that successive requests of one client
//! need one account lookup, without a thread or a query each.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tradepost_domain::identity::Session;
use tradepost_domain::kernel::UserId;

/// TTL of an entry. A deactivation, a demotion or a change of the password takes effect within one
/// second; the rest of that second is for requests that were admitted at the last moment.
const TTL: Duration = Duration::from_millis(900);

/// Maximum number of entries: some megabytes of tokens, and more users than act in a second.
const MAX_ENTRIES: usize = 20_000;

pub(crate) struct SessionCache {
    entries: Mutex<Entries>,
    max_entries: usize,
}

struct Entries {
    by_token: HashMap<Box<str>, CachedSession>,
    swept: Instant,
}

struct CachedSession {
    session: Session,
    until: Instant,
}

impl SessionCache {
    pub(crate) fn new() -> Self {
        Self::with_max_entries(MAX_ENTRIES)
    }

    fn with_max_entries(max_entries: usize) -> Self {
        let entries = Entries {
            by_token: HashMap::new(),
            swept: Instant::now(),
        };
        Self {
            entries: Mutex::new(entries),
            max_entries,
        }
    }

    /// The cached session of a token. The token may have expired since.
    pub(crate) fn get(&self, token: &str, now: Instant) -> Option<Session> {
        let entries = self.lock();
        let cached = entries.by_token.get(token)?;
        (now < cached.until).then_some(cached.session)
    }

    /// Caches the result of a lookup that began at `asked`, unless the cache is full.
    pub(crate) fn insert(&self, token: String, session: Session, asked: Instant, now: Instant) {
        let until = asked + TTL;
        if until <= now {
            return;
        }
        let mut entries = self.lock();
        // Expired entries are removed all at once and rarely: none outlives two TTLs, and a full
        // cache costs no more.
        if now.saturating_duration_since(entries.swept) >= TTL {
            entries.by_token.retain(|_, known| now < known.until);
            entries.swept = now;
        }
        if entries.by_token.len() < self.max_entries || entries.by_token.contains_key(&*token) {
            let cached = CachedSession { session, until };
            entries.by_token.insert(token.into(), cached);
        }
    }

    /// Removes the cached sessions of a user: their next requests are looked up.
    pub(crate) fn invalidate(&self, user: UserId) {
        let is_theirs = |session: &Session| session.actor.customer() == Ok(user);
        let mut entries = self.lock();
        entries
            .by_token
            .retain(|_, known| !is_theirs(&known.session));
    }

    /// The map is consistent even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::kernel::Actor;

    fn session(user: i64) -> Session {
        Session {
            actor: Actor::Customer(UserId::new(user).unwrap()),
            session_epoch: 0,
            expires_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    fn after(began: Instant, milliseconds: u64) -> Instant {
        began + Duration::from_millis(milliseconds)
    }

    #[test]
    fn entries_expire_less_than_a_second_after_their_lookup_began() {
        let sessions = SessionCache::new();
        let asked = Instant::now();
        assert_eq!(sessions.get("a", asked), None);
        let answered = after(asked, 500);
        sessions.insert("a".to_owned(), session(1), asked, answered);
        for (milliseconds, known) in [(500, true), (899, true), (900, false), (5_000, false)] {
            let seen = sessions.get("a", after(asked, milliseconds));
            assert_eq!(seen, known.then(|| session(1)), "{milliseconds}");
        }
        assert_eq!(sessions.get("b", answered), None);
        // A result of a slow lookup has already expired.
        sessions.insert("b".to_owned(), session(2), asked, after(asked, 900));
        assert_eq!(sessions.get("b", asked), None);
    }

    #[test]
    fn the_cache_is_bounded_and_expired_entries_make_room() {
        let sessions = SessionCache::with_max_entries(2);
        let began = Instant::now();
        let insert = |token: &str, user, milliseconds| {
            let now = after(began, milliseconds);
            sessions.insert(token.to_owned(), session(user), now, now);
            sessions.get(token, now)
        };
        assert_eq!(insert("a", 1, 0), Some(session(1)));
        assert_eq!(insert("b", 2, 100), Some(session(2)));
        assert_eq!(insert("c", 3, 200), None);
        assert_eq!(insert("a", 4, 300), Some(session(4)));
        assert_eq!(sessions.lock().by_token.len(), 2);
        assert_eq!(insert("c", 3, 1_100), Some(session(3)));
        assert_eq!(insert("d", 5, 1_150), None);
        assert_eq!(sessions.lock().by_token.len(), 2);
        assert_eq!(insert("d", 5, 2_000), Some(session(5)));
        assert_eq!(sessions.lock().by_token.len(), 1);
    }
}
