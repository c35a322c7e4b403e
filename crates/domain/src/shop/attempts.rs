use super::ShopError;
use crate::{Attempt, AttemptRepository, AttemptRule, AttemptSettings, Clock, Whereabouts};
use std::sync::Arc;

/// What keeps passwords from being guessed, and accounts from being made without end.
#[derive(Clone)]
pub struct Attempts(Option<Counting>);

#[derive(Clone)]
struct Counting {
    attempts: Arc<dyn AttemptRepository>,
    clock: Arc<dyn Clock>,
    settings: AttemptSettings,
}

impl Attempts {
    /// The tries counted in this port.
    #[must_use]
    pub fn new(
        attempts: Arc<dyn AttemptRepository>,
        clock: Arc<dyn Clock>,
        settings: AttemptSettings,
    ) -> Self {
        Self(Some(Counting {
            attempts,
            clock,
            settings,
        }))
    }

    /// Counts nothing and allows everything.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// Whether somebody may try to sign in now: a quick no, before [`Attempts::sign_in`] is begun.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`](crate::Refusal::TooManyAttempts); if the store fails.
    pub fn may_sign_in(&self, username: &str, from: Whereabouts) -> Result<(), ShopError> {
        let Some(counting) = &self.0 else {
            return Ok(());
        };
        let now = counting.clock.now();
        for attempt in counting.sign_in(username, from) {
            counting.attempts.may_try(&attempt, now)??;
        }
        Ok(())
    }

    /// Lets somebody try to sign in, which is what `check` does. It is counted before. A refusal by
    /// `check` is a wrong try; a failure of the store is none.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`](crate::Refusal::TooManyAttempts), without having called `check`; whatever `check` says; if the
    /// store fails.
    pub fn sign_in<T>(
        &self,
        username: &str,
        from: Whereabouts,
        check: impl FnOnce() -> Result<T, ShopError>,
    ) -> Result<T, ShopError> {
        let Some(counting) = &self.0 else {
            return check();
        };
        let tries = counting.sign_in(username, from);
        let answer = counting.guard(&tries, check);
        if answer.is_ok() {
            counting.forgive(&tries);
        }
        answer
    }

    /// Whether somebody may register now: a quick no, before [`Attempts::register`] is begun.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`](crate::Refusal::TooManyAttempts); if the store fails.
    pub fn may_register(&self, from: Whereabouts) -> Result<(), ShopError> {
        let Some(counting) = &self.0 else {
            return Ok(());
        };
        let now = counting.clock.now();
        Ok(counting
            .attempts
            .may_try(&counting.registration(from), now)??)
    }

    /// Lets somebody register, of which `hash` is what takes long. It is counted before, and stays
    /// counted whatever becomes of the account; a failure to hash is no registration.
    ///
    /// # Errors
    /// [`Refusal::TooManyAttempts`](crate::Refusal::TooManyAttempts), without having called `hash`;
    /// whatever `hash` says; if the store fails.
    pub fn register<T>(
        &self,
        from: Whereabouts,
        hash: impl FnOnce() -> Result<T, ShopError>,
    ) -> Result<T, ShopError> {
        match &self.0 {
            Some(counting) => counting.guard(&[counting.registration(from)], hash),
            None => hash(),
        }
    }
}

impl Counting {
    fn sign_in(&self, username: &str, from: Whereabouts) -> [Attempt; 2] {
        self.settings.sign_in(username, from)
    }

    fn registration(&self, from: Whereabouts) -> Attempt {
        self.settings.registration(from)
    }

    /// Counts these tries and does what they are for. What could not be done gives them back.
    fn guard<T>(
        &self,
        tries: &[Attempt],
        check: impl FnOnce() -> Result<T, ShopError>,
    ) -> Result<T, ShopError> {
        let mut counted = Vec::new();
        for attempt in tries {
            let allowed = self.attempts.count_try(attempt, self.clock.now());
            let allowed = allowed.map_err(ShopError::from);
            if let Err(error) = allowed.and_then(|allowed| Ok(allowed?)) {
                self.give_back(&counted);
                return Err(error);
            }
            counted.push(attempt);
        }
        let answer = check();
        match &answer {
            Ok(_) | Err(ShopError::Refused(_)) => {}
            Err(ShopError::Store(_) | ShopError::Hashing(_) | ShopError::Randomness(_)) => {
                self.give_back(&counted)
            }
        }
        answer
    }

    /// A count that stays too high is no reason to fail: it is over soon.
    fn give_back(&self, tries: &[&Attempt]) {
        for attempt in tries {
            let _ = self.attempts.give_back(&attempt.key);
        }
    }

    /// The right password ends the count of its account. What others tried from the same place
    /// stands: else whoever has an account could go on for ever at all others.
    fn forgive(&self, tries: &[Attempt]) {
        for attempt in tries {
            let _ = match attempt.rule {
                AttemptRule::Growing(_) => self.attempts.forgive(&attempt.key),
                AttemptRule::PerWindow(_) => self.attempts.give_back(&attempt.key),
            };
        }
    }
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
