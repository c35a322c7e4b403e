//! Key ring: the signing keys of a shop, each with its validity period (key rotation).

use crate::SigningKey;
use chrono::{DateTime, Utc};

/// A key and its validity period.
#[derive(Debug, Clone)]
pub struct TimedKey {
    /// The key.
    pub key: SigningKey,
    /// Start of signing; `None` if it has no start. The key is accepted before as well, as other
    /// servers may start earlier.
    pub signs_from: Option<DateTime<Utc>>,
    /// End of acceptance, when the last token signed with the key has expired; `None` if it has no
    /// end.
    pub ends: Option<DateTime<Utc>>,
}

impl TimedKey {
    /// A key without start and end.
    #[must_use]
    pub fn forever(key: SigningKey) -> Self {
        Self {
            key,
            signs_from: None,
            ends: None,
        }
    }

    fn is_accepted(&self, now: DateTime<Utc>) -> bool {
        self.ends.is_none_or(|end| now < end)
    }

    fn has_begun(&self, now: DateTime<Utc>) -> bool {
        self.signs_from.is_none_or(|from| from <= now)
    }
}

/// The signing keys of a shop: at any time one signs, and the others are accepted.
#[derive(Debug, Clone)]
pub struct KeyRing {
    first: TimedKey,
    others: Vec<TimedKey>,
}

impl KeyRing {
    /// A ring of these keys. Of keys with the same start, the first one signs.
    #[must_use]
    pub fn new(first: TimedKey, others: Vec<TimedKey>) -> Self {
        Self { first, others }
    }

    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &TimedKey> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The signing key: the one with the latest start so far. If no key has started, because the
    /// clock is wrong, the first one.
    #[must_use]
    pub fn signing(&self, now: DateTime<Utc>) -> &SigningKey {
        let begun = self.keys().filter(|key| key.has_begun(now));
        let able = begun.filter(|key| key.is_accepted(now));
        let latest = able.reduce(|latest, key| {
            if key.signs_from > latest.signs_from {
                key
            } else {
                latest
            }
        });
        &latest.unwrap_or(&self.first).key
    }

    /// The accepted keys with the key id that a token names.
    pub(crate) fn accepted<'a>(
        &'a self,
        id: &'a str,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = &'a SigningKey> {
        self.all_accepted(now).filter(move |key| key.id() == id)
    }

    /// The accepted keys.
    pub(crate) fn all_accepted(&self, now: DateTime<Utc>) -> impl Iterator<Item = &SigningKey> {
        let accepted = self.keys().filter(move |key| key.is_accepted(now));
        accepted.map(|key| &key.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_tokens::key;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn timed(name: &str, from: Option<i64>, ends: Option<i64>) -> TimedKey {
        TimedKey {
            key: key(&name.repeat(32)),
            signs_from: from.map(at),
            ends: ends.map(at),
        }
    }

    #[test]
    fn each_time_has_its_keys() {
        let ring = KeyRing::new(
            timed("a", None, Some(100)),
            vec![
                timed("b", None, Some(100)),
                timed("c", Some(10), Some(200)),
                timed("d", Some(50), None),
            ],
        );
        for (now, signs, accepted) in [
            (0, "a", "abcd"),
            (9, "a", "abcd"),
            (10, "c", "abcd"),
            (49, "c", "abcd"),
            (50, "d", "abcd"),
            (99, "d", "abcd"),
            (100, "d", "cd"),
            (200, "d", "d"),
        ] {
            let id = |name: &str| key(&name.repeat(32)).id().to_owned();
            assert_eq!(ring.signing(at(now)).id(), id(signs), "{now}");
            for name in ["a", "b", "c", "d", "e"] {
                let known = ring.accepted(&id(name), at(now)).count();
                assert_eq!(known, usize::from(accepted.contains(name)), "{now} {name}");
            }
        }
    }

    #[test]
    fn a_wrong_clock_does_not_stop_signing() {
        let ring = KeyRing::new(timed("a", Some(10), None), vec![timed("b", Some(20), None)]);
        assert_eq!(ring.signing(at(0)).id(), key(&"a".repeat(32)).id());
    }
}
