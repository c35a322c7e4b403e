//! Forms: the text that was typed, and the errors of its fields. A page that is shown again has
//! both, so that a mistake costs no typing.

use crate::page;
use crate::secrets::mac;
use crate::version::Snapshot;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use chrono::{Datelike, NaiveDate};
use std::future::{Ready, ready};
use tradepost_domain::kernel::{
    FieldError, FieldName, IdempotencyKey, IdempotencyRefusal, IdempotencyScope, Idempotent,
    NON_FIELD, Refusal, ResponseEncoder,
};
use tradepost_http::kit::ApiError;

/// The name of the field with the version that a form was filled from.
pub(crate) const VERSION: &str = "version";

/// The name of the field with the idempotency key of a form that creates something.
pub(crate) const KEY: &str = "key";

/// A form: the values of its fields by name, and their errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    values: Vec<(String, String)>,
    errors: Vec<(String, String)>,
    /// Errors of the form as a whole.
    general: Vec<String>,
}

#[allow(dead_code, reason = "parts for pages that need them")]
impl Form {
    /// The fields that a browser sent.
    pub(crate) fn sent(values: Vec<(String, String)>) -> Self {
        Self {
            values,
            ..Self::default()
        }
    }

    /// An empty form with an idempotency key: sent twice, it is executed once.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub(crate) fn fresh() -> Result<Self, ApiError> {
        let mut form = Self::default();
        form.set(KEY, &page::secret()?);
        Ok(form)
    }

    /// The idempotency key of the form for a command; the response to store is the path that the
    /// command leads to.
    pub(crate) fn idempotent<T>(
        &self,
        path: &str,
        render: fn(&T) -> String,
    ) -> Option<Idempotent<T>> {
        let key = IdempotencyKey::new(self.value(KEY)).ok()?;
        let mut typed = String::new();
        for (name, value) in self.pairs().filter(|(name, _)| name != KEY) {
            typed.push_str(&format!("{}:{name}{}:{value}", name.len(), value.len()));
        }
        Some(Idempotent {
            scope: IdempotencyScope {
                path: path.to_owned(),
                key,
            },
            fingerprint: mac("form", path, &typed),
            render: ResponseEncoder(render),
        })
    }

    /// A form filled with the current values of a thing, and their version.
    pub(crate) fn filled(snapshot: &Snapshot) -> Self {
        let mut form = Self::default();
        for (name, value) in snapshot.values() {
            form.set(name, value);
        }
        form.set(VERSION, &snapshot.version());
        form
    }

    /// Sets the value of a field.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.values.retain(|(other, _)| other != name);
        self.values.push((name.to_owned(), value.to_owned()));
    }

    /// The value of a field; of several of one name, the last. Empty if it was not sent.
    pub(crate) fn value(&self, name: &str) -> &str {
        let found = self.values.iter().rfind(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    /// All values of a field, such as those of ticked rows.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.values.iter().filter(move |(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All fields but the CSRF token.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(String, String)> {
        let is_typed = |pair: &&(String, String)| pair.0 != crate::admit::CSRF;
        self.values.iter().filter(is_typed)
    }

    /// Whether a checkbox is ticked.
    pub(crate) fn is_checked(&self, name: &str) -> bool {
        !self.value(name).is_empty()
    }

    /// Whether a select or a radio button has this value.
    pub(crate) fn is_chosen(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Parses a field, and keeps its error.
    pub(crate) fn read<T>(
        &mut self,
        name: FieldName,
        parse: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<T> {
        match parse(self.value(name)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(name, &error.to_string());
                None
            }
        }
    }

    /// Parses a field that may be left empty, and keeps its error.
    pub(crate) fn optional<T>(
        &mut self,
        name: FieldName,
        parse: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<Option<T>> {
        if self.value(name).trim().is_empty() {
            return Some(None);
        }
        self.read(name, parse).map(Some)
    }

    /// The day in a field that may be left empty (RFC 3339, `full-date`); keeps an error.
    pub(crate) fn date(&mut self, name: FieldName) -> Option<NaiveDate> {
        let text = self.value(name).trim();
        if text.is_empty() {
            return None;
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let day = day.filter(|day| (1..=9999).contains(&day.year()));
        if day.is_none() {
            self.fail(name, "Enter a date, such as 2026-01-31.");
        }
        day
    }

    /// Whether the form comes from the page about a concurrent edit, and is to be shown again instead
    /// of saved. It then has the version of `now`, and the current values of the fields that were
    /// changed meanwhile if those were chosen.
    pub(crate) fn resume(&mut self, now: &Snapshot) -> bool {
        let chosen = self.value("resume").to_owned();
        if chosen.is_empty() {
            return false;
        }
        if chosen == "theirs" {
            let changed = now.changed_since(self.value(VERSION));
            for field in changed {
                self.set(field.name, &field.value);
            }
        }
        self.set(VERSION, &now.version());
        self.set("resume", "");
        true
    }

    /// Adds an error to a field.
    pub(crate) fn fail(&mut self, name: &str, error: &str) {
        self.errors.push((name.to_owned(), error.to_owned()));
    }

    /// Adds an error of the form as a whole.
    pub(crate) fn fail_all(&mut self, error: String) {
        self.general.push(error);
    }

    /// The first error of a field.
    pub(crate) fn error(&self, name: &str) -> Option<&str> {
        let found = self.errors.iter().find(|(other, _)| other == name);
        found.map(|(_, error)| error.as_str())
    }

    /// The errors of the form as a whole.
    pub(crate) fn general(&self) -> &[String] {
        &self.general
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty() || !self.general.is_empty()
    }

    /// Keeps a refusal of the shop beside the fields that it names, or above the form.
    ///
    /// # Errors
    /// The error, if the form cannot show it: the user may not do this, or the shop failed.
    pub(crate) fn refused(&mut self, error: ApiError) -> Result<(), ApiError> {
        match error {
            ApiError::Refused(Refusal::Invalid(errors)) => {
                for (name, error) in errors.iter() {
                    if name == NON_FIELD {
                        self.fail_all(error.to_string());
                    } else {
                        self.fail(name, &error.to_string());
                    }
                }
                Ok(())
            }
            ApiError::Refused(
                Refusal::Forbidden
                | Refusal::Unauthenticated
                | Refusal::InvalidToken
                | Refusal::NotFound
                | Refusal::PreconditionFailed,
            ) => Err(error),
            ApiError::Refused(Refusal::Idempotency(IdempotencyRefusal::KeyReused)) => {
                self.set(KEY, &page::secret()?);
                let sentence = "This form was sent before, with other values. Send it again if you \
                    want both.";
                self.fail_all(sentence.to_owned());
                Ok(())
            }
            ApiError::Refused(refusal) => {
                self.fail_all(refusal.to_string());
                Ok(())
            }
            error => Err(error),
        }
    }
}

/// The form of a POST, which was read and whose CSRF token was checked before.
impl FromRequest for Form {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let form = request.extensions_mut().remove::<Self>();
        ready(form.ok_or_else(|| ApiError::Defect("a form was not read".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::kernel::ProductName;

    #[test]
    fn typed_text_is_kept_beside_its_error() {
        let sent = [("name", " "), ("tag", "a"), ("tag", "b"), ("csrf", "x")];
        let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut form = Form::sent(sent.into());
        assert_eq!(form.read("name", ProductName::new), None);
        assert_eq!(form.error("name"), Some("This field may not be blank."));
        assert_eq!(form.value("name"), " ");
        assert_eq!(form.values("tag").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(form.optional("sku", ProductName::new), Some(None));
        assert_eq!(form.pairs().count(), 3);
    }

    #[test]
    fn refusals_are_shown_unless_the_caller_has_to_act() {
        let mut form = Form::default();
        let invalid = Refusal::field("sku", FieldError::Taken);
        assert!(form.refused(invalid.into()).is_ok());
        assert!(form.error("sku").is_some());
        assert!(form.refused(Refusal::Forbidden.into()).is_err());
        assert!(form.refused(ApiError::Busy).is_err());
    }
}
