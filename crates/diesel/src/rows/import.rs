use super::measures::{StagedMeasures, with_measures};
use super::{Source, insert_row};
use crate::schema::{product_import_rows, product_imports};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tradepost_domain::catalog::Price;
use tradepost_domain::import::products::{ProductImportId, ProductRow};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{
    Currency, Description, Money, ProductName, Sku, StoreError, UserId,
};

/// An import of products.
#[derive(Queryable, Selectable)]
#[diesel(table_name = product_imports)]
pub(crate) struct ProductImportRow {
    id: i64,
    pub(crate) state: String,
    pub(crate) last_line: i64,
    actor_id: Option<i64>,
    applied_at: i64,
}

impl ProductImportRow {
    /// The acting user, and the time of the changes.
    pub(crate) fn origin(&self) -> Result<(Option<UserId>, DateTime<Utc>), StoreError> {
        let from = Source::new("product_imports", self.id);
        let by = self
            .actor_id
            .map(|user| from.good("actor_id", UserId::new(user)));
        Ok((by.transpose()?, from.at("applied_at", self.applied_at)?))
    }
}

/// A staged row of a file of products.
#[derive(Queryable, Selectable)]
#[diesel(table_name = product_import_rows)]
pub(crate) struct StagedRow {
    pub(crate) line: i64,
    pub(crate) sku: String,
    name: Option<String>,
    description: Option<String>,
    price: Option<i64>,
    stock: Option<i64>,
    #[diesel(embed)]
    measures: StagedMeasures,
    archived: Option<bool>,
}

impl StagedRow {
    pub(crate) fn row(self, currency: Currency) -> Result<ProductRow, StoreError> {
        let from = Source::new("product_import_rows", self.line);
        let number = |column, value: Option<i64>| {
            let value = value.map(|value| from.good(column, StockLevel::new(value)));
            value.transpose()
        };
        let price = self.price.map(|minor| {
            let price = Price::new(Money::from_minor(minor, currency)).ok();
            from.good("price", price)
        });
        Ok(ProductRow {
            line: from.good("line", u64::try_from(self.line).ok())?,
            sku: from.good("sku", Sku::new(&self.sku).ok())?,
            name: from.text("name", self.name.as_deref(), ProductName::new)?,
            description: from.text("description", self.description.as_deref(), Description::new)?,
            price: price.transpose()?,
            stock: number("stock", self.stock)?,
            measures: self.measures.changes(from)?,
            archived: self.archived,
        })
    }
}

with_measures! { insert_row, Option<i64>, {
    /// A row to stage.
    #[derive(Default)]
    NewStagedRow<'a>: product_import_rows
} {
    import_id: i64,
    line: i64,
    sku: &'a str,
    name: Option<&'a str>,
    description: Option<&'a str>,
    price: Option<i64>,
    stock: Option<i64>,
    archived: Option<bool>,
} }

impl<'a> NewStagedRow<'a> {
    pub(crate) fn new(import: ProductImportId, row: &'a ProductRow) -> Self {
        Self {
            import_id: import.get(),
            line: i64::try_from(row.line).unwrap_or(i64::MAX),
            sku: row.sku.as_str(),
            name: row.name.as_ref().map(ProductName::as_str),
            description: row.description.as_ref().map(Description::as_str),
            price: row.price.map(|price| price.money().minor()),
            stock: row.stock.map(StockLevel::units),
            archived: row.archived,
            ..Self::measured(row.measures)
        }
    }
}
