//! Reads what `manage.py dumpdata` of a small Django shop wrote, as a shop to be taken over.
//!
//! Shops of this kind differ in the names of their apps and fields: a model is known by the last
//! part of its name and by its fields, and each field by a few usual names. What is no part of a
//! shop, such as sessions and permissions, is skipped and counted. What is wrong is said all at
//! once, with model, key and field.
//!
//! The file is read as a stream: what is kept in memory is the shop that it describes.

mod assemble;
mod kind;
mod read;
mod row;
mod time;
mod value;
mod wrong;

#[cfg(test)]
mod tests;

pub use wrong::Wrong;

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::io::Read;
use tradepost_domain::{
    Currency, ImportProblem, ImportRefusal, ImportRow, ImportShop, OrderStatus,
};

/// What a dump does not say.
#[derive(Debug, Clone)]
pub struct Options {
    /// The currency of every amount.
    pub currency: Currency,
    /// The time for what has none.
    pub now: DateTime<Utc>,
    /// What a status means, by its name in lower case, besides those that are known.
    pub statuses: BTreeMap<String, OrderStatus>,
    /// Users without a key, whom `--natural-primary` makes, get ids beyond this one.
    pub last_user: i64,
}

/// A dump that was understood.
#[derive(Debug, Default)]
pub struct Dump {
    /// The shop.
    pub shop: ImportShop,
    /// Rows that are no part of a shop, by their model.
    pub skipped: BTreeMap<String, u64>,
    /// Cart lines that belong to nobody.
    pub anonymous: u64,
    /// Cart lines that were added to another line of the same product.
    pub merged: u64,
    /// Times that were missing.
    pub undated: u64,
    names: Names,
}

/// What the models are called in this dump, to name a row as whoever made it knows it.
#[derive(Debug, Default)]
struct Names {
    user: String,
    product: String,
    cart_line: String,
    order: String,
}

/// Why a dump could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// It is no dump.
    #[error("it is not what dumpdata writes: {0}")]
    NotADump(#[source] serde_json::Error),
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// It has nothing of a shop.
    #[error("it has no users, products, carts or orders")]
    NoShop,
    /// Rows are wrong.
    #[error("rows are wrong")]
    Wrong(Wrong),
}

/// Reads a dump.
///
/// # Errors
/// [`DumpError`].
pub fn read(file: impl Read, options: &Options) -> Result<Dump, DumpError> {
    let mut rows = read::Rows::new(options);
    row::each(file, |row| rows.take(&row)).map_err(|error| {
        if error.is_io() {
            DumpError::Unreadable(error)
        } else {
            DumpError::NotADump(error)
        }
    })?;
    assemble::dump(rows, options)
}

impl Dump {
    /// What the domain says about the shop, in the names of the dump.
    #[must_use]
    pub fn explain(&self, refusal: &ImportRefusal) -> Wrong {
        let mut wrong = Wrong::default();
        for problem in &refusal.problems {
            match problem {
                ImportProblem::NotEmpty { .. } => wrong.say(format!("{problem}.")),
                ImportProblem::Row { row, field, fault } => {
                    let (model, key) = match row {
                        ImportRow::User(id) => (&self.names.user, id.get()),
                        ImportRow::Product(id) => (&self.names.product, id.get()),
                        ImportRow::CartLine(id) => (&self.names.cart_line, id.get()),
                        ImportRow::Order(id) => (&self.names.order, id.get()),
                    };
                    wrong.say(format!("{model} {key}, {field}: {fault}"));
                }
            }
        }
        wrong.leave_out(refusal.unlisted);
        wrong
    }
}
