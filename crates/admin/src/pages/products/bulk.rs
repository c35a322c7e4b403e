//! Price and stock of many products at once. Each product is saved or keeps its row with its error:
//! the rows are independent, and executed in one slice.

use super::form::whole;
use crate::form::Form;
use crate::page::{Page, PageResult};
use crate::version::Snapshot;
use askama::Template;
use std::collections::BTreeMap;
use tradepost_domain::catalog::{Price, Product, ProductChange, ProductEdit};
use tradepost_domain::inventory::{StockAdjustment, StockDelta};
use tradepost_domain::kernel::{
    Error, FieldError, Note, Precondition, ProductId, Refusal, ResponseEncoder,
};
use tradepost_http::kit::ApiError;

/// The most products in one form: a page of the list has fewer.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "products/bulk.html")]
struct Bulk<'a> {
    page: &'a Page,
    form: &'a Form,
    rows: Vec<Row>,
    /// Number of products that were saved.
    saved: usize,
}

/// A product in the form: the typed values and their errors.
struct Row {
    id: ProductId,
    name: String,
    stock: i64,
    price: String,
    delta: String,
    version: String,
    price_error: Option<String>,
    delta_error: Option<String>,
}

impl Row {
    fn new(product: &Product) -> Self {
        Self {
            id: product.id,
            name: product.name.to_string(),
            stock: product.stock.units(),
            price: product.price.money().to_string(),
            delta: String::new(),
            version: version(product),
            price_error: None,
            delta_error: None,
        }
    }

    fn has_error(&self) -> bool {
        self.price_error.is_some() || self.delta_error.is_some()
    }
}

/// The version of the price: the form edits nothing else with a precondition.
fn version(product: &Product) -> String {
    Snapshot::new([("price", "Price", product.price.money().to_string())]).version()
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

pub(super) async fn show(page: Page, form: Form) -> PageResult {
    let products = chosen(&page, &form).await?;
    if products.is_empty() {
        return page.redirect("/products/", "Tick the products to edit first.");
    }
    page.show(&Bulk {
        page: &page,
        form: &Form::default(),
        rows: products.iter().map(Row::new).collect(),
        saved: 0,
    })
}

/// The changes that a row asks for.
struct Wish {
    price: Option<Price>,
    delta: Option<StockDelta>,
}

pub(super) async fn save(page: Page, mut form: Form) -> PageResult {
    let products = chosen(&page, &form).await?;
    let note = form.optional("note", Note::new);
    let mut rows = Vec::with_capacity(products.len());
    let mut wishes = BTreeMap::new();
    for product in &products {
        let mut row = typed(product, &form);
        if let Some(wish) = wish(&page, product, &mut row) {
            wishes.insert(product.id, wish);
        }
        rows.push(row);
    }
    if let Some(note) = note {
        apply(&page, &mut rows, &wishes, &note).await?;
    }
    let failed = |row: &Row| row.has_error();
    let left: Vec<Row> = match form.has_errors() {
        true => rows,
        false => rows.into_iter().filter(failed).collect(),
    };
    let saved = if form.has_errors() {
        0
    } else {
        products.len() - left.len()
    };
    if left.is_empty() {
        return page.redirect("/products/", &format!("{saved} products were saved."));
    }
    page.invalid(&Bulk {
        page: &page,
        form: &form,
        rows: left,
        saved,
    })
}

/// The row of a product, with the typed values.
fn typed(product: &Product, form: &Form) -> Row {
    let value = |name: &str| {
        form.value(&format!("{name}.{}", product.id.get()))
            .to_owned()
    };
    Row {
        price: value("price"),
        delta: value("delta"),
        version: value("version"),
        ..Row::new(product)
    }
}

/// Reads the typed values of a row, and keeps their errors in it.
fn wish(page: &Page, product: &Product, row: &mut Row) -> Option<Wish> {
    let price = Price::parse(&row.price, page.currency());
    row.price_error = price.as_ref().err().map(ToString::to_string);
    let delta = match whole(&row.delta) {
        Ok(0) => Ok(None),
        Ok(units) => StockDelta::requested(units).map(Some),
        Err(error) => Err(error),
    };
    row.delta_error = delta.as_ref().err().map(ToString::to_string);
    let price = price.ok()?;
    Some(Wish {
        price: (price != product.price).then_some(price),
        delta: delta.ok()?,
    })
}

/// Executes the prices and the adjustments, each in one slice, and keeps the refusals in the rows.
async fn apply(
    page: &Page,
    rows: &mut [Row],
    wishes: &BTreeMap<ProductId, Wish>,
    note: &Option<Note>,
) -> Result<(), ApiError> {
    let (mut edits, mut adjustments) = (Vec::new(), Vec::new());
    for row in rows.iter() {
        let Some(wish) = wishes.get(&row.id) else {
            continue;
        };
        if let Some(price) = wish.price {
            edits.push(edit(row, price));
        }
        if let Some(delta) = wish.delta {
            adjustments.push(StockAdjustment {
                product: row.id,
                delta,
                note: note.clone(),
            });
        }
    }
    let priced: Vec<ProductId> = edits.iter().map(|edit| edit.product).collect();
    let moved: Vec<ProductId> = adjustments
        .iter()
        .map(|adjustment| adjustment.product)
        .collect();
    let prices = page
        .command(move |shop, actor| shop.catalogue.change_all(actor, edits))
        .await?;
    let prices = failures(priced, prices)?;
    for row in rows.iter_mut() {
        row.price_error = row
            .price_error
            .take()
            .or_else(|| prices.get(&row.id).cloned());
    }
    let stock = page
        .command(move |shop, actor| shop.inventory.adjust_all(actor, adjustments))
        .await?;
    let stock = failures(moved, stock)?;
    for row in rows.iter_mut() {
        row.delta_error = row
            .delta_error
            .take()
            .or_else(|| stock.get(&row.id).cloned());
        if row.has_error() && wishes.get(&row.id).is_some_and(|wish| wish.delta.is_some()) {
            // The stock of a row that comes back is not adjusted twice.
            if row.delta_error.is_none() {
                row.delta = String::new();
            }
        }
    }
    Ok(())
}

fn edit(row: &Row, price: Price) -> ProductEdit {
    ProductEdit {
        product: row.id,
        change: ProductChange {
            price: Some(price),
            ..ProductChange::default()
        },
        seen: Some(Precondition {
            tags: vec![row.version.clone()],
            tag: ResponseEncoder(version),
        }),
    }
}

/// The sentences of the refused commands, by product.
///
/// # Errors
/// The first failure of the store.
fn failures<T>(
    products: Vec<ProductId>,
    results: Vec<Result<T, Error>>,
) -> Result<BTreeMap<ProductId, String>, ApiError> {
    let mut failures = BTreeMap::new();
    for (product, result) in products.into_iter().zip(results) {
        match result {
            Ok(_) => {}
            Err(Error::Refused(refusal)) => {
                failures.insert(product, sentence(&refusal));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(failures)
}

fn sentence(refusal: &Refusal) -> String {
    match refusal {
        Refusal::PreconditionFailed => {
            "The price was changed meanwhile. Look at the product, and try again.".to_owned()
        }
        Refusal::Invalid(errors) => {
            let first: Option<(_, &FieldError)> = errors.iter().next();
            first.map_or_else(|| refusal.to_string(), |(_, error)| error.to_string())
        }
        refusal => refusal.to_string(),
    }
}
