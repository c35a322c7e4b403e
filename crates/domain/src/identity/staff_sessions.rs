use crate::identity::{
    Account, AccountRepository, SessionDigest, StaffSession, StaffSessionRepository,
    decide_sign_in, decide_use,
};
use crate::kernel::{Clock, Error, Refusal, System};
use crate::{Service, ServicesConfig, Stores};
use std::sync::Arc;

/// Staff session service: sign-ins to the admin interface.
///
/// Credentials are verified by [`Accounts`](crate::identity::Accounts); this service begins, checks
/// and ends the sessions.
#[derive(Clone)]
pub struct StaffSessions {
    sessions: Arc<dyn StaffSessionRepository>,
    accounts: Arc<dyn AccountRepository>,
    clock: Arc<dyn Clock>,
}

/// A session in use, with its current account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffSignIn {
    /// The session.
    pub session: StaffSession,
    /// The account of its user.
    pub account: Account,
}

impl Service for StaffSessions {
    fn of(stores: &Stores, system: &System, _: &ServicesConfig) -> Self {
        let (sessions, accounts) = (stores.staff_sessions.clone(), stores.accounts.clone());
        Self::new(sessions, accounts, system.clock.clone())
    }
}

impl StaffSessions {
    /// The service over these ports.
    #[must_use]
    pub fn new(
        sessions: Arc<dyn StaffSessionRepository>,
        accounts: Arc<dyn AccountRepository>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            sessions,
            accounts,
            clock,
        }
    }

    /// Begins a session for verified credentials.
    ///
    /// # Errors
    /// As [`decide_sign_in`]; if the store fails.
    pub fn begin(&self, account: &Account, digest: SessionDigest) -> Result<StaffSession, Error> {
        let session = decide_sign_in(account, digest, self.clock.now())?;
        self.sessions.begin_session(session.clone())?;
        Ok(session)
    }

    /// The session with this digest, and its account. It is looked up each time: a change of the
    /// account takes effect with the next request.
    ///
    /// # Errors
    /// As [`decide_use`]; if the store fails.
    pub fn authenticate(&self, digest: SessionDigest) -> Result<StaffSignIn, Error> {
        let found = self.sessions.find_session(digest)?;
        let session = found.ok_or(Refusal::InvalidToken)?;
        let account = self.accounts.find(session.user)?;
        let used = decide_use(&session, account.as_ref(), self.clock.now())?;
        let account = account.ok_or(Refusal::InvalidToken)?;
        if let Some(used) = used {
            // No reason to refuse the request: the next one records the use.
            let _ = self.sessions.use_session(used);
        }
        Ok(StaffSignIn { session, account })
    }

    /// Ends a session. An unknown one has ended already.
    ///
    /// # Errors
    /// If the store fails.
    pub fn end(&self, digest: SessionDigest) -> Result<(), Error> {
        Ok(self.sessions.end_session(digest)?)
    }
}
