//! Bounded texts. A value of one of these types has been checked: it has no control characters,
//! and no more characters than it may.

use crate::Problem;
use std::fmt;

/// The text in a form that is the same for every spelling of its case. Character by character, so
/// that a letter folds alike wherever it stands (the final sigma), in every script. By way of lower
/// case first: the capital ẞ is its own upper case, and would not become the `ss` that ß does.
#[must_use]
pub fn fold_case(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Text of one line, without the white space around it.
fn line(text: &str, max: usize) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Problem::Blank);
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::ControlCharacter);
    }
    bounded(text, max)
}

fn bounded(text: &str, max: usize) -> Result<String, Problem> {
    if text.chars().count() > max {
        Err(Problem::TooLong { max })
    } else {
        Ok(text.to_owned())
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $check:ident($max:literal)),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The most characters.
            pub const MAX: usize = $max;

            /// # Errors
            /// The [`Problem`] with the text.
            pub fn new(text: &str) -> Result<Self, Problem> {
                $check(text, Self::MAX).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

fn paragraphs(text: &str, max: usize) -> Result<String, Problem> {
    let layout = |character| matches!(character, '\n' | '\r' | '\t');
    if text
        .chars()
        .any(|character| character.is_control() && !layout(character))
    {
        return Err(Problem::ControlCharacter);
    }
    bounded(text, max)
}

fn username(text: &str, max: usize) -> Result<String, Problem> {
    let text = line(text, max)?;
    let allowed = |character: char| character.is_alphanumeric() || "@.+-_".contains(character);
    if text.chars().all(allowed) {
        Ok(text)
    } else {
        Err(Problem::NotAUsername)
    }
}

/// Whether mail arrives is for the mail to show; this only refuses what cannot be an address
/// (RFC 5321: 254 characters in all, 64 before the at sign).
fn email(text: &str, max: usize) -> Result<String, Problem> {
    let text = line(text, max)?;
    let plausible = text.rsplit_once('@').is_some_and(|(local, domain)| {
        let labels = domain.split('.').count();
        let filled = domain.split('.').all(|label| {
            let inside = |c: char| c.is_alphanumeric() || c == '-';
            !label.is_empty() && label.chars().all(inside)
        });
        !local.is_empty()
            && local.len() <= 64
            && !local
                .chars()
                .any(|c| c.is_whitespace() || "@,;:<>()[]\\\"".contains(c))
            && labels >= 2
            && filled
    });
    if plausible {
        Ok(text)
    } else {
        Err(Problem::NotAnEmail)
    }
}

texts! {
    /// The name of a product, as the shop shows it.
    ProductName = line(200),
    /// The shop's own code for a product (stock keeping unit).
    Sku = line(64),
    /// What a product is, in as many paragraphs as it takes; may be empty.
    Description = paragraphs(10_000),
    /// Why stock was adjusted, in the words of whoever did it.
    Note = line(200),
    /// The name that a user signs in with. Unique whatever its case: see [`Username::key`].
    Username = username(150),
    /// An e-mail address. Unique whatever its case: see [`Email::key`].
    Email = email(254),
    /// Part of a username or of an e-mail address, to look for: see [`UserSearch::key`].
    UserSearch = line(254),
}

impl UserSearch {
    /// What has to occur in [`Username::key`] or [`Email::key`].
    #[must_use]
    pub fn key(&self) -> String {
        fold_case(&self.0)
    }
}

impl Username {
    /// What is unique about it: the name with its case folded.
    #[must_use]
    pub fn key(&self) -> String {
        fold_case(&self.0)
    }
}

impl Email {
    /// What is unique about it: the address with its case folded.
    #[must_use]
    pub fn key(&self) -> String {
        fold_case(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_up_to_200_characters() {
        assert_eq!(ProductName::new("  Tea mug ").unwrap().as_str(), "Tea mug");
        assert!(ProductName::new(&"é".repeat(200)).is_ok());
        assert_eq!(
            ProductName::new(&"é".repeat(201)),
            Err(Problem::TooLong { max: 200 })
        );
        assert_eq!(ProductName::new(" \t "), Err(Problem::Blank));
        for text in ["a\0b", "a\nb", "a\u{7f}b"] {
            assert_eq!(
                ProductName::new(text),
                Err(Problem::ControlCharacter),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_description_has_paragraphs_and_may_be_empty() {
        assert_eq!(Description::new("").unwrap().as_str(), "");
        assert!(Description::new("one\r\n\ttwo").is_ok());
        assert_eq!(Description::new("a\0b"), Err(Problem::ControlCharacter));
        assert_eq!(
            Description::new(&"x".repeat(10_001)),
            Err(Problem::TooLong { max: 10_000 })
        );
    }

    #[test]
    fn usernames_have_the_letters_that_django_allows() {
        for text in ["ada", "Ада", "a@b.c", "x+y-z_1"] {
            assert!(Username::new(text).is_ok(), "{text}");
        }
        for text in ["a b", "a/b", "a<b", "a\u{200b}b"] {
            assert_eq!(Username::new(text), Err(Problem::NotAUsername), "{text:?}");
        }
        assert_eq!(
            Username::new(&"a".repeat(151)),
            Err(Problem::TooLong { max: 150 })
        );
    }

    #[test]
    fn what_differs_in_case_alone_has_one_key() {
        for (one, other) in [
            ("Ada", "aDA"),
            ("STRASSE", "straße"),
            ("STRAẞE", "straße"),
            ("ΟΔΟΣ", "οδος"),
            ("οδοσ", "οδος"),
        ] {
            assert_eq!(fold_case(one), fold_case(other), "{one} {other}");
        }
        assert_ne!(fold_case("resume"), fold_case("résumé"));
    }

    #[test]
    fn what_cannot_be_an_address_is_refused() {
        for text in ["ada@example.org", "a.b+c@sub.example.co", "ä@exämple.org"] {
            assert!(Email::new(text).is_ok(), "{text}");
        }
        for text in [
            "ada",
            "@example.org",
            "ada@",
            "ada@localhost",
            "ada@a..b",
            "a b@example.org",
            "a@b@c.d",
            "a@b.c>",
        ] {
            assert_eq!(Email::new(text), Err(Problem::NotAnEmail), "{text}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        assert_eq!(Email::new(&long), Err(Problem::NotAnEmail));
    }
}
