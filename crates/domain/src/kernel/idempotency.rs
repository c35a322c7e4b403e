//! Idempotency keys: a request that is sent twice under one key is executed once, and both get the
//! same response. After the IETF draft "The Idempotency-Key HTTP Header Field".
//!
//! The key is stored in the transaction of its command, together with the response as the client
//! got it. No crash can separate the two, and later changes of the resource do not alter the
//! response. A refused attempt is not stored and may be retried.

use crate::kernel::{ContextRefusal, FieldError, Refusal};
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;

/// Minimum retention of a response.
pub const IDEMPOTENCY_KEY_TTL: TimeDelta = TimeDelta::hours(24);

/// Maximum bytes of stored responses per user for additions to carts and orders: about 20,000
/// responses of ordinary size, and 3,000 with the longest descriptions, within the two days after
/// which the last of them is purged.
pub const MAX_STORED_RESPONSE_BYTES: u64 = 32 << 20;

/// The same for products and deliveries, which only staff write: a catalogue of 40,000 products may
/// be loaded under keys.
pub const MAX_STORED_RESPONSE_BYTES_OF_STAFF: u64 = 64 << 20;

/// Bytes of a record besides its texts: the row, its entries in three indexes, and the user's id.
const RECORD_OVERHEAD: usize = 200;

/// Refusals of idempotency keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdempotencyRefusal {
    /// The idempotency key was used for another command.
    #[error("This idempotency key was used for another request.")]
    KeyReused,
    /// Quota of stored responses: so many are stored for this customer under idempotency keys that
    /// there is no room for another one.
    #[error(
        "You have sent too much under idempotency keys of late. Send it without one, or later."
    )]
    TooManyKeys,
}

impl ContextRefusal for IdempotencyRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::KeyReused => "idempotency_key_reused",
            Self::TooManyKeys => "throttled",
        }
    }

    fn samples() -> Vec<Self> {
        vec![Self::KeyReused, Self::TooManyKeys]
    }
}

/// A client-chosen key: 1 to [`IdempotencyKey::MAX`] visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Maximum length in characters.
    pub const MAX: usize = 255;

    /// # Errors
    /// [`FieldError::Blank`], [`FieldError::TooLong`] and [`FieldError::NotVisibleAscii`].
    pub fn new(text: &str) -> Result<Self, FieldError> {
        if text.is_empty() {
            Err(FieldError::Blank)
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(FieldError::NotVisibleAscii)
        } else if text.len() > Self::MAX {
            Err(FieldError::TooLong { max: Self::MAX })
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

/// Idempotency scope: two requests of one user are the same attempt if their scopes are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyScope {
    /// The request path; each path has keys of its own.
    pub path: String,
    /// The key.
    pub key: IdempotencyKey,
}

/// Encodes the outcome of a command as the response to store.
pub struct ResponseEncoder<T: ?Sized>(pub fn(&T) -> String);

impl<T: ?Sized> Clone for ResponseEncoder<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for ResponseEncoder<T> {}

impl<T: ?Sized> fmt::Debug for ResponseEncoder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseEncoder(..)")
    }
}

impl<T: ?Sized> PartialEq for ResponseEncoder<T> {
    /// The encoding is no part of the command, so it does not count in comparisons.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: ?Sized> Eq for ResponseEncoder<T> {}

/// An idempotency key beside a command with outcome `T`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotent<T: ?Sized> {
    /// The idempotency scope.
    pub scope: IdempotencyScope,
    /// Fingerprint of the command: another command under the same key has a different one.
    pub fingerprint: String,
    /// Encodes the outcome as the response to store.
    pub render: ResponseEncoder<T>,
}

/// A stored response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// [`Idempotent::fingerprint`] of the command.
    pub fingerprint: String,
    /// The response.
    pub answer: String,
    /// Time of the response.
    pub at: DateTime<Utc>,
}

impl StoredResponse {
    /// Approximate storage size of a record under this scope, in bytes.
    #[must_use]
    pub fn size(&self, scope: &IdempotencyScope) -> u64 {
        stored_response_size(scope, &self.fingerprint, &self.answer)
    }
}

/// Approximate storage size of a response in bytes: its texts, and a constant for the rest. Key and
/// path are counted twice, as the lookup index stores them again.
#[must_use]
pub fn stored_response_size(scope: &IdempotencyScope, fingerprint: &str, answer: &str) -> u64 {
    let scope = 2 * (scope.path.len() + scope.key.as_str().len());
    let size = RECORD_OVERHEAD + scope + fingerprint.len() + answer.len();
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// Stored responses of one user, as a running total: each record stores the sum of the sizes of
/// this user's records up to and including itself. The first and the last record give the overall
/// sum, and purging the oldest changes no other record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredResponseUsage {
    /// The running total of the oldest record.
    pub first: u64,
    /// The running total of the newest record.
    pub last: u64,
}

impl StoredResponseUsage {
    /// Stored bytes, without the oldest record.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.last.saturating_sub(self.first)
    }

    /// The running total of a further record of this size.
    #[must_use]
    pub fn total_with(self, size: u64) -> u64 {
        self.last.saturating_add(size)
    }
}

/// A command was executed before, under the same idempotency key: its stored response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the command was executed before, under the same idempotency key")]
pub struct Replayed(pub String);

/// The outcome of a command under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Execution<T> {
    /// The command was executed now.
    Executed(T),
    /// The command was executed before, under the same key: the stored response.
    Replayed(String),
}

impl<T> Execution<T> {
    /// The outcome of a command that was executed now. Without an idempotency key, every one is.
    ///
    /// # Errors
    /// [`Replayed`] with the stored response.
    pub fn executed(self) -> Result<T, Replayed> {
        match self {
            Self::Executed(outcome) => Ok(outcome),
            Self::Replayed(response) => Err(Replayed(response)),
        }
    }

    /// Maps the outcome of a command that was executed now.
    pub fn map<U>(self, then: impl FnOnce(T) -> U) -> Execution<U> {
        match self {
            Self::Executed(outcome) => Execution::Executed(then(outcome)),
            Self::Replayed(answer) => Execution::Replayed(answer),
        }
    }
}

/// Decides whether a command is a replay: its stored response, or `None` if it is new.
///
/// # Errors
/// [`IdempotencyRefusal::KeyReused`] if the key was used for another command.
///
/// ```
/// use tradepost_domain::kernel::{Idempotent, decide_replay};
///
/// // A command without a key is always new.
/// let sent: Option<&Idempotent<String>> = None;
/// assert_eq!(decide_replay(sent, None), Ok(None));
/// ```
pub fn decide_replay<T: ?Sized>(
    sent: Option<&Idempotent<T>>,
    held: Option<&StoredResponse>,
) -> Result<Option<String>, Refusal> {
    match sent.zip(held) {
        None => Ok(None),
        Some((sent, held)) if sent.fingerprint == held.fingerprint => Ok(Some(held.answer.clone())),
        Some(_) => Err(Refusal::Idempotency(IdempotencyRefusal::KeyReused)),
    }
}

/// Decides whether another response may be stored for a user, given the stored ones and a quota in
/// bytes: [`MAX_STORED_RESPONSE_BYTES`] or [`MAX_STORED_RESPONSE_BYTES_OF_STAFF`]. The last response may exceed the
/// quota.
///
/// # Errors
/// [`IdempotencyRefusal::TooManyKeys`].
pub fn check_replay_quota(kept: StoredResponseUsage, quota: u64) -> Result<(), Refusal> {
    if kept.bytes() >= quota {
        Err(Refusal::Idempotency(IdempotencyRefusal::TooManyKeys))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assert_sampled;
    use crate::testing::at;

    #[test]
    fn every_refusal_has_a_sample() {
        assert_sampled!(IdempotencyRefusal:
            IdempotencyRefusal::KeyReused,
            IdempotencyRefusal::TooManyKeys,
        );
    }

    fn keyed(fingerprint: &str) -> Idempotent<str> {
        Idempotent {
            scope: IdempotencyScope {
                path: "/orders/".to_owned(),
                key: IdempotencyKey::new("k").unwrap(),
            },
            fingerprint: fingerprint.to_owned(),
            render: ResponseEncoder(str::to_owned),
        }
    }

    #[test]
    fn a_key_is_visible_ascii_of_bounded_length() {
        for text in ["a", "~", "!", &"k".repeat(255)] {
            assert_eq!(IdempotencyKey::new(text).unwrap().as_str(), text);
        }
        for (text, problem) in [
            ("", FieldError::Blank),
            (&*"k".repeat(256), FieldError::TooLong { max: 255 }),
            ("a b", FieldError::NotVisibleAscii),
            ("a\tb", FieldError::NotVisibleAscii),
            ("é", FieldError::NotVisibleAscii),
            ("\u{7f}", FieldError::NotVisibleAscii),
        ] {
            assert_eq!(IdempotencyKey::new(text), Err(problem), "{text:?}");
        }
    }

    #[test]
    fn a_replay_gets_the_stored_response_and_a_reused_key_is_refused() {
        let held = StoredResponse {
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
                Err(Refusal::Idempotency(IdempotencyRefusal::KeyReused)),
            ),
        ] {
            assert_eq!(decide_replay(sent, held), expected);
        }
    }

    #[test]
    fn the_quota_of_stored_responses_is_in_bytes() {
        let kept = |first, last| StoredResponseUsage { first, last };
        let refused = Err(Refusal::Idempotency(IdempotencyRefusal::TooManyKeys));
        for (kept, expected) in [
            (StoredResponseUsage::default(), Ok(())),
            (kept(1_000, 1_099), Ok(())),
            (kept(1_000, 1_100), refused.clone()),
            (kept(0, u64::MAX), refused),
            // Never written: a shrinking total counts as zero bytes.
            (kept(9, 0), Ok(())),
        ] {
            assert_eq!(check_replay_quota(kept, 100), expected, "{kept:?}");
        }
        assert_eq!(kept(5, 7).total_with(3), 10);
    }

    #[test]
    fn every_text_of_a_record_counts() {
        let size = |path: &str, key: &str, fingerprint: &str, answer: &str| {
            let scope = IdempotencyScope {
                path: path.to_owned(),
                key: IdempotencyKey::new(key).unwrap(),
            };
            stored_response_size(&scope, fingerprint, answer)
        };
        let least = size("", "k", "", "");
        assert_eq!(size("/p", "k", "", ""), least + 4);
        assert_eq!(size("", "key", "", ""), least + 4);
        assert_eq!(size("", "k", "12", ""), least + 2);
        assert_eq!(size("", "k", "", "\u{e9}"), least + 2);
    }
}
