//! Products by way of another model: a line refers to a variant or an offer, and that to its
//! product.

use crate::kind::{self, Kind, is_foreign, last_part};
use crate::names::{Field, Holds, fold};
use crate::options::Options;
use crate::plan::{ModelPlan, choose, told};
use crate::row::Row;
use crate::rows::{CartItem, OrderItem};
use crate::survey::{Model, Survey};
use crate::value::{Reference, reference};
use std::collections::{BTreeMap, HashMap};

const PRODUCT: Field = Field {
    name: "product",
    columns: kind::PRODUCT,
    holds: Holds::Anything,
};

/// A model between lines and products, and its product columns.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    model: String,
    columns: Vec<String>,
}

/// The models between lines and products, by the kind of line.
#[derive(Debug, Default)]
pub(crate) struct Variants(BTreeMap<Kind, Variant>);

/// The products of the rows of these models, by model and key.
pub(crate) type Followed = HashMap<String, HashMap<Reference, Reference>>;

impl Variants {
    /// Finds the models. A line without a product column gets the one that leads to a product.
    pub(crate) fn new(
        survey: &Survey,
        options: &Options,
        chosen: &BTreeMap<Kind, String>,
        models: &mut HashMap<String, ModelPlan>,
    ) -> Self {
        let mut found = BTreeMap::new();
        let product = chosen.get(&Kind::Product);
        for kind in [Kind::OrderItem, Kind::CartItem] {
            let Some(name) = chosen.get(&kind) else {
                continue;
            };
            let (Some(model), Some(plan)) = (survey.models.get(name), models.get_mut(name)) else {
                continue;
            };
            let leads = |column: &str| leads(survey, product, name, column);
            if let Some(choice) = told(options, name, "product") {
                let target = choice
                    .target
                    .as_deref()
                    .filter(|other| product.is_none_or(|own| own != other));
                let target = target.and_then(|name| Some((name, survey.models.get(name)?)));
                found.extend(target.and_then(|(name, model)| Some((kind, variant(name, model)?))));
                continue;
            }
            let known = plan.columns("product").first();
            if let Some(column) = known {
                found.extend(leads(column).map(|variant| (kind, variant)));
                continue;
            }
            let mut columns = model.columns.iter().filter(|(_, found)| found.values > 0);
            let free = columns.by_ref().filter(|(column, _)| !plan.is_read(column));
            let through: Vec<_> = free
                .filter_map(|(column, _)| Some((column, leads(column)?)))
                .collect();
            if let [(column, variant)] = through.as_slice() {
                plan.columns.insert("product", vec![(*column).clone()]);
                found.insert(kind, variant.clone());
            }
        }
        Self(found)
    }

    /// Stores the product of a row of such a model.
    pub(crate) fn take(&self, row: &Row, followed: &mut Followed) {
        let mut variants = self.0.values();
        let Some(variant) = variants.find(|variant| variant.model == row.model) else {
            return;
        };
        let key = row.pk.as_ref().and_then(|pk| reference(pk.get()).ok());
        let product = variant.columns.iter().find_map(|column| row.get(column));
        let product = product.and_then(|text| reference(text).ok());
        if let (Some(key), Some(product)) = (key, product) {
            let rows = followed.entry(row.model.clone()).or_default();
            rows.insert(key, product);
        }
    }

    /// Replaces the keys of variants in lines by those of their products.
    pub(crate) fn follow(
        &self,
        followed: &Followed,
        lines: &mut [OrderItem],
        carts: &mut [CartItem],
    ) {
        if let Some(variant) = self.0.get(&Kind::OrderItem) {
            for line in lines {
                line.product = line
                    .product
                    .as_ref()
                    .map(|key| variant.product(followed, key));
            }
        }
        if let Some(variant) = self.0.get(&Kind::CartItem) {
            for line in carts {
                line.product = variant.product(followed, &line.product);
            }
        }
    }
}

impl Variant {
    /// The product of a row; for a missing row, a key that no product has.
    fn product(&self, followed: &Followed, key: &Reference) -> Reference {
        let rows = followed.get(&self.model);
        let missing = || Reference::Natural(format!("{} {key}", self.model));
        rows.and_then(|rows| rows.get(key))
            .cloned()
            .unwrap_or_else(missing)
    }
}

/// The other model that a column of lines names and that refers to products.
fn leads(survey: &Survey, product: Option<&String>, line: &str, column: &str) -> Option<Variant> {
    let folded = fold(column);
    let stem = folded.strip_suffix("id").unwrap_or(&folded);
    if product.is_some_and(|own| last_part(own) == stem) {
        return None;
    }
    let named = |(name, _): &(&String, &Model)| {
        *name != line && Some(*name) != product && !is_foreign(name) && last_part(name) == stem
    };
    let mut models = survey.models.iter().filter(named);
    let (name, model) = models.next().filter(|_| models.next().is_none())?;
    variant(name, model)
}

fn variant(name: &str, model: &Model) -> Option<Variant> {
    let columns = choose(model, &PRODUCT);
    let model = name.to_owned();
    (!columns.is_empty()).then_some(Variant { model, columns })
}
