use crate::kernel::{ContextRefusal, Detail, DetailValue, NON_FIELD};

/// Refusals of accounts and sign-in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityRefusal {
    /// Wrong username or password, or a deactivated user.
    #[error("Unable to log in with provided credentials.")]
    InvalidCredentials,
    /// Throttled: further attempts are refused without a check until then.
    #[error("There were too many attempts. Try again in {seconds} seconds.")]
    TooManyAttempts {
        /// Time to wait, rounded up.
        seconds: u64,
    },
    /// The last active staff user can be neither demoted nor deactivated.
    #[error("The last active staff user can neither be demoted nor switched off.")]
    LastStaff,
}

impl ContextRefusal for IdentityRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid_credentials",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::LastStaff => "last_staff",
        }
    }

    fn details(&self) -> Vec<Detail> {
        match self {
            Self::InvalidCredentials => {
                let sentence = DetailValue::Sentences(vec![self.to_string()]);
                vec![Detail::new(NON_FIELD, sentence)]
            }
            Self::TooManyAttempts { .. } | Self::LastStaff => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyAttempts { seconds } => Some(*seconds),
            Self::InvalidCredentials | Self::LastStaff => None,
        }
    }

    fn samples() -> Vec<Self> {
        vec![
            Self::InvalidCredentials,
            Self::TooManyAttempts { seconds: 60 },
            Self::LastStaff,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assert_sampled;

    #[test]
    fn every_refusal_has_a_sample() {
        assert_sampled!(IdentityRefusal:
            IdentityRefusal::InvalidCredentials,
            IdentityRefusal::TooManyAttempts { .. },
            IdentityRefusal::LastStaff,
        );
    }
}
