//! Password hashes made by Django. They are verified, and renewed at the next sign-in; none is
//! created here.
//!
//! The forms are those of `django.contrib.auth.hashers`: `algorithm$...`, where the last part is
//! the digest in Base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use pbkdf2::pbkdf2;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Maximum PBKDF2 iterations of a hash: several times Django's current default (1,200,000), and a
/// few seconds at most. Without a limit, a hash could keep a core busy for as long as it likes.
const MOST_ROUNDS: u32 = 5_000_000;

/// Maximum bytes of a salt; Django's have 22.
const LONGEST_SALT: usize = 256;

/// A parsed Django hash.
pub(crate) enum DjangoHash<'a> {
    Pbkdf2 {
        digest: Pbkdf2Digest,
        rounds: u32,
        salt: &'a str,
        expected: Vec<u8>,
    },
    /// bcrypt over the password itself.
    Bcrypt(&'a str),
    /// bcrypt over the hexadecimal digits of the password's SHA-256.
    BcryptSha256(&'a str),
}

#[derive(Clone, Copy)]
pub(crate) enum Pbkdf2Digest {
    Sha256,
    Sha1,
}

impl<'a> DjangoHash<'a> {
    /// Parses a hash; `None` if it is not a Django hash that can be verified here.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (algorithm, rest) = text.split_once('$')?;
        match algorithm {
            "pbkdf2_sha256" => Self::pbkdf2(Pbkdf2Digest::Sha256, 32, rest),
            "pbkdf2_sha1" => Self::pbkdf2(Pbkdf2Digest::Sha1, 20, rest),
            "bcrypt" => Some(Self::Bcrypt(rest)),
            "bcrypt_sha256" => Some(Self::BcryptSha256(rest)),
            _ => None,
        }
    }

    fn pbkdf2(digest: Pbkdf2Digest, length: usize, rest: &'a str) -> Option<Self> {
        let (rounds, rest) = rest.split_once('$')?;
        let (salt, expected) = rest.split_once('$')?;
        let plain = rounds.bytes().all(|byte| byte.is_ascii_digit());
        let rounds = rounds.parse().ok().filter(|_| plain)?;
        let expected = STANDARD.decode(expected).ok()?;
        let sound = (1..=MOST_ROUNDS).contains(&rounds)
            && salt.len() <= LONGEST_SALT
            && expected.len() == length;
        sound.then_some(Self::Pbkdf2 {
            digest,
            rounds,
            salt,
            expected,
        })
    }

    /// Whether the candidate is the hashed password; `None` if the hash cannot be verified.
    /// `by_bcrypt` verifies bytes against a bcrypt hash.
    pub(crate) fn verify(
        &self,
        candidate: &str,
        by_bcrypt: impl Fn(&[u8], &str) -> Option<bool>,
    ) -> Option<bool> {
        match self {
            Self::Pbkdf2 {
                digest,
                rounds,
                salt,
                expected,
            } => {
                let mut found = vec![0; expected.len()];
                let (candidate, salt) = (candidate.as_bytes(), salt.as_bytes());
                let done = match digest {
                    Pbkdf2Digest::Sha256 => {
                        pbkdf2::<Hmac<Sha256>>(candidate, salt, *rounds, &mut found)
                    }
                    Pbkdf2Digest::Sha1 => {
                        pbkdf2::<Hmac<Sha1>>(candidate, salt, *rounds, &mut found)
                    }
                };
                done.ok()?;
                // Constant-time comparison.
                let differs = found
                    .iter()
                    .zip(expected)
                    .fold(0, |so_far, (a, b)| so_far | (a ^ b));
                Some(differs == 0)
            }
            Self::Bcrypt(hash) => by_bcrypt(candidate.as_bytes(), hash),
            Self::BcryptSha256(hash) => {
                let digits = format!("{:x}", Sha256::digest(candidate));
                by_bcrypt(digits.as_bytes(), hash)
            }
        }
    }
}
