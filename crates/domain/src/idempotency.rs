//! Idempotency keys: a request that is sent twice under one key happens once, and both get the
//! same answer. In the manner of the IETF draft "The Idempotency-Key HTTP Header Field".
//!
//! The key is stored in the transaction of the command that it names, with the answer as the
//! client got it. So no crash can separate the two, and the answer stays the same whatever becomes
//! of the thing. A refused attempt is not remembered, and may be tried again.

use crate::{Problem, Refusal};
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;

/// How long an answer is kept at least.
pub const KEY_LIFE: TimeDelta = TimeDelta::hours(24);

/// The most answers that are kept for one customer's additions to a cart: what no customer needs in
/// two days, and a hundred megabytes with the longest descriptions. Orders need no such bound, as they
/// are kept anyway, and what staff do has none.
pub const MOST_ADDITIONS: usize = 10_000;

/// A key as a client chose it: 1 to [`IdempotencyKey::MAX`] visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The most characters.
    pub const MAX: usize = 255;

    /// # Errors
    /// [`Problem::Blank`], [`Problem::TooLong`] and [`Problem::NotVisibleAscii`].
    pub fn new(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            Err(Problem::Blank)
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(Problem::NotVisibleAscii)
        } else if text.len() > Self::MAX {
            Err(Problem::TooLong { max: Self::MAX })
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What makes two requests of one user the same attempt: the key, and what it was sent to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyScope {
    /// The path that the request was sent to: each has keys of its own.
    pub path: String,
    /// The key.
    pub key: IdempotencyKey,
}

/// How the outcome of a command becomes the answer that is stored.
pub struct Render<T: ?Sized>(pub fn(&T) -> String);

impl<T: ?Sized> Clone for Render<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Render<T> {}

impl<T: ?Sized> fmt::Debug for Render<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Render(..)")
    }
}

impl<T: ?Sized> PartialEq for Render<T> {
    /// How an answer is written down is no part of what is asked for.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: ?Sized> Eq for Render<T> {}

/// A key with a command that gives a `T`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyed<T: ?Sized> {
    /// The key, and what it was sent to.
    pub scope: KeyScope,
    /// What was asked for, condensed: another command under the same key has another one.
    pub fingerprint: String,
    /// How the outcome becomes the answer that is stored.
    pub render: Render<T>,
}

/// What is stored under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// [`Keyed::fingerprint`] of the command.
    pub fingerprint: String,
    /// Its answer.
    pub answer: String,
    /// When it was given.
    pub at: DateTime<Utc>,
}

/// The outcome of a command that may have been sent before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<T> {
    /// It happened now.
    Now(T),
    /// It happened before, under the same key: the answer of then.
    Before(String),
}

impl<T> Written<T> {
    /// The outcome, if it happened now.
    #[must_use]
    pub fn now(self) -> Option<T> {
        match self {
            Self::Now(outcome) => Some(outcome),
            Self::Before(_) => None,
        }
    }

    /// Turns an outcome of now into another.
    pub fn map<U>(self, then: impl FnOnce(T) -> U) -> Written<U> {
        match self {
            Self::Now(outcome) => Written::Now(then(outcome)),
            Self::Before(answer) => Written::Before(answer),
        }
    }
}

/// Decides whether a command has happened before: its answer of then, or `None` if it is new.
///
/// # Errors
/// [`Refusal::IdempotencyKeyReused`] if the key was used for another command.
pub fn decide_key<T: ?Sized>(
    sent: Option<&Keyed<T>>,
    held: Option<&KeyRecord>,
) -> Result<Option<String>, Refusal> {
    match sent.zip(held) {
        None => Ok(None),
        Some((sent, held)) if sent.fingerprint == held.fingerprint => Ok(Some(held.answer.clone())),
        Some(_) => Err(Refusal::IdempotencyKeyReused),
    }
}

/// Decides whether another answer may be kept for a customer's additions to a cart, given whether
/// [`MOST_ADDITIONS`] are already.
///
/// # Errors
/// [`Refusal::TooManyKeys`].
pub fn decide_keeping(as_many: bool) -> Result<(), Refusal> {
    if as_many {
        Err(Refusal::TooManyKeys)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at;

    fn keyed(fingerprint: &str) -> Keyed<str> {
        Keyed {
            scope: KeyScope {
                path: "/orders/".to_owned(),
                key: IdempotencyKey::new("k").unwrap(),
            },
            fingerprint: fingerprint.to_owned(),
            render: Render(str::to_owned),
        }
    }

    #[test]
    fn keys_as_a_table() {
        for text in ["a", "~", "!", &"k".repeat(255)] {
            assert_eq!(IdempotencyKey::new(text).unwrap().as_str(), text);
        }
        for (text, problem) in [
            ("", Problem::Blank),
            (&*"k".repeat(256), Problem::TooLong { max: 255 }),
            ("a b", Problem::NotVisibleAscii),
            ("a\tb", Problem::NotVisibleAscii),
            ("é", Problem::NotVisibleAscii),
            ("\u{7f}", Problem::NotVisibleAscii),
        ] {
            assert_eq!(IdempotencyKey::new(text), Err(problem), "{text:?}");
        }
    }

    #[test]
    fn replays_as_a_table() {
        let held = KeyRecord {
            fingerprint: "one".to_owned(),
            answer: "201".to_owned(),
            at: at(0),
        };
        let (same, other) = (keyed("one"), keyed("two"));
        for (sent, held, expected) in [
            (None, None, Ok(None)),
            (Some(&same), None, Ok(None)),
            (None, Some(&held), Ok(None)),
            (Some(&same), Some(&held), Ok(Some("201".to_owned()))),
            (
                Some(&other),
                Some(&held),
                Err(Refusal::IdempotencyKeyReused),
            ),
        ] {
            assert_eq!(decide_key(sent, held), expected);
        }
    }
}
