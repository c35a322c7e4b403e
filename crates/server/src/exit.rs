//! Command failures and their exit codes.

use crate::config::setting::WrongSetting;
use std::process::ExitCode;
use tradepost_diesel::{MigrateError, OpenError};
use tradepost_domain::kernel::StoreError;

/// 128 plus the number of SIGINT (2).
pub(crate) const INTERRUPTED: u8 = 130;

/// Command error: a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// Wrong usage: the command cannot run with these arguments.
    #[error("{0}")]
    Usage(String),
    /// The command failed.
    #[error("{0}")]
    Failed(String),
    /// Interrupted by the operator.
    #[error("Interrupted.")]
    Interrupted,
}

impl CliError {
    /// Exit code: 2 for wrong usage, 1 for a failure, 130 for Ctrl-C as shells report it.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Interrupted => ExitCode::from(INTERRUPTED),
        }
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> Self {
        let sentence = error.to_string();
        Self::Failed(match error {
            // The other messages contain the remedy.
            OpenError::Unusable { .. } | OpenError::NotUtf8 { .. } | OpenError::Tls { .. } => {
                format!("{sentence} It is the one of --database (TRADEPOST_DATABASE_URL).")
            }
            _ => sentence,
        })
    }
}

impl From<MigrateError> for CliError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Open(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Failed(format!("This failed: {error}."))
    }
}

impl From<WrongSetting> for CliError {
    fn from(wrong: WrongSetting) -> Self {
        Self::Usage(wrong.to_string())
    }
}
