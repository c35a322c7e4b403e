//! Columns whose names resemble those of a field. They are suggested, and taken only if a wrong one
//! would be noticed.

use crate::kind::{self, Kind, is_foreign, last_part};
use crate::names::{fold, is_named};
use crate::plan::ModelPlan;
use crate::survey::{Column, Model, Survey};
use std::collections::{BTreeMap, HashMap};

const PRICES: &[&str] = &["price", "cost", "mrp", "prix", "precio", "preco"];
const TOTALS: &[&str] = &["total", "amount", "paid", "sum"];

/// The columns of a model with values that may be those of a field.
pub(crate) fn columns(model: &Model, field: &str) -> Vec<String> {
    let resembles = |name: &str, column: &Column| {
        let name = fold(name);
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        match field {
            "price" => column.is_amount() && has(PRICES) && !has(&["ship", "deliver"]),
            // Neither a part of a total nor a key is one.
            "total" => {
                let parts = [
                    "tax", "vat", "ship", "deliver", "discount", "refund", "item", "quant", "count",
                ];
                column.has_decimals() && has(TOTALS) && !has(&parts)
            }
            "quantity" => column.is_amount() && has(&["quant", "qty", "count", "unit", "number"]),
            "stock" => column.is_amount() && has(&["stock", "quant", "qty", "inventory"]),
            "name" => has(&["name", "title"]),
            "product" => has(&["product", "item", "offer", "variant", "variation", "deal"]),
            "status" => has(&["status", "state", "stage"]),
            _ => false,
        }
    };
    let columns = model.columns.iter();
    let found = columns
        .filter(|(name, column)| column.values > 0 && !column.is_flag() && resembles(name, column));
    found.map(|(name, _)| name.clone()).collect()
}

/// Whether a column has the plural of a model's name: an order's `games` are a list of products.
fn lists(column: &str, model: &str) -> bool {
    let folded = fold(column);
    last_part(&folded) == last_part(model) && folded.ends_with('s')
}

/// Finds the column of orders that lists products by the name of their model, where lines have no
/// model of their own.
pub(crate) fn listed_products(
    survey: &Survey,
    chosen: &BTreeMap<Kind, String>,
    models: &mut HashMap<String, ModelPlan>,
) {
    let (Some(order), Some(product)) = (chosen.get(&Kind::Order), chosen.get(&Kind::Product))
    else {
        return;
    };
    let (Some(model), Some(plan)) = (survey.models.get(order), models.get_mut(order)) else {
        return;
    };
    let is_known = !plan.columns("lines").is_empty() || plan.left_out.contains(&"lines");
    if is_known || chosen.contains_key(&Kind::OrderItem) {
        return;
    }
    let mut columns = model.columns.iter();
    let found = columns.find(|(name, column)| column.is_list() && lists(name, product));
    plan.columns
        .extend(found.map(|(name, _)| ("lines", vec![name.clone()])));
}

/// Finds the model that has the prices of products without one, or may have them.
pub(crate) fn prices_elsewhere(
    survey: &Survey,
    chosen: &BTreeMap<Kind, String>,
    models: &mut HashMap<String, ModelPlan>,
) {
    let product = chosen.get(&Kind::Product);
    let plan = product.and_then(|name| models.get_mut(name));
    let Some(plan) = plan.filter(|plan| plan.columns("price").is_empty()) else {
        return;
    };
    plan.records = chosen.get(&Kind::StockRecord).cloned();
    if plan.records.is_some() {
        return;
    }
    let has = |model: &Model, names: &[&str]| model.columns.keys().any(|c| is_named(c, names));
    let others = survey.models.iter().filter(|(name, model)| {
        !chosen.values().any(|taken| taken == *name)
            && !is_foreign(name)
            && has(model, kind::PRODUCT)
            && !columns(model, "price").is_empty()
    });
    plan.elsewhere = others.map(|(name, _)| name.clone()).collect();
}
