use super::measures::{MeasureColumns, with_measures};
use super::{Source, insert_row, micros, new_row};
use crate::schema::{product_texts, products, stock};
use diesel::dsl::{AssumeNotNull, Nullable};
use diesel::prelude::*;
use tradepost_domain::catalog::{NewProduct, Price, Product};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{
    Currency, Description, Money, ProductId, ProductName, Sku, StoreError, searched_text,
};
use tradepost_domain::orders::ProductSnapshot;

/// A product with its stock on hand. Every product has a stock row; lists join it from the left.
#[derive(Queryable, Selectable)]
#[diesel(table_name = products)]
pub(crate) struct ProductRow {
    id: i64,
    sku: Option<String>,
    name: String,
    description: String,
    price: i64,
    archived: bool,
    created_at: i64,
    updated_at: i64,
    #[diesel(embed)]
    measures: MeasureColumns,
    #[diesel(
        select_expression = stock::on_hand.assume_not_null(),
        select_expression_type = AssumeNotNull<stock::on_hand>
    )]
    on_hand: i64,
    #[diesel(
        select_expression = stock::low_stock.nullable(),
        select_expression_type = Nullable<stock::low_stock>
    )]
    low_stock: Option<i64>,
}

impl ProductRow {
    pub(crate) fn product(self, currency: Currency) -> Result<Product, StoreError> {
        let from = Source::new("products", self.id);
        let price = Price::new(Money::from_minor(self.price, currency)).ok();
        Ok(Product {
            id: from.good("id", ProductId::new(self.id))?,
            sku: from.text("sku", self.sku.as_deref(), Sku::new)?,
            name: from.good("name", ProductName::new(&self.name).ok())?,
            description: from.good("description", Description::new(&self.description).ok())?,
            price: from.good("price", price)?,
            stock: on_hand(self.id, self.on_hand)?,
            measures: self.measures.measures(from)?,
            low_stock: low_stock(self.id, self.low_stock)?,
            archived: self.archived,
            created_at: from.at("created_at", self.created_at)?,
            updated_at: from.at("updated_at", self.updated_at)?,
        })
    }
}

fn on_hand(product: i64, units: i64) -> Result<StockLevel, StoreError> {
    let from = Source::new("stock", product);
    from.good("on_hand", StockLevel::new(units))
}

fn low_stock(product: i64, units: Option<i64>) -> Result<Option<StockLevel>, StoreError> {
    let from = Source::new("stock", product);
    let level = |units| from.good("low_stock", StockLevel::new(units));
    units.map(level).transpose()
}

with_measures! { new_row, i64, {
    /// A product to insert or to update.
    #[derive(Default, AsChangeset)]
    #[diesel(treat_none_as_null = true)]
    NewProductRow<'a>, ImportedProduct: products
} {
    sku: Option<&'a str>,
    name: &'a str,
    description: &'a str,
    price: i64,
    archived: bool,
    #[diesel(skip_update)]
    created_at: i64,
    updated_at: i64,
} }

impl<'a> From<&'a Product> for NewProductRow<'a> {
    fn from(product: &'a Product) -> Self {
        Self {
            sku: product.sku.as_ref().map(Sku::as_str),
            name: product.name.as_str(),
            description: product.description.as_str(),
            price: product.price.money().minor(),
            archived: product.archived,
            created_at: micros(product.created_at),
            updated_at: micros(product.updated_at),
            ..Self::measured(product.measures)
        }
    }
}

impl<'a> From<&'a NewProduct> for NewProductRow<'a> {
    fn from(new: &'a NewProduct) -> Self {
        let draft = &new.draft;
        Self {
            sku: draft.sku.as_ref().map(Sku::as_str),
            name: draft.name.as_str(),
            description: draft.description.as_str(),
            price: draft.price.money().minor(),
            archived: false,
            created_at: micros(new.at),
            updated_at: micros(new.at),
            ..Self::measured(draft.measures)
        }
    }
}

insert_row! {
    /// Search text of a product.
    SearchTextRow: product_texts {
        product_id: i64,
        folded: String,
    }
}

impl SearchTextRow {
    pub(crate) fn new(product: ProductId, name: &ProductName, description: &Description) -> Self {
        Self {
            product_id: product.get(),
            folded: searched_text(name, description),
        }
    }
}

insert_row! {
    /// Stock of a product, with its own threshold of low stock.
    StockRow: stock {
        product_id: i64,
        on_hand: i64,
        low_stock: Option<i64>,
    }
}

/// Columns of a product that placing an order needs.
#[derive(Queryable, Selectable)]
#[diesel(table_name = products)]
pub(crate) struct ProductSnapshotRow {
    id: i64,
    name: String,
    price: i64,
    archived: bool,
    #[diesel(select_expression = stock::on_hand)]
    on_hand: i64,
}

impl ProductSnapshotRow {
    pub(crate) fn snapshot(
        self,
        currency: Currency,
    ) -> Result<(ProductId, ProductSnapshot), StoreError> {
        let from = Source::new("products", self.id);
        let snapshot = ProductSnapshot {
            name: from.good("name", ProductName::new(&self.name).ok())?,
            price: Money::from_minor(self.price, currency),
            stock: on_hand(self.id, self.on_hand)?,
            archived: self.archived,
        };
        Ok((from.good("id", ProductId::new(self.id))?, snapshot))
    }
}
