//! Import options: facts that a dump does not contain, and the treatment of rows that do not fit.

use crate::kind::Kind;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::identity::Username;
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::Currency;
use tradepost_domain::orders::OrderStatus;

/// The meaning of a status value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// An order of this status.
    Order(OrderStatus),
    /// An open order: its lines are in its user's cart.
    Cart,
}

impl Meaning {
    /// The meaning with this word: a status, or `cart`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "cart" => Some(Self::Cart),
            word => OrderStatus::parse(word).map(Self::Order),
        }
    }

    /// Precedence among several meanings: the most advanced status wins, and cancelled over all.
    pub(crate) fn rank(self) -> u8 {
        match self {
            Self::Cart => 0,
            Self::Order(OrderStatus::Pending) => 1,
            Self::Order(OrderStatus::Processing) => 2,
            Self::Order(OrderStatus::Shipped) => 3,
            Self::Order(OrderStatus::Delivered) => 4,
            Self::Order(OrderStatus::Cancelled) => 5,
        }
    }
}

/// A line of an order whose product is not in the dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingProduct {
    /// Leave the line out; the order keeps its total.
    Skip,
    /// Create an archived product with the line's name and price.
    Archive,
}

/// The columns of a field, by `--field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChoice {
    /// `app.model`.
    pub model: String,
    /// The name of the field in this program.
    pub field: String,
    /// The columns of the dump, of which the first with a value counts; empty to leave the field
    /// out. `pk` is the key of the row.
    pub columns: Vec<String>,
    /// For a user column, the model that it refers to.
    pub target: Option<String>,
}

/// The import options.
#[derive(Debug, Clone)]
pub struct Options {
    /// The currency of every amount.
    pub currency: Currency,
    /// The time for rows that have none.
    pub now: DateTime<Utc>,
    /// Users without a key (`--natural-primary`) get ids greater than this one.
    pub last_user: i64,
    /// The meaning of a status: by a value of the status column, by `column=value`, by the name of
    /// a column of flags, or by the empty name for orders without a status.
    pub statuses: Vec<(String, Meaning)>,
    /// The kinds of rows to import; all if it is empty.
    pub only: BTreeSet<Kind>,
    /// The kind of a model; `None` for one that is not part of the shop.
    pub models: BTreeMap<String, Option<Kind>>,
    /// The columns of fields for which detection fails or errs.
    pub fields: Vec<FieldChoice>,
    /// The account for guest orders. If none of that name exists, it is created without a usable
    /// password.
    pub guest: Option<Username>,
    /// The treatment of lines whose product is missing.
    pub missing_products: Option<MissingProduct>,
    /// Leave orders without lines out.
    pub skip_empty_orders: bool,
    /// Keep totals that are not the sum of the lines, with the difference as an adjustment.
    pub keep_totals: bool,
    /// Round amounts that have more decimals than the currency.
    pub round_amounts: bool,
    /// Give new ids to rows whose keys are not integers.
    pub new_ids: bool,
    /// Units on hand of products without a stock column.
    pub stock: Option<StockLevel>,
    /// Models whose invalid rows are left out.
    pub skip_rows: BTreeSet<String>,
    /// Optional fields, as `app.model.field`, whose invalid values are left out.
    pub skip_values: BTreeSet<String>,
}

impl Options {
    /// The default options.
    #[must_use]
    pub fn new(currency: Currency, now: DateTime<Utc>) -> Self {
        Self {
            currency,
            now,
            last_user: 0,
            statuses: Vec::new(),
            only: BTreeSet::new(),
            models: BTreeMap::new(),
            fields: Vec::new(),
            guest: None,
            missing_products: None,
            skip_empty_orders: false,
            keep_totals: false,
            round_amounts: false,
            new_ids: false,
            stock: None,
            skip_rows: BTreeSet::new(),
            skip_values: BTreeSet::new(),
        }
    }
}
