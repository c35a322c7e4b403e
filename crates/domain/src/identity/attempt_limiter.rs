use crate::identity::{
    Attempt, AttemptRepository, AttemptSettings, ClientNetwork, KnownNetworkKey, LoginName,
    OnSuccess, decide_known_network,
};
use crate::kernel::Clock;
use crate::kernel::Error;
use crate::kernel::System;
use crate::{Service, ServicesConfig, Stores};
use std::sync::Arc;

/// Attempt limiter: throttles password guessing and registrations.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// # let grace = shop.accounts.create_staff(NewUser::new("grace", "staple of horses")?)?.actor();
/// use std::net::Ipv4Addr;
/// use tradepost_domain::identity::ClientNetwork;
///
/// let client = ClientNetwork::new(Ipv4Addr::LOCALHOST.into());
/// let sign_in = |password| {
///     let verify = || shop.accounts.verify_credentials("grace", password);
///     shop.attempts.sign_in("grace", client, |account| account.is_staff, verify)
/// };
/// for _ in 0..5 {
///     assert!(sign_in("a guess").is_err());
/// }
/// // Now even the right password has to wait.
/// assert!(sign_in("staple of horses").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AttemptLimiter(Option<Counting>);

#[derive(Clone)]
struct Counting {
    attempts: Arc<dyn AttemptRepository>,
    clock: Arc<dyn Clock>,
    settings: AttemptSettings,
}

/// Priority of a sign-in when many wait for a password check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInPriority {
    /// From a network from which a staff user recently signed in to this account.
    Staff,
    /// Every other sign-in.
    Normal,
}

impl Service for AttemptLimiter {
    fn of(stores: &Stores, system: &System, config: &ServicesConfig) -> Self {
        match config.attempts {
            Some(limits) => Self::new(stores.attempts.clone(), system.clock.clone(), limits),
            None => Self::unlimited(),
        }
    }
}

impl AttemptLimiter {
    /// A limiter that counts attempts in this port.
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

    /// A limiter that counts nothing and allows everything.
    #[must_use]
    pub fn unlimited() -> Self {
        Self(None)
    }

    /// Whether a sign-in is allowed now: a cheap check before [`AttemptLimiter::sign_in`].
    ///
    /// # Errors
    /// [`IdentityRefusal::TooManyAttempts`](crate::identity::IdentityRefusal::TooManyAttempts); if the store fails.
    pub fn may_sign_in(
        &self,
        username: &str,
        from: ClientNetwork,
    ) -> Result<SignInPriority, Error> {
        let Some(counting) = &self.0 else {
            return Ok(SignInPriority::Normal);
        };
        let network = counting.network(username, from)?;
        counting.check_attempt(&counting.sign_in(&network))?;
        Ok(network.priority())
    }

    /// Whether a change of e-mail address is allowed now: a cheap check before
    /// [`AttemptLimiter::change_email`].
    ///
    /// # Errors
    /// As [`AttemptLimiter::may_sign_in`].
    pub fn may_change_email(
        &self,
        username: &str,
        from: ClientNetwork,
    ) -> Result<SignInPriority, Error> {
        self.may_register(from)?;
        self.may_sign_in(username, from)
    }

    /// Runs `check`, a sign-in, as a limited action. The attempt is counted first. A refusal by
    /// `check` is a failed attempt; a failure of the store does not count. After a success the
    /// network is known for the account; `is_staff` tells whether the account is staff.
    ///
    /// # Errors
    /// [`IdentityRefusal::TooManyAttempts`](crate::identity::IdentityRefusal::TooManyAttempts), without a call of `check`;
    /// the error of `check`; if the store fails.
    pub fn sign_in<T>(
        &self,
        username: &str,
        from: ClientNetwork,
        is_staff: impl FnOnce(&T) -> bool,
        check: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.verify(&[], username, from, is_staff, check)
    }

    /// The same for a change of e-mail address. It counts as a registration too, as it reveals
    /// which addresses are taken.
    ///
    /// # Errors
    /// As [`AttemptLimiter::sign_in`].
    pub fn change_email<T>(
        &self,
        username: &str,
        from: ClientNetwork,
        is_staff: impl FnOnce(&T) -> bool,
        check: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let registration = match &self.0 {
            Some(counting) => counting.settings.registration(from),
            None => Vec::new(),
        };
        self.verify(&registration, username, from, is_staff, check)
    }

    fn verify<T>(
        &self,
        besides: &[Attempt],
        username: &str,
        from: ClientNetwork,
        is_staff: impl FnOnce(&T) -> bool,
        check: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(counting) = &self.0 else {
            return check();
        };
        let network = counting.network(username, from)?;
        let mut tries = besides.to_vec();
        tries.extend(counting.sign_in(&network));
        let answer = counting.guard(&tries, check);
        if let Ok(verified) = &answer {
            counting.settle(&tries);
            counting.remember(&network, is_staff(verified));
        }
        answer
    }

    /// Whether a registration is allowed now: a cheap check before [`AttemptLimiter::register`].
    ///
    /// # Errors
    /// [`IdentityRefusal::TooManyAttempts`](crate::identity::IdentityRefusal::TooManyAttempts); if the store fails.
    pub fn may_register(&self, from: ClientNetwork) -> Result<(), Error> {
        match &self.0 {
            Some(counting) => counting.check_attempt(&counting.settings.registration(from)),
            None => Ok(()),
        }
    }

    /// Runs `hash`, the slow part of a registration, as a limited action. The attempt is counted
    /// first, and stays counted whether or not the account is created; a failure to hash does not
    /// count.
    ///
    /// # Errors
    /// [`IdentityRefusal::TooManyAttempts`](crate::identity::IdentityRefusal::TooManyAttempts), without a call of `hash`; the
    /// error of `hash`; if the store fails.
    pub fn register<T>(
        &self,
        from: ClientNetwork,
        hash: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &self.0 {
            Some(counting) => counting.guard(&counting.settings.registration(from), hash),
            None => hash(),
        }
    }
}

/// A client network and an account, with the stored record of the two.
struct Network {
    username: LoginName,
    key: KnownNetworkKey,
    held: Option<crate::identity::KnownNetwork>,
    is_known: bool,
}

impl Network {
    fn priority(&self) -> SignInPriority {
        let staff = self.held.is_some_and(|held| held.is_staff);
        if self.is_known && staff {
            SignInPriority::Staff
        } else {
            SignInPriority::Normal
        }
    }
}

impl Counting {
    fn network(&self, username: &str, from: ClientNetwork) -> Result<Network, Error> {
        let username = LoginName::new(username);
        let key = KnownNetworkKey::new(&username, from);
        let held = self.attempts.known_network(&key)?;
        Ok(Network {
            username,
            key,
            held,
            is_known: held.is_some_and(|held| held.is_current(self.clock.now())),
        })
    }

    fn sign_in(&self, network: &Network) -> Vec<Attempt> {
        let (name, from) = (&network.username, network.key.network);
        self.settings.sign_in(name, from, network.is_known)
    }

    fn check_attempt(&self, tries: &[Attempt]) -> Result<(), Error> {
        let now = self.clock.now();
        for attempt in tries {
            self.attempts.check_attempt(attempt, now)?;
        }
        Ok(())
    }

    /// Counts these attempts and runs their action. A failed action releases them; a refused one
    /// does not.
    fn guard<T>(
        &self,
        tries: &[Attempt],
        check: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut counted = Vec::new();
        for attempt in tries {
            if let Err(error) = self.attempts.count_attempt(attempt, self.clock.now()) {
                self.release(&counted);
                return Err(error);
            }
            counted.push(attempt);
        }
        let answer = check();
        match &answer {
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(Error::Store(_) | Error::Hashing(_) | Error::Randomness(_)) => {
                self.release(&counted)
            }
        }
        answer
    }

    /// Errors are ignored: a count that stays too high expires soon.
    fn release(&self, tries: &[&Attempt]) {
        for attempt in tries {
            let _ = self.attempts.release(&attempt.key);
        }
    }

    /// The correct password resets the count of its account at its network. Counts of other
    /// accounts from the same network, and of other networks, stay: otherwise an attacker could
    /// reset them with an account of their own, and guess at all others without end.
    fn settle(&self, tries: &[Attempt]) {
        for attempt in tries {
            let _ = match attempt.on_success {
                OnSuccess::Keep => Ok(()),
                OnSuccess::Release => self.attempts.release(&attempt.key),
                OnSuccess::Reset => self.attempts.reset(&attempt.key),
            };
        }
    }

    /// Errors are ignored: the network is stored at the next sign-in.
    fn remember(&self, network: &Network, is_staff: bool) {
        let now = self.clock.now();
        if let Some(known) = decide_known_network(network.held, is_staff, now) {
            let _ = self.attempts.remember_network(&network.key, known);
        }
    }
}

#[cfg(test)]
#[path = "attempt_limiter_tests.rs"]
mod tests;
