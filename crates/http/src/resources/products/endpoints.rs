use super::list::{self, IN_STOCK, MAX_PRICE, MIN_PRICE, ORDERING, SEARCH};
use super::response::{ProductResponse, encoded};
use crate::extract::parameter::ARCHIVED;
use crate::extract::query;
use crate::resources::etag::{self, ETag};
use crate::resources::prelude::*;
use crate::respond::replay::{ReplayableResponse, keyed};
use tradepost_domain::catalog::{
    Catalogue, Measure, MeasureChanges, Measures, Price, Product, ProductChange, ProductDraft,
    ProductEdit,
};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{Currency, Description, Precondition, ProductId, ProductName, Sku};

const PRODUCTS: &str = "/api/products/";
const PRODUCT: &str = "/api/products/{id}/";

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(PRODUCTS, Public, || web::to(list::list)).cost(Cost::List)
        .describe(Tag::CATALOGUE, "listProducts", "List products, newest first")
        .parameters(&[&SEARCH.parameter, &MIN_PRICE.parameter, &MAX_PRICE.parameter, &IN_STOCK.parameter, &ORDERING.parameter, &ARCHIVED.parameter])
        .list::<ProductResponse>(),
    Endpoint::post(PRODUCTS, Staff, || web::to(create)).bypass_session_cache()
        .describe(Tag::CATALOGUE, "createProduct", "Add a product")
        .request::<NewProduct>().created::<ProductResponse>().etag().location().idempotent(),
    Endpoint::get(PRODUCT, Public, || web::to(show))
        .describe(Tag::CATALOGUE, "getProduct", "Show a product")
        .parameters(&[&ARCHIVED.parameter]).ok::<ProductResponse>().etag(),
    Endpoint::put(PRODUCT, Staff, || web::to(replace)).bypass_session_cache()
        .describe(Tag::CATALOGUE, "replaceProduct", "Change a product, naming every required field")
        .request::<ReplaceProduct>().ok::<ProductResponse>().etag().errors(&[Code::PreconditionRequired]),
    Endpoint::patch(PRODUCT, Staff, || web::to(update)).bypass_session_cache()
        .describe(Tag::CATALOGUE, "updateProduct", "Change a product, archive it or bring it back")
        .request::<UpdateProduct>().ok::<ProductResponse>().etag().errors(&[Code::PreconditionRequired]),
    Endpoint::delete(PRODUCT, Staff, || web::to(archive)).bypass_session_cache()
        .describe(Tag::CATALOGUE, "archiveProduct", "Archive a product")
        .etag(),
];

request! {
    struct NewProduct(currency: Currency)
        as "NewProduct", "A product. Optional fields that a PUT leaves out stay as they are.",
        {"sku": "MUG-STONE-GREEN", "name": "Stoneware mug, green", "price": "14.00", "stock": 40};

    sku: nullable(Option<Sku>);
    name: required(ProductName);
    description: optional(Description);
    price: required(Price, currency);
    stock: optional(StockLevel) "Units on hand.";
    measures: group(MeasureChanges);
    low_stock_threshold: nullable(StockLevel) "Units at which it is low in stock; null for the shop's own number.";
}

async fn create(call: RequestContext, mut fields: Fields) -> HttpResult {
    let key = call.idempotency_key(&mut fields);
    let new = fields.parse(|fields| NewProduct::read(fields, call.currency()))?;
    let draft = ProductDraft {
        sku: new.sku.flatten().flatten(),
        name: new.name,
        description: new.description.unwrap_or_default(),
        price: new.price,
        stock: new.stock.unwrap_or(StockLevel::ZERO),
        measures: new.measures.applied_to(Measures::default()),
        low_stock: new.low_stock_threshold.flatten(),
    };
    let key = key.map(|key| keyed(key, PRODUCTS, &fingerprint(&draft), encoded));
    let written = call
        .command(|shop, actor| shop.catalogue.create(actor, draft, key))
        .await?;
    let tag = |product: &Product| Some(ETag::of_product(product));
    let response = ReplayableResponse::tagged(written, encoded, tag);
    responses::created_at(&call.url(PRODUCTS), response)
}

/// The canonical form of the command, for its fingerprint. Measures of zero are left out, and
/// so is a missing threshold: the form of a command without them is the same as before products had
/// them.
fn fingerprint(draft: &ProductDraft) -> impl Serialize {
    let price = draft.price.money();
    let mut form = vec![
        json!("product"),
        json!(draft.sku.as_ref().map(Sku::as_str)),
        json!(draft.name.as_str()),
        json!(draft.description.as_str()),
        json!([price.minor(), price.currency().code()]),
        json!(draft.stock.units()),
    ];
    for (measure, value) in draft.measures.iter().filter(|(_, value)| *value != 0) {
        // The weight has no name in stored fingerprints.
        form.push(match measure == Measure::WeightGrams {
            true => json!(value),
            false => json!({measure.name(): value}),
        });
    }
    if let Some(threshold) = draft.low_stock {
        form.push(json!({"low_stock": threshold.units()}));
    }
    form
}

async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let archived = query::wants_archived(call.query_string())?;
    let found = call.loaders().products.load(id, call.deadline).await?;
    let found = found.transpose()?;
    let product = Catalogue::show(call.actor, found.as_deref(), archived)?;
    responses::shared(&call, &product.response)
}

fn show_one(call: &RequestContext, product: &Product) -> HttpResult {
    let response = ProductResponse::from_product(product);
    responses::ok_with_etag(call, &response, &ETag::of_product(product))
}

// The schema of `NewProduct`, read in the order of `UpdateProduct`.
request! {
    struct ReplaceProduct(currency: Currency)
        as "NewProduct", "A product. Optional fields that a PUT leaves out stay as they are.",
        {"sku": "MUG-STONE-GREEN", "name": "Stoneware mug, green", "price": "14.00", "stock": 40};

    name: required(ProductName);
    price: required(Price, currency);
    sku: nullable(Option<Sku>);
    description: optional(Description);
    stock: optional(StockLevel) "Units on hand.";
    measures: group(MeasureChanges);
    low_stock_threshold: nullable(StockLevel) "Units at which it is low in stock; null for the shop's own number.";
}

async fn replace(call: RequestContext, fields: Fields) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let new = fields.parse(|fields| ReplaceProduct::read(fields, call.currency()))?;
    let change = ProductChange {
        sku: new.sku.map(Option::flatten),
        name: Some(new.name),
        description: new.description,
        price: Some(new.price),
        stock: new.stock,
        adjustment: None,
        measures: new.measures,
        low_stock: new.low_stock_threshold,
        // Only PATCH archives and restores: PUT ignores the field like any unknown one.
        archived: None,
    };
    set(call, id, change).await
}

request! {
    struct UpdateProduct(currency: Currency)
        as "ProductChange", "What to change of a product.",
        {"price": "14.50", "stock": 38};

    name: optional(ProductName);
    price: optional(Price, currency);
    archived: flag(bool) "`false` brings it back.";
    sku: nullable(Option<Sku>);
    description: optional(Description);
    stock: optional(StockLevel) "Units on hand.";
    measures: group(MeasureChanges);
    low_stock_threshold: nullable(StockLevel) "Units at which it is low in stock; null for the shop's own number.";
}

async fn update(call: RequestContext, fields: Fields) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let new = fields.parse(|fields| UpdateProduct::read(fields, call.currency()))?;
    let change = ProductChange {
        sku: new.sku.map(Option::flatten),
        name: new.name,
        description: new.description,
        price: new.price,
        stock: new.stock,
        adjustment: None,
        measures: new.measures,
        low_stock: new.low_stock_threshold,
        archived: new.archived,
    };
    set(call, id, change).await
}

async fn set(call: RequestContext, id: ProductId, change: ProductChange) -> HttpResult {
    let seen = etag::if_match_product(call.request(), change.stock.is_some());
    let product = change_product(&call, id, change, seen).await?;
    show_one(&call, &product)
}

async fn change_product(
    call: &RequestContext,
    product: ProductId,
    change: ProductChange,
    seen: Option<Precondition<Product>>,
) -> Result<Product, ApiError> {
    let shop = call.backend();
    let edit = ProductEdit {
        product,
        change,
        seen,
    };
    let command = shop.services.catalogue.changing(call.actor, edit)?;
    call.execute(&shop.batchers.products, command).await
}

async fn archive(call: RequestContext) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let seen = etag::if_match_product(call.request(), false);
    let change = ProductChange {
        archived: Some(true),
        ..ProductChange::default()
    };
    change_product(&call, id, change, seen).await?;
    responses::no_content()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::testing::ProductBuilder;

    /// Fingerprints are stored: this form is that of commands before products had a weight.
    #[test]
    fn a_weight_of_zero_is_absent_from_the_canonical_form() {
        let draft = ProductBuilder::new(1).name("Cup").stock(4).draft();
        let form = |draft: &ProductDraft| serde_json::to_string(&fingerprint(draft)).unwrap();
        let before = r#"["product",null,"Cup","",[100,"USD"],4]"#;
        assert_eq!(form(&draft), before);
        let measures = Measures::default().with(Measure::WeightGrams, 350).unwrap();
        let heavy = r#"["product",null,"Cup","",[100,"USD"],4,350]"#;
        assert_eq!(form(&ProductDraft { measures, ..draft }), heavy);
    }
}
