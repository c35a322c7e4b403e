//! All that is wrong, as far as it fits on a screen or two.

use std::fmt;

/// Sentences about what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wrong {
    sentences: Vec<String>,
    unlisted: u64,
}

impl Wrong {
    /// The most sentences that are kept.
    pub const LISTED: usize = 100;

    pub(crate) fn say(&mut self, sentence: String) {
        if self.sentences.len() < Self::LISTED {
            self.sentences.push(sentence);
        } else {
            self.leave_out(1);
        }
    }

    pub(crate) fn leave_out(&mut self, more: u64) {
        self.unlisted = self.unlisted.saturating_add(more);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }

    /// The first [`Wrong::LISTED`] sentences.
    #[must_use]
    pub fn sentences(&self) -> &[String] {
        &self.sentences
    }

    /// How many there are in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        let listed = u64::try_from(self.sentences.len()).unwrap_or(u64::MAX);
        listed.saturating_add(self.unlisted)
    }
}

impl fmt::Display for Wrong {
    /// A line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in &self.sentences {
            writeln!(f, "{sentence}")?;
        }
        match self.unlisted {
            0 => Ok(()),
            more => writeln!(f, "And {more} more."),
        }
    }
}
