use super::{Expected, Fresh, Model};
use crate::command::Answer;
use chrono::{DateTime, Duration, Utc};
use tradepost_domain::identity::{Account, TokenPair};
use tradepost_domain::kernel::{Refusal, UserId};

/// Shorter than a visit may take, so that some tokens expire during one.
pub(crate) const REFRESH_LIFE: Duration = Duration::minutes(15);

/// Grace period of reuse.
pub(crate) const GRACE: Duration = Duration::seconds(10);

/// Retention of a used token, longer than the grace period.
pub(crate) const USED: Duration = Duration::minutes(1);

/// The first token of the family, with which every later one begins.
pub(crate) fn family(token: &str) -> &str {
    token.split('.').next().unwrap()
}

/// A refresh token that was issued, and not purged.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) token: String,
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
        let account = self.verify_credentials(username, password, renewed)?;
        Ok(self.give(&account, fresh.refresh.clone(), at))
    }

    pub(super) fn refresh(&mut self, token: &str, at: DateTime<Utc>, fresh: &Fresh) -> Expected {
        let refused = || Err(Refusal::InvalidToken);
        let known = |given: &Given| given.token == token;
        let relative =
            |given: &Given| family(&given.token) == family(token) && given.used_at.is_none();
        let place = self.tokens.iter().position(known);
        let Some(place) = place.or_else(|| self.tokens.iter().position(relative)) else {
            return refused();
        };
        let sent = &mut self.tokens[place];
        let account = self.accounts[&sent.user].account.clone();
        if account.session_epoch != sent.epoch || !account.is_active {
            return refused();
        }
        let late = sent.used_at.is_some_and(|used| at - used > GRACE);
        if late || sent.token != token {
            self.end_family(token);
            return refused();
        }
        if sent.used_at.is_some() || at >= sent.expires_at {
            return refused();
        }
        sent.used_at = Some(at);
        let remembered = |given: &Given| given.used_at.is_none_or(|used| at - used <= USED);
        self.tokens
            .retain(|given| family(&given.token) != family(token) || remembered(given));
        let next = format!("{}.{}", family(token), fresh.refresh);
        Ok(self.give(&account, next, at))
    }

    pub(super) fn sign_out(&mut self, token: &str) -> Answer {
        self.end_family(token);
        Answer::Done
    }

    fn end_family(&mut self, token: &str) {
        self.tokens
            .retain(|given| family(&given.token) != family(token));
    }

    pub(super) fn forget_tokens(&mut self, at: DateTime<Utc>) -> Answer {
        let (held, before) = (self.tokens.len(), at - USED);
        let used = |given: &Given| given.used_at.is_some_and(|used| used < before);
        self.tokens
            .retain(|given| given.expires_at >= before && !used(given));
        Answer::TokensForgotten(u64::try_from(held - self.tokens.len()).unwrap())
    }

    /// Deletes the tokens of an account's other sessions.
    pub(super) fn end_sessions(&mut self, account: &Account) {
        let goes_on =
            |given: &Given| given.user != account.id || given.epoch == account.session_epoch;
        self.tokens.retain(goes_on);
    }

    fn give(&mut self, account: &Account, refresh: String, at: DateTime<Utc>) -> Answer {
        let (access, _) = self.issue(account, at);
        self.tokens.push(Given {
            token: refresh.clone(),
            user: account.id,
            epoch: account.session_epoch,
            expires_at: at + REFRESH_LIFE,
            used_at: None,
        });
        Answer::Pair(TokenPair { access, refresh })
    }
}
