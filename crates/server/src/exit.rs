//! How the program ends when it does not end well.

use crate::setting::WrongSetting;
use std::process::ExitCode;
use tradepost_diesel::{MigrateError, OpenError};
use tradepost_domain::StoreError;

/// 128 and the number of the signal.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command gives up: a sentence for whoever runs it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Exit {
    /// What was asked for cannot be done as it was asked.
    #[error("{0}")]
    Usage(String),
    /// It could not be done.
    #[error("{0}")]
    Failed(String),
    /// Whoever runs it has thought better of it.
    #[error("Interrupted.")]
    Interrupted,
}

impl Exit {
    /// 2 for wrong usage, 1 for what failed; and what shells give for a Ctrl-C.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Interrupted => ExitCode::from(INTERRUPTED),
        }
    }
}

impl From<OpenError> for Exit {
    fn from(error: OpenError) -> Self {
        let sentence = error.to_string();
        Self::Failed(match error {
            // The other sentences say what to do by themselves.
            OpenError::Unusable { .. } | OpenError::NotUtf8 { .. } => {
                format!("{sentence} It is the one of --database (TRADEPOST_DATABASE_URL).")
            }
            _ => sentence,
        })
    }
}

impl From<MigrateError> for Exit {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Open(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<StoreError> for Exit {
    fn from(error: StoreError) -> Self {
        Self::Failed(format!("This failed: {error}."))
    }
}

impl From<WrongSetting> for Exit {
    fn from(wrong: WrongSetting) -> Self {
        Self::Usage(wrong.to_string())
    }
}
