//! Password hashing by bcrypt, and verification of imported hashes.

use crate::django::DjangoHash;
use bcrypt::HashParts;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::hint::black_box;
use tradepost_domain::identity::{Password, PasswordHash};
use tradepost_domain::kernel::{HashingFailed, PasswordHasher};

/// The bcrypt cost is outside [`BcryptHasher::COSTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cost of bcrypt is {0}, but has to be from 10 to 14")]
pub struct CostOutOfRange(pub u32);

/// Hashes passwords with bcrypt, version 2b.
///
/// bcrypt takes at most 71 bytes and cannot tell `ab` from `ab\0ab`. So a password that is longer,
/// or has a NUL, goes through SHA-256 first, and its digest is hashed after a byte that no text
/// contains. Hence no password has the bytes of another password's digest, and a digest that leaked
/// elsewhere is no valid password here.
#[derive(Debug, Clone)]
pub struct BcryptHasher {
    cost: u32,
    nobody: String,
}

impl BcryptHasher {
    /// The allowed costs. Each step doubles the time: 12 takes about a quarter of a second, 10 is
    /// the minimum that OWASP asks for.
    pub const COSTS: std::ops::RangeInclusive<u32> = 10..=14;

    /// A hasher whose work is two to the power of `cost`.
    ///
    /// # Errors
    /// [`CostOutOfRange`] outside [`BcryptHasher::COSTS`].
    pub fn new(cost: u32) -> Result<Self, CostOutOfRange> {
        if Self::COSTS.contains(&cost) {
            Ok(Self::of_any_cost(cost))
        } else {
            Err(CostOutOfRange(cost))
        }
    }

    /// A hasher of bcrypt's lowest cost, about a millisecond. For tests only: its hashes are
    /// insecure.
    #[cfg(any(test, feature = "test-hasher"))]
    #[must_use]
    pub fn with_cost_for_tests() -> Self {
        Self::of_any_cost(4)
    }

    fn of_any_cost(cost: u32) -> Self {
        // Dummy hash: well-formed, so that verifying against it is the whole work; the result is
        // ignored.
        let nobody = format!("$2b${cost:02}${}", ".".repeat(53));
        Self { cost, nobody }
    }
}

impl Default for BcryptHasher {
    /// A cost of 12: about a quarter of a second for each password.
    fn default() -> Self {
        Self::of_any_cost(12)
    }
}

impl PasswordHasher for BcryptHasher {
    fn hash(&self, password: &Password) -> Result<PasswordHash, HashingFailed> {
        bcrypt::non_truncating_hash(material(password.reveal()), self.cost)
            .map(PasswordHash::new)
            .map_err(|error| HashingFailed(error.to_string()))
    }

    fn verify(&self, candidate: &str, hash: &PasswordHash) -> bool {
        let outcome = match DjangoHash::parse(hash.reveal()) {
            Some(hash) => hash.verify(candidate, fits),
            None => fits(&material(candidate), hash.reveal()),
        };
        outcome.unwrap_or_else(|| {
            // An unreadable hash belongs to an account without a usable password; the response time
            // must not reveal it.
            self.verify_dummy(candidate);
            false
        })
    }

    fn verify_dummy(&self, candidate: &str) {
        let outcome = bcrypt::non_truncating_verify(material(candidate), &self.nobody);
        // Keeps the optimiser from removing the work, as the result is ignored.
        let _ = black_box(outcome.is_ok_and(|genuine| genuine));
    }

    fn is_outdated(&self, hash: &PasswordHash, candidate: &str) -> bool {
        if let Some(hash) = DjangoHash::parse(hash.reveal()) {
            // The truncated password matches, but the rest may be a typing error.
            return !matches!(hash, DjangoHash::Bcrypt(_)) || candidate.len() <= LONGEST;
        }
        let parts = hash.reveal().parse::<HashParts>();
        parts.is_ok_and(|parts| parts.get_cost() < self.cost || !Password::is_normalised(candidate))
    }
}

/// The costs that an imported hash may have: up to four times the work of the highest allowed cost.
/// Without a limit, a hash could keep a core busy for hours.
const CHECKED_COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// Whether these bytes match the hash; `None` if the hash cannot be verified. Only the first 72
/// bytes count: only Django's plain form has more, which was truncated as well.
fn fits(candidate: &[u8], hash: &str) -> Option<bool> {
    let parts = hash.parse::<HashParts>().ok()?;
    if !CHECKED_COSTS.contains(&parts.get_cost()) {
        return None;
    }
    bcrypt::verify(candidate, hash).ok()
}

/// Whether passwords can be verified against this hash at all. With another hash the user cannot
/// sign in.
#[must_use]
pub fn is_checkable(hash: &PasswordHash) -> bool {
    let by_bcrypt = |hash: &str| {
        let parts = hash.parse::<HashParts>();
        parts.is_ok_and(|parts| CHECKED_COSTS.contains(&parts.get_cost()))
    };
    match DjangoHash::parse(hash.reveal()) {
        Some(DjangoHash::Pbkdf2 { .. }) => true,
        Some(DjangoHash::Bcrypt(hash) | DjangoHash::BcryptSha256(hash)) => by_bcrypt(hash),
        None => by_bcrypt(hash.reveal()),
    }
}

/// Maximum bytes of bcrypt's input, without the terminating NUL.
const LONGEST: usize = 71;

/// The input of bcrypt: the text, or its marked digest.
fn material(text: &str) -> Cow<'_, [u8]> {
    if text.len() <= LONGEST && !text.contains('\0') {
        return Cow::Borrowed(text.as_bytes());
    }
    let digest = Sha256::new()
        .chain_update(b"tradepost password\0")
        .chain_update(text.as_bytes())
        .finalize();
    // 0xff does not occur in UTF-8, and hexadecimal digits contain no NUL.
    let mut bytes = vec![0xff];
    bytes.extend(format!("{digest:x}").into_bytes());
    Cow::Owned(bytes)
}

#[cfg(test)]
#[path = "django_tests.rs"]
mod django_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn hashed(text: &str) -> PasswordHash {
        let password = Password::new(text, None).unwrap();
        BcryptHasher::with_cost_for_tests().hash(&password).unwrap()
    }

    fn fits(candidate: &str, hash: &PasswordHash) -> bool {
        BcryptHasher::with_cost_for_tests().verify(candidate, hash)
    }

    #[test]
    fn the_right_password_verifies_and_no_other_does() {
        let hash = hashed("correct horse");
        assert!(fits("correct horse", &hash));
        for other in [
            "",
            "Correct horse",
            "correct hors",
            "correct horse ",
            "correct horse\0",
            "correct horse\0correct horse",
        ] {
            assert!(!fits(other, &hash), "{other:?}");
        }
    }

    #[test]
    fn every_character_counts_however_long_the_password_is() {
        for length in [70, 71, 72, 73, 100, 127, 128] {
            let password = "x".repeat(length);
            let hash = hashed(&password);
            assert!(fits(&password, &hash), "{length}");
            let last = format!("{}y", "x".repeat(length - 1));
            assert!(!fits(&last, &hash), "{length}, another last character");
            let shorter = "x".repeat(length - 1);
            assert!(!fits(&shorter, &hash), "{length}, one less");
            let longer = "x".repeat(length + 1);
            assert!(!fits(&longer, &hash), "{length}, one more");
        }
    }

    #[test]
    fn passwords_of_the_longest_characters_are_told_apart_by_the_last() {
        let password = "🦀".repeat(128);
        let hash = hashed(&password);
        assert!(fits(&password, &hash));
        assert!(!fits(&format!("{}🦞", "🦀".repeat(127)), &hash));
    }

    #[test]
    fn a_candidate_may_be_of_any_length() {
        let hash = hashed("correct horse");
        assert!(!fits(&"x".repeat(1_000_000), &hash));
    }

    #[test]
    fn the_digest_of_a_long_password_is_no_valid_password() {
        let long = "x".repeat(100);
        let stand_in = material(&long);
        assert!(std::str::from_utf8(&stand_in).is_err());
        assert!(stand_in.len() <= LONGEST && !stand_in.contains(&0));
        let digits = String::from_utf8(stand_in[1..].to_vec()).unwrap();
        let hash = hashed(&long);
        for candidate in [
            digits.clone(),
            format!("ÿ{digits}"),
            format!("\u{fffd}{digits}"),
        ] {
            assert!(!fits(&candidate, &hash), "{candidate:?}");
        }
    }

    #[test]
    fn nul_is_a_character_as_any_other() {
        let texts = ["ab", "ab\0", "ab\0ab", "\0ab", "\0", ""];
        for one in texts {
            for other in texts {
                assert_eq!(
                    material(one) == material(other),
                    one == other,
                    "{one:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn the_same_password_has_another_hash_each_time() {
        assert_ne!(hashed("correct horse"), hashed("correct horse"));
    }

    #[test]
    fn an_unreadable_hash_matches_no_password_and_is_not_renewed() {
        let hasher = BcryptHasher::with_cost_for_tests();
        for text in ["", "!", "$2b$04$short", "pbkdf2_sha256$1$a$b", "é"] {
            let hash = PasswordHash::new(text.to_owned());
            assert!(
                !hasher.verify("", &hash) && !hasher.verify(text, &hash),
                "{text:?}"
            );
            assert!(!hasher.is_outdated(&hash, text), "{text:?}");
        }
    }

    #[test]
    fn costs_are_bounded() {
        for (cost, allowed) in [
            (4, false),
            (9, false),
            (10, true),
            (12, true),
            (14, true),
            (15, false),
        ] {
            assert_eq!(BcryptHasher::new(cost).is_ok(), allowed, "{cost}");
        }
        let sentence = "the cost of bcrypt is 31, but has to be from 10 to 14";
        assert_eq!(BcryptHasher::new(31).unwrap_err().to_string(), sentence);
    }

    #[test]
    fn a_hash_of_a_lower_cost_is_outdated() {
        let weak = hashed("correct horse");
        let today = BcryptHasher::new(10).unwrap();
        assert!(today.is_outdated(&weak, "correct horse"));
        let password = Password::new("correct horse", None).unwrap();
        let strong = today.hash(&password).unwrap();
        assert!(!today.is_outdated(&strong, "correct horse"));
        assert!(!BcryptHasher::with_cost_for_tests().is_outdated(&strong, "correct horse"));
        assert!(today.verify("correct horse", &weak) && today.verify("correct horse", &strong));
    }

    #[test]
    fn a_hash_that_predates_normalisation_verifies_and_is_renewed() {
        let hasher = BcryptHasher::with_cost_for_tests();
        let typed = "cafe\u{301} au lait";
        let old = PasswordHash::new(bcrypt::hash(typed, 4).unwrap());
        assert!(hasher.verify(typed, &old));
        assert!(hasher.is_outdated(&old, typed));
        let new = hashed(typed);
        let composed = "café au lait";
        assert!(hasher.verify(composed, &new) && !hasher.verify(typed, &new));
        assert!(!hasher.is_outdated(&new, composed));
        // One of the forms of either text matches.
        let forms: Vec<_> = Password::hashed_forms(typed).collect();
        for hash in [&old, &new] {
            assert!(forms.iter().any(|form| hasher.verify(form, hash)));
        }
    }

    #[test]
    fn an_unknown_user_costs_as_much_as_a_wrong_password() {
        let hasher = BcryptHasher::new(10).unwrap();
        let nobody = hasher.nobody.parse::<HashParts>().unwrap();
        assert_eq!(nobody.get_cost(), 10);
        let password = Password::new("correct horse", None).unwrap();
        let hash = hasher.hash(&password).unwrap();
        let unreadable = PasswordHash::new("!".to_owned());
        let quickest = |work: &dyn Fn()| {
            let times = (0..3).map(|_| {
                let start = std::time::Instant::now();
                work();
                start.elapsed()
            });
            times.min().unwrap()
        };
        let wrong = quickest(&|| assert!(!hasher.verify("wrong password", &hash)));
        let absent = quickest(&|| hasher.verify_dummy("wrong password"));
        let broken = quickest(&|| assert!(!hasher.verify("wrong password", &unreadable)));
        // Skipped work takes a thousandth of the time; the margin is for noise of the machine.
        assert!(absent * 4 > wrong, "{absent:?} to {wrong:?}");
        assert!(broken * 4 > wrong, "{broken:?} to {wrong:?}");
    }
}
