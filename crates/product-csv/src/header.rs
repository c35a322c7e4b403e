//! Columns by the names of the header, in the dialects of the systems that write them.

use crate::CsvError;
use crate::weight::Unit;
use std::fmt;
use tradepost_domain::catalog::Measure;

/// The system whose columns a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Those of `tradepost export products`.
    Tradepost,
    /// Shopify's product CSV, of before and since 2024.
    Shopify,
    /// The export of WooCommerce.
    WooCommerce,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tradepost => "Tradepost",
            Self::Shopify => "Shopify",
            Self::WooCommerce => "WooCommerce",
        })
    }
}

/// The meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Sku,
    Name,
    Description,
    ShortDescription,
    Price,
    Currency,
    Stock,
    Weight(Unit),
    /// A measure in its own unit.
    Measure(Measure),
    Archived,
    Published,
    Status,
    Handle,
    OptionValue,
    Type,
}

/// The names of the columns of an export, without `archived`.
pub(crate) fn exported() -> impl Iterator<Item = &'static str> {
    let columns = ["sku", "name", "description", "price", "currency", "stock"];
    let measures = Measure::ALL.iter().map(|measure| measure.name());
    columns.into_iter().chain(measures)
}

/// Names in lower case. The measures come by their own names, of which the weight may also have
/// decimals, as in other systems.
const TRADEPOST: &[(&str, Field)] = &[
    ("sku", Field::Sku),
    ("name", Field::Name),
    ("description", Field::Description),
    ("price", Field::Price),
    ("currency", Field::Currency),
    ("stock", Field::Stock),
    ("weight_grams", Field::Weight(Unit::Gram)),
    ("archived", Field::Archived),
];

const SHOPIFY: &[(&str, Field)] = &[
    ("handle", Field::Handle),
    ("url handle", Field::Handle),
    ("title", Field::Name),
    ("body (html)", Field::Description),
    ("description", Field::Description),
    ("variant sku", Field::Sku),
    ("sku", Field::Sku),
    ("variant price", Field::Price),
    ("price", Field::Price),
    ("variant inventory qty", Field::Stock),
    ("inventory quantity", Field::Stock),
    ("variant grams", Field::Weight(Unit::Gram)),
    ("weight value (grams)", Field::Weight(Unit::Gram)),
    ("option1 value", Field::OptionValue),
    ("option2 value", Field::OptionValue),
    ("option3 value", Field::OptionValue),
    ("status", Field::Status),
    ("published", Field::Published),
    ("published on online store", Field::Published),
];

const WOOCOMMERCE: &[(&str, Field)] = &[
    ("sku", Field::Sku),
    ("name", Field::Name),
    ("description", Field::Description),
    ("short description", Field::ShortDescription),
    ("regular price", Field::Price),
    ("stock", Field::Stock),
    ("weight (g)", Field::Weight(Unit::Gram)),
    ("weight (kg)", Field::Weight(Unit::Kilogram)),
    ("weight (lbs)", Field::Weight(Unit::Pound)),
    ("weight (oz)", Field::Weight(Unit::Ounce)),
    ("published", Field::Published),
    ("type", Field::Type),
];

/// The columns of a file.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) dialect: Dialect,
    names: Vec<String>,
    fields: Vec<Option<Field>>,
}

impl Columns {
    /// The columns with these names.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, CsvError> {
        let names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
        if names.iter().all(String::is_empty) {
            return Err(CsvError::Empty);
        }
        let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let has = |name: &str| lower.iter().any(|own| own == name);
        let (dialect, table) = if has("handle") || has("url handle") {
            (Dialect::Shopify, SHOPIFY)
        } else if has("sku") && (has("regular price") || has("type") || has("parent")) {
            (Dialect::WooCommerce, WOOCOMMERCE)
        } else {
            (Dialect::Tradepost, TRADEPOST)
        };
        let measure = |name: &String| {
            let mut measures = Measure::ALL.iter();
            let measure = measures.find(|measure| measure.name() == name)?;
            (dialect == Dialect::Tradepost).then_some(Field::Measure(*measure))
        };
        let field = |name: &String| {
            let known = table.iter().find(|(known, _)| known == name);
            known.map(|(_, field)| *field).or_else(|| measure(name))
        };
        let fields: Vec<Option<Field>> = lower.iter().map(field).collect();
        let columns = Self {
            dialect,
            names,
            fields,
        };
        columns.checked()
    }

    fn checked(self) -> Result<Self, CsvError> {
        let mut seen = Vec::new();
        for (name, field) in self.names.iter().zip(&self.fields) {
            let Some(field) = field else { continue };
            if *field != Field::OptionValue && seen.contains(field) {
                return Err(CsvError::Repeated(name.clone()));
            }
            seen.push(*field);
        }
        if !seen.contains(&Field::Sku) {
            let names = self.names.iter().map(|name| shortened(name));
            let found = names.take(20).collect::<Vec<_>>().join(", ");
            return Err(CsvError::NoSku { found });
        }
        Ok(self)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Each column: its name, and its field if it is recognised.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<Field>)> {
        let names = self.names.iter().map(String::as_str);
        names.zip(self.fields.iter().copied())
    }

    /// The positions of a field, in the order of the columns.
    pub(crate) fn positions(&self, wanted: Field) -> impl Iterator<Item = usize> {
        let fields = self.fields.iter().enumerate();
        fields.filter_map(move |(at, field)| (*field == Some(wanted)).then_some(at))
    }

    /// The unit and the position of the weight.
    pub(crate) fn weight(&self) -> Option<(Unit, usize)> {
        let fields = self.fields.iter().enumerate();
        let mut weights = fields.filter_map(|(at, field)| match field {
            Some(Field::Weight(unit)) => Some((*unit, at)),
            _ => None,
        });
        weights.next()
    }

    /// The name of a column, for a message.
    pub(crate) fn name(&self, at: usize) -> String {
        self.names.get(at).cloned().unwrap_or_default()
    }
}

/// A name of at most 40 characters, in quotation marks.
fn shortened(name: &str) -> String {
    format!("{:?}", name.chars().take(40).collect::<String>())
}

/// The separator of cells: the most frequent one of the first line outside of quotation marks.
pub(crate) fn separator(line: &str) -> u8 {
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in line.bytes() {
        if byte == b'"' {
            quoted = !quoted;
        }
        for (separator, count) in &mut counts {
            if *separator == byte && !quoted {
                *count = count.saturating_add(1);
            }
        }
    }
    let best = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    best.map_or(b',', |(separator, _)| separator)
}
