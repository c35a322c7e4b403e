//! The parameters after the `?`.

use crate::error::ApiError;
use actix_web::web;
use tradepost_domain::{FieldErrors, PageRequest, Problem, Refusal};

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

/// What a request for a list asks for.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) page: PageRequest,
    pub(crate) archived: bool,
    /// Every parameter but the number of the page, for the links to the neighbours.
    pub(crate) others: Vec<(String, String)>,
}

impl Listing {
    /// Reads a query string; `size` is how long pages are if it does not say.
    pub(crate) fn read(query: &str, size: u32) -> Result<Self, ApiError> {
        let mut others = pairs(query);
        let number = match last(&others, "page") {
            None => Some(1),
            Some(text) => whole(text),
        };
        let mut errors = FieldErrors::default();
        let size = match last(&others, "page_size") {
            None => Some(size.max(1)),
            Some(text) => errors.keep("page_size", page_size(text)),
        };
        let archived = errors.keep("archived", archived(&others));
        let (Some(size), Some(archived)) = (size, archived) else {
            return Err(Refusal::Invalid(errors).into());
        };
        let page = number.and_then(|number| PageRequest::new(number, size));
        let page = page.ok_or(Refusal::NotFound)?;
        others.retain(|(name, _)| name != "page");
        Ok(Self {
            page,
            archived,
            others,
        })
    }
}

/// Whether the request asks for what is out of sight.
pub(crate) fn wants_archived(query: &str) -> Result<bool, ApiError> {
    archived(&pairs(query)).map_err(|problem| Refusal::field("archived", problem).into())
}

fn archived(pairs: &[(String, String)]) -> Result<bool, Problem> {
    match last(pairs, "archived") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::NotOneOf {
            allowed: vec!["true", "false"],
        }),
    }
}

/// The value of a parameter; of several of one name, the last.
fn last<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let pair = pairs.iter().rfind(|(key, _)| key == name)?;
    Some(&pair.1)
}

/// A number in plain digits; one beyond 64 bits is the largest there is.
fn whole(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A size above the largest is the largest.
fn page_size(text: &str) -> Result<u32, Problem> {
    match whole(text) {
        None => Err(Problem::NotAnInteger),
        Some(0) => Err(Problem::OutOfRange {
            min: 1,
            max: i64::from(PageRequest::MAX_SIZE),
        }),
        Some(size) => Ok(u32::try_from(size).unwrap_or(PageRequest::MAX_SIZE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decoded_is_encoded_again() {
        for (encoded, name, value, again) in [
            ("a=b", "a", "b", "a=b"),
            ("a+b=c%20d", "a b", "c d", "a%20b=c%20d"),
            ("a%26=%3D%25", "a&", "=%", "a%26=%3D%25"),
            ("a=%C3%A9", "a", "é", "a=%C3%A9"),
            ("a=%FF", "a", "\u{fffd}", "a=%EF%BF%BD"),
            ("a", "a", "", "a="),
            ("a=%zz", "a", "%zz", "a=%25zz"),
        ] {
            let pair = (name.to_owned(), value.to_owned());
            assert_eq!(pairs(encoded), [pair], "{encoded}");
            let mut written = String::new();
            encode(name, &mut written);
            written.push('=');
            encode(value, &mut written);
            assert_eq!(written, again, "{encoded}");
        }
    }

    #[test]
    fn pages_as_a_table() {
        for (query, expected) in [
            ("", Some((1, 10))),
            ("page=3", Some((3, 10))),
            ("page=3&page_size=5", Some((3, 5))),
            ("page=1&page=2", Some((2, 10))),
            ("page_size=1000", Some((1, 100))),
            ("page_size=18446744073709551616", Some((1, 100))),
            ("page=18446744073709551616", Some((u64::MAX, 10))),
            ("page=0", None),
            ("page=-1", None),
            ("page=abc", None),
            ("page=", None),
            ("page=1.0", None),
        ] {
            let seen = Listing::read(query, 10).map(|l| (l.page.number(), l.page.size()));
            match seen {
                Ok(seen) => assert_eq!(Some(seen), expected, "{query}"),
                Err(ApiError::Refused(Refusal::NotFound)) => assert_eq!(expected, None, "{query}"),
                Err(error) => panic!("{query}: {error:?}"),
            }
        }
    }

    #[test]
    fn wrong_parameters_are_named() {
        for (query, named) in [
            ("page_size=0", &["page_size"][..]),
            ("page_size=-1", &["page_size"]),
            ("page_size=abc", &["page_size"]),
            ("page_size=", &["page_size"]),
            ("archived=1", &["archived"]),
            ("archived=True", &["archived"]),
            ("archived=&page_size=x&page=0", &["page_size", "archived"]),
        ] {
            let Err(ApiError::Refused(Refusal::Invalid(errors))) = Listing::read(query, 10) else {
                panic!("{query}")
            };
            let seen: Vec<_> = errors.iter().map(|(name, _)| name).collect();
            assert_eq!(seen, named, "{query}");
        }
    }
}
