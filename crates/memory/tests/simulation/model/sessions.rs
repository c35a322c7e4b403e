use super::{Expected, Fresh, Model};
use crate::command::Answer;
use chrono::{DateTime, Duration, Utc};
use tradepost_domain::{Account, Refusal, TokenPair, UserId};

/// Shorter than a visit may take, so that some end by themselves.
pub(crate) const REFRESH_LIFE: Duration = Duration::minutes(15);

/// How long a second use is no theft.
pub(crate) const GRACE: Duration = Duration::seconds(10);

/// A refresh token that was given to somebody.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) token: String,
    /// The first token after the same password.
    family: String,
    user: UserId,
    epoch: i64,
    expires_at: DateTime<Utc>,
    used_at: Option<DateTime<Utc>>,
}

impl Model {
    pub(super) fn open_session(
        &mut self,
        username: &str,
        password: &str,
        at: DateTime<Utc>,
        fresh: &Fresh,
        renewed: bool,
    ) -> Expected {
        let account = self.recognise(username, password, renewed)?;
        let family = fresh.refresh.clone();
        Ok(self.give(&account, family, at, fresh))
    }

    pub(super) fn refresh(&mut self, token: &str, at: DateTime<Utc>, fresh: &Fresh) -> Expected {
        let refused = || Err(Refusal::InvalidToken);
        let Some(sent) = self.tokens.iter_mut().find(|given| given.token == token) else {
            return refused();
        };
        let family = sent.family.clone();
        let account = self.accounts[&sent.user].account.clone();
        if at >= sent.expires_at || account.session_epoch != sent.epoch || !account.is_active {
            return refused();
        }
        if let Some(used) = sent.used_at {
            if at - used > GRACE {
                self.tokens.retain(|given| given.family != family);
            }
            return refused();
        }
        sent.used_at = Some(at);
        Ok(self.give(&account, family, at, fresh))
    }

    pub(super) fn sign_out(&mut self, token: &str) -> Answer {
        let sent = self.tokens.iter().find(|given| given.token == token);
        if let Some(family) = sent.map(|sent| sent.family.clone()) {
            self.tokens.retain(|given| given.family != family);
        }
        Answer::Done
    }

    pub(super) fn forget_tokens(&mut self, at: DateTime<Utc>) -> Answer {
        let held = self.tokens.len();
        self.tokens.retain(|given| given.expires_at >= at);
        Answer::TokensForgotten(u64::try_from(held - self.tokens.len()).unwrap())
    }

    /// All of somebody's that are not of this session.
    pub(super) fn end_sessions(&mut self, account: &Account) {
        let goes_on =
            |given: &Given| given.user != account.id || given.epoch == account.session_epoch;
        self.tokens.retain(goes_on);
    }

    fn give(
        &mut self,
        account: &Account,
        family: String,
        at: DateTime<Utc>,
        fresh: &Fresh,
    ) -> Answer {
        let (access, _) = self.issue(account, at);
        let refresh = fresh.refresh.clone();
        self.tokens.push(Given {
            token: refresh.clone(),
            family,
            user: account.id,
            epoch: account.session_epoch,
            expires_at: at + REFRESH_LIFE,
            used_at: None,
        });
        Answer::Pair(TokenPair { access, refresh })
    }
}
