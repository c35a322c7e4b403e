//! Invariants of refresh tokens, independent of the model.

use crate::check::{Checked, holds};
use crate::command::{Answer, Command, Sent};
use crate::model::sessions::{GRACE, family};
use crate::outside::Notes;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::identity::TokenPair;
use tradepost_domain::kernel::{Refusal, UserId};

#[derive(Clone)]
struct Token {
    user: UserId,
    exchanged_at: Option<DateTime<Utc>>,
}

/// The refresh tokens that clients were seen to get, and the families that were seen to end.
#[derive(Default)]
pub(crate) struct Families {
    tokens: BTreeMap<String, Token>,
    ended: BTreeSet<String>,
}

impl Families {
    /// Records a command and its response.
    pub(crate) fn saw(
        &mut self,
        sent: &Sent,
        answer: &Result<Answer, Refusal>,
        at: DateTime<Utc>,
    ) -> Checked {
        match (&sent.command, answer) {
            (Command::OpenSession { .. }, Ok(Answer::Pair(pair))) => {
                self.given(pair);
            }
            (Command::Refresh { token }, Ok(Answer::Pair(pair))) => {
                self.exchanged(token, pair, at)?;
            }
            (Command::Refresh { token }, Err(Refusal::InvalidToken)) => {
                let used = self.tokens.get(token).and_then(|known| known.exchanged_at);
                if used.is_some_and(|used| at - used > GRACE) {
                    self.end_family(token);
                }
            }
            (Command::SignOut { token }, Ok(_)) => self.end_family(token),
            (Command::ChangePassword { .. }, Ok(_)) => {
                sent.by
                    .customer()
                    .into_iter()
                    .for_each(|user| self.end(user));
            }
            (
                Command::ResetPassword { .. } | Command::StorePassword(_),
                Ok(Answer::Account(account)),
            ) => self.end(account.id),
            (Command::Switch(..), Ok(Answer::Account(account))) if !account.is_active => {
                self.end(account.id);
            }
            _ => {}
        }
        Ok(())
    }

    fn exchanged(&mut self, token: &str, pair: &TokenPair, at: DateTime<Utc>) -> Checked {
        // The response may have been lost: then no client was seen to get a token.
        let known = self.tokens.get_mut(token);
        let once = known.is_none_or(|known| known.exchanged_at.replace(at).is_none());
        holds("a refresh token works once", once)?;
        let lives = !self.ended.contains(family(token));
        holds("a family that has ended gives nothing", lives)?;
        let stays = family(&pair.refresh) == family(token);
        holds("the next token is of the same family", stays)?;
        self.given(pair);
        Ok(())
    }

    fn given(&mut self, pair: &TokenPair) {
        let token = Token {
            user: Notes::user(&pair.access),
            exchanged_at: None,
        };
        self.tokens.insert(pair.refresh.clone(), token);
    }

    fn end_family(&mut self, token: &str) {
        self.ended.insert(family(token).to_owned());
    }

    fn end(&mut self, user: UserId) {
        let tokens = self.tokens.iter().filter(|(_, known)| known.user == user);
        let families = tokens.map(|(token, _)| family(token).to_owned());
        self.ended.extend(families);
    }
}
