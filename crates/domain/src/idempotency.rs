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

/// The most bytes of answers that are kept for one user, as far as additions to carts and orders
/// are concerned: about 20,000 answers of ordinary size, and 3,000 with the longest descriptions,
/// within the two days after which the last of them is purged.
pub const MAX_KEPT_BYTES: u64 = 32 << 20;

/// The same as far as products and deliveries are concerned, which only staff write: a catalogue of
/// 40,000 products may be loaded under keys.
pub const MAX_KEPT_BYTES_OF_STAFF: u64 = 64 << 20;

/// What a record takes beside its texts: the row, its place in three indexes, and the user's id.
const RECORD_OVERHEAD: usize = 200;

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

impl KeyRecord {
    /// The bytes that a record under this scope takes in a store, roughly.
    #[must_use]
    pub fn size(&self, scope: &KeyScope) -> u64 {
        kept_size(scope, &self.fingerprint, &self.answer)
    }
}

/// The bytes that an answer takes in a store, roughly: its texts, and a constant for the rest. The
/// key and the path are stored a second time in the index that finds them.
#[must_use]
pub fn kept_size(scope: &KeyScope, fingerprint: &str, answer: &str) -> u64 {
    let scope = 2 * (scope.path.len() + scope.key.as_str().len());
    let size = RECORD_OVERHEAD + scope + fingerprint.len() + answer.len();
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// The answers that are kept for one user, by their running total: each record stores the sum of
/// the sizes of this user's records up to itself, so that the first and the last one tell the sum
/// of all, and purging the oldest changes nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeptAnswers {
    /// The running total of the oldest record.
    pub first: u64,
    /// The running total of the newest record.
    pub last: u64,
}

impl KeptAnswers {
    /// The bytes that are kept, but for the oldest record.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.last.saturating_sub(self.first)
    }

    /// The running total of another record of this size.
    #[must_use]
    pub fn total_with(self, size: u64) -> u64 {
        self.last.saturating_add(size)
    }
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

/// Decides whether another answer may be kept for a user, given those that are, up to a quota in
/// bytes: [`MAX_KEPT_BYTES`] or [`MAX_KEPT_BYTES_OF_STAFF`]. The last answer may exceed it.
///
/// # Errors
/// [`Refusal::TooManyKeys`].
pub fn decide_keeping(kept: KeptAnswers, quota: u64) -> Result<(), Refusal> {
    if kept.bytes() >= quota {
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

    #[test]
    fn the_quota_of_kept_answers_is_in_bytes() {
        let kept = |first, last| KeptAnswers { first, last };
        let refused = Err(Refusal::TooManyKeys);
        for (kept, expected) in [
            (KeptAnswers::default(), Ok(())),
            (kept(1_000, 1_099), Ok(())),
            (kept(1_000, 1_100), refused.clone()),
            (kept(0, u64::MAX), refused),
            // Never written: a total that shrinks is as if nothing was kept.
            (kept(9, 0), Ok(())),
        ] {
            assert_eq!(decide_keeping(kept, 100), expected, "{kept:?}");
        }
        assert_eq!(kept(5, 7).total_with(3), 10);
    }

    #[test]
    fn every_text_of_a_record_counts() {
        let size = |path: &str, key: &str, fingerprint: &str, answer: &str| {
            let scope = KeyScope {
                path: path.to_owned(),
                key: IdempotencyKey::new(key).unwrap(),
            };
            kept_size(&scope, fingerprint, answer)
        };
        let least = size("", "k", "", "");
        assert_eq!(size("/p", "k", "", ""), least + 4);
        assert_eq!(size("", "key", "", ""), least + 4);
        assert_eq!(size("", "k", "12", ""), least + 2);
        assert_eq!(size("", "k", "", "\u{e9}"), least + 2);
    }
}
