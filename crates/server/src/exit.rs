//! How the program ends when it does not end well.

use crate::setting::WrongSetting;
use std::process::ExitCode;
use tradepost_diesel::{MigrateError, OpenError};
use tradepost_domain::StoreError;

/// Why a command gives up: a sentence for whoever runs it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Exit {
    /// What was asked for cannot be done as it was asked.
    #[error("{0}")]
    Usage(String),
    /// It could not be done.
    #[error("{0}")]
    Failed(String),
}

impl Exit {
    /// 2 for wrong usage, 1 for what failed.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl From<OpenError> for Exit {
    fn from(error: OpenError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<MigrateError> for Exit {
    fn from(error: MigrateError) -> Self {
        Self::Failed(error.to_string())
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
