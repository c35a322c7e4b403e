//! Pagination responses, numbered and by cursor, with absolute links to the neighbours.

use crate::error::ApiError;
use crate::extract::query::{CursorParams, PageParams, encode};
use crate::respond::rendered::{Rendered, Variants};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use tradepost_domain::kernel::{CursorPage, MessageSigner, Page, PageRequest, Refusal};

/// A page of a list.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct PageResponse<T> {
    /// How many there are in all.
    count: u64,
    /// The address of the next page.
    #[schemars(url)]
    next: Option<String>,
    /// The address of the page before.
    #[schemars(url)]
    previous: Option<String>,
    results: Vec<T>,
}

impl<T> PageResponse<T> {
    /// The numbered page of `listing`; `url` is that of the list, without a query.
    pub(crate) fn new<R>(url: &str, listing: &PageParams, page: &Page<R>, results: Vec<T>) -> Self {
        Self::linked(page.count, Links::new(url, listing, page.count), results)
    }

    /// The numbered page with these links.
    pub(crate) fn linked(count: u64, links: Links, results: Vec<T>) -> Self {
        Self {
            count,
            next: links.next,
            previous: links.previous,
            results,
        }
    }
}

/// The links of a numbered page to its neighbours. They depend on the host that the request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Links {
    next: Option<String>,
    previous: Option<String>,
}

impl Links {
    /// The links of the page of `listing`, in a list of `count` rows; `url` is that of the list,
    /// without a query.
    fn new(url: &str, listing: &PageParams, count: u64) -> Self {
        let number = listing.page.number();
        // The first page needs no number.
        let numbered = |number: u64| (number > 1).then(|| ("page", number.to_string()));
        let link = |number| link(url, numbered(number), &listing.others);
        let page = Page::<()> {
            count,
            items: Vec::new(),
        };
        Self {
            next: page
                .has_next(listing.page)
                .then(|| link(number.saturating_add(1))),
            previous: number.checked_sub(1).filter(|before| *before > 0).map(link),
        }
    }
}

/// A row as JSON.
pub(crate) type RenderedRow = Box<RawValue>;

/// Rows that were read together, rendered once for all requests that the read answers. The links of
/// a page depend on its request, so whole bodies are shared by the requests with the same links.
pub(crate) struct RenderedRows<T> {
    rows: Vec<RenderedRow>,
    /// The facts about the whole list.
    whole: T,
    bodies: Variants<(Links, PageRequest)>,
}

impl<T> RenderedRows<T> {
    pub(crate) fn new(rows: Vec<RenderedRow>, whole: T) -> Self {
        Self {
            rows,
            whole,
            bodies: Variants::new(),
        }
    }

    pub(crate) fn rows(&self) -> &[RenderedRow] {
        &self.rows
    }

    pub(crate) fn whole(&self) -> &T {
        &self.whole
    }

    /// The body of the page of `listing`, in a list of `count` rows. `shape` makes the response of
    /// the first request that needs it.
    ///
    /// # Errors
    /// [`ApiError::Defect`].
    pub(crate) fn body<S: Serialize>(
        &self,
        url: &str,
        listing: &PageParams,
        count: u64,
        shape: impl FnOnce(Links) -> S,
    ) -> Result<Arc<Rendered>, ApiError> {
        let key = (Links::new(url, listing, count), listing.page);
        let render =
            |(links, _): &(Links, PageRequest)| Rendered::json(&shape(links.clone()), None);
        self.bodies.get_or_render(key, render).map_err(defect)
    }
}

/// Renders a row.
///
/// # Errors
/// [`ApiError::Defect`].
pub(crate) fn row(shape: &impl Serialize) -> Result<RenderedRow, ApiError> {
    to_raw_value(shape).map_err(defect)
}

/// Every response can be serialized.
fn defect(error: serde_json::Error) -> ApiError {
    ApiError::Defect(error.to_string())
}

/// A page of a list, or something made of one.
pub(crate) trait Counted {
    /// The number of rows of the whole list.
    fn count(&self) -> u64;
}

impl<R> Counted for Page<R> {
    fn count(&self) -> u64 {
        self.count
    }
}

impl Counted for Arc<RenderedRows<u64>> {
    fn count(&self) -> u64 {
        self.whole
    }
}

/// Reads the page of `listing`. For `page=last` the first page tells the count, by which `listing`
/// is resolved. `read` returns a page, or 404 for a number beyond the last one.
///
/// # Errors
/// Those of `read`.
pub(crate) async fn read_page<P: Counted>(
    listing: &mut PageParams,
    read: impl AsyncFn(PageRequest) -> Result<P, ApiError>,
) -> Result<P, ApiError> {
    let mut page = read(listing.page).await?;
    // The list may shrink or grow between two reads, so the last page can move meanwhile.
    for _ in 0..LAST_PAGE_READS {
        if !listing.resolve_last(page.count()) {
            break;
        }
        page = match read(listing.page).await {
            Err(ApiError::Refused(Refusal::NotFound)) => {
                listing.page = listing.page.last_of(0);
                read(listing.page).await?
            }
            page => page?,
        };
    }
    Ok(page)
}

/// The attempts to read the last page while the list changes.
const LAST_PAGE_READS: u32 = 3;

/// A part of a list, from a place in it on.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{T}Slice")]
pub(crate) struct CursorPageResponse<T> {
    /// The address of the next part.
    #[schemars(url)]
    pub(crate) next: Option<String>,
    /// The address of the part before.
    #[schemars(url)]
    pub(crate) previous: Option<String>,
    pub(crate) results: Vec<T>,
}

impl<T> CursorPageResponse<T> {
    /// The cursor page of these parameters; `url` is that of the list, without a query.
    pub(crate) fn new<F, R>(
        url: &str,
        params: &CursorParams<F>,
        signer: &dyn MessageSigner,
        slice: &CursorPage<R>,
        results: Vec<T>,
    ) -> Self {
        let cursor = |span| ("cursor", params.scope.write(span, signer));
        let link = |span| link(url, Some(cursor(span)), &params.others);
        Self {
            next: slice.next.as_ref().map(link),
            previous: slice.previous.as_ref().map(link),
            results,
        }
    }
}

/// A link to a page: this parameter, and the other ones unchanged.
fn link(url: &str, page: Option<(&str, String)>, others: &[(String, String)]) -> String {
    let mut link = url.to_owned();
    let mut separator = '?';
    let page = page.iter().map(|(name, value)| (*name, value.as_str()));
    let others = others.iter().map(|(name, value)| (&**name, &**value));
    for (name, value) in page.chain(others) {
        link.push(separator);
        encode(name, &mut link);
        link.push('=');
        encode(value, &mut link);
        separator = '&';
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_replace_the_page_and_keep_the_other_parameters() {
        let url = "http://shop/api/products/";
        for (query, count, next, previous) in [
            ("", 5, None, None),
            ("page_size=2", 5, Some("?page=2&page_size=2"), None),
            (
                "page=2&page_size=2",
                5,
                Some("?page=3&page_size=2"),
                Some("?page_size=2"),
            ),
            ("page=3&page_size=2", 5, None, Some("?page=2&page_size=2")),
            (
                "search=a%26b+c&page_size=2&x",
                5,
                Some("?page=2&search=a%26b%20c&page_size=2&x="),
                None,
            ),
            ("page=2&page_size=5", 10, None, Some("?page_size=5")),
            ("page=2", 20, None, Some("")),
        ] {
            let listing = PageParams::read(query, 10).unwrap();
            let page = Page::<()> {
                count,
                items: Vec::new(),
            };
            let shape = PageResponse::<()>::new(url, &listing, &page, Vec::new());
            let absolute = |link: Option<&str>| link.map(|link| format!("{url}{link}"));
            assert_eq!(shape.next, absolute(next), "{query}");
            assert_eq!(shape.previous, absolute(previous), "{query}");
        }
    }
}
