//! Cells of a row as values of the domain.

use crate::escape::unescape;
use crate::file::Options;
use crate::header::{Columns, Dialect, Field};
use crate::number::{NumberFormat, decimal, integer};
use crate::weight::weight;
use csv::StringRecord;
use tradepost_domain::catalog::{Measure, MeasureChanges, Price};
use tradepost_domain::import::products::{RowFault, RowProblem};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{Description, FieldError, ProductName, Sku};

/// A row, whose problems are collected.
pub(crate) struct Cells<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) record: &'a StringRecord,
    pub(crate) line: u64,
    pub(crate) format: NumberFormat,
    pub(crate) options: Options,
    pub(crate) problems: Vec<RowProblem>,
}

impl<'a> Cells<'a> {
    fn cell(&self, at: usize) -> &'a str {
        let cell = self.record.get(at).unwrap_or_default();
        match self.columns.dialect {
            Dialect::Tradepost => unescape(cell),
            Dialect::Shopify | Dialect::WooCommerce => cell,
        }
    }

    /// The cell of a field, if the file has the column.
    pub(crate) fn text(&self, field: Field) -> Option<&'a str> {
        let at = self.columns.positions(field).next()?;
        Some(self.cell(at))
    }

    /// The cell of a field, if it has more than white space.
    pub(crate) fn filled(&self, field: Field) -> Option<&'a str> {
        self.text(field).filter(|text| !text.trim().is_empty())
    }

    /// The cells of a field that several columns have.
    pub(crate) fn texts(&self, field: Field) -> Vec<&'a str> {
        let positions = self.columns.positions(field);
        positions.map(|at| self.cell(at).trim()).collect()
    }

    /// Returns a valid value; records the problem of another one.
    pub(crate) fn keep<T>(&mut self, field: Field, value: Result<T, RowFault>) -> Option<T> {
        let problem = match value {
            Ok(value) => return Some(value),
            Err(fault) => {
                let column = match field {
                    Field::Weight(_) => self.columns.weight().map(|(_, at)| at),
                    field => self.columns.positions(field).next(),
                };
                let column = column.map_or_else(String::new, |at| self.columns.name(at));
                RowProblem::new(self.line, column, fault)
            }
        };
        self.problems.push(problem);
        None
    }

    pub(crate) fn sku(&mut self) -> Option<Sku> {
        let text = self.text(Field::Sku).unwrap_or_default();
        let sku = match text.trim().is_empty() {
            true => Err(FieldError::Required.into()),
            false => Sku::new(text).map_err(RowFault::from),
        };
        self.keep(Field::Sku, sku)
    }

    pub(crate) fn name(&mut self) -> Option<ProductName> {
        let name = self.filled(Field::Name)?;
        self.keep(Field::Name, ProductName::new(name).map_err(RowFault::from))
    }

    pub(crate) fn description(&mut self, text: &str) -> Option<Description> {
        let description = Description::new(text).map_err(RowFault::from);
        self.keep(Field::Description, description)
    }

    pub(crate) fn price(&mut self) -> Option<Price> {
        let cell = self.filled(Field::Price)?;
        let currency = self.options.currency;
        let price = decimal(cell, self.format)
            .and_then(|text| Price::parse(&text, currency).map_err(RowFault::from));
        self.keep(Field::Price, price)
    }

    /// Units on hand, unless the import leaves stock out.
    pub(crate) fn stock(&mut self) -> Option<StockLevel> {
        let cell = self.filled(Field::Stock)?;
        if !self.options.stock {
            return None;
        }
        let level = integer(cell, self.format)
            .and_then(|units| StockLevel::requested(units).map_err(RowFault::from));
        self.keep(Field::Stock, level)
    }

    /// The measures of which the row has values.
    pub(crate) fn measures(&mut self) -> MeasureChanges {
        let mut changes = MeasureChanges::default();
        for measure in Measure::ALL {
            // Other systems write weights in several units.
            let value = match *measure == Measure::WeightGrams {
                true => self.weight(),
                false => self.measure(*measure),
            };
            let changed = value.and_then(|value| changes.with(*measure, value).ok());
            changes = changed.unwrap_or(changes);
        }
        changes
    }

    fn weight(&mut self) -> Option<i64> {
        let (unit, at) = self.columns.weight()?;
        let cell = Some(self.cell(at)).filter(|cell| !cell.trim().is_empty())?;
        let weight = weight(cell, unit, self.format);
        self.keep(Field::Weight(unit), weight)
    }

    fn measure(&mut self, measure: Measure) -> Option<i64> {
        let cell = self.filled(Field::Measure(measure))?;
        let value = integer(cell, self.format)
            .and_then(|value| measure.check(value).map_err(RowFault::from));
        self.keep(Field::Measure(measure), value)
    }

    /// A cell that is true or false.
    pub(crate) fn boolean(&mut self, field: Field) -> Option<bool> {
        let cell = self.filled(field)?;
        let value = match cell.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(FieldError::NotABoolean.into()),
        };
        self.keep(field, value)
    }

    /// Checks that an amount is in the shop's currency.
    pub(crate) fn currency(&mut self) {
        let shop = self.options.currency;
        let other = self
            .filled(Field::Currency)
            .filter(|code| !code.trim().eq_ignore_ascii_case(shop.code()));
        if other.is_some() {
            let fault = FieldError::OtherCurrency(shop).into();
            self.keep::<()>(Field::Currency, Err(fault));
        }
    }
}
