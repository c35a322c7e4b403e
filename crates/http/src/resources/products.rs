use crate::error::ApiError;
use crate::extract::fields::{Fields, decimal, integer, text};
use crate::extract::query::{self, CursorParams, ListRequest, PageParams, Query};
use crate::extract::request_context::RequestContext;
use crate::loaders::CatalogPageKey;
use crate::resources::etag::{self, ETag};
use crate::resources::json::{ProductResponse, stored};
use crate::respond::pages::{CursorPageResponse, PageResponse, read_page};
use crate::respond::replay::{ReplayableResponse, keyed};
use crate::respond::responses::{self, HttpResult};
use serde::Serialize;
use tradepost_domain::catalog::{Catalogue, Price, Product, ProductChange, ProductDraft};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{
    Currency, Description, FieldError, Money, ProductField, ProductFilter, ProductId, ProductList,
    ProductName, Search, Sku,
};

pub(crate) async fn list(call: RequestContext) -> HttpResult {
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
        call.loaders().pages.load(shelf, call.deadline).await
    };
    let page = read_page(&mut listing, read).await?;
    let results = page.items.iter().map(ProductResponse::of).collect();
    responses::ok(&PageResponse::new(
        &call.own_url(),
        &listing,
        &page,
        results,
    ))
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
    let results = slice.items.iter().map(ProductResponse::of).collect();
    let (url, seal) = (call.own_url(), call.signer());
    responses::ok(&CursorPageResponse::new(&url, &walk, seal, &slice, results))
}

pub(crate) fn filter(query: &mut Query, currency: Currency) -> ProductFilter {
    ProductFilter {
        archived: query.flag("archived"),
        search: query.optional("search", Search::new).unwrap_or_default(),
        min_price: query.optional("min_price", query::amount(currency)),
        max_price: query.optional("max_price", query::amount(currency)),
        in_stock: query.flag("in_stock"),
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

pub(crate) async fn create(call: RequestContext, mut fields: Fields) -> HttpResult {
    let key = call.idempotency_key(&mut fields);
    let draft = draft(fields, call.currency())?;
    let path = "/api/products/";
    let key = key.map(|key| keyed(key, path, &command(&draft), stored::product));
    let written = call
        .command(|shop, actor| shop.catalogue.create(actor, draft, key))
        .await?;
    let tag = |product: &Product| Some(ETag::of_product(product));
    let told = ReplayableResponse::tagged(written, stored::product, tag);
    responses::created_at(&call.url(path), told)
}

/// The canonical form of the command, for its fingerprint.
fn command(draft: &ProductDraft) -> impl Serialize {
    let price = draft.price.money();
    (
        "product",
        draft.sku.as_ref().map(Sku::as_str),
        draft.name.as_str(),
        draft.description.as_str(),
        (price.minor(), price.currency().code()),
        draft.stock.units(),
    )
}

pub(crate) async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let archived = query::wants_archived(call.query_string())?;
    let found = call.loaders().products.load(id, call.deadline).await?;
    show_one(&call, &Catalogue::show(call.actor, found, archived)?)
}

fn show_one(call: &RequestContext, product: &Product) -> HttpResult {
    let shape = ProductResponse::of(product);
    responses::ok_with_etag(call, &shape, &ETag::of_product(product))
}

pub(crate) async fn replace(call: RequestContext, mut fields: Fields) -> HttpResult {
    let name = fields.required("name", text(ProductName::new));
    let price = fields.required("price", decimal(price(call.currency())));
    // Only PATCH archives and restores: PUT ignores the field like any unknown one.
    set(call, fields, name, price, None).await
}

pub(crate) async fn change(call: RequestContext, mut fields: Fields) -> HttpResult {
    let name = fields.optional("name", text(ProductName::new));
    let price = fields.optional("price", decimal(price(call.currency())));
    let archived = fields.boolean("archived");
    set(call, fields, name, price, archived).await
}

async fn set(
    call: RequestContext,
    mut fields: Fields,
    name: Option<ProductName>,
    price: Option<Price>,
    archived: Option<bool>,
) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let change = ProductChange {
        sku: fields.nullable("sku", text(sku)).map(Option::flatten),
        name,
        description: fields.optional("description", text(Description::new)),
        price,
        stock: fields.optional("stock", integer(StockLevel::requested)),
        archived,
    };
    let change = fields.complete(Some(change))?;
    let seen = etag::if_match_product(call.request(), change.stock.is_some());
    let product = call
        .command(move |shop, actor| shop.catalogue.change(actor, id, change, seen))
        .await?;
    show_one(&call, &product)
}

pub(crate) async fn archive(call: RequestContext) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let seen = etag::if_match_product(call.request(), false);
    call.command(move |shop, actor| shop.catalogue.archive(actor, id, seen))
        .await?;
    responses::no_content()
}

fn draft(mut fields: Fields, currency: Currency) -> Result<ProductDraft, ApiError> {
    let sku = fields.nullable("sku", text(sku)).flatten().flatten();
    let name = fields.required("name", text(ProductName::new));
    let description = fields
        .optional("description", text(Description::new))
        .or_else(|| Description::new("").ok());
    let price = fields.required("price", decimal(price(currency)));
    let stock = fields.optional("stock", integer(StockLevel::requested));
    let stock = stock.unwrap_or(StockLevel::ZERO);
    let required = name.zip(description).zip(price);
    let ((name, description), price) = fields.complete(required)?;
    Ok(ProductDraft {
        sku,
        name,
        description,
        price,
        stock,
    })
}

/// An empty SKU is none.
fn sku(text: &str) -> Result<Option<Sku>, FieldError> {
    let named = !text.trim().is_empty();
    named.then(|| Sku::new(text)).transpose()
}

fn price(currency: Currency) -> impl FnOnce(&str) -> Result<Price, FieldError> {
    move |text| Money::parse(text, currency).and_then(Price::new)
}
