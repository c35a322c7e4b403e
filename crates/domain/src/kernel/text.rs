//! Bounded texts. A value of one of these types is validated: it has no control characters, and at
//! most the maximum number of characters.

use crate::kernel::FieldError;
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// Case folding: the same text for every spelling that differs in case alone. It works character by
/// character, so that a letter folds alike in every position (the final sigma), in every script. It
/// maps to lower case first: the capital ẞ is its own upper case, and would not become the `ss`
/// that ß does.
#[must_use]
pub fn fold_case(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Folding for searches: case-folded between two normalisations to NFKC (Unicode Standard Annex
/// 15), so that composed and decomposed letters, full and half width, and other compatibility
/// characters are equal. Accents stay, except the dot that the lower case of `İ` has over its i.
#[must_use]
pub fn fold_for_search(text: &str) -> String {
    const DOT_ABOVE: char = '\u{307}';
    let folded = fold_case(&text.nfkc().collect::<String>());
    let mut last = None;
    let dotless = folded.chars().filter(|character| {
        let is_dot_of_i = *character == DOT_ABOVE && last == Some('i');
        if !is_dot_of_i {
            last = Some(*character);
        }
        !is_dot_of_i
    });
    dotless.nfkc().collect()
}

/// Single-line text, trimmed of white space.
pub(crate) fn line(text: &str, max: usize) -> Result<String, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(FieldError::Blank);
    }
    if text.chars().any(char::is_control) {
        return Err(FieldError::ControlCharacter);
    }
    bounded(text, max)
}

fn bounded(text: &str, max: usize) -> Result<String, FieldError> {
    if text.chars().count() > max {
        Err(FieldError::TooLong { max })
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
            /// Maximum length in characters.
            pub const MAX: usize = $max;

            /// # Errors
            /// The [`FieldError`] with the text.
            pub fn new(text: &str) -> Result<Self, FieldError> {
                $check(text, Self::MAX).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = FieldError;

            fn from_str(text: &str) -> Result<Self, FieldError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

fn paragraphs(text: &str, max: usize) -> Result<String, FieldError> {
    let layout = |character| matches!(character, '\n' | '\r' | '\t');
    if text
        .chars()
        .any(|character| character.is_control() && !layout(character))
    {
        return Err(FieldError::ControlCharacter);
    }
    bounded(text, max)
}

texts! {
    /// The name of a product, as displayed.
    ProductName = line(200),
    /// Stock keeping unit: the shop's own code for a product.
    Sku = line(64),
    /// Description of a product, in any number of paragraphs; empty by default.
    #[derive(Default)]
    Description = paragraphs(10_000),
    /// Free-text reason of a stock adjustment.
    Note = line(200),
    /// Search text for accounts: part of a username or of an e-mail address; see
    /// [`UserSearch::key`].
    UserSearch = line(254),
}

impl UserSearch {
    /// The text to find in [`Username::key`](crate::identity::Username::key) or
    /// [`Email::key`](crate::identity::Email::key).
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
            Err(FieldError::TooLong { max: 200 })
        );
        assert_eq!(ProductName::new(" \t "), Err(FieldError::Blank));
        for text in ["a\0b", "a\nb", "a\u{7f}b"] {
            assert_eq!(
                ProductName::new(text),
                Err(FieldError::ControlCharacter),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_description_has_paragraphs_and_may_be_empty() {
        assert_eq!(Description::new(""), Ok(Description::default()));
        assert_eq!(Description::default().as_str(), "");
        assert!(Description::new("one\r\n\ttwo").is_ok());
        assert_eq!(Description::new("a\0b"), Err(FieldError::ControlCharacter));
        assert_eq!(
            Description::new(&"x".repeat(10_001)),
            Err(FieldError::TooLong { max: 10_000 })
        );
    }

    #[test]
    fn texts_that_differ_in_case_alone_have_one_key() {
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
    fn searches_compare_by_nfkc_and_case_folding() {
        for (one, other) in [
            ("Café", "cafe\u{301}"),
            ("Phở", "PHO\u{31b}\u{309}"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("İSTANBUL", "istanbul"),
            ("ISTANBUL", "istanbul"),
            ("ＴＥＡ ５", "tea 5"),
            ("ﾃｨｰ", "ティー"),
            ("ﬁlter ②", "FILTER 2"),
            ("Straße", "STRASSE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ] {
            assert_eq!(
                fold_for_search(one),
                fold_for_search(other),
                "{one} {other}"
            );
        }
        for (one, other) in [("resume", "résumé"), ("o", "ö"), ("は", "ば")] {
            assert_ne!(
                fold_for_search(one),
                fold_for_search(other),
                "{one} {other}"
            );
        }
        // Folding is idempotent: a search finds its own words.
        for text in [
            "İ\u{307}",
            "ǅ",
            "ŉ",
            "\u{fdfa}",
            "\u{390}",
            "\u{345}\u{301}",
        ] {
            let folded = fold_for_search(text);
            assert_eq!(fold_for_search(&folded), folded, "{text:?}");
        }
    }
}
