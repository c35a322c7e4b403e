//! Cost of a request, in the units of the token buckets of `rate_limiter.rs`.
//!
//! One unit is a read of one row by its key, or a page of ten rows that an index finds: a few
//! tenths of a millisecond of the store. A list adds the work that its parameters cause, as far as
//! they show it before the query runs. The constants are ratios, rounded to values that are easy to
//! remember; the measurements behind them are in `docs/performance.md`: a search takes four to five
//! times as long as a page of the catalogue if few products match, and several times as long again
//! if many do.

use crate::exec::worker_pool::JobKind;
use crate::extract::parameter::{PAGE, PAGE_SIZE, PageNumber, Parameter, QueryParameter, Work};
use crate::extract::query::{filled, pairs};
use tradepost_domain::kernel::{PageRequest, Search};

/// The minimum cost of a request.
pub const BASE: u32 = 1;

/// Checking or hashing a password occupies a core for a quarter of a second. Wrong passwords are
/// also bounded by the login throttling; right ones by this cost alone.
const PASSWORD: u32 = 10;

/// Rows of a page per unit.
const ROWS: u32 = 25;

/// Rows skipped before a numbered page (OFFSET) per unit.
const OFFSET: u64 = 1_000;

/// The maximum for the skipped rows: a list may have fewer rows than the offset.
const MAX_OFFSET: u64 = 20;

/// A search looks into an index, and filters every text that the index leaves.
const SEARCH: u32 = 5;

/// The same for each word.
const WORD: u32 = 5;

/// A word that is too short for the trigram index is searched for in every text.
const SHORT_WORD: u32 = 10;

/// The minimum length of a word that the index finds, in characters.
const TRIGRAM: usize = 3;

/// A part of a name is searched for in every account.
const USER_SEARCH: u32 = 20;

/// A filter reads all of its matches to count them for each page.
const FILTER: u32 = 4;

/// An order that no index has sorts all matches.
const SORT: u32 = 10;

/// The most that a list costs whose work is about that of its page: the largest page.
const LARGEST_PAGE: u32 = 4;

/// The pool of a list of this cost, in units.
pub(crate) fn list_kind(units: u32) -> JobKind {
    match units <= LARGEST_PAGE {
        true => JobKind::List,
        false => JobKind::Search,
    }
}

/// The cost class of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// One unit: reads or writes a bounded number of rows by their keys.
    Plain,
    /// Checks or hashes a password.
    Password,
    /// A list: its parameters say what work they cause.
    List,
}

impl Cost {
    /// The units of a request with this query string, for an endpoint with these parameters;
    /// `default_size` is the page size if it names none. A request that the handler rejects costs
    /// as much.
    pub(crate) fn units(self, parameters: &[&Parameter], query: &str, default_size: u32) -> u32 {
        match self {
            Self::Plain => BASE,
            Self::Password => PASSWORD,
            Self::List => {
                let pairs = pairs(query);
                let mut list = ListCost::of(&pairs, default_size);
                for parameter in parameters {
                    if let Some(value) = filled(&pairs, parameter) {
                        list.add(parameter.work, value);
                    }
                }
                list.units()
            }
        }
    }
}

/// The properties of a list request that its cost depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ListCost {
    /// Rows on a page.
    size: u32,
    /// Rows before the page.
    before: u64,
    /// Search words.
    words: u32,
    has_short_word: bool,
    searches_users: bool,
    is_filtered: bool,
    is_sorted: bool,
}

impl ListCost {
    fn of(pairs: &[(String, String)], default_size: u32) -> Self {
        fn read<T>(pairs: &[(String, String)], of: &QueryParameter<T>) -> Option<T> {
            let value = filled(pairs, &of.parameter)?;
            (of.parse)(value, ()).ok()
        }
        let size = read(pairs, &PAGE_SIZE).unwrap_or(default_size.max(1));
        let number = match read(pairs, &PAGE) {
            None => 1,
            Some(PageNumber::Number(number)) => number,
            // The offset of the last page is not known yet.
            Some(PageNumber::Last) => u64::MAX,
        };
        let page = PageRequest::new(number, size);
        Self {
            size,
            before: page.map_or(0, PageRequest::offset),
            ..Self::default()
        }
    }

    /// Adds the work of a parameter with this value.
    fn add(&mut self, work: Work, value: &str) {
        match work {
            Work::None => {}
            Work::Filter => self.is_filtered = true,
            Work::Sort(needs_sort) => self.is_sorted = needs_sort(value),
            Work::UserSearch => self.searches_users = !value.trim().is_empty(),
            Work::Search => {
                let search = Search::new(value).unwrap_or_default();
                let words = search.words();
                self.words = u32::try_from(words.len()).unwrap_or(u32::MAX);
                self.has_short_word = words.iter().any(|word| word.chars().count() < TRIGRAM);
            }
        }
    }

    fn units(self) -> u32 {
        let before = (self.before / OFFSET).min(MAX_OFFSET);
        let search = match self.words {
            0 => 0,
            words => SEARCH.saturating_add(WORD.saturating_mul(words)),
        };
        [
            self.size.div_ceil(ROWS).max(BASE),
            u32::try_from(before).unwrap_or(u32::MAX),
            search,
            if self.has_short_word { SHORT_WORD } else { 0 },
            if self.searches_users { USER_SEARCH } else { 0 },
            if self.is_filtered { FILTER } else { 0 },
            if self.is_sorted { SORT } else { 0 },
        ]
        .into_iter()
        .fold(0, u32::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::Method;

    const PLAIN: &str = "/api/products/{id}/";
    const PASSWORD_CHECK: &str = "/api/token/";
    const LIST: &str = "/api/users/me/addresses/";
    const PRODUCTS: &str = "/api/products/";
    const ORDERS: &str = "/api/orders/";
    const USERS: &str = "/api/users/";

    /// The units of a request to the endpoint of a path.
    fn units(path: &str, query: &str, default_size: u32) -> u32 {
        let method = match path {
            PASSWORD_CHECK => Method::POST,
            _ => Method::GET,
        };
        let mut table = crate::routes::table().iter();
        let endpoint = table.find(|one| one.path() == path && *one.method() == method);
        let policy = endpoint.unwrap().policy;
        policy.cost.units(policy.parameters, query, default_size)
    }

    #[test]
    fn costs_by_class_and_parameters() {
        for (path, query, expected) in [
            (PLAIN, "", 1),
            (PLAIN, "search=e&page_size=100", 1),
            (PASSWORD_CHECK, "", 10),
            (LIST, "", 1),
            (LIST, "page_size=100&search=e&ordering=stock", 4),
            (PRODUCTS, "", 1),
            (PRODUCTS, "page_size=25", 1),
            (PRODUCTS, "page_size=26", 2),
            (PRODUCTS, "page_size=100", 4),
            // Parsed as the handler parses them: the last of several, clamped to the bounds.
            (PRODUCTS, "page_size=10&page_size=100000", 4),
            (PRODUCTS, "page_size=0", 1),
            (PRODUCTS, "page=100", 1),
            (PRODUCTS, "page=101", 2),
            (PRODUCTS, "page=1001&page_size=10", 11),
            (PRODUCTS, "page=99999999999999999999", 21),
            (PRODUCTS, "page=18446744073709551615&page_size=100", 24),
            (PRODUCTS, "page=last", 21),
            (PRODUCTS, "search=&min_price=&ordering=&page_size=&page=", 1),
            (PRODUCTS, "search=tea", 11),
            (PRODUCTS, "search=tea+mug", 16),
            (PRODUCTS, "search=%20", 1),
            (PRODUCTS, "search=e", 21),
            (PRODUCTS, "search=%C3%A9t", 21),
            (PRODUCTS, "search=tea&search=e", 21),
            (PRODUCTS, "search=a+b+c+d+e+f+g+h+i+j", 66),
            (PRODUCTS, "ordering=name", 1),
            (PRODUCTS, "ordering=-price,-id", 1),
            (PRODUCTS, "ordering=-price,id", 11),
            (PRODUCTS, "ordering=stock", 11),
            (PRODUCTS, "ordering=name,price", 11),
            (PRODUCTS, "ordering=nothing", 1),
            (PRODUCTS, "min_price=0.01", 5),
            (PRODUCTS, "in_stock=true&archived=true", 5),
            // The search that once made a shop unresponsive.
            (
                PRODUCTS,
                "search=e&ordering=stock,name&page=7&page_size=100&min_price=0.42",
                38,
            ),
            (ORDERS, "", 1),
            (ORDERS, "search=e", 1),
            (ORDERS, "status=pending&ordering=-total_price", 5),
            (ORDERS, "ordering=status,total_price&page_size=50", 12),
            (USERS, "", 1),
            (USERS, "search=%20%20", 1),
            (USERS, "search=ada&page_size=100", 24),
        ] {
            assert_eq!(units(path, query, 10), expected, "{path} {query}");
        }
        assert_eq!(units(PRODUCTS, "", 100), 4);
    }

    #[test]
    fn lists_that_cost_more_than_a_page_have_a_pool_of_their_own() {
        for (query, expected) in [
            ("", JobKind::List),
            ("page_size=100&ordering=-price", JobKind::List),
            ("page=101", JobKind::List),
            ("search=tea", JobKind::Search),
            ("in_stock=true", JobKind::Search),
            ("ordering=stock", JobKind::Search),
            ("page=last", JobKind::Search),
        ] {
            let kind = list_kind(units(PRODUCTS, query, 10));
            assert_eq!(kind, expected, "{query}");
        }
    }
}
