//! Reloading of the signing keys when their file changes, while the server runs.

use super::{Keys, read};
use crate::system::background::Background;
use chrono::{DateTime, TimeDelta, Utc};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tradepost_auth::SystemClock;
use tradepost_auth::{JwtTokens, KeyRing, TimedKey};
use tradepost_domain::kernel::Clock;

/// The polling interval. A change is loaded once two polls read the same text, so that a file that
/// is still being copied is not loaded: in less than ten seconds.
const CHECK_INTERVAL: Duration = Duration::from_secs(4);

/// Starts a background thread that polls the file that the keys were read from, and passes changed
/// keys to the token service, whose tokens last at most `life`.
///
/// # Errors
/// If the operating system cannot create a thread.
pub(crate) fn watch(
    path: PathBuf,
    keys: Keys,
    tokens: JwtTokens,
    life: TimeDelta,
) -> io::Result<Background> {
    every(CHECK_INTERVAL, path, keys, tokens, life)
}

fn every(
    interval: Duration,
    path: PathBuf,
    keys: Keys,
    tokens: JwtTokens,
    life: TimeDelta,
) -> io::Result<Background> {
    warn_of_early_ends(&keys, life);
    let mut poller = Poller::new(keys.text);
    Background::every(interval, "keys", move || match poller.poll(read(&path)) {
        Poll::Same => {}
        Poll::Changed(keys) => {
            for key in keys.ring.keys() {
                let known = description(key, &keys.ring);
                log::info!(kid = key.key.id(); "knows the signing key {known}");
            }
            warn_of_early_ends(&keys, life);
            tokens.replace_keys(keys.ring);
        }
        Poll::Wrong(why) => {
            log::error!("{why} The keys from before are used on.");
        }
    })
}

fn warn_of_early_ends(keys: &Keys, life: TimeDelta) {
    for early in keys.ends_early(life, SystemClock.now()) {
        log::warn!("{early}");
    }
}

/// A key, for the log: its id, which reveals nothing about it, and its time.
fn description(key: &TimedKey, ring: &KeyRing) -> String {
    let mut text = key.key.id().to_owned();
    // A superseded key never signs.
    let signs = |from: &DateTime<Utc>| ring.signing(*from).id() == key.key.id();
    if let Some(from) = key.signs_from.filter(signs) {
        text.push_str(&format!(", which signs from {from}"));
    }
    if let Some(end) = key.ends {
        text.push_str(&format!(", which is accepted until {end}"));
    }
    text
}

/// The state of the watch.
struct Poller {
    /// The text in use.
    used: String,
    /// The text of the last poll, if it differed.
    candidate: Option<String>,
    /// The last error, so that each is logged once.
    complaint: Option<String>,
}

enum Poll {
    Same,
    Changed(Keys),
    Wrong(String),
}

impl Poller {
    fn new(used: String) -> Self {
        Self {
            used,
            candidate: None,
            complaint: None,
        }
    }

    fn poll(&mut self, found: Result<Keys, String>) -> Poll {
        match found {
            Ok(keys) => {
                if keys.text == self.used {
                    (self.candidate, self.complaint) = (None, None);
                } else if self.candidate.as_ref() == Some(&keys.text) {
                    *self = Self::new(keys.text.clone());
                    return Poll::Changed(keys);
                } else {
                    self.candidate = Some(keys.text);
                }
                Poll::Same
            }
            Err(why) => {
                self.candidate = None;
                if self.complaint.as_ref() == Some(&why) {
                    return Poll::Same;
                }
                self.complaint = Some(why.clone());
                Poll::Wrong(why)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Instant;
    use tradepost_domain::identity::TokenClaims;
    use tradepost_domain::kernel::{TokenService, UserId};

    fn keys(name: &str) -> Keys {
        Keys::parse(
            format!("{name} of a shop, with 32 bytes or more"),
            "The file",
        )
        .unwrap()
    }

    fn word(poll: Poll) -> String {
        match poll {
            Poll::Same => String::new(),
            Poll::Changed(keys) => keys.text[..4].to_owned(),
            Poll::Wrong(why) => why,
        }
    }

    #[test]
    fn a_stable_file_is_loaded_and_a_broken_one_is_reported_once() {
        let mut poller = Poller::new(keys("old1").text);
        let torn = || Err("It is torn.".to_owned());
        let gone = || Err("It is gone.".to_owned());
        for (found, expected) in [
            (Ok(keys("old1")), ""),
            (Ok(keys("new1")), ""),
            (Ok(keys("old1")), ""),
            (Ok(keys("new1")), ""),
            (Ok(keys("new2")), ""),
            (Ok(keys("new2")), "new2"),
            (Ok(keys("new2")), ""),
            (torn(), "It is torn."),
            (torn(), ""),
            (gone(), "It is gone."),
            (gone(), ""),
            (Ok(keys("new2")), ""),
            (gone(), "It is gone."),
            (Ok(keys("new3")), ""),
            (gone(), ""),
            (Ok(keys("new3")), ""),
            (Ok(keys("new3")), "new3"),
        ] {
            assert_eq!(word(poller.poll(found)), expected);
        }
    }

    #[test]
    fn tokens_are_given_the_keys_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jwt.key");
        let old = keys("old1");
        std::fs::write(&path, &old.text).unwrap();
        let tokens = old.tokens();
        let claims = TokenClaims {
            user: UserId::new(1).unwrap(),
            session_epoch: 0,
            issued_at: chrono::DateTime::UNIX_EPOCH,
            expires_at: chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(1),
        };
        let token = keys("new1").tokens().issue(&claims);
        let read = || tokens.read(&token, claims.issued_at);
        assert!(read().is_err());
        let interval = Duration::from_millis(2);
        let life = TimeDelta::days(1);
        let watch = every(interval, path.clone(), old, tokens.clone(), life).unwrap();
        std::fs::write(&path, keys("new1").text).unwrap();
        let since = Instant::now();
        while read().is_err() {
            assert!(since.elapsed() < Duration::from_secs(20), "not taken");
            thread::sleep(interval);
        }
        std::fs::write(&path, "torn").unwrap();
        thread::sleep(20 * interval);
        assert!(read().is_ok(), "the keys from before are used on");
        drop(watch);
    }
}
