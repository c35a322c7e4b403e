//! Fake ports of the HTTP tests, besides those of the domain.

use chrono::DateTime;
use std::sync::Arc;
use tradepost_domain::identity::{Password, PasswordHash};
use tradepost_domain::kernel::{HashingFailed, MessageSigner, PasswordHasher};
use tradepost_domain::testing::FixedClock;

/// 2023-11-14T22:13:20Z, and some microseconds, which must be visible in responses.
const START: i64 = 1_700_000_000_000_250;

/// A clock that tests advance.
pub(crate) fn clock() -> Arc<FixedClock> {
    let start = DateTime::from_timestamp_micros(START).unwrap();
    Arc::new(FixedClock::new(start))
}

/// A hasher that takes a few milliseconds.
pub(crate) struct PlainHasher;

impl PasswordHasher for PlainHasher {
    fn hash(&self, password: &Password) -> Result<PasswordHash, HashingFailed> {
        Ok(PasswordHash::new(format!("plain:{}", password.reveal())))
    }

    fn verify(&self, candidate: &str, hash: &PasswordHash) -> bool {
        // Long enough for concurrent sign-ins to overlap.
        std::thread::sleep(std::time::Duration::from_millis(5));
        hash.reveal().strip_prefix("plain:") == Some(candidate)
    }

    fn verify_dummy(&self, _: &str) {}

    fn is_outdated(&self, _: &PasswordHash, _: &str) -> bool {
        false
    }
}

/// Signer whose signatures differ with every byte.
pub(crate) struct PlainSeal;

impl MessageSigner for PlainSeal {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let step = |sum: u128, byte: &u8| (sum ^ u128::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        message
            .iter()
            .fold(0x6c62_272e, step)
            .to_be_bytes()
            .to_vec()
    }

    fn verify(&self, message: &[u8], seal: &[u8]) -> bool {
        self.sign(message) == seal
    }
}
