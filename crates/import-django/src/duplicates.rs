//! Values that a Django shop may repeat and that are unique here: e-mail addresses and SKUs.

use crate::kind::Kind;
use crate::options::Options;
use crate::orders::text;
use crate::plan::Plan;
use crate::rows::{KeyedProduct, User};
use crate::value::Reference;
use crate::wrong::{At, Report};
use std::collections::HashSet;

/// Removes repeated values, after reporting them.
pub(crate) fn remove(
    users: &mut [User],
    products: &mut [KeyedProduct],
    plan: &Plan,
    options: &Options,
    report: &mut Report,
) {
    emails(users, &plan.name(Kind::User), options, report);
    skus(products, &plan.name(Kind::Product), options, report);
}

/// Removes repeated e-mail addresses, after reporting them. The first user keeps the address.
fn emails(users: &mut [User], model: &str, options: &Options, report: &mut Report) {
    let mut values = Unique::new(model, "email", options, report);
    for user in users {
        let email = &mut user.account.email;
        let key = email.as_ref().map(|email| email.key());
        let shown = email.as_ref().map(|email| email.as_str());
        if values.repeats(key, shown, user.key.as_ref()) {
            *email = None;
        }
    }
}

/// Removes repeated SKUs, after reporting them. The first product keeps the SKU.
fn skus(products: &mut [KeyedProduct], model: &str, options: &Options, report: &mut Report) {
    let mut values = Unique::new(model, "sku", options, report);
    for KeyedProduct { key, product } in products {
        let sku = &mut product.sku;
        let shown = sku.as_ref().map(|sku| sku.as_str());
        if values.repeats(shown.map(str::to_owned), shown, Some(key)) {
            *sku = None;
        }
    }
}

/// A field whose values are unique.
struct Unique<'a> {
    seen: HashSet<String>,
    model: &'a str,
    field: &'static str,
    name: String,
    leaves_out: bool,
    report: &'a mut Report,
}

impl<'a> Unique<'a> {
    fn new(model: &'a str, field: &'static str, options: &Options, report: &'a mut Report) -> Self {
        let name = format!("{model}.{field}");
        let leaves_out = options.skip_values.contains(&name);
        Self {
            seen: HashSet::new(),
            model,
            field,
            name,
            leaves_out,
            report,
        }
    }

    /// Whether an earlier row has the value, which is reported, or noted if an option leaves it out.
    fn repeats(
        &mut self,
        key: Option<String>,
        shown: Option<&str>,
        row: Option<&Reference>,
    ) -> bool {
        if key.is_none_or(|key| self.seen.insert(key)) {
            return false;
        }
        let row = text(row);
        if self.leaves_out {
            self.report.leave_out(&self.name, &row);
            return true;
        }
        let hint = format!(
            "--skip-values {} leaves it to the first of them.",
            self.name
        );
        let at = At {
            model: self.model,
            key: Some(&row),
            field: self.field,
            hint: &hint,
        };
        let shown = shown.map(|shown| format!("{:?}", crate::row::printable(shown)));
        self.report.wrong.say(
            at,
            shown,
            "An earlier row has the same, and it must be unique.",
        );
        true
    }
}
