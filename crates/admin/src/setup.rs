//! First run: the one-time link to the page that creates the first staff user.

use crate::secrets::is_equal;
use crate::secrets::mac;
use chrono::{DateTime, Duration, Utc};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a setup link works.
const LIFE: Duration = Duration::minutes(30);

/// A setup link, without the scheme and host of the server.
///
/// Its `Debug` form hides the secret, so that it cannot reach a log.
#[derive(Clone)]
pub struct SetupLink(String);

impl SetupLink {
    pub(crate) fn new(secret: &str) -> Self {
        Self(format!("/admin/setup/?token={secret}"))
    }

    /// The path and query of the link.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SetupLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupLink(..)")
    }
}

/// The current setup link of this process.
#[derive(Default)]
pub(crate) struct Setup(Mutex<Option<Open>>);

struct Open {
    digest: String,
    until: DateTime<Utc>,
}

/// Why a setup link does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetupError {
    /// It is not the current link.
    Unknown,
    /// It has expired.
    Expired,
}

impl Setup {
    pub(crate) fn open(&self, secret: &str, now: DateTime<Utc>) {
        *self.lock() = Some(Open {
            digest: digest(secret),
            until: now + LIFE,
        });
    }

    /// Checks the secret of a link.
    pub(crate) fn check(&self, secret: &str, now: DateTime<Utc>) -> Result<(), SetupError> {
        match &*self.lock() {
            Some(open) if is_equal(&open.digest, &digest(secret)) => {
                if now < open.until {
                    Ok(())
                } else {
                    Err(SetupError::Expired)
                }
            }
            _ => Err(SetupError::Unknown),
        }
    }

    /// Ends the link.
    pub(crate) fn close(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(secret: &str) -> String {
    mac("setup", secret, "")
}
