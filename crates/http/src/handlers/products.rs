use crate::answer::{self, Answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Fields, boolean, decimal, integer, text};
use crate::pages::PageShape;
use crate::query::{self, Listing};
use crate::shapes::ProductShape;
use tradepost_domain::{
    Currency, Description, Money, Price, Problem, ProductChange, ProductDraft, ProductFilter,
    ProductId, ProductName, Sku, StockLevel,
};

pub(crate) async fn list(call: Call) -> Answer {
    let listing = Listing::read(call.query_string(), call.page_size())?;
    let (archived, request) = (listing.archived, listing.page);
    let filter = ProductFilter { archived };
    let page = call
        .query(move |shop, actor| shop.catalogue.list(actor, filter, request))
        .await?;
    let results = page.items.iter().map(ProductShape::of).collect();
    answer::ok(&PageShape::new(&call.own_url(), &listing, &page, results))
}

pub(crate) async fn create(call: Call, fields: Fields) -> Answer {
    let draft = draft(fields, call.currency())?;
    let product = call
        .command(|shop, actor| shop.catalogue.create(actor, draft))
        .await?;
    let location = call.url(&format!("/api/products/{}/", product.id));
    answer::created_at(location, &ProductShape::of(&product))
}

pub(crate) async fn show(call: Call) -> Answer {
    let id = call.id(ProductId::parse)?;
    let archived = query::wants_archived(call.query_string())?;
    let product = call
        .query(move |shop, actor| shop.catalogue.product(actor, id, archived))
        .await?;
    answer::ok(&ProductShape::of(&product))
}

pub(crate) async fn replace(call: Call, mut fields: Fields) -> Answer {
    let name = fields.required("name", text(ProductName::new));
    let price = fields.required("price", decimal(price(call.currency())));
    set(call, fields, name, price).await
}

pub(crate) async fn change(call: Call, mut fields: Fields) -> Answer {
    let name = fields.optional("name", text(ProductName::new));
    let price = fields.optional("price", decimal(price(call.currency())));
    set(call, fields, name, price).await
}

async fn set(
    call: Call,
    mut fields: Fields,
    name: Option<ProductName>,
    price: Option<Price>,
) -> Answer {
    let id = call.id(ProductId::parse)?;
    let change = ProductChange {
        sku: fields.nullable("sku", text(Sku::new)),
        name,
        description: fields.optional("description", text(Description::new)),
        price,
        stock: fields.optional("stock", integer(StockLevel::requested)),
        archived: fields.optional("archived", boolean),
    };
    let change = fields.complete(Some(change))?;
    let product = call
        .command(move |shop, actor| shop.catalogue.change(actor, id, change))
        .await?;
    answer::ok(&ProductShape::of(&product))
}

pub(crate) async fn archive(call: Call) -> Answer {
    let id = call.id(ProductId::parse)?;
    call.command(move |shop, actor| shop.catalogue.archive(actor, id))
        .await?;
    answer::done()
}

fn draft(mut fields: Fields, currency: Currency) -> Result<ProductDraft, ApiError> {
    let sku = fields.nullable("sku", text(Sku::new)).flatten();
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

fn price(currency: Currency) -> impl FnOnce(&str) -> Result<Price, Problem> {
    move |text| Money::parse(text, currency).and_then(Price::new)
}
