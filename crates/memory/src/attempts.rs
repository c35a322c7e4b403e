use crate::MemoryStore;
use chrono::{DateTime, Utc};
use tradepost_domain::{
    Attempt, AttemptKey, AttemptRepository, Outcome, StoreError, decide_attempt,
};

impl AttemptRepository for MemoryStore {
    fn may_try(&self, attempt: &Attempt, now: DateTime<Utc>) -> Outcome<()> {
        let held = self.lock().attempts.get(&attempt.key).copied();
        Ok(decide_attempt(attempt.rule, held, now).map(drop))
    }

    fn count_try(&self, attempt: &Attempt, now: DateTime<Utc>) -> Outcome<()> {
        let attempts = &mut self.lock().attempts;
        let held = attempts.get(&attempt.key).copied();
        Ok(decide_attempt(attempt.rule, held, now).map(|count| {
            attempts.insert(attempt.key.clone(), count);
        }))
    }

    fn give_back(&self, key: &AttemptKey) -> Result<(), StoreError> {
        let attempts = &mut self.lock().attempts;
        if let Some(count) = attempts.get_mut(key) {
            count.tries = count.tries.saturating_sub(1);
            if count.tries == 0 {
                attempts.remove(key);
            }
        }
        Ok(())
    }

    fn forgive(&self, key: &AttemptKey) -> Result<(), StoreError> {
        self.lock().attempts.remove(key);
        Ok(())
    }
}
