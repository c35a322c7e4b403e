//! The list of products: its filter, numbered pages and cursor pages.

use super::ProductResponse;
use crate::endpoint::ordering_schema;
use crate::error::ApiError;
use crate::extract::query::{self, CursorParams, ListRequest, PageParams, Query};
use crate::loaders::{CatalogPageKey, RenderedPage};
use crate::resources::prelude::*;
use crate::respond::json::DECIMAL;
use crate::respond::pages::{CursorPageResponse, PageResponse, read_page};
use crate::respond::rendered::Rendered;
use std::sync::Arc;
use tradepost_domain::catalog::{ProductField, ProductFilter, ProductList};
use tradepost_domain::kernel::{Currency, Money, Search};

parameters! {
    pub(super) SEARCH = "query" "Search" "search"
        "Words, at most 10 of them, which all have to occur in the name or the description, whatever their case.",
        json!({"type": "string", "maxLength": Search::MAX});
    pub(super) MIN_PRICE = "query" "MinPrice" "min_price" "From this price, 0 or more.", amount_schema();
    pub(super) MAX_PRICE = "query" "MaxPrice" "max_price" "Up to this price, 0 or more.", amount_schema();
    pub(super) IN_STOCK = "query" "InStock" "in_stock" "Those with stock alone.",
        json!({"type": "boolean"});
    pub(super) ORDERING = "query" "ProductOrdering" "ordering"
        "Fields with commas between them, each once; a `-` before one turns it round.",
        ordering_schema::<ProductField>();
}

fn amount_schema() -> Value {
    let pattern = format!("^$|{DECIMAL}");
    json!({"type": "string", "pattern": pattern, "maxLength": Money::MAX_TEXT})
}

pub(super) async fn list(call: RequestContext) -> HttpResult {
    let mut query = Query::read(call.query_string());
    let filter = filter(&mut query, call.currency()).seen_by(call.actor);
    let scope = scope(&filter);
    match query.part(call.page_size(), &scope, call.signer())? {
        ListRequest::Page(sorting, listing) => {
            page(call, ProductList { filter, sorting }, listing).await
        }
        ListRequest::CursorParams(walk) => cursor_page(call, filter, walk).await,
    }
}

async fn page(call: RequestContext, list: ProductList, mut listing: PageParams) -> HttpResult {
    let read = async |request| {
        let shelf = CatalogPageKey::of(call.actor, list.clone(), request);
        call.catalogue_pages().load(shelf, call.deadline).await?
    };
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
    walk: CursorParams<ProductField>,
) -> HttpResult {
    let (keyset, span) = (walk.keyset, walk.span.clone());
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
        &url, &walk, signer, &slice, products,
    ))
}

pub(crate) fn filter(query: &mut Query, currency: Currency) -> ProductFilter {
    ProductFilter {
        archived: query.flag("archived"),
        search: query.optional(SEARCH.name, Search::new).unwrap_or_default(),
        min_price: query.optional(MIN_PRICE.name, query::amount(currency)),
        max_price: query.optional(MAX_PRICE.name, query::amount(currency)),
        in_stock: query.flag(IN_STOCK.name),
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
