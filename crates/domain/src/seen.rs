//! Conditional commands: a client changes what it saw, or nothing (RFC 9110, section 13.1.1).

use crate::{Refusal, Render};

/// The versions of a thing that a client has seen, by the tags that it was given with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<T: ?Sized> {
    /// Any of these will do.
    pub tags: Vec<String>,
    /// The tag of a thing as it is.
    pub tag: Render<T>,
}

impl<T: ?Sized> Seen<T> {
    /// Whether the thing as it is now is what the client saw. A command without this asks nothing.
    ///
    /// # Errors
    /// [`Refusal::Edited`].
    pub fn check(seen: Option<&Self>, now: &T) -> Result<(), Refusal> {
        match seen {
            Some(seen) if !seen.tags.contains(&(seen.tag.0)(now)) => Err(Refusal::Edited),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_what_is_there() {
        let seen = |tags: &[&str]| Seen {
            tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
            tag: Render(|number: &i32| number.to_string()),
        };
        for (tags, as_seen) in [
            (&["7"][..], true),
            (&["6", "7"], true),
            (&["6"], false),
            (&["77"], false),
            (&[], false),
        ] {
            let checked = Seen::check(Some(&seen(tags)), &7);
            let expected = if as_seen {
                Ok(())
            } else {
                Err(Refusal::Edited)
            };
            assert_eq!(checked, expected, "{tags:?}");
        }
        assert_eq!(Seen::check(None, &7), Ok(()));
    }
}
