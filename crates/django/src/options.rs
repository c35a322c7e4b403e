//! What a dump does not say, and what to do with rows that have no place in this shop.

use crate::kind::Kind;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::{Currency, OrderStatus, StockLevel, Username};

/// What an order of a status is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// An order of this status.
    Order(OrderStatus),
    /// No order yet: its lines are in its user's cart.
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

    /// Which of several meanings counts: the furthest along, and cancelled before all.
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
    /// Make an archived product of the line's name and price.
    Archive,
}

/// Where the value of a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChoice {
    /// `app.model`.
    pub model: String,
    /// The name of the field here.
    pub field: String,
    /// The columns of the dump, of which the first with a value counts; none to leave the field
    /// out. `pk` is the key of the row.
    pub columns: Vec<String>,
    /// The model that the column refers to, for a user.
    pub target: Option<String>,
}

/// What a dump does not say.
#[derive(Debug, Clone)]
pub struct Options {
    /// The currency of every amount.
    pub currency: Currency,
    /// The time for what has none.
    pub now: DateTime<Utc>,
    /// Users without a key, whom `--natural-primary` makes, get ids beyond this one.
    pub last_user: i64,
    /// The meaning of a status: by a value of the status column, by `column=value`, by the name of
    /// a column of flags, or by the empty name for orders without a status.
    pub statuses: Vec<(String, Meaning)>,
    /// The kinds of rows to import; all if it is empty.
    pub only: BTreeSet<Kind>,
    /// What a model is; `None` for one that is no part of the shop.
    pub models: BTreeMap<String, Option<Kind>>,
    /// Where fields are that are not found, or not well, by their names.
    pub fields: Vec<FieldChoice>,
    /// The account that has the orders of guests. It is made, and cannot sign in, if there is none
    /// of that name.
    pub guest: Option<Username>,
    /// What to do with lines whose product is not there.
    pub missing_products: Option<MissingProduct>,
    /// Leave orders without lines out.
    pub skip_empty_orders: bool,
    /// Keep totals that are not the sum of the lines, with the difference as an adjustment.
    pub keep_totals: bool,
    /// Round amounts that have more decimals than the currency.
    pub round_amounts: bool,
    /// Give new ids to rows whose keys are no whole numbers.
    pub new_ids: bool,
    /// Units on hand of products that do not say so.
    pub stock: Option<StockLevel>,
    /// Models of which rows that are wrong are left out.
    pub skip_rows: BTreeSet<String>,
    /// Optional fields, as `app.model.field`, of which values that are wrong are left out.
    pub skip_values: BTreeSet<String>,
}

impl Options {
    /// Options that say nothing.
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
