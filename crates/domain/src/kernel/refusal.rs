//! Refusals: expected rejections by the rules. Nothing was changed, and the same command is refused
//! again until the state changes.
//!
//! Each context has its refusals in its own folder. A refusal says four things about itself, each
//! of them once and beside its variant: its sentence, its stable code, its details, and a sample.

use crate::kernel::{Detail, DetailValue, FieldError, FieldName, ValidationErrors};
use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident($context:ident::$refusal:ident)),+ $(,)?) => {
        /// A rejection by the rules. Its text is a sentence for the client.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal {
            /// Authentication is required.
            #[error("Sign in first.")]
            Unauthenticated,
            /// The token is forged or expired, or its session has ended.
            #[error("The token is not valid, or no longer.")]
            InvalidToken,
            /// Authenticated, but not authorised.
            #[error("You are not allowed to do this.")]
            Forbidden,
            /// Missing, archived, or owned by another user: the response does not reveal which.
            #[error("There is nothing here.")]
            NotFound,
            /// The request has invalid fields.
            #[error("{0}")]
            Invalid(ValidationErrors),
            /// Precondition failed: the resource changed since the client read it (optimistic
            /// concurrency).
            #[error("It was changed since you read it. Read it again.")]
            PreconditionFailed,
            /// Lock conflict: a row that the command needs is locked by another transaction.
            /// Commands do not wait for a row while they hold others. Nothing was changed; retry.
            #[error("Somebody else is at work on this. Nothing was changed; try again.")]
            LockConflict,
            $(
                $(#[$doc])*
                #[error(transparent)]
                $variant(#[from] crate::$context::$refusal),
            )+
        }

        impl Refusal {
            /// The stable code.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self {
                    Self::Unauthenticated => "not_authenticated",
                    Self::InvalidToken => "invalid_token",
                    Self::Forbidden => "forbidden",
                    Self::NotFound => "not_found",
                    Self::Invalid(_) => "invalid",
                    Self::PreconditionFailed => "precondition_failed",
                    Self::LockConflict => "busy",
                    $(Self::$variant(refusal) => refusal.code(),)+
                }
            }

            /// The refusal of a context.
            fn context(&self) -> Option<&dyn ContextRefusal> {
                match self {
                    Self::Unauthenticated
                    | Self::InvalidToken
                    | Self::Forbidden
                    | Self::NotFound
                    | Self::Invalid(_)
                    | Self::PreconditionFailed
                    | Self::LockConflict => None,
                    $(Self::$variant(refusal) => Some(refusal),)+
                }
            }

            /// One example of each refusal of the contexts.
            fn samples_of_contexts() -> Vec<Self> {
                fn of<R: ContextRefusal + Into<Refusal>>() -> impl Iterator<Item = Refusal> {
                    R::samples().into_iter().map(Into::into)
                }
                let mut all = Vec::new();
                $(all.extend(of::<crate::$context::$refusal>());)+
                all
            }
        }
    };
}

each_refusal!(refusals);

/// The refusals of one context.
pub trait ContextRefusal: fmt::Display {
    /// The stable code, in snake case. Refusals that a client handles alike share one.
    fn code(&self) -> &'static str;

    /// Machine-readable details besides the code.
    fn details(&self) -> Vec<Detail> {
        Vec::new()
    }

    /// Seconds until a retry may succeed, if the rule knows them.
    fn retry_after(&self) -> Option<u64> {
        None
    }

    /// One example of each variant, for documentation and tests.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

impl Refusal {
    /// One invalid field.
    #[must_use]
    pub fn field(field: FieldName, problem: FieldError) -> Self {
        Self::Invalid(ValidationErrors::new(field, problem))
    }

    /// Machine-readable details besides the code.
    #[must_use]
    pub fn details(&self) -> Vec<Detail> {
        match self {
            Self::Invalid(errors) => vec![
                Detail::new("errors", DetailValue::Fields(errors.clone()))
                    .described("Each wrong field or parameter, with what is wrong with it."),
            ],
            other => other.context().map_or_else(Vec::new, |one| one.details()),
        }
    }

    /// Seconds until a retry may succeed, if the rule knows them.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        self.context()?.retry_after()
    }

    /// One example of each refusal of every context, for documentation and tests.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let mut invalid = ValidationErrors::new("name", FieldError::Required);
        invalid.push("price", FieldError::TooManyDecimals { decimals: 2 });
        let common = [
            Self::Unauthenticated,
            Self::InvalidToken,
            Self::Forbidden,
            Self::NotFound,
            Self::Invalid(invalid),
            Self::PreconditionFailed,
            Self::LockConflict,
        ];
        let mut all = Vec::from(common);
        all.extend(Self::samples_of_contexts());
        all
    }
}

/// Asserts that the samples of a context have each of these variants. The match is exhaustive: a
/// new variant does not compile until it is listed.
#[cfg(test)]
macro_rules! assert_sampled {
    ($refusal:ty: $($variant:pat),+ $(,)?) => {
        let samples = <$refusal as $crate::kernel::ContextRefusal>::samples();
        let name = |sample: &$refusal| match sample {
            $($variant => stringify!($variant)),+
        };
        let sampled: Vec<_> = samples.iter().map(name).collect();
        assert_eq!(sampled, [$(stringify!($variant)),+]);
    };
}

#[cfg(test)]
pub(crate) use assert_sampled;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_refusal_has_a_code_in_snake_case_and_a_sentence() {
        for refusal in Refusal::samples() {
            let code = refusal.code();
            let is_snake = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            assert!(
                !code.is_empty() && code.chars().all(is_snake),
                "{refusal:?}"
            );
            assert!(refusal.to_string().ends_with('.'), "{refusal}");
        }
    }

    #[test]
    fn refusals_of_one_code_have_the_same_details() {
        let mut seen = std::collections::BTreeMap::new();
        for refusal in Refusal::samples() {
            let names: Vec<_> = refusal.details().iter().map(|one| one.name).collect();
            let distinct: BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{refusal:?}");
            let first = seen.entry(refusal.code()).or_insert_with(|| names.clone());
            assert_eq!(*first, names, "{refusal:?}");
        }
    }
}
