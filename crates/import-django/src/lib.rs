//! Importer for `manage.py dumpdata` files of a Django shop: reads a dump as an [`ImportShop`].
//!
//! Shops differ in the names of their apps, models and columns. The file is read in two passes: the
//! first collects models and columns, from which a plan is made; the second reads the rows as the
//! plan says. Models are recognised by the last part of their name or by their columns, columns by
//! a ranked list of names. Where that is ambiguous, nothing is guessed: a problem names the option
//! that decides it. All problems are reported at once, grouped by model, field and value.
//!
//! The file is streamed: memory is proportional to the shop, not to the file.

mod assemble;
mod carts;
mod duplicates;
mod gone;
mod index;
mod kind;
mod models;
mod names;
mod options;
mod orders;
mod owners;
pub mod parse;
mod plan;
mod read;
mod read_orders;
mod row;
mod rows;
mod similar;
mod source;
mod status;
mod stock_records;
mod stream;
mod survey;
mod time;
mod totals;
mod value;
mod variants;
mod wrong;

#[cfg(test)]
mod encoding_tests;
#[cfg(test)]
mod option_tests;
#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod remedy_tests;
#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod testing;
/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod variant_tests;

pub use kind::Kind;
pub use options::{FieldChoice, Meaning, MissingProduct, Options};
pub use source::Source;
pub use stream::Outside;
pub use wrong::Wrong;

use plan::Plan;
use row::Row;
use std::collections::BTreeMap;
use std::io;
use stock_records::StockRecords;
use stream::StreamError;
use tradepost_domain::import::{
    ImportError, ImportErrorKind, ImportRefusal, ImportRow, ImportShop,
};
use tradepost_text_file::Advice;
use wrong::{At, Report};

/// A row with a new id instead of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewId {
    /// The model.
    pub model: String,
    /// The key in the dump.
    pub key: String,
    /// The id in this shop.
    pub id: i64,
}

/// A dump that was read. It can be imported if [`Dump::wrong`] is empty.
#[derive(Debug, Default)]
pub struct Dump {
    /// The shop.
    pub shop: ImportShop,
    /// The number of rows that are not part of a shop, by model.
    pub skipped: BTreeMap<String, u64>,
    /// The number of cart lines that belong to no account.
    pub anonymous: u64,
    /// The number of cart lines that were merged into another line of the same product.
    pub merged: u64,
    /// The number of rows without a time.
    pub undated: u64,
    /// Further notes: columns that are not read, rows that were left out, and how.
    pub notes: Vec<String>,
    /// The new ids of rows whose keys cannot be ids.
    pub new_ids: Vec<NewId>,
    /// The problems.
    pub wrong: Wrong,
    names: Names,
}

/// The names of the models in the dump, so that messages name rows as the dump does.
#[derive(Debug, Default)]
struct Names {
    user: String,
    product: String,
    cart_line: String,
    order: String,
    /// The remedy for usernames that are equal here.
    same_username: String,
}

impl Names {
    fn new(plan: &Plan) -> Self {
        let user = plan.model(Kind::User);
        let model = user.and_then(|name| Some((name, plan.models.get(name)?)));
        let same_username = model.and_then(|(name, model)| model.by_email(name));
        Self {
            same_username: same_username.unwrap_or_default(),
            user: plan.name(Kind::User),
            product: plan.name(Kind::Product),
            cart_line: plan.name(Kind::CartItem),
            order: plan.name(Kind::Order),
        }
    }
}

/// The error of a dump that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The file is not a dump.
    #[error("it is not what dumpdata writes: {0}")]
    NotADump(String),
    /// The file cannot be read, or has an unsupported encoding.
    #[error("{0}")]
    Unreadable(#[source] io::Error),
    /// No row is part of a shop.
    #[error("it has no users, products, carts or orders")]
    NoShop,
}

impl From<StreamError> for DumpError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::NotADump(what) => Self::NotADump(what),
            StreamError::Unreadable(error) => Self::Unreadable(error),
        }
    }
}

/// The remedies for a dump that is no text.
const ADVICE: Advice = Advice {
    unpack: "unpack it first, or have dumpdata write .json or .json.gz",
    convert: "Write the dump again with \
              python -X utf8 manage.py dumpdata --output shop.json, or convert the file: \
              iconv -f {encoding} -t UTF-8 shop.json > shop-utf8.json",
};

fn each(source: &impl Source, take: impl FnMut(Row)) -> Result<Outside, DumpError> {
    let file = source
        .open()
        .and_then(|file| tradepost_text_file::open(file, ADVICE));
    let file = file.map_err(DumpError::Unreadable)?;
    Ok(stream::each(file, take)?)
}

/// Reads a dump. Problems of its rows are in [`Dump::wrong`].
///
/// # Errors
/// [`DumpError`].
pub fn read(source: impl Source, options: &Options) -> Result<Dump, DumpError> {
    let mut survey = survey::Survey::default();
    each(&source, |row| survey.note(&row))?;
    let mut report = Report::new(&options.skip_rows);
    let plan = Plan::new(&survey, options, &mut report);
    drop(survey);
    let mut records = StockRecords::default();
    if StockRecords::are_needed(&plan) {
        each(&source, |row| records.take(&plan, &row, &mut report))?;
    }
    let mut rows = rows::Rows::new(options, &plan, &records, report);
    let outside = each(&source, |row| rows.take(&row))?;
    assemble::dump(rows, outside)
}

impl Dump {
    /// Translates a rejected import into the names of the dump. Faults that only follow from
    /// problems in [`Dump::wrong`] are left out.
    #[must_use]
    pub fn explain(&self, refusal: &ImportRefusal) -> Wrong {
        let mut wrong = Wrong::default();
        for problem in &refusal.problems {
            match problem {
                ImportError::NotEmpty { .. } => {
                    wrong.say(models::of_model(""), None, &format!("{problem}."));
                }
                ImportError::Row { fault, .. } if !self.wrong.is_empty() && follows(fault) => {}
                ImportError::Row { row, field, fault } => {
                    let (model, key) = match row {
                        ImportRow::User(id) => (&self.names.user, id.get()),
                        ImportRow::Product(id) => (&self.names.product, id.get()),
                        ImportRow::CartItem(id) => (&self.names.cart_line, id.get()),
                        ImportRow::Order(id) => (&self.names.order, id.get()),
                    };
                    let key = self.key(model, key);
                    let hint = match fault {
                        ImportErrorKind::SameAs(ImportRow::User(_)) if *field == "username" => {
                            self.names.same_username.as_str()
                        }
                        _ => "",
                    };
                    let at = At {
                        model,
                        key: Some(&key),
                        field,
                        hint,
                    };
                    wrong.say(at, None, &fault.to_string());
                }
            }
        }
        wrong.leave_out(refusal.unlisted);
        wrong
    }

    /// The key of a row in the dump, by its id.
    fn key(&self, model: &str, id: i64) -> String {
        let mut new = self.new_ids.iter();
        let new = new.find(|new| new.model == model && new.id == id);
        new.map_or_else(|| id.to_string(), |new| new.key.clone())
    }
}

/// Whether a fault may be only a consequence of an invalid row that was dropped.
fn follows(fault: &ImportErrorKind) -> bool {
    matches!(
        fault,
        ImportErrorKind::Missing(_)
            | ImportErrorKind::NoLines
            | ImportErrorKind::TotalDiffers { .. }
    )
}
