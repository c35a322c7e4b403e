//! Query string parameters: filters, sorting and pagination.

use crate::error::ApiError;
use crate::extract::parameter::{
    ARCHIVED, CURSOR, PAGE, PAGE_SIZE, PageNumber, Parameter, QueryParameter,
};
use crate::respond::signed_cursor::Scope;
use actix_web::web;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use tradepost_domain::kernel::{
    CursorRequest, FieldError, Keyset, MessageSigner, PageRequest, Refusal, SortField, Sorting,
    ValidationErrors,
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
    Cursor(CursorParams<F>),
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
    /// filter, with an empty value for each that is not set. `context` is the input of its parser.
    pub(crate) fn optional<T, C>(
        &mut self,
        parameter: &QueryParameter<T, C>,
        context: C,
    ) -> Option<T> {
        let value = filled(&self.pairs, &parameter.parameter)?;
        let value = (parameter.parse)(value, context);
        self.errors.keep(parameter.parameter.name, value)
    }

    /// A boolean flag: `true`, or `false`, which equals its absence.
    pub(crate) fn flag(&mut self, parameter: &QueryParameter<bool>) -> bool {
        self.optional(parameter, ()).unwrap_or(false)
    }

    fn size(&mut self, default: u32) -> u32 {
        self.optional(&PAGE_SIZE, ()).unwrap_or(default.max(1))
    }

    /// The requested numbered page of a list with a fixed order, once every other parameter was
    /// parsed.
    pub(crate) fn listing(mut self, size: u32) -> Result<PageParams, ApiError> {
        let size = self.size(size);
        self.numbered(size)
    }

    /// The requested page, numbered or by cursor, once every other parameter was parsed. `filter`
    /// identifies the list, so that cursors of other lists are rejected.
    pub(crate) fn list_request<F: SortField>(
        mut self,
        ordering: &QueryParameter<Sorting<F>>,
        size: u32,
        filter: &impl Serialize,
        signer: &dyn MessageSigner,
    ) -> Result<ListRequest<F>, ApiError> {
        let size = self.size(size);
        let name = ordering.parameter.name;
        let sorting = match filled(&self.pairs, &ordering.parameter) {
            None => Some(Sorting::default()),
            Some(text) => self.errors.keep(name, (ordering.parse)(text, ())),
        };
        let cursor = CURSOR.parameter.name;
        let Some(position) = last(&self.pairs, cursor).map(str::to_owned) else {
            return Ok(ListRequest::Page(
                sorting.unwrap_or_default(),
                self.numbered(size)?,
            ));
        };
        let keyset = sorting.and_then(|sorting| self.errors.keep(name, Keyset::new(&sorting)));
        if filled(&self.pairs, &PAGE.parameter).is_some() {
            self.errors.push(cursor, FieldError::PageAndCursor);
        }
        let order = keyset.map(|keyset| (keyset.field().as_str(), keyset.is_descending()));
        let scope = Scope::new(&(order, filter));
        let span = match keyset {
            // Without a valid order, the cursor cannot be checked against it.
            None => None,
            Some(_) => (self.errors).keep(cursor, scope.read(&position, size, signer)),
        };
        match keyset.zip(span) {
            Some((keyset, span)) if self.errors.is_empty() => {
                Ok(ListRequest::Cursor(CursorParams {
                    keyset,
                    span,
                    scope,
                    others: self.without(cursor),
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
        let number = filled(&self.pairs, &PAGE.parameter).map(|text| (PAGE.parse)(text, ()));
        let (number, wants_last) = match number {
            None => (1, false),
            Some(Ok(PageNumber::Last)) => (1, true),
            Some(Ok(PageNumber::Number(number))) => (number, false),
            Some(Err(_)) => return Err(Refusal::NotFound.into()),
        };
        Ok(PageParams {
            page: PageRequest::new(number, size).ok_or(Refusal::NotFound)?,
            wants_last,
            others: self.without(PAGE.parameter.name),
        })
    }

    fn without(self, name: &str) -> Vec<(String, String)> {
        let mut others = self.pairs;
        others.retain(|(other, _)| other != name);
        others
    }
}

/// Whether the request asks for archived rows.
pub(crate) fn wants_archived(query: &str) -> Result<bool, ApiError> {
    let mut query = Query::read(query);
    let wanted = query.flag(&ARCHIVED);
    query.finish()?;
    Ok(wanted)
}

/// The value of a parameter; of several of one name, the last.
fn last<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let pair = pairs.iter().rfind(|(key, _)| key == name)?;
    Some(&pair.1)
}

/// The value of a parameter, unless it is empty.
pub(crate) fn filled<'a>(pairs: &'a [(String, String)], parameter: &Parameter) -> Option<&'a str> {
    last(pairs, parameter.name).filter(|value| !value.is_empty())
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
