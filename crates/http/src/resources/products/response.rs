use crate::error::ApiError;
use crate::loaders::{RenderedPage, RenderedProduct};
use crate::resources::etag::ETag;
use crate::resources::prelude::*;
use crate::respond::json::{Amount, Id, Time, Units, encode};
use crate::respond::pages::row;
use crate::respond::rendered::Rendered;
use chrono::DateTime;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serializer;
use serde_json::Map;
use std::borrow::Cow;
use tradepost_domain::catalog::{Measure, Measures, Price, Product};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{Currency, Description, Money, Page, ProductId, ProductName, Sku};

/// A product of the catalogue.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Product")]
pub(crate) struct ProductResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    /// The shop's own code; unique.
    sku: Option<&'a str>,
    name: &'a str,
    description: &'a str,
    #[schemars(description = "What one unit costs.")]
    price: Amount,
    /// Units on hand.
    #[schemars(with = "Units")]
    stock: i64,
    #[serde(flatten)]
    measures: MeasuresResponse,
    /// Units at which it is low in stock; null for the shop's own number.
    #[schemars(with = "Option<Units>")]
    low_stock_threshold: Option<i64>,
    /// ISO 4217.
    currency: &'static str,
    created_at: Time,
    /// When staff last changed it; a sale does not.
    updated_at: Time,
}

/// The measures of a product, as fields of its object.
struct MeasuresResponse(Measures);

impl Serialize for MeasuresResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let measures = self.0.iter();
        serializer.collect_map(measures.map(|(measure, value)| (measure.name(), value)))
    }
}

impl JsonSchema for MeasuresResponse {
    fn schema_name() -> Cow<'static, str> {
        "Measures".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all = Measure::ALL.iter();
        let properties = all.map(|measure| {
            let schema = json!({
                "description": measure.about(),
                "type": "integer",
                "format": "int64",
                "minimum": 0,
                "maximum": measure.max()
            });
            (measure.name().to_owned(), schema)
        });
        let properties: Map<_, _> = properties.collect();
        let required: Vec<_> = Measure::ALL.iter().map(|measure| measure.name()).collect();
        json_schema!({"type": "object", "properties": properties, "required": required})
    }
}

impl<'a> ProductResponse<'a> {
    pub(crate) fn from_product(product: &'a Product) -> Self {
        let price = product.price.money();
        Self {
            id: product.id.get(),
            sku: product.sku.as_ref().map(Sku::as_str),
            name: product.name.as_str(),
            description: product.description.as_str(),
            price: Amount(price),
            stock: product.stock.units(),
            measures: MeasuresResponse(product.measures),
            low_stock_threshold: product.low_stock.map(StockLevel::units),
            currency: price.currency().code(),
            created_at: Time(product.created_at),
            updated_at: Time(product.updated_at),
        }
    }
}

/// Renders the response of a product, for all requests that one read answers.
pub(crate) fn render(product: Product) -> Result<RenderedProduct, ApiError> {
    let body = serde_json::to_string(&ProductResponse::from_product(&product));
    let body = body.map_err(|error| ApiError::Defect(error.to_string()))?;
    let tag = ETag::of_product_body(&product, &body);
    let response = Rendered::new(body, Some(tag));
    Ok(RenderedProduct { product, response })
}

/// Renders the rows of a page of the catalogue.
pub(crate) fn render_page(page: &Page<Product>) -> Result<RenderedPage, ApiError> {
    let rows = page.items.iter().map(ProductResponse::from_product);
    let rows = rows
        .map(|product| row(&product))
        .collect::<Result<_, _>>()?;
    Ok(RenderedPage::new(rows, page.count))
}

/// The response to store under an idempotency key.
pub(crate) fn encoded(product: &Product) -> String {
    encode(&ProductResponse::from_product(product))
}

impl Example for ProductResponse<'_> {
    fn example(_: &str) -> Option<Value> {
        to_json(&ProductResponse::from_product(&example()?))
    }
}

/// The product of examples.
pub(crate) fn example() -> Option<Product> {
    let at = DateTime::from_timestamp_micros(1_795_368_777_626_240)?;
    Some(Product {
        id: ProductId::new(12)?,
        sku: Sku::new("MUG-STONE-GREEN").ok(),
        name: ProductName::new("Stoneware mug, green").ok()?,
        description: Description::new("Holds a third of a litre.").ok()?,
        price: Price::new(Money::from_minor(1_400, Currency::from_code("USD")?)).ok()?,
        stock: StockLevel::new(37)?,
        measures: Measures::default().with(Measure::WeightGrams, 350).ok()?,
        low_stock: None,
        archived: false,
        created_at: at,
        updated_at: at,
    })
}
