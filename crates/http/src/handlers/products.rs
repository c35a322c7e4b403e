use crate::answer::{self, Answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Fields, decimal, integer, text};
use crate::idempotency::{Told, keyed};
use crate::pages::{PageShape, SliceShape, read_page};
use crate::query::{self, Listing, Part, Query, Walk};
use crate::reads::Shelf;
use crate::shapes::{ProductShape, stored};
use crate::tags::{self, Tag};
use serde::Serialize;
use tradepost_domain::{
    Catalogue, Currency, Description, Money, Price, Problem, Product, ProductChange, ProductDraft,
    ProductField, ProductFilter, ProductId, ProductList, ProductName, Refusal, Search, Sku,
    StockLevel,
};

pub(crate) async fn list(call: Call) -> Answer {
    let mut query = Query::read(call.query_string());
    let filter = filter(&mut query, call.currency()).seen_by(call.actor);
    let scope = scope(&filter);
    match query.part(call.page_size(), &scope, call.seal())? {
        Part::Page(sorting, listing) => page(call, ProductList { filter, sorting }, listing).await,
        Part::Walk(walk) => slice(call, filter, walk).await,
    }
}

async fn page(call: Call, list: ProductList, mut listing: Listing) -> Answer {
    let read = async |request| {
        let shelf = Shelf::of(call.actor, list.clone(), request);
        let page = call.find(|reads| &reads.pages, shelf, ()).await?;
        page.ok_or_else(|| Refusal::NotFound.into())
    };
    let page = read_page(&mut listing, read).await?;
    let results = page.items.iter().map(ProductShape::of).collect();
    answer::ok(&PageShape::new(&call.own_url(), &listing, &page, results))
}

async fn slice(call: Call, filter: ProductFilter, walk: Walk<ProductField>) -> Answer {
    let (keyset, span) = (walk.keyset, walk.span.clone());
    let slice = call
        .read_list(move |shop, actor| shop.catalogue.slice(actor, filter, keyset, &span))
        .await?;
    let results = slice.items.iter().map(ProductShape::of).collect();
    let (url, seal) = (call.own_url(), call.seal());
    answer::ok(&SliceShape::new(&url, &walk, seal, &slice, results))
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

pub(crate) async fn create(call: Call, mut fields: Fields) -> Answer {
    let key = call.idempotency_key(&mut fields);
    let draft = draft(fields, call.currency())?;
    let path = "/api/products/";
    let key = key.map(|key| keyed(key, path, &command(&draft), stored::product));
    let written = call
        .command(|shop, actor| shop.catalogue.create(actor, draft, key))
        .await?;
    let tag = |product: &Product| Some(Tag::of_product(product));
    let told = Told::tagged(written, stored::product, tag);
    answer::told_at(&call.url(path), told)
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

pub(crate) async fn show(call: Call) -> Answer {
    let id = call.id(ProductId::parse)?;
    let archived = query::wants_archived(call.query_string())?;
    let found = call.find(|reads| &reads.products, (), id).await?;
    show_one(&call, &Catalogue::show(call.actor, found, archived)?)
}

fn show_one(call: &Call, product: &Product) -> Answer {
    let shape = ProductShape::of(product);
    answer::shown(call, &shape, &Tag::of_product(product))
}

pub(crate) async fn replace(call: Call, mut fields: Fields) -> Answer {
    let name = fields.required("name", text(ProductName::new));
    let price = fields.required("price", decimal(price(call.currency())));
    // Only PATCH archives and restores: PUT ignores the field like any unknown one.
    set(call, fields, name, price, None).await
}

pub(crate) async fn change(call: Call, mut fields: Fields) -> Answer {
    let name = fields.optional("name", text(ProductName::new));
    let price = fields.optional("price", decimal(price(call.currency())));
    let archived = fields.boolean("archived");
    set(call, fields, name, price, archived).await
}

async fn set(
    call: Call,
    mut fields: Fields,
    name: Option<ProductName>,
    price: Option<Price>,
    archived: Option<bool>,
) -> Answer {
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
    let seen = tags::seen_product(call.request(), change.stock.is_some());
    let product = call
        .command(move |shop, actor| shop.catalogue.change(actor, id, change, seen))
        .await?;
    show_one(&call, &product)
}

pub(crate) async fn archive(call: Call) -> Answer {
    let id = call.id(ProductId::parse)?;
    let seen = tags::seen_product(call.request(), false);
    call.command(move |shop, actor| shop.catalogue.archive(actor, id, seen))
        .await?;
    answer::done()
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
fn sku(text: &str) -> Result<Option<Sku>, Problem> {
    let named = !text.trim().is_empty();
    named.then(|| Sku::new(text)).transpose()
}

fn price(currency: Currency) -> impl FnOnce(&str) -> Result<Price, Problem> {
    move |text| Money::parse(text, currency).and_then(Price::new)
}
