//! A row of a dump, and the stream of them.

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufReader, Read};

/// A row: `{"model": .., "pk": .., "fields": {..}}`. Values stay text until it is known what they
/// are to be, so that no amount goes through a float.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) model: String,
    #[serde(default)]
    pub(crate) pk: Option<Box<RawValue>>,
    pub(crate) fields: BTreeMap<String, Box<RawValue>>,
}

impl Row {
    /// The first of these fields that is there and not null, with its own name. A foreign key may
    /// have `_id` at its end.
    pub(crate) fn get(&self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        names.iter().find_map(|name| {
            let field = self.fields.get(*name);
            let field = field.or_else(|| self.fields.get(&format!("{name}_id")));
            let text = field.map(|field| field.get())?;
            (text != "null").then_some((*name, text))
        })
    }

    pub(crate) fn has(&self, names: &[&'static str]) -> bool {
        names.iter().any(|name| {
            self.fields.contains_key(*name) || self.fields.contains_key(&format!("{name}_id"))
        })
    }

    /// Its key as it stands in the dump, to name it by.
    pub(crate) fn key(&self) -> String {
        self.pk.as_ref().map_or_else(
            || "without a pk".to_owned(),
            |pk| pk.get().trim_matches('"').chars().take(40).collect(),
        )
    }
}

/// Hands each row of a dump on, one after the other.
pub(crate) fn each(file: impl Read, take: impl FnMut(Row)) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, file));
    json.deserialize_seq(Each(take))?;
    json.end()
}

struct Each<F>(F);

impl<'de, F: FnMut(Row)> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows, each with model, pk and fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<(), A::Error> {
        while let Some(mut row) = rows.next_element::<Row>()? {
            // It is shown, and a terminal obeys some characters.
            row.model = row
                .model
                .chars()
                .filter(|c| !c.is_control())
                .take(100)
                .collect();
            (self.0)(row);
        }
        Ok(())
    }
}
