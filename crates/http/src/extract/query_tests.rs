use super::*;
use crate::extract::parameter::{AMOUNT, END, ParameterType, START, id_type};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tradepost_domain::catalog::ProductField;
use tradepost_domain::kernel::{Currency, Money, Search, UserId};

#[test]
fn decoded_pairs_are_encoded_again() {
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
fn unreserved_characters_alone_stay_unencoded() {
    for byte in 0..=127_u8 {
        let character = char::from(byte);
        let mut encoded = String::new();
        encode(&character.to_string(), &mut encoded);
        let expected = if character.is_ascii_alphanumeric() || "-._~".contains(character) {
            character.to_string()
        } else {
            format!("%{byte:02X}")
        };
        assert_eq!(encoded, expected);
    }
}

#[test]
fn page_parameters_are_parsed_and_clamped() {
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
        ("page=", Some((1, 10))),
        ("page=&page_size=", Some((1, 10))),
        ("page= 2 ", Some((2, 10))),
        ("page=last", Some((1, 10))),
        ("page=LAST", None),
        ("page=1.0", None),
    ] {
        let seen = PageParams::read(query, 10).map(|l| (l.page.number(), l.page.size()));
        match seen {
            Ok(seen) => assert_eq!(Some(seen), expected, "{query}"),
            Err(ApiError::Refused(Refusal::NotFound)) => assert_eq!(expected, None, "{query}"),
            Err(error) => panic!("{query}: {error:?}"),
        }
    }
}

struct NoSignature;

impl MessageSigner for NoSignature {
    fn sign(&self, _: &[u8]) -> Vec<u8> {
        vec![0; 16]
    }

    fn verify(&self, _: &[u8], _: &[u8]) -> bool {
        false
    }
}

const MIN_PRICE: QueryParameter<Money, Currency> = QueryParameter::new("", "min_price", "", AMOUNT);
const AFTER: QueryParameter<DateTime<Utc>> = QueryParameter::new("", "created_after", "", START);
const BEFORE: QueryParameter<DateTime<Utc>> = QueryParameter::new("", "created_before", "", END);
const USER: QueryParameter<UserId> = QueryParameter::new("", "user", "", id_type!(UserId));
const SEARCH: QueryParameter<Search> = QueryParameter::new(
    "",
    "search",
    "",
    ParameterType {
        schema: Value::default,
        parse: |text, ()| Search::new(text),
    },
);

fn part(query: &str) -> Result<ListRequest<ProductField>, ApiError> {
    let usd = Currency::from_code("USD").unwrap();
    let mut query = Query::read(query);
    query.flag(&ARCHIVED);
    query.optional(&MIN_PRICE, usd);
    query.optional(&AFTER, ());
    query.optional(&BEFORE, ());
    query.optional(&USER, ());
    query.optional(&SEARCH, ());
    query.list_request(&QueryParameter::ordering(""), 10, &(), &NoSignature)
}

#[test]
fn wrong_parameters_are_named() {
    for (query, named) in [
        ("page_size=0", &["page_size"][..]),
        ("page_size=-1", &["page_size"]),
        ("page_size=abc", &["page_size"]),
        ("archived=1", &["archived"]),
        ("archived=yes", &["archived"]),
        ("min_price=.", &["min_price"]),
        ("min_price=-0.01", &["min_price"]),
        ("min_price=1.999", &["min_price"]),
        ("min_price=NaN", &["min_price"]),
        ("created_after=2026-01", &["created_after"]),
        ("created_after=2026-02-30", &["created_after"]),
        ("created_after=2026-1-31", &["created_after"]),
        ("created_after=20260131", &["created_after"]),
        ("created_after=2026-01-31T12:00:00", &["created_after"]),
        ("created_after=2026-02-30T12:00:00Z", &["created_after"]),
        ("created_after= ", &["created_after"]),
        ("user=0", &["user"]),
        ("user=x", &["user"]),
        ("user=9223372036854775808", &["user"]),
        ("search=a%00b", &["search"]),
        ("ordering=,", &["ordering"]),
        ("ordering=size", &["ordering"]),
        ("ordering=price,price", &["ordering"]),
        ("cursor=&ordering=stock", &["ordering"]),
        ("cursor=&ordering=price,name", &["ordering"]),
        ("cursor=x", &["cursor"]),
        ("cursor=&page=1", &["cursor"]),
        ("cursor=x&ordering=x", &["ordering"]),
        (
            "archived=x&page_size=x&page=0&min_price=x&ordering=x",
            &["archived", "min_price", "page_size", "ordering"],
        ),
    ] {
        let Err(ApiError::Refused(Refusal::Invalid(errors))) = part(query) else {
            panic!("{query}")
        };
        let seen: Vec<_> = errors.iter().map(|(name, _)| name).collect();
        assert_eq!(seen, named, "{query}");
    }
}

#[test]
fn valid_parameters_are_parsed() {
    for query in [
        "",
        "search=",
        "search=%20",
        "min_price=0",
        "min_price=1e2",
        "archived=false&ordering=-price,name&page_size=5",
        "ordering=stock,id",
        "unknown=x",
        "archived=&min_price=&created_after=&created_before=&user=&search=&ordering=&page=&page_size=",
        "archived=True",
        "archived=FALSE",
        "min_price=%20.5%20",
        "min_price=+5",
        "user=%202",
        "created_after=2026-01-31&created_before=2026-01-31",
        "page=last&page_size=3",
    ] {
        assert!(matches!(part(query), Ok(ListRequest::Page(..))), "{query}");
    }
    for query in [
        "cursor=",
        "cursor",
        "cursor=&page=&ordering=",
        "cursor=&ordering=-name,-id&page_size=3&search=x",
    ] {
        assert!(matches!(part(query), Ok(ListRequest::Cursor(_))), "{query}");
    }
}

#[test]
fn times_need_a_zone_and_dates_begin_at_midnight() {
    let micros = |text: &str| (START.parse)(text, ()).map(|time| time.timestamp_micros());
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001z", 1),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-01T02:00:00 02:00", 0),
        ("1969-12-31T23:00:00-01:00", 0),
    ] {
        assert_eq!(micros(text), Ok(expected), "{text}");
    }
}

#[test]
fn a_date_alone_is_a_whole_day_in_utc() {
    let micros = |time: Result<DateTime<Utc>, FieldError>| time.map(|time| time.timestamp_micros());
    const DAY: i64 = 86_400_000_000;
    assert_eq!(micros((START.parse)("1970-01-02", ())), Ok(DAY));
    assert_eq!(micros((END.parse)("1970-01-02", ())), Ok(2 * DAY - 1));
    // Times are exact at both ends.
    assert_eq!(micros((END.parse)("1970-01-02T00:00:00Z", ())), Ok(DAY));
}
