//! A row of a dump.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A row: `{"model": .., "pk": .., "fields": {..}}`. Values stay text until their type is known, so
/// that no amount goes through a float.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) pk: Option<Box<RawValue>>,
    pub(crate) fields: BTreeMap<String, Box<RawValue>>,
}

/// The column name of a row's key, where an option names a column.
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

    /// Its key in the dump, which names it in messages.
    pub(crate) fn key(&self) -> String {
        self.pk.as_ref().map_or_else(
            || "without a pk".to_owned(),
            |pk| printable(pk.get().trim_matches('"')),
        )
    }
}

/// Whether a column has a value: not null, and no empty text or list.
pub(crate) fn has_value(text: &str) -> bool {
    !matches!(text, "null" | "\"\"" | "[]" | "{}")
}

/// Text of a dump that is shown: short, and without characters that a terminal obeys.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: &char| !c.is_control() && !is_format(*c);
    text.chars().filter(shown).take(40).collect()
}

/// Marks that change the direction of the text around them.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A model's or column's name, which is shown.
pub(crate) fn name(text: &str) -> String {
    let shown = |c: &char| !c.is_control() && !is_format(*c);
    text.chars().filter(shown).take(100).collect()
}
