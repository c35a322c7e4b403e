//! The choice of a model for each kind.

use crate::kind::{self, Kind, Known, last_part};
use crate::names::{fold, is_named, rank};
use crate::options::Options;
use crate::plan::Lines;
use crate::similar;
use crate::survey::{Column, Model, Survey};
use crate::wrong::{At, Report};
use std::collections::BTreeMap;

/// The model of each kind.
pub(crate) fn kinds(
    survey: &Survey,
    options: &Options,
    report: &mut Report,
) -> BTreeMap<Kind, String> {
    let mut found = BTreeMap::<Kind, Vec<(Known, &str, &Model)>>::new();
    for (name, model) in &survey.models {
        let kind = match options.models.get(name) {
            Some(told) => told.map(|kind| (kind, Known::Told)),
            None => kind::of(name, &model.columns),
        };
        if let Some((kind, known)) = kind {
            found.entry(kind).or_default().push((known, name, model));
        }
    }
    for name in options.models.keys() {
        if !survey.models.contains_key(name) {
            no_such_model(survey, "--model", name, report);
        }
    }
    let items = found.get(&Kind::OrderItem).into_iter().flatten();
    let items: Vec<String> = items
        .flat_map(|(_, _, line)| line.columns.keys().map(|column| fold(column)))
        .collect();
    let mut chosen = BTreeMap::new();
    for (kind, mut models) in found {
        if !options.only.is_empty() && !options.only.contains(&kind) {
            continue;
        }
        let best = models.iter().map(|(known, ..)| *known).max();
        models.retain(|(known, ..)| Some(*known) == best);
        let likely = |(_, name, model): &(Known, &str, &Model)| {
            let stock = model.columns.keys().any(|c| rank(c, kind::STOCK).is_some());
            kind == Kind::Product && (stock || items.contains(&last_part(name)))
        };
        if models.len() > 1 && models.iter().any(likely) {
            models.retain(likely);
        }
        if let [(_, first, _), others @ ..] = models.as_slice() {
            for (_, other, _) in others {
                let word = kind.word();
                let sentence = format!(
                    "It may be the {word} model, as {first} may be. Say which of them is not: \
                     --model {other}=skip or --model {first}=skip."
                );
                report.say(of_model(other), None, &sentence);
            }
            chosen.insert(kind, (*first).to_owned());
        }
    }
    chosen
}

/// Columns of which a model of users has at least one.
const PERSON: &[&str] = &["username", "email", "emailaddress", "password", "phone"];

/// Reports the models that are missing for lines and orders, with candidates.
pub(crate) fn missing_models(
    survey: &Survey,
    chosen: &BTreeMap<Kind, String>,
    options: &Options,
    report: &mut Report,
) {
    let has = |kind: Kind| chosen.contains_key(&kind);
    let needs_products =
        (has(Kind::OrderItem) && options.missing_products.is_none()) || has(Kind::CartItem);
    let needs_users = has(Kind::Order) && options.guest.is_none();
    for (kind, needed) in [(Kind::Product, needs_products), (Kind::User, needs_users)] {
        if !needed || has(kind) {
            continue;
        }
        let mut others: Vec<_> = survey.models.iter().collect();
        others.retain(|(name, _)| {
            let is_django = name.starts_with("auth.") || kind::is_foreign(name);
            !is_django && !chosen.values().any(|taken| taken == *name)
        });
        if kind == Kind::User {
            let is_person = |model: &Model| model.columns.keys().any(|c| is_named(c, PERSON));
            others.retain(|(_, model)| is_person(model));
        }
        // Models with amounts are more likely to be products.
        others.sort_by_key(|(_, model)| !model.columns.values().any(Column::has_decimals));
        let word = kind.word();
        let otherwise = match kind {
            Kind::Product if has(Kind::OrderItem) => {
                "dump it too, or --missing-products archive makes archived ones of the lines"
            }
            Kind::User => {
                "dump it too, or --guest NAME gives orders without a user to an account of that \
                 name"
            }
            _ => "dump it too",
        };
        let options: Vec<_> = others
            .iter()
            .take(10)
            .map(|(name, _)| format!("--model {name}={word}"))
            .collect();
        let sentence = match options.is_empty() {
            true => format!("There is no model of {word}s in the dump: {otherwise}."),
            false => format!(
                "No model looks like that of {word}s. Say which it is: {}; or {otherwise}.",
                options.join(", or ")
            ),
        };
        report.say(of_model(""), None, &sentence);
    }
}

/// Reports that no order has lines, with the models that may be theirs.
pub(crate) fn missing_lines(
    survey: &Survey,
    chosen: &BTreeMap<Kind, String>,
    lines: Lines,
    options: &Options,
    report: &mut Report,
) {
    let orders = chosen.get(&Kind::Order);
    let is_known = lines != Lines::OwnRows || chosen.contains_key(&Kind::OrderItem);
    let Some(orders) = orders.filter(|_| !is_known && !options.skip_empty_orders) else {
        return;
    };
    let has = |model: &Model, names: &[&str]| model.columns.keys().any(|c| is_named(c, names));
    let is_likely = |(name, model): &(&String, &Model)| {
        *name != orders
            && !kind::is_foreign(name)
            && has(model, kind::ORDER)
            && (has(model, kind::PRODUCT) || !similar::columns(model, "product").is_empty())
    };
    let found: Vec<_> = survey.models.iter().filter(is_likely).take(10).collect();
    let found: Vec<_> = found
        .iter()
        .map(|(name, _)| format!("--model {name}=order-line"))
        .collect();
    if !found.is_empty() {
        let sentence = format!(
            "No model looks like that of the lines of orders. Say which it is: {}.",
            found.join(", or ")
        );
        report.say(of_model(""), None, &sentence);
    }
}

pub(crate) fn of_model(model: &str) -> At<'_> {
    At {
        model,
        key: None,
        field: "",
        hint: "",
    }
}

pub(crate) fn no_such_model(survey: &Survey, option: &str, name: &str, report: &mut Report) {
    let models: Vec<_> = survey.models.keys().take(40).map(String::as_str).collect();
    let sentence = format!(
        "{option} names {name:?}, which is not in the dump. It has {}.",
        models.join(", ")
    );
    report.say(of_model(""), None, &sentence);
}
