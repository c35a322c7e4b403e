//! The keys of a shop, each with its time.

use crate::SigningKey;
use chrono::{DateTime, Utc};

/// A key and its time.
#[derive(Debug, Clone)]
pub struct TimedKey {
    /// The key.
    pub key: SigningKey,
    /// When it begins to sign; `None` if it always could. It is accepted before as well: other
    /// servers may know it sooner.
    pub signs_from: Option<DateTime<Utc>>,
    /// When the last token that it signed has ended, and it is no longer accepted; `None` if it goes
    /// on.
    pub ends: Option<DateTime<Utc>>,
}

impl TimedKey {
    /// A key that always could and goes on.
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

/// The keys of a shop: at any time one signs, and others are accepted beside it.
#[derive(Debug, Clone)]
pub struct KeyRing {
    first: TimedKey,
    others: Vec<TimedKey>,
}

impl KeyRing {
    /// These keys. Where two have begun to sign at the same time, the first of them signs.
    #[must_use]
    pub fn new(first: TimedKey, others: Vec<TimedKey>) -> Self {
        Self { first, others }
    }

    /// All of them.
    pub fn keys(&self) -> impl Iterator<Item = &TimedKey> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The key that signs: of those that have begun, the one that did so last. If a clock is so
    /// wrong that none has begun, the first.
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

    /// The keys whose tokens are accepted, under a name that a token gives.
    pub(crate) fn accepted<'a>(
        &'a self,
        id: &'a str,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = &'a SigningKey> {
        let accepted = self.keys().filter(move |key| key.is_accepted(now));
        accepted
            .map(|key| &key.key)
            .filter(move |key| key.id() == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::key;

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
    fn a_clock_that_is_wrong_stops_nobody_from_signing() {
        let ring = KeyRing::new(timed("a", Some(10), None), vec![timed("b", Some(20), None)]);
        assert_eq!(ring.signing(at(0)).id(), key(&"a".repeat(32)).id());
    }
}
