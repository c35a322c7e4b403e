//! The form of a product: its fields, and how they are read.

use crate::form::Form;
use crate::version::Snapshot;
use tradepost_domain::catalog::{Measure, Measures, Price, Product, ProductChange, ProductDraft};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{
    Currency, Description, FieldError, Precondition, ProductName, ResponseEncoder, Sku,
};

/// The editable fields of a product.
pub(super) fn snapshot(product: &Product) -> Snapshot {
    let sku = product.sku.as_ref().map_or("", Sku::as_str);
    let fields = [
        ("name", "Name", product.name.to_string()),
        ("sku", "SKU", sku.to_owned()),
        ("price", "Price", product.price.money().to_string()),
    ];
    let measures = product.measures.iter();
    let measures =
        measures.map(|(measure, value)| (measure.name(), measure.title(), value.to_string()));
    let low_stock = product.low_stock;
    let low_stock = low_stock.map_or_else(String::new, |level| level.to_string());
    let others = [
        ("low_stock", "Low in stock at", low_stock),
        (
            "description",
            "Description",
            product.description.to_string(),
        ),
    ];
    Snapshot::new(fields.into_iter().chain(measures).chain(others))
}

/// The precondition that a product has the version which a form was filled from.
pub(super) fn unchanged_since(version: &str) -> Precondition<Product> {
    Precondition {
        tags: vec![version.to_owned()],
        tag: ResponseEncoder(|product| snapshot(product).version()),
    }
}

/// A whole number; an empty field is zero.
pub(super) fn whole(text: &str) -> Result<i64, FieldError> {
    match text.trim() {
        "" => Ok(0),
        text => text.parse().map_err(|_| FieldError::NotAnInteger),
    }
}

/// Reads the threshold of low stock; an empty field is that of the shop.
fn threshold(form: &mut Form) -> Option<Option<StockLevel>> {
    form.optional("low_stock", |text| StockLevel::requested(whole(text)?))
}

/// Reads the measures; `None` if one has an error.
fn measures(form: &mut Form) -> Option<Measures> {
    let mut measures = Some(Measures::default());
    for measure in Measure::ALL {
        let value = form.read(measure.name(), |text| measure.check(whole(text)?));
        let both = measures.zip(value);
        measures = both.and_then(|(measures, value)| measures.with(*measure, value).ok());
    }
    measures
}

/// Reads the fields of a new product; `None` if one has an error.
pub(super) fn draft(form: &mut Form, currency: Currency) -> Option<ProductDraft> {
    let name = form.read("name", ProductName::new);
    let sku = form.optional("sku", Sku::new);
    let price = form.read("price", |text| Price::parse(text, currency));
    let measures = measures(form);
    let low_stock = threshold(form);
    let stock = form.read("stock", |text| StockLevel::requested(whole(text)?));
    let description = form.read("description", Description::new);
    Some(ProductDraft {
        sku: sku?,
        name: name?,
        description: description?,
        price: price?,
        stock: stock?,
        measures: measures?,
        low_stock: low_stock?,
    })
}

/// Reads the fields of an edited product; `None` if one has an error.
pub(super) fn change(form: &mut Form, currency: Currency) -> Option<ProductChange> {
    let name = form.read("name", ProductName::new);
    let sku = form.optional("sku", Sku::new);
    let price = form.read("price", |text| Price::parse(text, currency));
    let measures = measures(form);
    let low_stock = threshold(form);
    let description = form.read("description", Description::new);
    Some(ProductChange {
        name: Some(name?),
        sku: Some(sku?),
        price: Some(price?),
        measures: measures?.into(),
        low_stock: Some(low_stock?),
        description: Some(description?),
        ..ProductChange::default()
    })
}
