//! The import plan: the kind of each model, and the columns of each field.

use crate::kind::Kind;
use crate::models::{kinds, missing_models, no_such_model, of_model};
use crate::names::{self, Field, Holds, fold, rank};
use crate::options::Options;
use crate::owners::Owners;
use crate::row::PK;
use crate::status::Statuses;
use crate::survey::{Column, Model, Survey};
use crate::wrong::Report;
use std::collections::{BTreeMap, HashMap};

/// The plan for the rows of a model.
#[derive(Debug, Default)]
pub(crate) struct ModelPlan {
    /// The columns of each field, of which the first with a value counts.
    pub(crate) columns: BTreeMap<&'static str, Vec<String>>,
    /// Fields that an option left out.
    pub(crate) left_out: Vec<&'static str>,
    /// Whether its keys cannot be ids, so that its rows get new ids.
    pub(crate) renumber: bool,
    /// Its columns, for messages about a missing one.
    pub(crate) known: String,
}

impl ModelPlan {
    pub(crate) fn columns(&self, field: &str) -> &[String] {
        self.columns.get(field).map_or(&[], Vec::as_slice)
    }
}

/// The relation between orders and their lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Each line refers to its order.
    OwnRows,
    /// Each order lists its lines.
    Listed,
    /// Each order lists products, one unit each.
    Products,
    /// Each order is its own single line.
    Single,
}

/// The import plan.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) kinds: HashMap<String, Kind>,
    pub(crate) models: HashMap<String, ModelPlan>,
    pub(crate) owners: Owners,
    pub(crate) statuses: Statuses,
    pub(crate) lines: Lines,
    /// Notes on the columns that are not read, a sentence for each model.
    pub(crate) notes: Vec<String>,
}

impl Plan {
    /// The model of a kind.
    pub(crate) fn model(&self, kind: Kind) -> Option<&str> {
        let own = self.kinds.iter().find(|(_, other)| **other == kind);
        own.map(|(model, _)| model.as_str())
    }

    /// The model of a kind, or the word for it.
    pub(crate) fn name(&self, kind: Kind) -> String {
        self.model(kind).unwrap_or(kind.word()).to_owned()
    }

    /// The first column of a field, or the field.
    pub(crate) fn column(&self, kind: Kind, field: &'static str) -> String {
        let plan = self.model(kind).and_then(|model| self.models.get(model));
        let column = plan.and_then(|plan| plan.columns(field).first());
        column.map_or(field, String::as_str).to_owned()
    }

    /// Whether a kind of rows is read without this field.
    pub(crate) fn column_is_missing(&self, kind: Kind, field: &str) -> bool {
        let plan = self.model(kind).and_then(|model| self.models.get(model));
        plan.is_none_or(|plan| plan.columns(field).is_empty())
    }

    pub(crate) fn new(survey: &Survey, options: &Options, report: &mut Report) -> Self {
        let chosen = kinds(survey, options, report);
        check_fields(survey, options, &chosen, report);
        missing_models(survey, &chosen, options, report);
        let mut models = HashMap::new();
        for (kind, name) in &chosen {
            if let Some(model) = survey.models.get(name) {
                models.insert(name.clone(), columns(name, model, *kind, options));
            }
        }
        let lines = lines(&chosen, &mut models);
        let owners = Owners::new(survey, options, &chosen, &models, report);
        let order = chosen.get(&Kind::Order);
        let statuses = match order.and_then(|name| Some((name, survey.models.get(name)?))) {
            Some((name, model)) => {
                let told = told(options, name, "status");
                Statuses::new(name, model, told, &options.statuses)
            }
            None => Statuses::default(),
        };
        let mut plan = Self {
            kinds: chosen
                .into_iter()
                .map(|(kind, model)| (model, kind))
                .collect(),
            models,
            owners,
            statuses,
            lines,
            notes: Vec::new(),
        };
        plan.notes = plan.unread(survey);
        plan
    }

    /// The columns of imported models that are not read, with the number of rows that have a value.
    fn unread(&self, survey: &Survey) -> Vec<String> {
        let mut notes = Vec::new();
        for (name, model) in &survey.models {
            let of_order = self.kinds.get(name) == Some(&Kind::Order);
            let mut read: Vec<&str> = self.owners.read_of(name).collect();
            match self.models.get(name) {
                Some(plan) => read.extend(plan.columns.values().flatten().map(String::as_str)),
                None if read.is_empty() => continue,
                None => {}
            }
            if of_order {
                read.extend(self.statuses.read());
            }
            let unread = model
                .columns
                .iter()
                .filter(|(column, found)| found.values > 0 && !read.contains(&column.as_str()));
            let unread: Vec<_> = unread
                .map(|(column, found)| listed(column, found))
                .collect();
            if !unread.is_empty() {
                notes.push(format!(
                    "{name}: columns that are not read: {}.",
                    unread.join(", ")
                ));
            }
        }
        notes
    }
}

fn listed(column: &str, found: &Column) -> String {
    let rows = if found.values == 1 { "row" } else { "rows" };
    format!("{} ({} {rows})", crate::row::name(column), found.values)
}

/// The choice of `--field` for a field.
pub(crate) fn told<'a>(
    options: &'a Options,
    model: &str,
    field: &str,
) -> Option<&'a crate::FieldChoice> {
    let mut choices = options.fields.iter().rev();
    choices.find(|choice| choice.model == model && choice.field == field)
}

/// Validates the choices of `--field`.
fn check_fields(
    survey: &Survey,
    options: &Options,
    chosen: &BTreeMap<Kind, String>,
    report: &mut Report,
) {
    for choice in &options.fields {
        let Some(model) = survey.models.get(&choice.model) else {
            no_such_model(survey, "--field", &choice.model, report);
            continue;
        };
        let at = of_model(&choice.model);
        let kind = chosen.iter().find(|(_, name)| **name == choice.model);
        let known: Vec<_> = match kind {
            Some((kind, _)) => names::fields(*kind)
                .iter()
                .map(|field| field.name)
                .collect(),
            // A profile, of which only the owner column is read.
            None => vec!["user"],
        };
        if !known.contains(&choice.field.as_str()) {
            let sentence = format!(
                "--field names {:?}, but its fields are {}.",
                choice.field,
                known.join(", ")
            );
            report.say(at, None, &sentence);
        }
        for column in &choice.columns {
            if column != PK && !model.columns.contains_key(column) {
                let columns: Vec<_> = model.columns.keys().map(String::as_str).collect();
                let sentence = format!(
                    "--field names the column {column:?}, but its columns are {}.",
                    columns.join(", ")
                );
                report.say(at, None, &sentence);
            }
        }
    }
}

/// The plan for a model of a kind.
fn columns(name: &str, model: &Model, kind: Kind, options: &Options) -> ModelPlan {
    let mut columns = BTreeMap::new();
    let mut left_out = Vec::new();
    for field in names::fields(kind) {
        let found = match told(options, name, field.name) {
            Some(choice) => choice.columns.clone(),
            // Determined separately, by conditions of its own.
            None if field.name == "status" => continue,
            None => choose(model, field),
        };
        if !found.is_empty() {
            columns.insert(field.name, found);
        } else if told(options, name, field.name).is_some() {
            left_out.push(field.name);
        }
    }
    if kind == Kind::User && told(options, name, "username").is_none() {
        // Users of some shops have no name and sign in with their e-mail address.
        let email = columns.get("email").cloned().unwrap_or_default();
        columns.entry("username").or_default().extend(email);
    }
    if kind == Kind::Product && !columns.contains_key("price") {
        columns.extend(only_price(model).map(|column| ("price", vec![column])));
    }
    let listed: Vec<_> = model
        .columns
        .iter()
        .map(|(c, found)| listed(c, found))
        .collect();
    ModelPlan {
        columns,
        left_out,
        renumber: options.new_ids && model.other_keys > 0,
        known: listed.join(", "),
    }
}

/// The columns of a field, best first: columns with values precede those without, then the rank of
/// the name counts. Where not every row has the best one, as in a file of several dumps, the others
/// follow.
pub(crate) fn choose(model: &Model, field: &Field) -> Vec<String> {
    let fits = |column: &Column| match field.holds {
        Holds::Anything => true,
        Holds::Number => !column.is_flag(),
        Holds::Amount => column.is_amount(),
        Holds::Whole => column.whole == column.values,
        Holds::List => column.is_list(),
        Holds::Flag => column.is_flag(),
    };
    let mut places: Vec<_> = model
        .columns
        .iter()
        .filter_map(|(name, column)| {
            let rank = rank(name, field.columns)?;
            fits(column).then_some((column.values == 0, rank, name, column.rows))
        })
        .collect();
    places.sort_unstable();
    if places.first().is_some_and(|(.., rows)| *rows == model.rows) {
        places.truncate(1);
    }
    places
        .into_iter()
        .map(|(_, _, name, _)| name.clone())
        .collect()
}

/// The only amount with a price-like name, which must be the price; `None` if several exist.
fn only_price(model: &Model) -> Option<String> {
    let is_price = |name: &str| {
        let name = fold(name);
        name.contains("price") || name == "cost" || name == "mrp"
    };
    let mut prices = model
        .columns
        .iter()
        .filter(|(name, column)| column.values > 0 && column.is_amount() && is_price(name));
    let first = prices.next().map(|(name, _)| name.clone());
    first.filter(|_| prices.next().is_none())
}

/// Determines where lines are; removes the columns that are not read in that case.
fn lines(chosen: &BTreeMap<Kind, String>, models: &mut HashMap<String, ModelPlan>) -> Lines {
    let plan = |kind: Kind| chosen.get(&kind).and_then(|name| models.get(name));
    let has =
        |kind: Kind, field: &str| plan(kind).is_some_and(|plan| !plan.columns(field).is_empty());
    // A column of that name has product keys, whether lines of another model exist or not.
    let columns = plan(Kind::Order).map_or(&[][..], |plan| plan.columns("lines"));
    let of_products = columns
        .first()
        .is_some_and(|column| fold(column) == "products");
    let has_rows = plan(Kind::OrderItem).is_some() && !of_products;
    let lines = if has(Kind::OrderItem, "order") {
        Lines::OwnRows
    } else if has_rows && has(Kind::Order, "lines") {
        Lines::Listed
    } else if !has_rows && has(Kind::Order, "product") {
        Lines::Single
    } else if !has_rows && has(Kind::Order, "lines") {
        Lines::Products
    } else {
        Lines::OwnRows
    };
    if let Some(order) = chosen
        .get(&Kind::Order)
        .and_then(|name| models.get_mut(name))
    {
        if !matches!(lines, Lines::Listed | Lines::Products) {
            order.columns.remove("lines");
        }
        if lines != Lines::Single {
            for field in ["product", "quantity", "price", "name"] {
                order.columns.remove(field);
            }
        }
    }
    lines
}
