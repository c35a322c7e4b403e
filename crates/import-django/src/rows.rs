//! The rows of a dump as typed values, before they are assembled.

use crate::NewId;
use crate::kind::Kind;
use crate::options::Options;
use crate::plan::{ModelPlan, Plan};
use crate::read::Fields;
use crate::row::Row;
use crate::stock_records::StockRecords;
use crate::value::{Reference, reference};
use crate::variants::Followed;
use crate::wrong::{Keys, Report};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::{Account, PasswordHash};
use tradepost_domain::kernel::{CartItemId, Money, OrderId, ProductName, Quantity, UserId};

/// A user, whose id is optional.
pub(crate) struct User {
    pub(crate) key: Option<Reference>,
    pub(crate) id: Option<UserId>,
    pub(crate) account: Account,
    pub(crate) password: PasswordHash,
}

pub(crate) struct KeyedProduct {
    pub(crate) key: Reference,
    pub(crate) product: Product,
}

pub(crate) struct CartItem {
    /// `None` for a line of an open order, which gets a new id.
    pub(crate) id: Option<CartItemId>,
    pub(crate) key: String,
    pub(crate) owner: Owner,
    pub(crate) product: Reference,
    pub(crate) quantity: Quantity,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// The owner of a cart.
pub(crate) enum Cart {
    Of(Reference),
    Anonymous,
    /// The cart was ordered.
    Closed,
}

/// The owner of a cart line.
pub(crate) enum Owner {
    /// By a key of the model that the owner column refers to.
    Key(Reference),
    Cart(Reference),
    /// A user that was resolved before.
    User(UserId),
    /// The cart was ordered.
    Closed,
    None,
}

/// Tax, shipping and discount, as far as the order has them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Charges {
    pub(crate) tax: Option<Money>,
    pub(crate) shipping: Option<Money>,
    pub(crate) discount: Option<Money>,
}

pub(crate) struct Order {
    pub(crate) key: Reference,
    pub(crate) id: OrderId,
    pub(crate) user: Option<Reference>,
    pub(crate) meaning: crate::Meaning,
    pub(crate) total: Option<Money>,
    pub(crate) charges: Charges,
    /// The keys of its lines, or of its products.
    pub(crate) listed: Vec<Reference>,
    pub(crate) single: Option<OrderItem>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub(crate) struct OrderItem {
    pub(crate) key: Option<Reference>,
    pub(crate) order: Option<Reference>,
    /// `None` if its product is missing.
    pub(crate) product: Option<Reference>,
    pub(crate) quantity: Quantity,
    /// The unit price; the product's current price if the shop stored none.
    pub(crate) price: Option<Money>,
    pub(crate) name: Option<ProductName>,
}

/// New ids for the rows of a model whose keys cannot be ids.
#[derive(Debug, Default)]
pub(crate) struct NewIds {
    last: i64,
    given: Vec<(String, i64)>,
}

impl NewIds {
    pub(crate) fn give(&mut self, key: &str) -> i64 {
        self.last = self.last.saturating_add(1);
        self.given.push((key.to_owned(), self.last));
        self.last
    }
}

/// The rows of a dump, collected one by one.
pub(crate) struct Rows<'a> {
    pub(crate) options: &'a Options,
    pub(crate) plan: &'a Plan,
    records: &'a StockRecords,
    pub(crate) report: Report,
    pub(crate) skipped: BTreeMap<String, u64>,
    pub(crate) undated: u64,
    pub(crate) unstocked: Keys,
    pub(crate) users: Vec<User>,
    pub(crate) products: Vec<KeyedProduct>,
    pub(crate) carts: HashMap<Reference, Cart>,
    pub(crate) cart_lines: Vec<CartItem>,
    pub(crate) orders: Vec<Order>,
    pub(crate) order_lines: Vec<OrderItem>,
    /// The owners of rows of intermediate models, by model and key.
    pub(crate) links: HashMap<String, HashMap<Reference, Option<Reference>>>,
    /// The products of rows of variants.
    pub(crate) variants: Followed,
    pub(crate) new_ids: HashMap<Kind, NewIds>,
    /// Invalid rows: references to them are not reported.
    pub(crate) spoilt: HashSet<(Kind, Reference)>,
    /// Invalid rows that an option left out.
    pub(crate) left_out: HashSet<(Kind, Reference)>,
    /// Orders with an invalid line.
    pub(crate) incomplete: HashSet<Reference>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(
        options: &'a Options,
        plan: &'a Plan,
        records: &'a StockRecords,
        report: Report,
    ) -> Self {
        Self {
            options,
            plan,
            records,
            report,
            skipped: BTreeMap::new(),
            undated: 0,
            unstocked: Keys::default(),
            users: Vec::new(),
            products: Vec::new(),
            carts: HashMap::new(),
            cart_lines: Vec::new(),
            orders: Vec::new(),
            order_lines: Vec::new(),
            links: HashMap::new(),
            variants: Followed::new(),
            new_ids: HashMap::new(),
            spoilt: HashSet::new(),
            left_out: HashSet::new(),
            incomplete: HashSet::new(),
        }
    }

    /// Reads a row, or reports its problems.
    pub(crate) fn take(&mut self, row: &Row) {
        self.link(row);
        self.plan.variants.take(row, &mut self.variants);
        let kind = self.plan.kinds.get(&row.model).copied();
        let plan = self.plan.models.get(&row.model);
        let (Some(kind), Some(plan)) = (kind, plan) else {
            if !self.plan.owners.links.contains_key(&row.model) {
                let skipped = self.skipped.entry(row.model.clone()).or_default();
                *skipped = skipped.saturating_add(1);
            }
            return;
        };
        let before = self.report.wrong.count();
        let was_left_out = self.report.left_out_of(&row.model);
        self.read(row, kind, plan);
        let key = row.pk.as_ref().and_then(|pk| reference(pk.get()).ok());
        if self.report.wrong.count() > before {
            self.spoilt.extend(key.map(|key| (kind, key)));
            if kind == Kind::OrderItem {
                let mut columns = plan.columns("order").iter();
                let order = columns.find_map(|column| row.get(column));
                let order = order.and_then(|text| reference(text).ok());
                self.incomplete.extend(order);
            }
        } else if self.report.left_out_of(&row.model) > was_left_out {
            self.left_out.extend(key.map(|key| (kind, key)));
        }
    }

    fn read(&mut self, row: &Row, kind: Kind, plan: &ModelPlan) {
        let options = self.options;
        let mut fields = Fields {
            row,
            plan,
            options,
            report: &mut self.report,
            undated: &mut self.undated,
            new_ids: self.new_ids.entry(kind).or_default(),
            record: None,
            name: None,
        };
        if kind == Kind::Product {
            let key = row.pk.as_ref().and_then(|pk| reference(pk.get()).ok());
            fields.record = key.as_ref().and_then(|key| self.records.get(key));
            fields.name = key.and_then(|key| self.records.name_of_parent(&key));
        }
        match kind {
            Kind::User => self.users.extend(fields.user()),
            Kind::Product => {
                if fields.get("stock").is_none() {
                    self.unstocked.push(&row.key());
                }
                self.products.extend(fields.product());
            }
            Kind::Cart => self.carts.extend(fields.cart()),
            Kind::CartItem => self.cart_lines.extend(fields.cart_line()),
            Kind::Order => self.orders.extend(fields.order(self.plan)),
            Kind::OrderItem => self.order_lines.extend(fields.order_line(None)),
            // Read in an earlier pass.
            Kind::StockRecord => {}
        }
    }

    /// Stores the owner of a row of an intermediate model.
    fn link(&mut self, row: &Row) {
        let Some(link) = self.plan.owners.links.get(&row.model) else {
            return;
        };
        let Some(key) = row.pk.as_ref().and_then(|pk| reference(pk.get()).ok()) else {
            return;
        };
        let owner = link.columns.iter().find_map(|column| row.get(column));
        let owner = owner.and_then(|text| reference(text).ok());
        let links = self.links.entry(row.model.clone()).or_default();
        links.insert(key, owner);
    }

    /// The assigned ids.
    pub(crate) fn mapping(&self) -> Vec<NewId> {
        let mut kinds: Vec<_> = self.new_ids.iter().collect();
        kinds.sort_unstable_by_key(|(kind, _)| **kind);
        let rows = kinds.into_iter().flat_map(|(kind, ids)| {
            let model = self.plan.name(*kind);
            let rows = ids.given.iter();
            rows.map(move |(key, id)| NewId {
                model: model.clone(),
                key: key.clone(),
                id: *id,
            })
        });
        rows.collect()
    }
}
