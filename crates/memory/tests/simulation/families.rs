//! What is promised of refresh tokens, whatever the model thinks.

use crate::check::{Checked, holds};
use crate::command::{Answer, Command, Sent};
use crate::model::sessions::{GRACE, REFRESH_LIFE};
use crate::outside::Notes;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::{Refusal, TokenPair, UserId};

#[derive(Clone)]
struct Token {
    family: String,
    user: UserId,
    given_at: DateTime<Utc>,
    exchanged_at: Option<DateTime<Utc>>,
}

/// The refresh tokens that somebody was seen to get, and the families that were seen to end.
#[derive(Default)]
pub(crate) struct Families {
    tokens: BTreeMap<String, Token>,
    ended: BTreeSet<String>,
}

impl Families {
    /// Somebody sent this and got that.
    pub(crate) fn saw(
        &mut self,
        sent: &Sent,
        answer: &Result<Answer, Refusal>,
        at: DateTime<Utc>,
    ) -> Checked {
        match (&sent.command, answer) {
            (Command::OpenSession { .. }, Ok(Answer::Pair(pair))) => {
                self.given(pair, pair.refresh.clone(), at);
            }
            (Command::Refresh { token }, Ok(Answer::Pair(pair))) => {
                self.exchanged(token, pair, at)?;
            }
            (Command::Refresh { token }, Err(Refusal::InvalidToken)) => {
                let used = self.tokens.get(token).and_then(|known| known.exchanged_at);
                if used.is_some_and(|used| at - used > GRACE) {
                    self.end_family(token, at);
                }
            }
            (Command::SignOut { token }, Ok(_)) => self.end_family(token, at),
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
            (Command::Switch(_), Ok(Answer::Account(account))) if !account.is_active => {
                self.end(account.id);
            }
            _ => {}
        }
        Ok(())
    }

    fn exchanged(&mut self, token: &str, pair: &TokenPair, at: DateTime<Utc>) -> Checked {
        // Its answer may have been lost: then nothing was seen of where it is from.
        let Some(known) = self.tokens.get_mut(token) else {
            self.given(pair, pair.refresh.clone(), at);
            return Ok(());
        };
        let once = known.exchanged_at.replace(at).is_none();
        let family = known.family.clone();
        holds("a refresh token works once", once)?;
        let lives = !self.ended.contains(&family);
        holds("a family that has ended gives nothing", lives)?;
        self.given(pair, family, at);
        Ok(())
    }

    fn given(&mut self, pair: &TokenPair, family: String, given_at: DateTime<Utc>) {
        let user = Notes::user(&pair.access);
        let token = Token {
            family,
            user,
            given_at,
            exchanged_at: None,
        };
        self.tokens.insert(pair.refresh.clone(), token);
    }

    /// One that has ended by itself may be forgotten, and nobody knows of which family it was.
    fn end_family(&mut self, token: &str, at: DateTime<Utc>) {
        let known = self.tokens.get(token);
        if let Some(known) = known.filter(|known| at < known.given_at + REFRESH_LIFE) {
            self.ended.insert(known.family.clone());
        }
    }

    fn end(&mut self, user: UserId) {
        let tokens = self.tokens.values().filter(|token| token.user == user);
        let families = tokens.map(|token| token.family.clone());
        self.ended.extend(families);
    }
}
