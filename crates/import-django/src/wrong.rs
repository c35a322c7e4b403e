//! The problems of a dump, grouped by model, field and value.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// Keys of rows: their number, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    first: Vec<String>,
    count: u64,
}

impl Keys {
    /// The maximum number of keys that a problem names.
    const NAMED: usize = 5;
    /// The maximum number of keys that are kept, for lists of rows that were left out.
    const KEPT: usize = 100;

    pub(crate) fn push(&mut self, key: &str) {
        if self.first.len() < Self::KEPT {
            self.first.push(key.to_owned());
        }
        self.count = self.count.saturating_add(1);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    fn text(&self, named: usize) -> String {
        let first: Vec<_> = self.first.iter().take(named).map(String::as_str).collect();
        let listed = u64::try_from(first.len()).unwrap_or(u64::MAX);
        match self.count.saturating_sub(listed) {
            0 => first.join(", "),
            more => format!("{} and {more} more", first.join(", ")),
        }
    }

    /// All keys that are kept, and the number of further ones.
    pub(crate) fn all(&self) -> String {
        self.text(Self::KEPT)
    }
}

/// A group of problems: rows of a model with the same fault in the same field and value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    model: String,
    field: String,
    sentence: String,
    value: Option<String>,
    hint: String,
    keys: Keys,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            model,
            field,
            sentence,
            value,
            hint,
            keys,
        } = self;
        if model.is_empty() {
            return f.write_str(sentence);
        }
        match keys.count {
            0 => write!(f, "{model}")?,
            _ => write!(f, "{model} {}", keys.text(Keys::NAMED))?,
        }
        if !field.is_empty() {
            write!(f, ", {field}")?;
        }
        write!(f, ": {sentence}")?;
        if let Some(value) = value {
            write!(f, " It is {value}.")?;
        }
        if !hint.is_empty() {
            write!(f, " {hint}")?;
        }
        if keys.count > 1 {
            write!(f, " ({} rows)", keys.count)?;
        }
        Ok(())
    }
}

/// The position of a problem in a dump.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) model: &'a str,
    /// The key of the row; `None` for a problem of the model.
    pub(crate) key: Option<&'a str>,
    pub(crate) field: &'a str,
    /// The remedy; empty if the sentence contains it.
    pub(crate) hint: &'a str,
}

/// Problems in groups, one sentence for each group.
#[derive(Debug, Clone, Default)]
pub struct Wrong {
    groups: Vec<Group>,
    places: HashMap<(String, String, String, Option<String>), usize>,
    /// Values that have a group of their own, by model, field and sentence.
    values: HashMap<(String, String, String), usize>,
    count: u64,
}

impl Wrong {
    /// The maximum number of groups that are kept.
    pub const LISTED: usize = 100;
    /// The number of values of one fault that have a group of their own; further ones share one.
    const VALUES: usize = 5;

    pub(crate) fn say(&mut self, at: At<'_>, value: Option<String>, sentence: &str) {
        self.count = self.count.saturating_add(1);
        let fault = (
            at.model.to_owned(),
            at.field.to_owned(),
            sentence.to_owned(),
        );
        let value = self.bounded(&fault, value);
        let place = (fault.0, fault.1, fault.2, value);
        let index = match self.places.get(&place) {
            Some(index) => *index,
            None if self.groups.len() < Self::LISTED => {
                let (model, field, sentence, value) = place.clone();
                self.groups.push(Group {
                    model,
                    field,
                    sentence,
                    value,
                    hint: at.hint.to_owned(),
                    keys: Keys::default(),
                });
                self.places.insert(place, self.groups.len() - 1);
                self.groups.len() - 1
            }
            None => return,
        };
        if let (Some(group), Some(key)) = (self.groups.get_mut(index), at.key) {
            group.keys.push(key);
        }
    }

    /// The value, or `None` once a fault has enough values.
    fn bounded(
        &mut self,
        fault: &(String, String, String),
        value: Option<String>,
    ) -> Option<String> {
        let value = value?;
        let place = (
            fault.0.clone(),
            fault.1.clone(),
            fault.2.clone(),
            Some(value.clone()),
        );
        if self.places.contains_key(&place) {
            return Some(value);
        }
        let values = self.values.entry(fault.clone()).or_default();
        *values += 1;
        (*values <= Self::VALUES).then_some(value)
    }

    pub(crate) fn leave_out(&mut self, more: u64) {
        self.count = self.count.saturating_add(more);
    }

    /// Whether no problem was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One sentence for each of the first [`Wrong::LISTED`] groups.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        self.groups.iter().map(ToString::to_string).collect()
    }

    /// The number of problems, each row counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The number of problems in the groups that are listed.
    #[must_use]
    pub fn listed(&self) -> u64 {
        let rows = self.groups.iter().map(|group| group.keys.count.max(1));
        rows.fold(0, u64::saturating_add)
    }

    /// Adds the problems of another report.
    pub fn extend(&mut self, other: Self) {
        let room = Self::LISTED.saturating_sub(self.groups.len());
        self.groups.extend(other.groups.into_iter().take(room));
        self.count = self.count.saturating_add(other.count);
    }
}

impl fmt::Display for Wrong {
    /// One line per group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for group in &self.groups {
            writeln!(f, "{group}")?;
        }
        match self.count.saturating_sub(self.listed()) {
            0 => Ok(()),
            more => writeln!(f, "And {more} more."),
        }
    }
}

/// Problems, and the rows that an option left out instead.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) wrong: Wrong,
    skip: BTreeSet<String>,
    pub(crate) left_out: BTreeMap<String, Keys>,
}

impl Report {
    pub(crate) fn new(skip: &BTreeSet<String>) -> Self {
        Self {
            skip: skip.clone(),
            ..Self::default()
        }
    }

    /// Notes that a row of a model, or a value of one of its fields, is left out.
    pub(crate) fn leave_out(&mut self, what: &str, key: &str) {
        let keys = self.left_out.entry(what.to_owned()).or_default();
        // A row may have several faults.
        if keys.first.last().is_none_or(|last| last != key) {
            keys.push(key);
        }
    }

    /// The number of rows of a model that are left out.
    pub(crate) fn left_out_of(&self, model: &str) -> u64 {
        self.left_out.get(model).map_or(0, Keys::count)
    }

    pub(crate) fn say(&mut self, at: At<'_>, value: Option<String>, sentence: &str) {
        match at.key {
            Some(key) if self.skip.contains(at.model) => self.leave_out(at.model, key),
            _ => self.wrong.say(at, value, sentence),
        }
    }
}
