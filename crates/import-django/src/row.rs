//! A row of a dump.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A row: `{"model": .., "pk": .., "fields": {..}}`. Values stay text until their type is known, so
/// that no amount is converted to a float.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) pk: Option<Box<RawValue>>,
    pub(crate) fields: BTreeMap<String, Box<RawValue>>,
}

/// The name of the key column in options.
pub(crate) const PK: &str = "pk";

impl Row {
    /// The JSON of a column, unless it has no value.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let field = match self.fields.get(column) {
            None if column == PK => self.pk.as_ref(),
            field => field,
        };
        field
            .map(|field| field.get())
            .filter(|text| has_value(text))
    }

    /// The key in the dump, for messages.
    pub(crate) fn key(&self) -> String {
        self.pk.as_ref().map_or_else(
            || "without a pk".to_owned(),
            |pk| printable(pk.get().trim_matches('"')),
        )
    }
}

/// Whether a column has a value: neither null nor an empty text or list.
pub(crate) fn has_value(text: &str) -> bool {
    !matches!(text, "null" | "\"\"" | "[]" | "{}")
}

/// Text of a dump for display: truncated, and without control characters that a terminal
/// interprets.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: &char| !c.is_control() && !is_format(*c);
    text.chars().filter(shown).take(40).collect()
}

/// Unicode format characters, which change the direction of the surrounding text.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The name of a model or column, for display.
pub(crate) fn name(text: &str) -> String {
    let shown = |c: &char| !c.is_control() && !is_format(*c);
    text.chars().filter(shown).take(100).collect()
}
