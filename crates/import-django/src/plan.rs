//! The import plan: the kind of each model, and the columns of each field.

use crate::kind::Kind;
use crate::models::{kinds, missing_lines, missing_models, no_such_model, of_model};
use crate::names::{self, Field, Holds, fold, rank};
use crate::options::Options;
use crate::owners::{Owners, no_user};
use crate::row::PK;
use crate::similar;
use crate::status::Statuses;
use crate::survey::{Column, Model, Survey};
use crate::variants::Variants;
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
    /// For fields without a column: columns that may be theirs.
    pub(crate) likely: BTreeMap<&'static str, Vec<String>>,
    /// Models that may have the prices of products without one.
    pub(crate) elsewhere: Vec<String>,
    /// The model of stock records, which have the prices of products without one.
    pub(crate) records: Option<String>,
}

impl ModelPlan {
    pub(crate) fn columns(&self, field: &str) -> &[String] {
        self.columns.get(field).map_or(&[], Vec::as_slice)
    }

    /// Whether a field has the column.
    pub(crate) fn is_read(&self, column: &str) -> bool {
        let mut columns = self.columns.values().flatten();
        columns.any(|taken| taken == column)
    }

    /// The question which column a field has, with the options that answer it.
    pub(crate) fn which(&self, model: &str, field: &str) -> String {
        let option = |column: &str| format!("--field {model}.{field}={column}");
        let likely = self.likely.get(field).into_iter().flatten();
        let mut options: Vec<_> = likely.map(|column| option(column)).collect();
        if field == "price" {
            let records = self.elsewhere.iter();
            options.extend(records.map(|model| format!("--model {model}=stock-record")));
        }
        if options.is_empty() {
            options.push(option("COLUMN"));
        }
        let (known, options) = (&self.known, options.join(" or "));
        format!("Its columns are {known}. Say which it is: {options}")
    }

    /// For users with a username and an e-mail address: the option that makes the address the
    /// username.
    pub(crate) fn by_email(&self, model: &str) -> Option<String> {
        let (name, email) = (
            self.columns("username").first()?,
            self.columns("email").first()?,
        );
        (name != email)
            .then(|| format!("--field {model}.username={email} takes the e-mail address instead."))
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
    pub(crate) variants: Variants,
    /// The problem of an order without a user, where no option names an account.
    pub(crate) no_user: String,
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
        let variants = Variants::new(survey, options, &chosen, &mut models);
        similar::prices_elsewhere(survey, &chosen, &mut models);
        similar::listed_products(survey, &chosen, &mut models);
        let lines = lines(&chosen, &mut models);
        missing_lines(survey, &chosen, lines, options, report);
        let owners = Owners::new(survey, options, &chosen, &models, report);
        let order = chosen.get(&Kind::Order);
        let no_user = order.map(|order| no_user(survey, order, &models));
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
            variants,
            no_user: no_user.unwrap_or_default(),
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
    let mut likely = BTreeMap::new();
    for field in names::fields(kind) {
        if columns.contains_key(field.name) || left_out.contains(&field.name) {
            continue;
        }
        let mut similar = similar::columns(model, field.name);
        similar.retain(|column| !columns.values().flatten().any(|taken| taken == column));
        let is_taken = match (kind, field.name) {
            (Kind::Product, "price") => true,
            (Kind::OrderItem, "price") => !columns.contains_key("total"),
            // It is compared with the lines.
            (Kind::Order, "total") => true,
            _ => false,
        };
        if is_taken && similar.len() == 1 {
            columns.insert(field.name, similar);
        } else {
            likely.insert(field.name, similar);
        }
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
        likely,
        elsewhere: Vec::new(),
        records: None,
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
