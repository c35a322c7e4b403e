//! Pagination responses, numbered and by cursor, with absolute links to the neighbours.

use crate::error::ApiError;
use crate::extract::query::{CursorParams, PageParams, encode};
use schemars::JsonSchema;
use serde::Serialize;
use std::borrow::Borrow;
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
        let number = listing.page.number();
        // The first page needs no number.
        let numbered = |number: u64| (number > 1).then(|| ("page", number.to_string()));
        let link = |number| link(url, numbered(number), &listing.others);
        Self {
            count: page.count,
            next: page
                .has_next(listing.page)
                .then(|| link(number.saturating_add(1))),
            previous: number.checked_sub(1).filter(|before| *before > 0).map(link),
            results,
        }
    }
}

/// Reads the page of `listing`. For `page=last` the first page tells the count, by which `listing`
/// is resolved. `read` returns a page, or 404 for a number beyond the last one.
///
/// # Errors
/// Those of `read`.
pub(crate) async fn read_page<R, P: Borrow<Page<R>>>(
    listing: &mut PageParams,
    read: impl AsyncFn(PageRequest) -> Result<P, ApiError>,
) -> Result<P, ApiError> {
    let mut page = read(listing.page).await?;
    // The list may shrink or grow between two reads, so the last page can move meanwhile.
    for _ in 0..LAST_PAGE_READS {
        if !listing.resolve_last(page.borrow().count) {
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
    /// The cursor page of `walk`; `url` is that of the list, without a query.
    pub(crate) fn new<F, R>(
        url: &str,
        walk: &CursorParams<F>,
        signer: &dyn MessageSigner,
        slice: &CursorPage<R>,
        results: Vec<T>,
    ) -> Self {
        let cursor = |span| ("cursor", walk.scope.write(span, signer));
        let link = |span| link(url, Some(cursor(span)), &walk.others);
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
