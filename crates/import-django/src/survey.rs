//! The first pass over all rows: the models, their columns, and statistics of the columns' values.

use crate::kind::is_foreign;
use crate::row::{Row, has_value};
use crate::value::{integer, string};
use std::collections::{BTreeMap, BTreeSet};

/// Statistics of a column.
#[derive(Debug, Default)]
pub(crate) struct Column {
    /// The number of rows that have it, with or without a value.
    pub(crate) rows: u64,
    /// The number of rows in which it has a value.
    pub(crate) values: u64,
    /// Of these: the number of booleans, numbers (also as text), integers, and lists.
    pub(crate) flags: u64,
    pub(crate) numbers: u64,
    pub(crate) whole: u64,
    pub(crate) lists: u64,
    /// The distinct values, as [`plain`] formats them, with their counts; `None` once they exceed
    /// [`Column::DISTINCT`].
    distinct: Option<BTreeMap<String, u64>>,
    overflowed: bool,
}

impl Column {
    /// More distinct values than any shop has statuses.
    const DISTINCT: usize = 60;

    fn note(&mut self, text: &str) {
        self.values += 1;
        match text.bytes().next() {
            Some(b't' | b'f') => self.flags += 1,
            Some(b'[') => self.lists += 1,
            _ => {}
        }
        let number = text.trim_matches('"').trim();
        if is_decimal(number) {
            self.numbers += 1;
        }
        if integer(text).is_ok() {
            self.whole += 1;
        }
        if self.overflowed {
            return;
        }
        let distinct = self.distinct.get_or_insert_default();
        if text.len() <= 200 {
            *distinct.entry(plain(text)).or_default() += 1;
        }
        if text.len() > 200 || distinct.len() > Self::DISTINCT {
            (self.distinct, self.overflowed) = (None, true);
        }
    }

    /// The distinct values with their counts, unless they are too many.
    pub(crate) fn distinct(&self) -> Option<&BTreeMap<String, u64>> {
        self.distinct.as_ref()
    }

    pub(crate) fn is_flag(&self) -> bool {
        self.values > 0 && self.flags == self.values
    }

    pub(crate) fn has_decimals(&self) -> bool {
        self.values > 0 && self.is_amount() && self.whole < self.values
    }

    pub(crate) fn is_amount(&self) -> bool {
        self.numbers == self.values
    }

    pub(crate) fn is_list(&self) -> bool {
        self.values > 0 && self.lists == self.values
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// A value in the form of `--status`: text without quotes, in lower case.
pub(crate) fn plain(text: &str) -> String {
    let text = string(text).unwrap_or_else(|_| text.to_owned());
    text.trim().to_lowercase()
}

/// Statistics of a model.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) rows: u64,
    pub(crate) columns: BTreeMap<String, Column>,
    /// The number of keys that are not integers from 1.
    pub(crate) other_keys: u64,
}

/// Statistics of a dump.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) models: BTreeMap<String, Model>,
    /// All models of the project, from its content types; empty if the dump has none.
    pub(crate) project: BTreeSet<String>,
}

impl Survey {
    pub(crate) fn note(&mut self, row: &Row) {
        if row.model == "contenttypes.contenttype" {
            let part = |column| row.get(column).and_then(|text| string(text).ok());
            if let (Some(app), Some(model)) = (part("app_label"), part("model")) {
                self.project.insert(format!("{app}.{model}"));
            }
        }
        let model = match self.models.get_mut(&row.model) {
            Some(model) => model,
            None => self.models.entry(row.model.clone()).or_default(),
        };
        model.rows += 1;
        if is_foreign(&row.model) {
            return;
        }
        let key = row.pk.as_ref().map(|pk| integer(pk.get()));
        if key.is_some_and(|key| !key.is_ok_and(|key| key > 0)) {
            model.other_keys += 1;
        }
        for (name, value) in &row.fields {
            let column = match model.columns.get_mut(name) {
                Some(column) => column,
                None => model.columns.entry(name.clone()).or_default(),
            };
            column.rows += 1;
            if has_value(value.get()) {
                column.note(value.get());
            }
        }
    }
}
