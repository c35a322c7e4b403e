//! Real-world schemas of Django shops, with made-up data: each is imported with options that the
//! importer's own messages suggest. Beside each dump is the expected result: the options, a line
//! for each step, and the shop.

use super::*;
use crate::testing::with;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tradepost_domain::import::{ExistingData, decide_import};
use tradepost_domain::orders::Order;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shapes")
}

/// The shop as text, a line for each row, and the notes.
fn shown(dump: &Dump) -> String {
    let mut text = String::new();
    let shop = &dump.shop;
    for user in &shop.users {
        let account = &user.account;
        let (staff, active) = (account.is_staff, account.is_active);
        let word = |is: bool, word: &'static str| if is { word } else { "" };
        let words = [word(staff, ", staff"), word(!active, ", inactive")].concat();
        writeln!(
            text,
            "user {} {}{words}",
            account.id,
            account.username.as_str()
        )
        .unwrap();
    }
    for product in &shop.products {
        let archived = if product.archived { ", archived" } else { "" };
        let (price, stock) = (product.price.money(), product.stock.units());
        let name = product.name.as_str();
        writeln!(
            text,
            "product {} {name}: {price}, {stock}{archived}",
            product.id
        )
        .unwrap();
    }
    for line in &shop.carts {
        let (units, product) = (line.quantity.units(), line.product);
        writeln!(
            text,
            "cart line {} of {}: {units} of {product}",
            line.id, line.user
        )
        .unwrap();
    }
    for order in &shop.orders {
        writeln!(text, "{}", shown_order(order)).unwrap();
    }
    for new in &dump.new_ids {
        writeln!(text, "id {} {} {}", new.model, new.key, new.id).unwrap();
    }
    for (model, rows) in &dump.skipped {
        writeln!(text, "skipped {model} {rows}").unwrap();
    }
    for note in &dump.notes {
        writeln!(text, "note {note}").unwrap();
    }
    text
}

fn shown_order(order: &Order) -> String {
    let lines = order.lines.iter().map(|line| {
        let (name, units) = (line.name.as_str(), line.quantity.units());
        format!("{units} of {} {name} at {}", line.product, line.unit_price)
    });
    let lines: Vec<_> = lines.collect();
    let day = order.created_at.format("%m-%d");
    format!(
        "order {} of {}: {}, {day}, {} with {}: {}",
        order.id,
        order.user,
        order.status,
        order.total,
        order.adjustment,
        lines.join(", ")
    )
}

/// Splits a line of options into words; quotes group words.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    words.collect()
}

/// The part of an option that a message must contain: its name, and its subject.
fn suggestion(words: &[String]) -> String {
    match (words[0].as_str(), words.get(1)) {
        (option @ ("--field" | "--model"), Some(value)) => {
            let (about, _) = value.split_once('=').unwrap();
            format!("{option} {about}=")
        }
        (option, _) => option.to_owned(),
    }
}

#[test]
fn shapes_of_shops_import_with_the_options_that_messages_suggest() {
    let mut shapes = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        shapes += 1;
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        let (steps, expected): (Vec<_>, Vec<_>) =
            expected.lines().partition(|line| line.starts_with("--"));
        let mut options: Vec<String> = Vec::new();
        let read = |options: &[String]| {
            let options: Vec<_> = options.iter().map(String::as_str).collect();
            read(path.as_path(), &with(&options)).unwrap()
        };
        for step in steps {
            let said = read(&options);
            let all = format!("{}{}", said.wrong, said.notes.join("\n"));
            let step = words(step);
            let suggestion = suggestion(&step);
            assert!(all.contains(&suggestion), "{path:?}: {suggestion}\n{all}");
            options.extend(step);
        }
        let dump = read(&options);
        assert!(dump.wrong.is_empty(), "{path:?}\n{}", dump.wrong);
        assert_eq!(shown(&dump), expected.join("\n") + "\n", "{path:?}");
        let decision = decide_import(&dump.shop, &ExistingData::default(), with(&[]).currency);
        assert!(decision.is_ok(), "{path:?}: {decision:?}");
    }
    assert!(shapes >= 16);
}
