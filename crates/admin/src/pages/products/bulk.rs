//! Price and stock of many products at once. The form is saved as a whole or not at all: every
//! error is shown beside its field, with everything that was typed.

use super::form::whole;
use crate::form::Form;
use crate::page::{Page, PageResult};
use crate::version::Snapshot;
use askama::Template;
use tradepost_domain::catalog::{Price, Product, ProductChange, ProductEdit, StockChange};
use tradepost_domain::inventory::{InventoryRefusal, StockDelta};
use tradepost_domain::kernel::{
    FieldError, Note, Precondition, ProductId, Refusal, Refusals, ResponseEncoder,
};
use tradepost_http::kit::{ApiError, Code};

/// The most products in one form: a page of the list has fewer.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "products/bulk.html")]
struct Bulk<'a> {
    page: &'a Page,
    form: &'a Form,
    rows: Vec<Row>,
}

/// A product in the form, and the names of its fields.
struct Row {
    id: ProductId,
    name: String,
    stock: i64,
    price: String,
    delta: String,
    version: String,
}

impl Row {
    fn new(product: &Product) -> Self {
        let field = |name| field(name, product.id);
        Self {
            id: product.id,
            name: product.name.to_string(),
            stock: product.stock.units(),
            price: field("price"),
            delta: field("delta"),
            version: field("version"),
        }
    }
}

/// The name of a field of a product.
fn field(name: &str, product: ProductId) -> String {
    format!("{name}.{}", product.get())
}

/// The version of a price: the form edits nothing else with a precondition.
fn version(price: Price) -> String {
    Snapshot::new([("price", "Price", price.money().to_string())]).version()
}

/// The chosen products.
async fn chosen(page: &Page, form: &Form) -> Result<Vec<Product>, ApiError> {
    let mut ids: Vec<_> = form
        .values("id")
        .filter_map(ProductId::parse)
        .take(MOST)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    page.query(move |shop, _| {
        let mut products = shop.catalogue.find_all(&ids)?;
        products.sort_by_key(|product| product.id);
        Ok(products)
    })
    .await
}

fn none_chosen(page: &Page) -> PageResult {
    page.redirect("/products/", "Tick the products to edit first.")
}

pub(super) async fn show(page: Page, form: Form) -> PageResult {
    let products = chosen(&page, &form).await?;
    if products.is_empty() {
        return none_chosen(&page);
    }
    let mut form = Form::default();
    for product in &products {
        let price = product.price.money().to_string();
        form.set(&field("price", product.id), &price);
        form.set(&field("version", product.id), &version(product.price));
    }
    page.show(&view(&page, &form, &products))
}

fn view<'a>(page: &'a Page, form: &'a Form, products: &[Product]) -> Bulk<'a> {
    let rows = products.iter().map(Row::new).collect();
    Bulk { page, form, rows }
}

pub(super) async fn save(page: Page, mut form: Form) -> PageResult {
    let products = chosen(&page, &form).await?;
    if products.is_empty() {
        return none_chosen(&page);
    }
    let note = form.optional("note", Note::new).flatten();
    let edits = products
        .iter()
        .filter_map(|product| edit(&page, product, &note, &mut form));
    let edits: Vec<ProductEdit> = edits.collect();
    if form.has_errors() {
        return page.invalid(&view(&page, &form, &products));
    }
    if edits.is_empty() {
        let sentence = "Nothing was changed: no price and no stock was edited.";
        return page.redirect("/products/", sentence);
    }
    let edited: Vec<ProductId> = edits.iter().map(|edit| edit.product).collect();
    let changed = page
        .command(move |shop, actor| shop.catalogue.change_together(actor, edits))
        .await;
    let refusals = match changed {
        Ok(Ok(products)) if products.len() == 1 => {
            return page.redirect("/products/", "1 product was saved.");
        }
        Ok(Ok(products)) => {
            let sentence = format!("{} products were saved.", products.len());
            return page.redirect("/products/", &sentence);
        }
        Ok(Err(refusals)) => refusals,
        Err(error) if error.code() == Code::Busy => {
            let sentence = "Other users change these products right now. Nothing was changed; \
                save again.";
            form.fail_all(sentence.to_owned());
            return page.retry_later(Code::Busy, 1, &view(&page, &form, &products));
        }
        Err(error) => return Err(error),
    };
    let products = chosen(&page, &form).await?;
    let code = refused(&products, &edited, refusals, &mut form);
    page.failed(code, &view(&page, &form, &products))
}

/// The edit that a row asks for, if any. Keeps the errors of its fields.
fn edit(
    page: &Page,
    product: &Product,
    note: &Option<Note>,
    form: &mut Form,
) -> Option<ProductEdit> {
    let (price_field, delta_field) = (field("price", product.id), field("delta", product.id));
    let price = Price::parse(form.value(&price_field), page.currency());
    let delta = match whole(form.value(&delta_field)) {
        Ok(0) => Ok(None),
        Ok(units) => StockDelta::requested(units).map(Some),
        Err(error) => Err(error),
    };
    if let Err(error) = &price {
        form.fail(&price_field, &error.to_string());
    }
    if let Err(error) = &delta {
        form.fail(&delta_field, &error.to_string());
    }
    // A price that was not edited stays, also if it was changed meanwhile.
    let seen = form.value(&field("version", product.id));
    let is_edited = |price: &Price| version(*price) != seen && *price != product.price;
    let price = price.ok()?;
    let price = is_edited(&price).then_some(price);
    let delta = delta.ok()?;
    if price.is_none() && delta.is_none() {
        return None;
    }
    let note = note.clone();
    Some(ProductEdit {
        product: product.id,
        change: ProductChange {
            price,
            adjustment: delta.map(|delta| StockChange { delta, note }),
            ..ProductChange::default()
        },
        seen: price.map(|_| Precondition {
            tags: vec![seen.to_owned()],
            tag: ResponseEncoder(|product: &Product| version(product.price)),
        }),
    })
}

/// Keeps the refusals beside the fields of their products; returns the code of the response.
fn refused(
    products: &[Product],
    edited: &[ProductId],
    refusals: Refusals,
    form: &mut Form,
) -> Code {
    let mut code = Code::Invalid;
    for (id, refusal) in edited.iter().zip(refusals) {
        let product = products.iter().find(|product| product.id == *id);
        let (Some(product), Some(refusal)) = (product, refusal) else {
            continue;
        };
        let (price, delta) = (field("price", *id), field("delta", *id));
        match refusal {
            Refusal::PreconditionFailed => {
                code = Code::PreconditionFailed;
                let sentence = format!(
                    "Another user changed it to {} meanwhile. Save again to set it to {}.",
                    product.price.money(),
                    form.value(&price).trim()
                );
                form.fail(&price, &sentence);
                form.set(&field("version", *id), &version(product.price));
            }
            Refusal::NotFound => form.fail(&price, "The product was archived meanwhile."),
            Refusal::Inventory(InventoryRefusal::InsufficientStock(_)) => {
                let units = product.stock.units();
                form.fail(&delta, &format!("Only {units} units are in stock."));
            }
            Refusal::Invalid(errors) => {
                let errors: Vec<(_, &FieldError)> = errors.iter().collect();
                for (name, error) in errors {
                    form.fail(&field(name, *id), &error.to_string());
                }
            }
            refusal => form.fail(&price, &refusal.to_string()),
        }
    }
    code
}
