//! Preconditions: conditional commands (If-Match, RFC 9110, section 13.1.1), for optimistic
//! concurrency.

use crate::kernel::{Refusal, ResponseEncoder};

/// Precondition on a resource: it must have one of these entity tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition<T: ?Sized> {
    /// The accepted entity tags.
    pub tags: Vec<String>,
    /// Computes the entity tag of the resource.
    pub tag: ResponseEncoder<T>,
}

impl<T: ?Sized> Precondition<T> {
    /// Checks the precondition against the current resource. `None` always holds.
    ///
    /// # Errors
    /// [`Refusal::PreconditionFailed`].
    pub fn check(seen: Option<&Self>, now: &T) -> Result<(), Refusal> {
        match seen {
            Some(seen) if !seen.tags.contains(&(seen.tag.0)(now)) => {
                Err(Refusal::PreconditionFailed)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precondition_holds_for_a_listed_tag() {
        let seen = |tags: &[&str]| Precondition {
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            tag: ResponseEncoder(|number: &i32| number.to_string()),
        };
        for (tags, as_seen) in [
            (&["7"][..], true),
            (&["6", "7"], true),
            (&["6"], false),
            (&["77"], false),
            (&[], false),
        ] {
            let checked = Precondition::check(Some(&seen(tags)), &7);
            let expected = if as_seen {
                Ok(())
            } else {
                Err(Refusal::PreconditionFailed)
            };
            assert_eq!(checked, expected, "{tags:?}");
        }
        assert_eq!(Precondition::check(None, &7), Ok(()));
    }
}
