//! The status of an order: a column of words or numbers, boolean columns, or none.

use crate::kind::STATUS;
use crate::names::{ADDRESS, fold, is_named, rank};
use crate::options::{FieldChoice, Meaning};
use crate::row::Row;
use crate::similar;
use crate::survey::{Column, Model, plain};
use std::collections::BTreeMap;
use tradepost_domain::orders::OrderStatus;

/// The rules by which an order's status is read.
#[derive(Debug, Default)]
pub(crate) struct Statuses {
    columns: Vec<String>,
    /// The meanings of values, besides the known ones.
    values: BTreeMap<String, Meaning>,
    /// A column, a value of it, and the meaning; these take precedence over the status column.
    rules: Vec<(String, String, Meaning)>,
    /// The meaning of an absent status.
    none: Option<Meaning>,
    advice: String,
}

/// The reason why a row's status is not understood: the column, and a sentence.
pub(crate) type Unclear = (String, String);

fn known(word: &str) -> Option<Meaning> {
    let status = OrderStatus::parse(word);
    let status = status.or((word == "canceled").then_some(OrderStatus::Cancelled));
    status.map(Meaning::Order)
}

impl Statuses {
    pub(crate) fn new(
        name: &str,
        model: &Model,
        told: Option<&FieldChoice>,
        given: &[(String, Meaning)],
    ) -> Self {
        let values: BTreeMap<_, _> = given.iter().cloned().collect();
        let columns = match told {
            Some(choice) => choice.columns.clone(),
            None => column(model, &values).into_iter().collect(),
        };
        let mut statuses = Self {
            advice: advice(name, model, &columns),
            columns,
            ..Self::default()
        };
        for (name, meaning) in given {
            statuses.add(model, name, *meaning);
        }
        statuses
    }

    fn add(&mut self, model: &Model, name: &str, meaning: Meaning) {
        let named = |name: &str| {
            let mut columns = model.columns.iter();
            columns.find(|(column, _)| fold(column) == fold(name))
        };
        if name.is_empty() {
            self.none = Some(meaning);
            return;
        }
        if let Some((column, value)) = name.split_once('=')
            && let Some((column, _)) = named(column)
        {
            let value = value.trim().to_owned();
            self.rules.push((column.clone(), value, meaning));
            return;
        }
        let is_value = self.columns.iter().any(|column| {
            let distinct = model.columns.get(column).and_then(Column::distinct);
            distinct.is_some_and(|distinct| distinct.contains_key(name))
        });
        match named(name).filter(|(_, column)| column.is_flag() && !is_value) {
            Some((column, _)) => {
                let value = "true".to_owned();
                self.rules.push((column.clone(), value, meaning));
            }
            None => drop(self.values.insert(name.to_owned(), meaning)),
        }
    }

    /// The columns that the status is read from.
    pub(crate) fn read(&self) -> impl Iterator<Item = &str> {
        let rules = self.rules.iter().map(|(column, ..)| column.as_str());
        self.columns.iter().map(String::as_str).chain(rules)
    }

    /// The meaning of a row's status.
    pub(crate) fn of(&self, row: &Row) -> Result<Meaning, Unclear> {
        let holds = |column: &str, value: &str| {
            let text = row.get(column).map(plain).unwrap_or_default();
            text == value
        };
        let rules = self.rules.iter();
        let told = rules.filter(|(column, value, _)| holds(column, value));
        if let Some(meaning) = told
            .map(|(.., meaning)| *meaning)
            .max_by_key(|one| one.rank())
        {
            return Ok(meaning);
        }
        let found = self.columns.iter().find_map(|column| {
            let text = row.get(column)?;
            Some((column, text))
        });
        let Some((column, text)) = found else {
            let column = self.columns.first().map_or("status", String::as_str);
            return self
                .none
                .ok_or_else(|| (column.to_owned(), self.advice.clone()));
        };
        let word = plain(text);
        let meaning = self.values.get(&word).copied().or_else(|| known(&word));
        meaning.ok_or_else(|| {
            let shown = crate::value::string(text).unwrap_or_else(|_| text.to_owned());
            let shown = crate::row::printable(&shown);
            let sentence = format!(
                "It is {shown:?}. Say what that is: --status {shown:?}=pending, or another."
            );
            (column.clone(), sentence)
        })
    }
}

/// The status column: by the rank of its name, if its values allow it.
fn column(model: &Model, values: &BTreeMap<String, Meaning>) -> Option<String> {
    let mut columns: Vec<_> = model.columns.iter().collect();
    columns.sort_by_key(|(name, _)| rank(name, STATUS));
    let mut columns = columns.into_iter().filter(|(name, column)| {
        let in_address = matches!(fold(name).as_str(), "state" | "estado")
            && model.columns.keys().any(|c| is_named(c, ADDRESS));
        rank(name, STATUS).is_some()
            && column.values > 0
            && !in_address
            && !column.is_list()
            && may_be_status(model, column, values)
    });
    columns.next().map(|(name, _)| name.clone())
}

/// Orders share statuses: a column with a different value in each row is not a status, unless some
/// of its values are known ones.
fn may_be_status(model: &Model, column: &Column, values: &BTreeMap<String, Meaning>) -> bool {
    let Some(distinct) = column.distinct() else {
        return false;
    };
    let understood = |word: &String| known(word).is_some() || values.contains_key(word);
    let different = u64::try_from(distinct.len()).unwrap_or(u64::MAX);
    different < model.rows.max(3) || distinct.keys().any(understood)
}

/// The remedy for orders without a status.
fn advice(name: &str, model: &Model, columns: &[String]) -> String {
    let flags = model.columns.iter().filter(|(_, column)| column.is_flag());
    let flags: Vec<_> = flags
        .map(|(name, column)| {
            let rows = |word| {
                column
                    .distinct()
                    .and_then(|all| all.get(word))
                    .unwrap_or(&0)
            };
            format!(
                "{name} (true in {}, false in {})",
                rows("true"),
                rows("false")
            )
        })
        .collect();
    let mut advice = "The order has no status.".to_owned();
    if let Some(flag) = flags.first().and_then(|flag| flag.split(' ').next()) {
        advice.push_str(&format!(
            " Its flags: {}. Say what they mean, as in --status {flag}=processing and \
             --status {flag}=false=pending, where cart is allowed too; or say for all that remain \
             what they are: --status =delivered.",
            flags.join(", ")
        ));
    } else {
        advice.push_str(" Say what such orders are: --status =delivered, or another.");
    }
    if columns.is_empty() {
        for column in similar::columns(model, "status") {
            advice.push_str(&format!(
                " Its column {column} may be one: --field {name}.status={column}."
            ));
        }
    }
    advice
}
