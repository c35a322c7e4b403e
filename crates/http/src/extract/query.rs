//! Query string parameters: filters, sorting and pagination.

use crate::error::ApiError;
use crate::extract::fields::trimmed;
use crate::respond::signed_cursor::Scope;
use actix_web::web;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tradepost_domain::kernel::{
    Currency, CursorRequest, FieldError, FieldName, Keyset, MessageSigner, Money, PageRequest,
    Refusal, SortField, Sorting, ValidationErrors,
};

/// The decoded pairs of a query string or a form. Bytes that are no UTF-8 become U+FFFD.
#[must_use]
pub fn pairs(encoded: &str) -> Vec<(String, String)> {
    // Every text parses into pairs, so no error can occur.
    web::Query::<Vec<(String, String)>>::from_query(encoded)
        .map(web::Query::into_inner)
        .unwrap_or_default()
}

/// Percent-encodes all bytes but the unreserved characters (RFC 3986, section 2.3).
pub fn encode(text: &str, into: &mut String) {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    into.extend(utf8_percent_encode(text, RESERVED));
}

/// The parameters of a list request, and all validation errors found in them.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    errors: ValidationErrors,
}

/// The requested part of a list.
#[derive(Debug)]
pub(crate) enum ListRequest<F> {
    /// A numbered page, in this order.
    Page(Sorting<F>, PageParams),
    /// A cursor page.
    CursorParams(CursorParams<F>),
}

/// A request for a numbered page.
#[derive(Debug)]
pub(crate) struct PageParams {
    /// The first page while `page=last` is unresolved, until the rows are counted.
    pub(crate) page: PageRequest,
    /// Whether the last page is requested (`page=last`).
    pub(crate) wants_last: bool,
    /// Every parameter except the number of the page, for the links to the neighbours.
    pub(crate) others: Vec<(String, String)>,
}

/// A request for a cursor page.
#[derive(Debug)]
pub(crate) struct CursorParams<F> {
    pub(crate) keyset: Keyset<F>,
    pub(crate) span: CursorRequest,
    /// The scope of the cursors to the neighbours.
    pub(crate) scope: Scope,
    /// Every parameter except the cursor, for the links to the neighbours.
    pub(crate) others: Vec<(String, String)>,
}

impl PageParams {
    /// Parses the query string of a list that is neither filtered nor sorted; `size` is the default
    /// page size.
    pub(crate) fn read(query: &str, size: u32) -> Result<Self, ApiError> {
        Query::read(query).listing(size)
    }

    /// Resolves `page=last` once the number of rows is known; returns whether the page has changed.
    pub(crate) fn resolve_last(&mut self, count: u64) -> bool {
        if !self.wants_last {
            return false;
        }
        let before = self.page;
        self.page = before.last_of(count);
        self.page != before
    }
}

impl Query {
    pub(crate) fn read(query: &str) -> Self {
        Self {
            pairs: pairs(query),
            errors: ValidationErrors::default(),
        }
    }

    /// A parameter, unless it is absent or empty: HTML forms and filter libraries send every
    /// filter, with an empty value for each that is not set.
    pub(crate) fn optional<T>(
        &mut self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<T> {
        let value = filled(&self.pairs, name).map(read)?;
        self.errors.keep(name, value)
    }

    /// A boolean flag: `true`, or `false`, which equals its absence.
    pub(crate) fn flag(&mut self, name: FieldName) -> bool {
        self.optional(name, flag).unwrap_or(false)
    }

    fn size(&mut self, default: u32) -> u32 {
        self.optional("page_size", page_size)
            .unwrap_or(default.max(1))
    }

    /// The requested numbered page of a list with a fixed order, once every other parameter was
    /// parsed.
    pub(crate) fn listing(mut self, size: u32) -> Result<PageParams, ApiError> {
        let size = self.size(size);
        self.numbered(size)
    }

    /// The requested page, numbered or by cursor, once every other parameter was parsed. `filter`
    /// identifies the list, so that cursors of other lists are rejected.
    pub(crate) fn part<F: SortField>(
        mut self,
        size: u32,
        filter: &impl Serialize,
        signer: &dyn MessageSigner,
    ) -> Result<ListRequest<F>, ApiError> {
        let size = self.size(size);
        let sorting = match filled(&self.pairs, "ordering").map(Sorting::parse) {
            None => Some(Sorting::default()),
            Some(read) => self.errors.keep("ordering", read),
        };
        let Some(cursor) = last(&self.pairs, "cursor").map(str::to_owned) else {
            return Ok(ListRequest::Page(
                sorting.unwrap_or_default(),
                self.numbered(size)?,
            ));
        };
        let keyset =
            sorting.and_then(|sorting| self.errors.keep("ordering", Keyset::new(&sorting)));
        if filled(&self.pairs, "page").is_some() {
            self.errors.push("cursor", FieldError::PageAndCursor);
        }
        let order = keyset.map(|keyset| (keyset.field().as_str(), keyset.is_descending()));
        let scope = Scope::new(&(order, filter));
        let span = match keyset {
            // Without a valid order, the cursor cannot be checked against it.
            None => None,
            Some(_) => (self.errors).keep("cursor", scope.read(&cursor, size, signer)),
        };
        match keyset.zip(span) {
            Some((keyset, span)) if self.errors.is_empty() => {
                Ok(ListRequest::CursorParams(CursorParams {
                    keyset,
                    span,
                    scope,
                    others: self.without("cursor"),
                }))
            }
            _ => Err(Refusal::Invalid(self.errors).into()),
        }
    }

    /// Ends the parsing of parameters that are no part of a list.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Invalid(self.errors).into())
        }
    }

    fn numbered(self, size: u32) -> Result<PageParams, ApiError> {
        if !self.errors.is_empty() {
            return Err(Refusal::Invalid(self.errors).into());
        }
        let (number, wants_last) = match filled(&self.pairs, "page") {
            None => (Some(1), false),
            Some("last") => (Some(1), true),
            Some(text) => (whole(text), false),
        };
        let page = number.and_then(|number| PageRequest::new(number, size));
        Ok(PageParams {
            page: page.ok_or(Refusal::NotFound)?,
            wants_last,
            others: self.without("page"),
        })
    }

    fn without(self, name: &str) -> Vec<(String, String)> {
        let mut others = self.pairs;
        others.retain(|(other, _)| other != name);
        others
    }
}

/// Whether the request asks for archived products.
pub(crate) fn wants_archived(query: &str) -> Result<bool, ApiError> {
    let mut query = Query::read(query);
    let wanted = query.flag("archived");
    if query.errors.is_empty() {
        Ok(wanted)
    } else {
        Err(Refusal::Invalid(query.errors).into())
    }
}

fn flag(text: &str) -> Result<bool, FieldError> {
    match text.trim() {
        word if word.eq_ignore_ascii_case("false") => Ok(false),
        word if word.eq_ignore_ascii_case("true") => Ok(true),
        _ => Err(FieldError::NotOneOf {
            allowed: vec!["true", "false"],
        }),
    }
}

/// The start of a time range: a time with its zone, or a date, which begins at midnight UTC.
pub(crate) fn start(text: &str) -> Result<DateTime<Utc>, FieldError> {
    match day(text) {
        Some(day) => Ok(day.and_time(NaiveTime::MIN).and_utc()),
        None => time(text),
    }
}

/// The end of a time range: a time with its zone, or a date, whose last microsecond is included.
pub(crate) fn end(text: &str) -> Result<DateTime<Utc>, FieldError> {
    match day(text) {
        Some(day) => day
            .checked_add_days(Days::new(1))
            .map(|next| next.and_time(NaiveTime::MIN).and_utc() - TimeDelta::microseconds(1))
            .ok_or(FieldError::NotATime),
        None => time(text),
    }
}

/// A date alone, such as 2026-01-31.
fn day(text: &str) -> Option<NaiveDate> {
    // Ten characters: other productions of RFC 3339 are times.
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

/// A time with its zone. A `+` that was not percent-encoded arrives as a space.
fn time(text: &str) -> Result<DateTime<Utc>, FieldError> {
    let read = |text: &str| DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let restored = || match text.rsplit_once(' ') {
        Some((time, zone)) => read(&format!("{time}+{zone}")),
        None => read(text),
    };
    read(text)
        .or_else(|_| restored())
        .map_err(|_| FieldError::NotATime)
}

/// A non-negative amount of money.
pub(crate) fn amount(currency: Currency) -> impl Fn(&str) -> Result<Money, FieldError> {
    move |text| {
        let amount = Money::parse(trimmed(text), currency)?;
        if amount.minor() < 0 {
            return Err(FieldError::Negative);
        }
        Ok(amount)
    }
}

/// An id in a filter.
pub(crate) fn id<Id>(parse: fn(&str) -> Option<Id>) -> impl Fn(&str) -> Result<Id, FieldError> {
    move |text| match (parse(text.trim()), whole(text)) {
        (Some(id), _) => Ok(id),
        (None, None) => Err(FieldError::NotAnInteger),
        (None, Some(_)) => Err(FieldError::OutOfRange {
            min: 1,
            max: i64::MAX,
        }),
    }
}

/// The value of a parameter; of several of one name, the last.
fn last<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let pair = pairs.iter().rfind(|(key, _)| key == name)?;
    Some(&pair.1)
}

/// The value of a parameter, unless it is empty.
pub(crate) fn filled<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    last(pairs, name).filter(|value| !value.is_empty())
}

/// A number in plain digits, with white space around it; one beyond 64 bits is clamped to the
/// maximum.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A page size; one above the maximum is clamped to it.
pub(crate) fn page_size(text: &str) -> Result<u32, FieldError> {
    match whole(text) {
        None => Err(FieldError::NotAnInteger),
        Some(0) => Err(FieldError::OutOfRange {
            min: 1,
            max: i64::from(PageRequest::MAX_SIZE),
        }),
        Some(size) => {
            let most = PageRequest::MAX_SIZE;
            Ok(u32::try_from(size).map_or(most, |size| size.min(most)))
        }
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
