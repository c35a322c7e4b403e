//! The list of products: its filter, numbered pages and cursor pages.

use super::ProductResponse;
use crate::error::ApiError;
use crate::extract::parameter::{AMOUNT, ARCHIVED, FLAG};
use crate::extract::query::{CursorParams, ListRequest, PageParams, Query};
use crate::loaders::RenderedPage;
use crate::resources::prelude::*;
use crate::respond::pages::{CursorPageResponse, PageResponse, read_page};
use crate::respond::rendered::Rendered;
use std::sync::Arc;
use tradepost_domain::catalog::{ProductField, ProductFilter, ProductList};
use tradepost_domain::kernel::{Currency, Money, Search, Sorting};

pub(super) const SEARCH: QueryParameter<Search> = QueryParameter::new(
    "Search",
    "search",
    "Words, at most 10 of them, which all have to occur in the name or the description, whatever their case.",
    ParameterType {
        schema: || json!({"type": "string", "maxLength": Search::MAX}),
        parse: |text, ()| Search::new(text),
    },
)
.causing(Work::Search);
pub(super) const MIN_PRICE: QueryParameter<Money, Currency> = QueryParameter::new(
    "MinPrice",
    "min_price",
    "From this price, 0 or more.",
    AMOUNT,
)
.causing(Work::Filter);
pub(super) const MAX_PRICE: QueryParameter<Money, Currency> = QueryParameter::new(
    "MaxPrice",
    "max_price",
    "Up to this price, 0 or more.",
    AMOUNT,
)
.causing(Work::Filter);
pub(super) const IN_STOCK: QueryParameter<bool> =
    QueryParameter::new("InStock", "in_stock", "Those with stock alone.", FLAG)
        .causing(Work::Filter);
pub(crate) const ORDERING: QueryParameter<Sorting<ProductField>> =
    QueryParameter::ordering("ProductOrdering");

pub(super) async fn list(call: RequestContext) -> HttpResult {
    let mut query = Query::read(call.query_string());
    let filter = filter(&mut query, call.currency()).seen_by(call.actor);
    let scope = scope(&filter);
    match query.list_request(&ORDERING, call.page_size(), &scope, call.signer())? {
        ListRequest::Page(sorting, listing) => {
            page(call, ProductList { filter, sorting }, listing).await
        }
        ListRequest::Cursor(params) => cursor_page(call, filter, params).await,
    }
}

async fn page(call: RequestContext, list: ProductList, mut listing: PageParams) -> HttpResult {
    let read = async |request| call.catalogue_page(list.clone(), request).await;
    let page = read_page(&mut listing, read).await?;
    responses::shared(&call, &*body(&page, &listing, &call.own_url())?)
}

/// The body of a page; `url` is that of the list.
pub(crate) fn body(
    page: &RenderedPage,
    listing: &PageParams,
    url: &str,
) -> Result<Arc<Rendered>, ApiError> {
    let count = *page.whole();
    page.body(url, listing, count, |links| {
        PageResponse::linked(count, links, page.rows().iter().collect())
    })
}

async fn cursor_page(
    call: RequestContext,
    filter: ProductFilter,
    params: CursorParams<ProductField>,
) -> HttpResult {
    let (keyset, span) = (params.keyset, params.span.clone());
    let slice = call
        .read_list(move |shop, actor| shop.catalogue.cursor_page(actor, filter, keyset, &span))
        .await?;
    let products = slice
        .items
        .iter()
        .map(ProductResponse::from_product)
        .collect();
    let (url, signer) = (call.own_url(), call.signer());
    responses::ok(&CursorPageResponse::new(
        &url, &params, signer, &slice, products,
    ))
}

pub(crate) fn filter(query: &mut Query, currency: Currency) -> ProductFilter {
    ProductFilter {
        archived: query.flag(&ARCHIVED),
        search: query.optional(&SEARCH, ()).unwrap_or_default(),
        min_price: query.optional(&MIN_PRICE, currency),
        max_price: query.optional(&MAX_PRICE, currency),
        in_stock: query.flag(&IN_STOCK),
    }
}

/// The identity of a list, which its cursors are bound to.
pub(crate) fn scope(filter: &ProductFilter) -> impl Serialize + use<> {
    (
        "products",
        filter.archived,
        filter.search.words().to_vec(),
        filter.min_price.map(Money::minor),
        filter.max_price.map(Money::minor),
        filter.in_stock,
    )
}
