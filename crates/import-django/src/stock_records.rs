//! Prices and stock in a model of their own, as django-oscar's stock records.

use crate::kind::Kind;
use crate::plan::Plan;
use crate::row::Row;
use crate::value::{Reference, reference};
use crate::wrong::{At, Report};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The JSON of a price and a stock, each with its column.
#[derive(Debug, Default)]
pub(crate) struct StockRecord {
    price: Option<(String, String)>,
    stock: Option<(String, String)>,
}

impl StockRecord {
    /// The column of a field, and its JSON.
    pub(crate) fn get(&self, field: &str) -> Option<(&str, &str)> {
        let found = match field {
            "price" => self.price.as_ref(),
            "stock" => self.stock.as_ref(),
            _ => None,
        };
        found.map(|(column, text)| (column.as_str(), text.as_str()))
    }
}

/// The stock records of a dump by the key of their product, and the names of variants' parents.
#[derive(Debug, Default)]
pub(crate) struct StockRecords {
    records: HashMap<Reference, StockRecord>,
    parents: HashMap<Reference, Reference>,
    /// The column of a product's name, and its JSON; read only if some products are variants.
    names: HashMap<Reference, (String, String)>,
}

impl StockRecords {
    pub(crate) fn get(&self, product: &Reference) -> Option<&StockRecord> {
        self.records.get(product)
    }

    /// The name of a variant's parent.
    pub(crate) fn name_of_parent(&self, product: &Reference) -> Option<(&str, &str)> {
        let parent = self.parents.get(product)?;
        let name = self.names.get(parent);
        name.map(|(column, text)| (column.as_str(), text.as_str()))
    }

    /// Whether a plan needs a pass over these rows.
    pub(crate) fn are_needed(plan: &Plan) -> bool {
        let has_variants =
            plan.model(Kind::Product).is_some() && !plan.column_is_missing(Kind::Product, "parent");
        plan.model(Kind::StockRecord).is_some() || has_variants
    }

    fn take_product(&mut self, plan: &Plan, row: &Row) {
        let Some(columns) = plan.models.get(&row.model) else {
            return;
        };
        let Some(key) = row.pk.as_ref().and_then(|pk| reference(pk.get()).ok()) else {
            return;
        };
        let find = |field: &str| {
            let mut columns = columns.columns(field).iter();
            columns.find_map(|column| Some((column.clone(), row.get(column)?.to_owned())))
        };
        let parent = find("parent").and_then(|(_, text)| reference(&text).ok());
        self.parents
            .extend(parent.map(|parent| (key.clone(), parent)));
        if !columns.columns("parent").is_empty() {
            self.names.extend(find("name").map(|name| (key, name)));
        }
    }

    /// Stores a row, if it is a stock record or a product.
    pub(crate) fn take(&mut self, plan: &Plan, row: &Row, report: &mut Report) {
        match plan.kinds.get(&row.model) {
            Some(Kind::StockRecord) => {}
            Some(Kind::Product) => return self.take_product(plan, row),
            _ => return,
        }
        let Some(columns) = plan.models.get(&row.model) else {
            return;
        };
        let find = |field: &str| {
            let mut columns = columns.columns(field).iter();
            columns.find_map(|column| Some((column.clone(), row.get(column)?.to_owned())))
        };
        let product = find("product").and_then(|(_, text)| reference(&text).ok());
        let record = StockRecord {
            price: find("price"),
            stock: find("stock"),
        };
        let key = row.key();
        let at = At {
            model: &row.model,
            key: Some(&key),
            field: "product",
            hint: "",
        };
        match product.map(|product| self.records.entry(product)) {
            Some(Entry::Vacant(free)) => drop(free.insert(record)),
            Some(Entry::Occupied(_)) => {
                let hint = format!("--skip-rows {} keeps the first one.", row.model);
                let at = At { hint: &hint, ..at };
                report.say(at, None, "Its product has another one.");
            }
            None => report.say(at, None, "It is of no product."),
        }
    }
}
