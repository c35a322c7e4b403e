//! Detection of weak signing keys: too few different characters, repetition, sequences, or words
//! from published examples. A key of random characters never matches.

use std::collections::BTreeSet;

/// The minimum of different bytes of a key. 32 random hexadecimal digits have fewer once in 20
/// million keys, and the 64 that a start generates practically never.
const FEWEST_DIFFERENT: usize = 8;

/// Parts of keys from documentation and tutorials, reduced to their letters and digits.
const EXAMPLES: [&str; 12] = [
    "your256bitsecret",
    "your384bitsecret",
    "your512bitsecret",
    "astringsecretatleast",
    "djangoinsecure",
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "placeholder",
    "qwertyuiop",
    "correcthorsebatterystaple",
];

/// Words that add no entropy to a key; the longer ones first.
const WORDS: [&str; 22] = [
    "passphrase",
    "production",
    "tradepost",
    "insecure",
    "password",
    "passw0rd",
    "example",
    "default",
    "signing",
    "letmein",
    "secret",
    "string",
    "change",
    "qwerty",
    "admin",
    "super",
    "token",
    "your",
    "test",
    "jwt",
    "key",
    "dev",
];

/// The minimum of letters and digits besides such words.
const FEWEST_OTHERS: usize = 12;

/// The weakness of a key, as a phrase to follow "as it"; `None` for an acceptable key.
pub(super) fn weakness(secret: &str) -> Option<&'static str> {
    let bytes = secret.as_bytes();
    let different: BTreeSet<u8> = bytes.iter().copied().collect();
    if different.len() < FEWEST_DIFFERENT {
        return Some("has only a few different characters");
    }
    if is_repeated(bytes) {
        return Some("repeats itself");
    }
    if is_sequence(bytes) {
        return Some("is a sequence of characters in their order");
    }
    let plain: String = secret.to_lowercase();
    let mut plain: String = plain.chars().filter(|c| c.is_alphanumeric()).collect();
    if EXAMPLES.iter().any(|example| plain.contains(example)) {
        return Some("stands in examples");
    }
    for word in WORDS {
        plain = plain.replace(word, "");
    }
    let others = plain.chars().filter(|c| !c.is_ascii_digit()).count();
    let digits = plain.chars().filter(char::is_ascii_digit).count();
    // A year or a number after a word adds little entropy.
    let digits = if digits < 8 { 0 } else { digits };
    (others.saturating_add(digits) < FEWEST_OTHERS).then_some("is made of well-known words")
}

/// Whether the bytes repeat one shorter text, the last repetition perhaps truncated.
fn is_repeated(bytes: &[u8]) -> bool {
    let most = bytes.len() / 2;
    (1..=most).any(|period| {
        bytes
            .iter()
            .zip(bytes.iter().skip(period))
            .all(|(a, b)| a == b)
    })
}

/// Whether three quarters of the bytes follow each other as in the alphabet or among digits,
/// forwards or backwards, or are equal.
fn is_sequence(bytes: &[u8]) -> bool {
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let near = pairs.filter(|(a, b)| a.abs_diff(**b) <= 1).count();
    near.saturating_mul(4) >= bytes.len().saturating_sub(1).saturating_mul(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_auth::SigningKey;

    #[test]
    fn weak_keys_are_named_with_their_weakness() {
        for weak in [
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abababababababababababababababab",
            "00000000000000000000000000000000000000000000000000000000deadbeef",
            "1234567890123456789012345678901234567890",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            "changemechangemechangemechangeme",
            "please-changeme-before-you-go-live-1f93",
            "your-256-bit-secret-your-256-bit-secret-!",
            "a-string-secret-at-least-256-bits-long",
            "django-insecure-k3v9q8w7e6r5t4y3u2i1o0p",
            "secret-password-secret-key-admin-2026",
            "MySuperSecretPasswordForJWTTokenKey1",
            "qwertyuiopasdfghjklzxcvbnm1234567",
            "correct horse battery staple, again!",
        ] {
            assert!(weak.len() >= SigningKey::MIN_BYTES, "{weak}");
            assert!(weakness(weak).is_some(), "{weak}");
        }
        for good in [
            "f3a9c17e5b2d8064e91b7fd3ac5820b6",
            "v8X!q2Lm#9Zt@4Rw$7Yc^1Kd&5Hf*3Jg",
            "the key of the shop, 32 bytes and more",
            "9f1c0a77-2d5e-4b83-8f60-1b7de3c4a952",
        ] {
            assert_eq!(weakness(good), None, "{good}");
        }
    }

    #[test]
    fn generated_keys_are_never_weak() {
        for _ in 0..2_000 {
            let secret = SigningKey::generate_secret().unwrap();
            assert_eq!(weakness(&secret), None, "{secret}");
        }
    }
}
