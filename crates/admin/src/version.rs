//! Concurrent edits: the version of a thing that a form was filled from, and the fields that were
//! changed since.

use crate::form::{Form, VERSION};
use crate::page::{Page, PageResult};
use crate::secrets::mac;
use askama::Template;
use tradepost_http::kit::Code;

/// Length of the digest of a field in a version.
const DIGEST: usize = 12;

/// The editable fields of a thing, as a form shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot(Vec<Shown>);

/// A field of a [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The name of the form field.
    pub(crate) name: &'static str,
    /// The label of the form field.
    pub(crate) label: &'static str,
    /// The value, as the form shows it.
    pub(crate) value: String,
}

impl Snapshot {
    pub(crate) fn new(
        fields: impl IntoIterator<Item = (&'static str, &'static str, String)>,
    ) -> Self {
        let fields = fields.into_iter();
        let shown = fields.map(|(name, label, value)| Shown { name, label, value });
        Self(shown.collect())
    }

    /// The names and values, to fill a form.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0
            .iter()
            .map(|field| (field.name, field.value.as_str()))
    }

    /// The version: a digest of each field. A form carries it as `version`.
    pub(crate) fn version(&self) -> String {
        let digests = self.0.iter().map(Shown::digest);
        digests.collect::<Vec<_>>().join(".")
    }

    /// The fields that differ from those of a version.
    pub(crate) fn changed_since(&self, version: &str) -> Vec<&Shown> {
        let mut before = version.split('.');
        let fields = self.0.iter();
        fields
            .filter(|field| before.next() != Some(field.digest().as_str()))
            .collect()
    }
}

impl Shown {
    fn digest(&self) -> String {
        mac("version", self.name, &self.value)
            .chars()
            .take(DIGEST)
            .collect()
    }
}

/// The page about an edit that another one came before: the fields that were changed meanwhile, with
/// the current and the typed value. Its form carries everything that was typed.
#[derive(Template)]
#[template(path = "conflict.html")]
pub(crate) struct Conflict<'a> {
    page: &'a Page,
    title: &'a str,
    action: &'a str,
    changes: Vec<Change>,
    fields: Vec<(&'a str, &'a str)>,
}

struct Change {
    label: &'static str,
    now: String,
    typed: String,
}

impl<'a> Conflict<'a> {
    /// `action` is the path of the form within the admin interface, and `now` the current state of the
    /// thing.
    pub(crate) fn new(
        page: &'a Page,
        title: &'a str,
        action: &'a str,
        form: &'a Form,
        now: &Snapshot,
    ) -> Self {
        let changes = now.changed_since(form.value(VERSION)).into_iter();
        let changes = changes.map(|field| Change {
            label: field.label,
            now: field.value.clone(),
            typed: form.value(field.name).to_owned(),
        });
        Self {
            page,
            title,
            action,
            changes: changes.collect(),
            fields: (form.pairs())
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
        }
    }

    pub(crate) fn show(&self) -> PageResult {
        self.page.failed(Code::PreconditionFailed, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(name: &str, price: &str) -> Snapshot {
        Snapshot::new([
            ("name", "Name", name.to_owned()),
            ("price", "Price", price.to_owned()),
        ])
    }

    #[test]
    fn changed_fields_are_found_by_the_version() {
        let version = snapshot("Mug", "9.90").version();
        let changed = |name: &str, price: &str| -> Vec<&'static str> {
            let now = snapshot(name, price);
            now.changed_since(&version)
                .iter()
                .map(|field| field.name)
                .collect()
        };
        assert_eq!(changed("Mug", "9.90"), [""; 0]);
        assert_eq!(changed("Mug", "8.90"), ["price"]);
        assert_eq!(changed("Cup", "8.90"), ["name", "price"]);
    }

    #[test]
    fn a_forged_version_matches_no_field() {
        let now = snapshot("Mug", "9.90");
        for version in ["", ".", "x.y", "...."] {
            assert_eq!(now.changed_since(version).len(), 2, "{version}");
        }
    }
}
