//! Test fixtures: small dumps, and options as on the command line.

use crate::{Dump, MissingProduct, Options, parse, read};
use tradepost_domain::identity::Username;
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::Currency;

pub(crate) fn options() -> Options {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    Options::new(Currency::from_code("USD").unwrap(), now)
}

/// Options as on the command line.
pub(crate) fn with(words: &[&str]) -> Options {
    let mut options = options();
    let mut words = words.iter().copied();
    while let Some(option) = words.next() {
        let mut value = || words.next().unwrap();
        match option {
            "--status" => options.statuses.push(parse::status(value()).unwrap()),
            "--field" => options.fields.push(parse::field(value()).unwrap()),
            "--model" => options.models.extend([parse::model(value()).unwrap()]),
            "--only" => options.only = parse::only(value().split(',')).unwrap(),
            "--guest" => options.guest = Some(Username::new(value()).unwrap()),
            "--stock" => options.stock = StockLevel::new(value().parse().unwrap()),
            "--missing-products" => {
                options.missing_products = Some(match value() {
                    "archive" => MissingProduct::Archive,
                    _ => MissingProduct::Skip,
                });
            }
            "--skip-values" => drop(options.skip_values.insert(value().to_owned())),
            "--skip-rows" => drop(options.skip_rows.insert(value().to_owned())),
            "--skip-empty-orders" => options.skip_empty_orders = true,
            "--keep-totals" => options.keep_totals = true,
            "--round-amounts" => options.round_amounts = true,
            "--new-ids" => options.new_ids = !value().is_empty(),
            other => panic!("{other}"),
        }
    }
    options
}

pub(crate) const USERS: &str = r#"
{"model": "auth.user", "pk": 1, "fields": {"username": "ada", "password": "!", "email": "ada@example.com"}},
{"model": "auth.user", "pk": 2, "fields": {"username": "bob", "password": "!", "email": "bob@example.com"}},
{"model": "shop.product", "pk": 7, "fields": {"name": "Tea", "price": "9.90", "stock": 4}},
{"model": "shop.orderitem", "pk": 9, "fields": {"order": 5, "product": 7, "quantity": 2, "price": "9.90"}}"#;

pub(crate) fn dump(rows: &str) -> String {
    format!("[{USERS},\n{rows}]")
}

pub(crate) fn order(fields: &str) -> String {
    dump(&format!(
        r#"{{"model": "shop.order", "pk": 5, "fields": {{{fields}}}}}"#
    ))
}

pub(crate) fn result(text: &str, options: &[&str]) -> Result<Dump, String> {
    let dump = read(text.as_bytes(), &with(options)).unwrap();
    match dump.wrong.is_empty() {
        true => Ok(dump),
        false => Err(dump.wrong.to_string()),
    }
}

pub(crate) fn sound(text: &str, options: &[&str]) -> Dump {
    result(text, options).unwrap_or_else(|wrong| panic!("{wrong}"))
}

pub(crate) fn refused(text: &str, options: &[&str]) -> String {
    result(text, options).map(|dump| dump.shop).unwrap_err()
}

/// A shop of one order in which one text is replaced by another.
pub(crate) fn changed(before: &str, after: &str) -> String {
    let text = order(r#""user": 1, "status": "pending", "total": "19.80""#);
    assert!(text.contains(before), "{before}");
    text.replace(before, after)
}
