//! Cost of a request, in the units of the token buckets of `rate_limiter.rs`.
//!
//! One unit is a read of one row by its key, or a page of ten rows that an index finds: a few
//! tenths of a millisecond of the store. A list adds the work that its parameters cause, as far as
//! they show it before the query runs. The constants are ratios, rounded to values that are easy to
//! remember; the measurements behind them are in `docs/performance.md`: a search takes four to five
//! times as long as a page of the catalogue if few products match, and several times as long again
//! if many do.

use crate::exec::worker_pool::JobKind;
use crate::extract::query::{filled, page_size, pairs, whole};
use tradepost_domain::catalog::ProductField;
use tradepost_domain::kernel::{Keyset, PageRequest, Search, SortField, Sorting};
use tradepost_domain::orders::OrderField;

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
const PAGE: u32 = 4;

/// The pool of a list of this cost, in units.
pub(crate) fn list_kind(units: u32) -> JobKind {
    match units <= PAGE {
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
    /// A list in one order.
    List,
    /// The list of products.
    Products,
    /// The list of orders.
    Orders,
    /// The list of users.
    Users,
}

impl Cost {
    /// The units of a request with this query string; `default_size` is the page size if it names
    /// none. A request that the handler rejects costs as much.
    pub(crate) fn units(self, query: &str, default_size: u32) -> u32 {
        if self == Self::Plain {
            return BASE;
        }
        if self == Self::Password {
            return PASSWORD;
        }
        let pairs = pairs(query);
        let value = |name| filled(&pairs, name);
        let has = |names: &[&'static str]| names.iter().any(|name| value(name).is_some());
        let mut list = ListCost::of(&value, default_size);
        match self {
            Self::Plain | Self::Password | Self::List => {}
            Self::Products => {
                let search = value("search").map(Search::new);
                let search = search.and_then(Result::ok).unwrap_or_default();
                let words = search.words();
                list.words = u32::try_from(words.len()).unwrap_or(u32::MAX);
                list.has_short_word = words.iter().any(|word| word.chars().count() < TRIGRAM);
                list.is_filtered = has(&["archived", "min_price", "max_price", "in_stock"]);
                list.is_sorted = is_sorted::<ProductField>(value("ordering"));
            }
            Self::Orders => {
                let filters = [
                    "user",
                    "archived",
                    "status",
                    "created_after",
                    "created_before",
                ];
                list.is_filtered = has(&filters);
                list.is_sorted = is_sorted::<OrderField>(value("ordering"));
            }
            Self::Users => {
                list.searches_users = value("search").is_some_and(|text| !text.trim().is_empty());
            }
        }
        list.units()
    }
}

/// Whether this order needs a sort: no index has two fields, or a field that a sale changes.
fn is_sorted<F: SortField>(ordering: Option<&str>) -> bool {
    let sorting = ordering.map(Sorting::<F>::parse).and_then(Result::ok);
    sorting.is_some_and(|sorting| Keyset::new(&sorting).is_err())
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
    fn of<'a>(value: &impl Fn(&'static str) -> Option<&'a str>, default_size: u32) -> Self {
        let size = value("page_size").map(page_size).and_then(Result::ok);
        let size = size.unwrap_or(default_size.max(1));
        // The offset of the last page is not known yet.
        let number = match value("page") {
            Some("last") => Some(u64::MAX),
            page => page.and_then(whole),
        };
        let page = PageRequest::new(number.unwrap_or(1), size);
        Self {
            size,
            before: page.map_or(0, PageRequest::offset),
            ..Self::default()
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

    #[test]
    fn costs_by_class_and_parameters() {
        use Cost::{List, Orders, Password, Plain, Products, Users};
        for (class, query, expected) in [
            (Plain, "", 1),
            (Plain, "search=e&page_size=100", 1),
            (Password, "", 10),
            (List, "", 1),
            (List, "page_size=100&search=e&ordering=stock", 4),
            (Products, "", 1),
            (Products, "page_size=25", 1),
            (Products, "page_size=26", 2),
            (Products, "page_size=100", 4),
            // Parsed as the handler parses them: the last of several, clamped to the bounds.
            (Products, "page_size=10&page_size=100000", 4),
            (Products, "page_size=0", 1),
            (Products, "page=100", 1),
            (Products, "page=101", 2),
            (Products, "page=1001&page_size=10", 11),
            (Products, "page=99999999999999999999", 21),
            (Products, "page=18446744073709551615&page_size=100", 24),
            (Products, "page=last", 21),
            (Products, "search=&min_price=&ordering=&page_size=&page=", 1),
            (Products, "search=tea", 11),
            (Products, "search=tea+mug", 16),
            (Products, "search=%20", 1),
            (Products, "search=e", 21),
            (Products, "search=%C3%A9t", 21),
            (Products, "search=tea&search=e", 21),
            (Products, "search=a+b+c+d+e+f+g+h+i+j", 66),
            (Products, "ordering=name", 1),
            (Products, "ordering=-price,-id", 1),
            (Products, "ordering=-price,id", 11),
            (Products, "ordering=stock", 11),
            (Products, "ordering=name,price", 11),
            (Products, "ordering=nothing", 1),
            (Products, "min_price=0.01", 5),
            (Products, "in_stock=true&archived=true", 5),
            // The search that once made a shop unresponsive.
            (
                Products,
                "search=e&ordering=stock,name&page=7&page_size=100&min_price=0.42",
                38,
            ),
            (Orders, "", 1),
            (Orders, "search=e", 1),
            (Orders, "status=pending&ordering=-total_price", 5),
            (Orders, "ordering=status,total_price&page_size=50", 12),
            (Users, "", 1),
            (Users, "search=%20%20", 1),
            (Users, "search=ada&page_size=100", 24),
        ] {
            assert_eq!(class.units(query, 10), expected, "{class:?} {query}");
        }
        assert_eq!(Products.units("", 100), 4);
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
            let kind = list_kind(Cost::Products.units(query, 10));
            assert_eq!(kind, expected, "{query}");
        }
    }
}
