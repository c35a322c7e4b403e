//! The parameters after the `?`.

use crate::cursor::Scope;
use crate::error::ApiError;
use crate::fields::trimmed;
use actix_web::web;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Serialize;
use tradepost_domain::{
    Currency, FieldErrors, FieldName, Keyset, Money, PageRequest, Problem, Refusal, Seal,
    SortField, Sorting, Span,
};

/// The decoded pairs of a query string or a form. Bytes that are no UTF-8 become U+FFFD.
pub(crate) fn pairs(encoded: &str) -> Vec<(String, String)> {
    // Every text can be read as pairs, so there is no error to tell anybody about.
    web::Query::<Vec<(String, String)>>::from_query(encoded)
        .map(web::Query::into_inner)
        .unwrap_or_default()
}

/// Percent-encodes what has a meaning in a query string.
pub(crate) fn encode(text: &str, into: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                into.push(char::from(byte));
            }
            _ => {
                let digit = |half: u8| HEX.get(usize::from(half)).copied().unwrap_or('0');
                into.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
}

/// The parameters of a request for a list, and all that is wrong with them.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    errors: FieldErrors,
}

/// Which part of a list is asked for.
#[derive(Debug)]
pub(crate) enum Part<F> {
    /// A numbered page, in this order.
    Page(Sorting<F>, Listing),
    /// A keyset page.
    Walk(Walk<F>),
}

/// A numbered page that is asked for.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The first page while the last one is wanted, which is known once the rows are counted.
    pub(crate) page: PageRequest,
    /// Whether the last page is asked for (`page=last`).
    pub(crate) wants_last: bool,
    /// Every parameter but the number of the page, for the links to the neighbours.
    pub(crate) others: Vec<(String, String)>,
}

/// A keyset page that is asked for.
#[derive(Debug)]
pub(crate) struct Walk<F> {
    pub(crate) keyset: Keyset<F>,
    pub(crate) span: Span,
    /// What cursors to the neighbours are for.
    pub(crate) scope: Scope,
    /// Every parameter but the cursor, for the links to the neighbours.
    pub(crate) others: Vec<(String, String)>,
}

impl Listing {
    /// Reads the query string of a list that is neither filtered nor sorted; `size` is how long
    /// pages are if it does not say.
    pub(crate) fn read(query: &str, size: u32) -> Result<Self, ApiError> {
        Query::read(query).listing(size)
    }

    /// Asks for the last page of so many rows, if the last page is wanted; whether that is another
    /// page than before.
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
            errors: FieldErrors::default(),
        }
    }

    /// A parameter, if it is there and not empty: HTML forms and filter libraries send every filter,
    /// with an empty value for each that is not set.
    pub(crate) fn optional<T>(
        &mut self,
        name: FieldName,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        let value = filled(&self.pairs, name).map(read)?;
        self.errors.keep(name, value)
    }

    /// Whether something is wanted: `true` or `false`, which is as if it was not there.
    pub(crate) fn flag(&mut self, name: FieldName) -> bool {
        self.optional(name, flag).unwrap_or(false)
    }

    fn size(&mut self, default: u32) -> u32 {
        self.optional("page_size", page_size)
            .unwrap_or(default.max(1))
    }

    /// The numbered page that is asked for of a list that has one order, once every other parameter
    /// was read.
    pub(crate) fn listing(mut self, size: u32) -> Result<Listing, ApiError> {
        let size = self.size(size);
        self.numbered(size)
    }

    /// The part that is asked for, once every other parameter was read. `filter` is what the list
    /// is, for cursors of no other one to be taken.
    pub(crate) fn part<F: SortField>(
        mut self,
        size: u32,
        filter: &impl Serialize,
        seal: &dyn Seal,
    ) -> Result<Part<F>, ApiError> {
        let size = self.size(size);
        let sorting = match filled(&self.pairs, "ordering").map(Sorting::parse) {
            None => Some(Sorting::default()),
            Some(read) => self.errors.keep("ordering", read),
        };
        let Some(cursor) = last(&self.pairs, "cursor").map(str::to_owned) else {
            return Ok(Part::Page(
                sorting.unwrap_or_default(),
                self.numbered(size)?,
            ));
        };
        let keyset =
            sorting.and_then(|sorting| self.errors.keep("ordering", Keyset::new(&sorting)));
        if filled(&self.pairs, "page").is_some() {
            self.errors.push("cursor", Problem::PageAndCursor);
        }
        let order = keyset.map(|keyset| (keyset.field().as_str(), keyset.is_descending()));
        let scope = Scope::new(&(order, filter));
        let span = match keyset {
            // Without an order, there is no telling whether it is a cursor of it.
            None => None,
            Some(_) => (self.errors).keep("cursor", scope.read(&cursor, size, seal)),
        };
        match keyset.zip(span) {
            Some((keyset, span)) if self.errors.is_empty() => Ok(Part::Walk(Walk {
                keyset,
                span,
                scope,
                others: self.without("cursor"),
            })),
            _ => Err(Refusal::Invalid(self.errors).into()),
        }
    }

    fn numbered(self, size: u32) -> Result<Listing, ApiError> {
        if !self.errors.is_empty() {
            return Err(Refusal::Invalid(self.errors).into());
        }
        let (number, wants_last) = match filled(&self.pairs, "page") {
            None => (Some(1), false),
            Some("last") => (Some(1), true),
            Some(text) => (whole(text), false),
        };
        let page = number.and_then(|number| PageRequest::new(number, size));
        Ok(Listing {
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

/// Whether the request asks for what is out of sight.
pub(crate) fn wants_archived(query: &str) -> Result<bool, ApiError> {
    let mut query = Query::read(query);
    let wanted = query.flag("archived");
    if query.errors.is_empty() {
        Ok(wanted)
    } else {
        Err(Refusal::Invalid(query.errors).into())
    }
}

fn flag(text: &str) -> Result<bool, Problem> {
    match text.trim() {
        word if word.eq_ignore_ascii_case("false") => Ok(false),
        word if word.eq_ignore_ascii_case("true") => Ok(true),
        _ => Err(Problem::NotOneOf {
            allowed: vec!["true", "false"],
        }),
    }
}

/// The start of a span of time: a time with its zone, or a date, which begins at midnight UTC.
pub(crate) fn start(text: &str) -> Result<DateTime<Utc>, Problem> {
    match day(text) {
        Some(day) => Ok(day.and_time(NaiveTime::MIN).and_utc()),
        None => time(text),
    }
}

/// The end of a span of time: a time with its zone, or a date, whose last microsecond counts too.
pub(crate) fn end(text: &str) -> Result<DateTime<Utc>, Problem> {
    match day(text) {
        Some(day) => day
            .checked_add_days(Days::new(1))
            .map(|next| next.and_time(NaiveTime::MIN).and_utc() - TimeDelta::microseconds(1))
            .ok_or(Problem::NotATime),
        None => time(text),
    }
}

/// A date alone, such as 2026-01-31.
fn day(text: &str) -> Option<NaiveDate> {
    // Ten characters: other parts of RFC 3339 are times.
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?
}

/// A time with its zone. A `+` that was not percent-encoded arrives as a space.
fn time(text: &str) -> Result<DateTime<Utc>, Problem> {
    let read = |text: &str| DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let restored = || match text.rsplit_once(' ') {
        Some((time, zone)) => read(&format!("{time}+{zone}")),
        None => read(text),
    };
    read(text)
        .or_else(|_| restored())
        .map_err(|_| Problem::NotATime)
}

/// An amount of money from nothing up.
pub(crate) fn amount(currency: Currency) -> impl Fn(&str) -> Result<Money, Problem> {
    move |text| {
        let amount = Money::parse(trimmed(text), currency)?;
        if amount.minor() < 0 {
            return Err(Problem::Negative);
        }
        Ok(amount)
    }
}

/// An id that something is filtered by.
pub(crate) fn id<Id>(parse: fn(&str) -> Option<Id>) -> impl Fn(&str) -> Result<Id, Problem> {
    move |text| match (parse(text.trim()), whole(text)) {
        (Some(id), _) => Ok(id),
        (None, None) => Err(Problem::NotAnInteger),
        (None, Some(_)) => Err(Problem::OutOfRange {
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

/// A number in plain digits, with white space around it; one beyond 64 bits is the largest there is.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A size above the largest is the largest.
pub(crate) fn page_size(text: &str) -> Result<u32, Problem> {
    match whole(text) {
        None => Err(Problem::NotAnInteger),
        Some(0) => Err(Problem::OutOfRange {
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
