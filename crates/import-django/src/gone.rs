//! Order lines whose product is not in the dump.

use crate::carts::missing;
use crate::kind::Kind;
use crate::options::MissingProduct;
use crate::orders::{Orders, Parts, text};
use crate::rows;
use crate::value::Reference;
use chrono::{DateTime, Utc};
use tradepost_domain::catalog::{NewProduct, Price, Product, ProductDraft};
use tradepost_domain::kernel::ProductName;

impl Orders<'_, '_> {
    /// Reports the missing products of an order that is invalid for another reason.
    pub(crate) fn look_at(&mut self, row: &rows::Order, lines: &[rows::OrderItem]) {
        for line in lines {
            self.look_at_line(row.created_at, line);
        }
    }

    pub(crate) fn look_at_line(&mut self, at: DateTime<Utc>, line: &rows::OrderItem) {
        let known = line
            .product
            .as_ref()
            .and_then(|key| self.products.find(key));
        if known.is_none() {
            drop(self.gone(at, line, &mut Parts::default()));
        }
    }

    /// The replacement of a missing product, if the options ask for one.
    pub(crate) fn gone(
        &mut self,
        at: DateTime<Utc>,
        line: &rows::OrderItem,
        parts: &mut Parts,
    ) -> Option<Product> {
        let key = text(line.key.as_ref());
        if let Some(product) = &line.product
            && self.context.is_spoilt(Kind::Product, product)
        {
            parts.incomplete = true;
            return None;
        }
        match self.context.options.missing_products {
            Some(MissingProduct::Archive) => return self.stand_in(at, line, &key, parts),
            Some(MissingProduct::Skip) => {
                self.notes.gone.push(&key);
                let cost = line.price.and_then(|price| price.times(line.quantity).ok());
                parts.left_out = match (parts.left_out, cost) {
                    (None, cost) => cost,
                    (Some(sum), Some(cost)) => sum.plus(cost).ok(),
                    (Some(sum), None) => Some(sum),
                };
            }
            // Reported once for all of them.
            None if self.context.plan.model(Kind::Product).is_none() => parts.incomplete = true,
            None => {
                let what = match &line.product {
                    Some(product) => missing("product", product),
                    None => self.no_product(),
                };
                let sentence = format!(
                    "{what} --missing-products archive makes an archived product in its place, \
                     --missing-products skip leaves the line out."
                );
                parts.incomplete |=
                    self.context
                        .say(Kind::OrderItem, &key, "product", None, (&sentence, ""));
            }
        }
        None
    }

    /// The problem of a line without a product.
    fn no_product(&self) -> String {
        let plan = self.context.plan;
        let lines = plan.model(Kind::OrderItem);
        let model = lines.and_then(|name| Some((name, plan.models.get(name)?)));
        match model {
            Some((name, model)) if model.columns("product").is_empty() => {
                format!(
                    "No column of it is that of its product. {}.",
                    model.which(name, "product")
                )
            }
            _ => "Its product is gone.".to_owned(),
        }
    }

    /// An archived product with the line's name and price.
    fn stand_in(
        &mut self,
        at: DateTime<Utc>,
        line: &rows::OrderItem,
        key: &str,
        parts: &mut Parts,
    ) -> Option<Product> {
        let name = match (&line.name, &line.product) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(Reference::Id(id))) => ProductName::new(&format!("Product {id}")).ok(),
            (None, _) => ProductName::new("Product that is gone").ok(),
        };
        // Lines without a product key share one product per name.
        let own = match (&line.product, &name) {
            (Some(product), _) => product.clone(),
            (None, Some(name)) => Reference::Natural(format!("\u{0}{}", name.as_str())),
            (None, None) => return None,
        };
        if let Some(made) = self.products.find(&own) {
            return Some(made.clone());
        }
        let price = line.price.and_then(|price| Price::new(price).ok());
        let Some(price) = price else {
            let sentence = "Its product is gone, and it has no price to make another one of. \
                            --missing-products skip leaves the line out.";
            parts.incomplete |=
                self.context
                    .say(Kind::OrderItem, key, "product", None, (sentence, ""));
            return None;
        };
        let id = self.products.free_id(line.product.as_ref())?;
        let new = NewProduct {
            draft: ProductDraft::new(name?, price),
            by: None,
            at,
        };
        let product = Product {
            archived: true,
            ..new.into_product(id)
        };
        self.notes.stand_ins.push(&product.id.to_string());
        self.products.insert(own, product.clone());
        Some(product)
    }
}
