//! Readers of fields: each value is validated by the domain's constructors, and all problems are
//! collected.

use crate::options::Options;
use crate::plan::ModelPlan;
use crate::row::{Row, printable};
use crate::rows::{KeyedProduct, NewIds, User};
use crate::stock_records::StockRecord;
use crate::time;
use crate::value::{Amounts, Reference, integer, json, reference, string, whole};
use crate::wrong::{At, Report};
use chrono::{DateTime, Utc};
use tradepost_domain::catalog::{Measure, Measures, Price, Product};
use tradepost_domain::identity::{Account, Email, PasswordHash, Username};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{
    Description, FieldError, Money, ProductId, ProductName, Sku, UserId,
};

/// The fields of one row. A reader returns `None` for an invalid field, after reporting it.
pub(crate) struct Fields<'a> {
    pub(crate) row: &'a Row,
    pub(crate) plan: &'a ModelPlan,
    pub(crate) options: &'a Options,
    pub(crate) report: &'a mut Report,
    pub(crate) undated: &'a mut u64,
    pub(crate) new_ids: &'a mut NewIds,
    /// For a product: its price and stock, if they are not in its row.
    pub(crate) record: Option<&'a StockRecord>,
    /// For a variant without a name: the column of names, and its parent's name.
    pub(crate) name: Option<(&'a str, &'a str)>,
}

impl<'a> Fields<'a> {
    /// The first column of a field with a value, and its JSON.
    pub(crate) fn get(&self, field: &str) -> Option<(&'a str, &'a str)> {
        let mut columns = self.plan.columns(field).iter();
        let own = columns.find_map(|column| Some((column.as_str(), self.row.get(column)?)));
        own.or_else(|| self.record.and_then(|record| record.get(field)))
            .or_else(|| self.name.filter(|_| field == "name"))
    }

    pub(crate) fn say(&mut self, field: &str, value: Option<&str>, sentence: &str) {
        self.say_with(field, value, sentence, "");
    }

    pub(crate) fn say_with(
        &mut self,
        field: &str,
        value: Option<&str>,
        sentence: &str,
        hint: &str,
    ) {
        let key = self.row.key();
        let at = At {
            model: &self.row.model,
            key: Some(&key),
            field,
            hint,
        };
        self.report.say(at, value.map(shown), sentence);
    }

    pub(crate) fn good<T>(
        &mut self,
        column: &str,
        text: &str,
        value: Result<T, FieldError>,
    ) -> Option<T> {
        let hint = self.remedy("");
        self.good_or(column, text, value, &hint)
    }

    /// The remedy for a row without a valid value of a required field.
    fn remedy(&self, field: &str) -> String {
        let model = &self.row.model;
        let by_email = match field {
            "username" => self.plan.by_email(model),
            _ => None,
        };
        by_email.unwrap_or_else(|| format!("--skip-rows {model} leaves such rows out."))
    }

    /// The value, or `None` after the problem was reported with its remedy.
    fn good_or<T>(
        &mut self,
        column: &str,
        text: &str,
        value: Result<T, FieldError>,
        hint: &str,
    ) -> Option<T> {
        let problem = match value {
            Ok(value) => return Some(value),
            Err(problem) => problem,
        };
        let hint = match problem {
            FieldError::TooManyDecimals { .. } => "--round-amounts rounds it.",
            _ => hint,
        };
        self.say_with(column, Some(text), &problem.to_string(), hint);
        None
    }

    /// Whether invalid values of an optional field are left out; if not, the hint that they can be.
    pub(crate) fn left_out(&mut self, field: &str) -> Result<(), String> {
        let name = format!("{}.{field}", self.row.model);
        if self.options.skip_values.contains(&name) {
            self.report.leave_out(&name, &self.row.key());
            return Ok(());
        }
        Err(format!("--skip-values {name} leaves such values out."))
    }

    /// Reports a missing field, with the existing columns if none is known for it.
    pub(crate) fn missing(&mut self, field: &str) {
        let model = &self.row.model;
        match self.plan.columns(field).first() {
            Some(column) => {
                let column = column.clone();
                let hint = self.remedy("");
                let sentence = FieldError::Required.to_string();
                self.say_with(&column, None, &sentence, &hint);
            }
            None => {
                if let Some(records) = self.plan.records.as_ref().filter(|_| field == "price") {
                    let sentence = format!("It has no price, and no {records}.");
                    let hint = self.remedy("");
                    self.say_with(field, None, &sentence, &hint);
                    return;
                }
                let otherwise = match field {
                    "quantity" => format!("; --field {model}.quantity= if each is one unit"),
                    _ => String::new(),
                };
                let sentence = format!(
                    "{} {}{otherwise}.",
                    FieldError::Required,
                    self.plan.which(model, field)
                );
                self.say(field, None, &sentence);
            }
        }
    }

    /// Reads a required field.
    pub(crate) fn need<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<T> {
        match self.get(field) {
            Some((column, text)) => {
                let hint = self.remedy(field);
                self.good_or(column, text, read(text), &hint)
            }
            None => {
                self.missing(field);
                None
            }
        }
    }

    /// Reads an optional field: `Some(None)` if it is missing.
    pub(crate) fn may<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, FieldError>,
    ) -> Option<Option<T>> {
        let Some((column, text)) = self.get(field) else {
            return Some(None);
        };
        match read(text) {
            Ok(value) => Some(Some(value)),
            Err(problem) => match self.left_out(field) {
                Ok(()) => Some(None),
                Err(hint) => self.good_or(column, text, Err(problem), &hint),
            },
        }
    }

    pub(crate) fn key(&self) -> Option<Reference> {
        reference(self.row.pk.as_ref()?.get()).ok()
    }

    pub(crate) fn id<T>(&mut self, id: impl Fn(i64) -> Option<T>) -> Option<T> {
        if self.plan.renumber && self.row.pk.is_some() {
            return id(self.new_ids.give(&self.row.key()));
        }
        let pk = self.row.pk.as_ref().map(|pk| pk.get());
        let found = pk.and_then(|text| integer(text).ok()).and_then(id);
        if found.is_none() {
            let sentence = match pk {
                Some(_) => {
                    "Keys have to be whole numbers from 1: they are kept as ids. --new-ids FILE \
                     gives new ones, and writes them to a file."
                }
                None => "A key is needed here: dump without --natural-primary.",
            };
            self.say("pk", None, sentence);
        }
        found
    }

    fn flag(&mut self, field: &str, otherwise: bool) -> Option<bool> {
        let flag = self.may(field, |text| json(text, "true or false"))?;
        Some(flag.unwrap_or(otherwise))
    }

    /// The times of creation and of the last change.
    pub(crate) fn times(&mut self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let mut time = |field| {
            let Some((column, text)) = self.get(field) else {
                return Some(None);
            };
            let time = string(text).ok().and_then(|text| time::parse(&text));
            if time.is_some() {
                return Some(time);
            }
            match self.left_out(field) {
                Ok(()) => Some(None),
                Err(hint) => {
                    let sentence = "A time is needed, as in 2024-03-05T12:34:56Z.";
                    self.say_with(column, Some(text), sentence, &hint);
                    None
                }
            }
        };
        let (created, updated) = (time("created_at"), time("updated_at"));
        let (created, updated) = (created?, updated?);
        if created.is_none() {
            *self.undated = self.undated.saturating_add(1);
        }
        let created = created.or(updated).unwrap_or(self.options.now);
        Some((created, updated.unwrap_or(created)))
    }

    pub(crate) fn amounts(&self) -> Amounts {
        Amounts {
            currency: self.options.currency,
            round: self.options.round_amounts,
        }
    }

    pub(crate) fn money(&mut self, field: &str) -> Option<Option<Money>> {
        let amounts = self.amounts();
        self.may(field, |text| amounts.read(text))
    }

    pub(crate) fn user(&mut self) -> Option<User> {
        let id = match self.row.pk {
            Some(_) => self.id(UserId::new).map(Some),
            None => Some(None),
        };
        let email = self.may("email", |text| {
            let text = string(text)?;
            let email = Some(text.trim()).filter(|text| !text.is_empty());
            email.map(Email::existing).transpose()
        });
        let username = self.need("username", |text| Username::existing(&string(text)?));
        let password = self.password();
        let is_staff = self.flag("is_staff", false);
        let is_active = self.flag("is_active", true);
        let times = self.times();
        let account = Account {
            // A placeholder: the caller sets the id.
            id: UserId::new(1)?,
            username: username?,
            email: email?.flatten(),
            is_staff: is_staff?,
            is_active: is_active?,
            session_epoch: 0,
            created_at: times?.0,
        };
        Some(User {
            key: self.key(),
            id: id?,
            account,
            password: password?,
        })
    }

    /// The password hash, which is never shown, even if it is invalid. A user without one cannot
    /// sign in.
    fn password(&mut self) -> Option<PasswordHash> {
        let Some((column, text)) = self.get("password") else {
            if self.plan.columns("password").is_empty() {
                self.missing("password");
                return None;
            }
            return Some(PasswordHash::new("!".to_owned()));
        };
        let hash = string(text).and_then(|text| match text.len() {
            ..=512 if text.chars().any(char::is_control) => Err(FieldError::ControlCharacter),
            ..=512 => Ok(PasswordHash::new(text)),
            _ => Err(FieldError::TooLong { max: 512 }),
        });
        let say = |problem: FieldError| self.say(column, None, &problem.to_string());
        hash.map_err(say).ok()
    }

    pub(crate) fn product(&mut self) -> Option<KeyedProduct> {
        let amounts = self.amounts();
        let id = self.id(ProductId::new);
        let sku = self.may("sku", |text| {
            let text = string(text)?;
            let sku = Some(text.trim()).filter(|text| !text.is_empty());
            sku.map(Sku::new).transpose()
        });
        let name = self.need("name", |text| ProductName::new(&string(text)?));
        let description = self.may("description", |text| Description::new(&string(text)?));
        let price = self.need("price", |text| Price::new(amounts.read(text)?));
        let stock = self.may("stock", |text| StockLevel::requested(whole(text)?));
        let measures = self.measures();
        let sold = self.flag("is_active", true);
        let archived = self.flag("is_archived", false);
        let times = self.times();
        let none = || Description::new("").ok();
        let (created_at, updated_at) = times?;
        let unsaid = self.options.stock.unwrap_or(StockLevel::ZERO);
        let product = Product {
            id: id?,
            sku: sku?.flatten(),
            name: name?,
            description: description?.or_else(none)?,
            price: price?,
            stock: stock?.unwrap_or(unsaid),
            measures: measures?,
            low_stock: None,
            archived: !sold? || archived?,
            created_at,
            updated_at,
        };
        let key = self.key()?;
        Some(KeyedProduct { key, product })
    }

    /// The measures of a product; `None` if one is invalid.
    fn measures(&mut self) -> Option<Measures> {
        let mut measures = Some(Measures::default());
        for measure in Measure::ALL {
            let value = self.may(measure.word(), |text| measure.check(integer(text)?));
            let with = |measures: Measures, value| measures.with(*measure, value).ok();
            measures = measures
                .zip(value)
                .and_then(|(measures, value)| match value {
                    Some(value) => with(measures, value),
                    None => Some(measures),
                });
        }
        measures
    }
}

/// A value of the dump, formatted for display.
fn shown(text: &str) -> String {
    match string(text) {
        Ok(text) => format!("{:?}", printable(&text)),
        Err(_) => printable(text),
    }
}
