//! Product search: every word has to occur in the name or in the description, regardless of case.

use crate::kernel::{Description, FieldError, ProductName, fold_for_search};

/// The case-folded words of a search. An empty search matches every product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Search {
    words: Vec<String>,
}

impl Search {
    /// Maximum length in characters; no search needs more.
    pub const MAX: usize = 200;

    /// Maximum number of words. Each costs the store another scan.
    pub const MAX_WORDS: usize = 10;

    /// Parses words separated by white space. A word that is part of another one is dropped, as it
    /// does not narrow the result.
    ///
    /// # Errors
    /// [`FieldError::TooLong`], [`FieldError::TooManyWords`], [`FieldError::ControlCharacter`].
    pub fn new(text: &str) -> Result<Self, FieldError> {
        if text.chars().nth(Self::MAX).is_some() {
            return Err(FieldError::TooLong { max: Self::MAX });
        }
        // Folded first: some characters become several words.
        let folded = fold_for_search(text);
        let mut words: Vec<String> = folded.split_whitespace().map(str::to_owned).collect();
        if words.len() > Self::MAX_WORDS {
            let max = Self::MAX_WORDS;
            return Err(FieldError::TooManyWords { max });
        }
        if words.iter().any(|word| word.chars().any(char::is_control)) {
            return Err(FieldError::ControlCharacter);
        }
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut telling = Vec::<String>::new();
        for word in words {
            if !telling.iter().any(|longer| longer.contains(&word)) {
                telling.push(word);
            }
        }
        Ok(Self { words: telling })
    }

    /// The folded words, the longest first. None has white space or control characters.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether a [search text](searched_text) contains every word.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

/// Search text of a product: its name and its description, folded. No word contains the line break
/// between them, so that none matches across.
#[must_use]
pub fn searched_text(name: &ProductName, description: &Description) -> String {
    let mut text = fold_for_search(name.as_str());
    text.push('\n');
    text.push_str(&fold_for_search(description.as_str()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_texts_with_all_its_words() {
        for (text, words) in [
            ("", &[][..]),
            (" \t\n\u{3000}", &[]),
            ("Tea", &["tea"]),
            ("Tea  mug\u{a0}x", &["tea", "mug", "x"]),
            ("mug MUGS mug", &["mugs"]),
            ("STRAẞE Straße", &["strasse"]),
            ("ＴＥＡ\u{3000}İ", &["tea", "i"]),
            ("a\u{a8}b", &["\u{308}b", "a"]),
            ("100% _ \\ ' \" *", &["100%", "_", "\\", "'", "\"", "*"]),
        ] {
            assert_eq!(Search::new(text).unwrap().words(), words, "{text:?}");
        }
    }

    #[test]
    fn a_search_has_bounds() {
        assert!(Search::new(&"é".repeat(200)).is_ok());
        let long = Err(FieldError::TooLong { max: 200 });
        assert_eq!(Search::new(&"e".repeat(201)), long);
        assert!(Search::new("a b c d e f g h i j").is_ok());
        let many = Err(FieldError::TooManyWords { max: 10 });
        assert_eq!(Search::new("a b c d e f g h i j k"), many);
        for text in ["a\0b", "\u{1}", "a\u{9f}"] {
            let refused = Err(FieldError::ControlCharacter);
            assert_eq!(Search::new(text), refused, "{text:?}");
        }
    }

    #[test]
    fn no_word_matches_across_name_and_description() {
        let name = ProductName::new("Tea").unwrap();
        let description = Description::new("Mug").unwrap();
        let text = searched_text(&name, &description);
        for (search, found) in [("tea", true), ("mug tea", true), ("teamug", false)] {
            assert_eq!(Search::new(search).unwrap().finds(&text), found, "{search}");
        }
    }
}
