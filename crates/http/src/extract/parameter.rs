//! Query parameters, each declared once: its description and schema in the OpenAPI document, its
//! parser, and its effect on the cost of a request.

use crate::extract::fields::trimmed;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tradepost_domain::kernel::{
    Currency, FieldError, FieldName, Keyset, Money, PageRequest, SortField, Sorting,
};

/// A parameter of a request, in the path, the query or the headers, as the OpenAPI document has it.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// The name of its component.
    pub(crate) key: &'static str,
    pub(crate) name: FieldName,
    pub(crate) place: &'static str,
    pub(crate) about: &'static str,
    pub(crate) schema: fn() -> Value,
    pub(crate) work: Work,
}

impl Parameter {
    pub(crate) fn is_in_query(&self) -> bool {
        self.place == "query"
    }

    /// The parameter object of the document.
    pub(crate) fn object(&self) -> Value {
        json!({
            "name": self.name,
            "in": self.place,
            "description": self.about,
            "required": self.place == "path",
            "schema": (self.schema)()
        })
    }
}

/// The work that a parameter with a value causes in the store.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// None that its cost depends on.
    None,
    /// All matches are read.
    Filter,
    /// Words are searched for in products.
    Search,
    /// A text is searched for in accounts.
    UserSearch,
    /// The matches are sorted, if this function of the value says so.
    Sort(fn(&str) -> bool),
}

/// Type of a query parameter: its schema and its parser, which have the same bounds. `C` is the
/// input of the parser besides the text, such as the shop's currency.
pub(crate) struct ParameterType<T, C = ()> {
    pub(crate) schema: fn() -> Value,
    pub(crate) parse: fn(&str, C) -> Result<T, FieldError>,
}

/// A query parameter with its parser.
pub(crate) struct QueryParameter<T, C = ()> {
    pub(crate) parameter: Parameter,
    pub(crate) parse: fn(&str, C) -> Result<T, FieldError>,
}

impl<T, C> QueryParameter<T, C> {
    /// A parameter: the name of its component, its name, its description and its type.
    pub(crate) const fn new(
        key: &'static str,
        name: FieldName,
        about: &'static str,
        of: ParameterType<T, C>,
    ) -> Self {
        let parameter = Parameter {
            key,
            name,
            place: "query",
            about,
            schema: of.schema,
            work: Work::None,
        };
        Self {
            parameter,
            parse: of.parse,
        }
    }

    /// With the work that it causes.
    pub(crate) const fn causing(mut self, work: Work) -> Self {
        self.parameter.work = work;
        self
    }
}

impl<F: SortField> QueryParameter<Sorting<F>> {
    /// `ordering`: the fields that a list is sorted by.
    pub(crate) const fn ordering(key: &'static str) -> Self {
        let of = ParameterType {
            schema: ordering_schema::<F>,
            parse: |text, ()| Sorting::parse(text),
        };
        Self::new(
            key,
            "ordering",
            "Fields with commas between them, each once; a `-` before one turns it round.",
            of,
        )
        .causing(Work::Sort(needs_sort::<F>))
    }
}

fn ordering_schema<F: SortField>() -> Value {
    let fields: Vec<_> = F::ALL.iter().map(|field| field.as_str()).collect();
    let field = format!("-?({})", fields.join("|"));
    // May be empty, as any parameter may: it then counts as absent.
    json!({"type": "string", "pattern": format!("^({field}(,{field})*)?$")})
}

/// Whether this order needs a sort: no index has two fields, or a field that a sale changes.
fn needs_sort<F: SortField>(ordering: &str) -> bool {
    Sorting::<F>::parse(ordering).is_ok_and(|sorting| Keyset::new(&sorting).is_err())
}

/// The number of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageNumber {
    Number(u64),
    Last,
}

/// `page`. An invalid number is answered like a page that does not exist.
pub(crate) const PAGE: QueryParameter<PageNumber> = QueryParameter::new(
    "Page",
    "page",
    "Which page, from 1, which is the default, or `last`. One that does not exist is 404.",
    ParameterType {
        schema: || json!({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "const": "last"}]}),
        parse: |text, ()| match text {
            "last" => Ok(PageNumber::Last),
            text => whole(text)
                .map(PageNumber::Number)
                .ok_or(FieldError::NotAnInteger),
        },
    },
);

/// `page_size`; one above the maximum is clamped to it.
pub(crate) const PAGE_SIZE: QueryParameter<u32> = QueryParameter::new(
    "PageSize",
    "page_size",
    "Rows on a page; more than 100 is taken as 100. Without it, 10 or what the shop has set.",
    ParameterType {
        schema: || json!({"type": "integer", "minimum": 1, "examples": [PageRequest::MAX_SIZE]}),
        parse: |text, ()| page_size(text),
    },
);

/// `cursor`, which is read together with the list that it belongs to.
pub(crate) const CURSOR: QueryParameter<String> = QueryParameter::new(
    "Cursor",
    "cursor",
    "Read from place to place instead of by page: empty for the first part, then as in `next` and `previous`. Ordered by one field other than `stock`; not together with `page`.",
    ParameterType {
        schema: || json!({"type": "string"}),
        parse: |text, ()| Ok(text.to_owned()),
    },
);

/// `archived`, of products and orders.
pub(crate) const ARCHIVED: QueryParameter<bool> = QueryParameter::new(
    "Archived",
    "archived",
    "For staff: what is archived, alone. From anybody else it is as if it was not there.",
    FLAG,
)
.causing(Work::Filter);

/// `true`, or `false`.
pub(crate) const FLAG: ParameterType<bool> = ParameterType {
    schema: || json!({"type": "boolean"}),
    parse: |text, ()| match text.trim() {
        word if word.eq_ignore_ascii_case("false") => Ok(false),
        word if word.eq_ignore_ascii_case("true") => Ok(true),
        _ => Err(FieldError::NotOneOf {
            allowed: vec!["true", "false"],
        }),
    },
};

/// A non-negative amount of money.
pub(crate) const AMOUNT: ParameterType<Money, Currency> = ParameterType {
    schema: || {
        let pattern = format!("^$|{}", crate::respond::json::DECIMAL);
        json!({"type": "string", "pattern": pattern, "maxLength": Money::MAX_TEXT})
    },
    parse: |text, currency| {
        let amount = Money::parse(trimmed(text), currency)?;
        if amount.minor() < 0 {
            return Err(FieldError::Negative);
        }
        Ok(amount)
    },
};

/// The start of a time range: a time with its zone, or a date, which begins at midnight UTC.
pub(crate) const START: ParameterType<DateTime<Utc>> = ParameterType {
    schema: time_schema,
    parse: |text, ()| match day(text) {
        Some(day) => Ok(day.and_time(NaiveTime::MIN).and_utc()),
        None => time(text),
    },
};

/// The end of a time range: a time with its zone, or a date, whose last microsecond is included.
pub(crate) const END: ParameterType<DateTime<Utc>> = ParameterType {
    schema: time_schema,
    parse: |text, ()| match day(text) {
        Some(day) => day
            .checked_add_days(Days::new(1))
            .map(|next| next.and_time(NaiveTime::MIN).and_utc() - TimeDelta::microseconds(1))
            .ok_or(FieldError::NotATime),
        None => time(text),
    },
};

/// A time, or a date that stands for a whole day.
fn time_schema() -> Value {
    json!({"anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        {"type": "string", "maxLength": 0}
    ]})
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

/// Defines the type of an id.
macro_rules! id_type {
    ($id:ty) => {
        $crate::extract::parameter::ParameterType {
            schema: || serde_json::json!({"type": "integer", "format": "int64", "minimum": 1}),
            parse: |text, ()| $crate::extract::parameter::id(<$id>::parse, text),
        }
    };
}
pub(crate) use id_type;

/// An id in a filter.
pub(crate) fn id<Id>(parse: fn(&str) -> Option<Id>, text: &str) -> Result<Id, FieldError> {
    match (parse(text.trim()), whole(text)) {
        (Some(id), _) => Ok(id),
        (None, None) => Err(FieldError::NotAnInteger),
        (None, Some(_)) => Err(FieldError::OutOfRange {
            min: 1,
            max: i64::MAX,
        }),
    }
}

/// A number in plain digits, with white space around it; one beyond 64 bits is clamped to the
/// maximum.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

fn page_size(text: &str) -> Result<u32, FieldError> {
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
