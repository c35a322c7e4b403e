//! Rows as values: each field is checked by the domain's own constructors, and all that is wrong is
//! collected.

use crate::kind::{self, Kind};
use crate::row::Row;
use crate::value::{Reference, amount, integer, json, reference, string};
use crate::wrong::Wrong;
use crate::{Dump, Options, time};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use tradepost_domain::{
    Account, CartItemId, Description, Email, Money, OrderId, OrderStatus, PasswordHash, Price,
    Problem, Product, ProductId, ProductName, Quantity, Sku, StockLevel, UserId, Username,
};

/// A user, perhaps without an id.
pub(crate) struct User {
    pub(crate) id: Option<UserId>,
    pub(crate) account: Account,
    pub(crate) password: PasswordHash,
}

pub(crate) struct CartLine {
    pub(crate) id: CartItemId,
    pub(crate) owner: Owner,
    pub(crate) product: Reference,
    pub(crate) quantity: Quantity,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Whose a cart line is.
pub(crate) enum Owner {
    User(Reference),
    Cart(Reference),
    Nobody,
}

pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) user: Reference,
    pub(crate) status: OrderStatus,
    pub(crate) total: Option<Money>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

pub(crate) struct OrderLine {
    pub(crate) key: i64,
    pub(crate) order: i64,
    pub(crate) product: Reference,
    pub(crate) quantity: Quantity,
    /// What one unit cost; the product's price of now if the shop kept none.
    pub(crate) price: Option<Money>,
    pub(crate) name: Option<ProductName>,
}

/// The rows of a dump, read one by one.
pub(crate) struct Rows<'a> {
    pub(crate) options: &'a Options,
    pub(crate) dump: Dump,
    pub(crate) wrong: Wrong,
    pub(crate) users: Vec<User>,
    pub(crate) products: Vec<Product>,
    pub(crate) carts: HashMap<Reference, Option<Reference>>,
    pub(crate) cart_lines: Vec<CartLine>,
    pub(crate) orders: Vec<Order>,
    pub(crate) order_lines: Vec<OrderLine>,
    pub(crate) line_model: String,
    /// Rows that were found wrong: what refers to them is not blamed for it.
    pub(crate) spoilt: HashSet<(Kind, Reference)>,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(options: &'a Options) -> Self {
        Self {
            options,
            dump: Dump::default(),
            wrong: Wrong::default(),
            users: Vec::new(),
            products: Vec::new(),
            carts: HashMap::new(),
            cart_lines: Vec::new(),
            orders: Vec::new(),
            order_lines: Vec::new(),
            line_model: String::new(),
            spoilt: HashSet::new(),
        }
    }

    /// Reads a row, or notes what is wrong with it.
    pub(crate) fn take(&mut self, row: &Row) {
        let Some(kind) = kind::of(row) else {
            let skipped = self.dump.skipped.entry(row.model.clone()).or_default();
            *skipped = skipped.saturating_add(1);
            return;
        };
        let mut fields = Fields {
            row,
            options: self.options,
            wrong: &mut self.wrong,
            undated: &mut self.dump.undated,
        };
        let names = &mut self.dump.names;
        let before = fields.wrong.count();
        match kind {
            Kind::User => {
                names.user.clone_from(&row.model);
                self.users.extend(fields.user());
            }
            Kind::Product => {
                names.product.clone_from(&row.model);
                self.products.extend(fields.product());
            }
            Kind::Cart => self.carts.extend(fields.cart()),
            Kind::CartLine => {
                names.cart_line.clone_from(&row.model);
                self.cart_lines.extend(fields.cart_line());
            }
            Kind::Order => {
                names.order.clone_from(&row.model);
                self.orders.extend(fields.order());
            }
            Kind::OrderLine => {
                self.line_model.clone_from(&row.model);
                self.order_lines.extend(fields.order_line());
            }
        }
        if self.wrong.count() > before {
            let key = row.pk.as_ref().and_then(|pk| reference(pk.get()).ok());
            self.spoilt.extend(key.map(|key| (kind, key)));
        }
    }
}

/// The fields of one row. A reader gives `None` if the field cannot be used; then that was said.
struct Fields<'a> {
    row: &'a Row,
    options: &'a Options,
    wrong: &'a mut Wrong,
    undated: &'a mut u64,
}

const CREATED: &[&str] = &[
    "created_at",
    "created",
    "created_on",
    "date_joined",
    "date_added",
    "date_created",
    "date_ordered",
    "ordered_at",
    "added_at",
    "timestamp",
    "date",
];
const UPDATED: &[&str] = &[
    "updated_at",
    "updated",
    "updated_on",
    "modified_at",
    "modified",
    "date_modified",
    "last_modified",
];

impl Fields<'_> {
    fn say(&mut self, field: &str, sentence: &str) {
        let (model, key) = (&self.row.model, self.row.key());
        self.wrong
            .say(format!("{model} {key}, {field}: {sentence}"));
    }

    fn good<T>(&mut self, field: &str, value: Result<T, Problem>) -> Option<T> {
        let said = |problem: Problem| self.say(field, &problem.to_string());
        value.map_err(said).ok()
    }

    /// A field that has to be there, as this reads it.
    fn need<T>(
        &mut self,
        names: &[&'static str],
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        match self.row.get(names) {
            Some((name, text)) => self.good(name, read(text)),
            None => self.good(names.first().unwrap_or(&""), Err(Problem::Required)),
        }
    }

    /// A field that may be missing: `Some(None)` then.
    fn may<T>(
        &mut self,
        names: &[&'static str],
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<Option<T>> {
        match self.row.get(names) {
            Some((name, text)) => self.good(name, read(text)).map(Some),
            None => Some(None),
        }
    }

    fn id<T>(&mut self, id: impl Fn(i64) -> Option<T>) -> Option<T> {
        let pk = self.row.pk.as_ref().map(|pk| pk.get());
        let found = pk.and_then(|text| integer(text).ok()).and_then(id);
        if found.is_none() {
            let sentence = match pk {
                Some(_) => "Keys have to be whole numbers from 1: they are kept as ids.",
                None => "A key is needed here: dump without --natural-primary.",
            };
            self.say("pk", sentence);
        }
        found
    }

    fn flag(&mut self, names: &[&'static str], otherwise: bool) -> Option<bool> {
        let flag = self.may(names, |text| {
            let expected = "true or false";
            json(text, expected)
        })?;
        Some(flag.unwrap_or(otherwise))
    }

    /// When it was made, and when it last changed.
    fn times(&mut self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let mut time = |names| {
            let field: Option<(&'static str, &str)> = self.row.get(names);
            let Some((name, text)) = field else {
                return Some(None);
            };
            let time = string(text).ok().and_then(|text| time::parse(&text));
            if time.is_none() {
                self.say(name, "A time is needed, as in 2024-03-05T12:34:56Z.");
            }
            time.map(Some)
        };
        let (created, updated) = (time(CREATED), time(UPDATED));
        let (created, updated) = (created?, updated?);
        if created.is_none() {
            *self.undated = self.undated.saturating_add(1);
        }
        let created = created.or(updated).unwrap_or(self.options.now);
        Some((created, updated.unwrap_or(created)))
    }

    fn money(&mut self, names: &[&'static str]) -> Option<Option<Money>> {
        let currency = self.options.currency;
        self.may(names, |text| amount(text, currency))
    }

    fn user(&mut self) -> Option<User> {
        let id = match self.row.pk {
            Some(_) => self.id(UserId::new).map(Some),
            None => Some(None),
        };
        let email = self.may(&["email"], |text| {
            let text = string(text)?;
            let email = Some(text.trim()).filter(|text| !text.is_empty());
            email.map(Email::new).transpose()
        });
        // Users of some shops have an address instead of a name, and sign in with it.
        let username = self.need(&["username", "email"], |text| Username::new(&string(text)?));
        let password = self.need(&["password"], |text| {
            let text = string(text)?;
            match text.len() {
                ..=512 if text.chars().any(char::is_control) => Err(Problem::ControlCharacter),
                ..=512 => Ok(PasswordHash::new(text)),
                _ => Err(Problem::TooLong { max: 512 }),
            }
        });
        let is_staff = self.flag(&["is_staff"], false);
        let is_active = self.flag(&["is_active"], true);
        let times = self.times();
        let account = Account {
            // Its own is given where there is one.
            id: UserId::new(1)?,
            username: username?,
            email: email?.flatten(),
            is_staff: is_staff?,
            is_active: is_active?,
            session_epoch: 0,
            created_at: times?.0,
        };
        Some(User {
            id: id?,
            account,
            password: password?,
        })
    }

    fn product(&mut self) -> Option<Product> {
        let currency = self.options.currency;
        let id = self.id(ProductId::new);
        let sku = self.may(&["sku"], |text| {
            let text = string(text)?;
            let sku = Some(text.trim()).filter(|text| !text.is_empty());
            sku.map(Sku::new).transpose()
        });
        let name = self.need(kind::NAME, |text| ProductName::new(&string(text)?));
        let description = self.may(&["description", "desc"], |text| {
            Description::new(&string(text)?)
        });
        let price = self.need(kind::PRICE, |text| Price::new(amount(text, currency)?));
        let stock = self.may(kind::STOCK, |text| StockLevel::requested(integer(text)?));
        let sold = self.flag(&["is_active", "active", "is_available", "available"], true);
        let archived = self.flag(&["is_archived", "archived", "is_deleted", "deleted"], false);
        let times = self.times();
        let none = || Description::new("").ok();
        let (created_at, updated_at) = times?;
        Some(Product {
            id: id?,
            sku: sku?.flatten(),
            name: name?,
            description: description?.or_else(none)?,
            price: price?,
            stock: stock?.unwrap_or(StockLevel::ZERO),
            archived: !sold? || archived?,
            created_at,
            updated_at,
        })
    }

    fn cart(&mut self) -> Option<(Reference, Option<Reference>)> {
        // Its key is not kept, and may be anything.
        let pk = reference(self.row.pk.as_ref()?.get()).ok()?;
        let user = self.may(kind::USER, reference)?;
        Some((pk, user))
    }

    fn cart_line(&mut self) -> Option<CartLine> {
        let id = self.id(CartItemId::new);
        let owner = match (self.row.get(kind::USER), self.row.get(kind::CART)) {
            (Some((name, text)), _) => self.good(name, reference(text)).map(Owner::User),
            (None, Some((name, text))) => self.good(name, reference(text)).map(Owner::Cart),
            (None, None) => Some(Owner::Nobody),
        };
        let product = self.need(kind::PRODUCT, reference);
        let quantity = self.may(kind::QUANTITY, |text| Quantity::new(integer(text)?));
        let (created_at, updated_at) = self.times()?;
        Some(CartLine {
            id: id?,
            owner: owner?,
            product: product?,
            quantity: quantity?.unwrap_or(Quantity::ONE),
            created_at,
            updated_at,
        })
    }

    fn order(&mut self) -> Option<Order> {
        let id = self.id(OrderId::new);
        let user = self.need(kind::USER, reference);
        let status = self.status();
        let total = self.money(&["total_price", "total", "total_amount", "total_cost"]);
        let times = self.times();
        let (created_at, updated_at) = times?;
        Some(Order {
            id: id?,
            user: user?,
            status: status?,
            total: total?,
            created_at,
            updated_at,
        })
    }

    fn status(&mut self) -> Option<OrderStatus> {
        let word = self.need(kind::STATUS, string)?;
        let name = word.trim().to_lowercase();
        let known = self.options.statuses.get(&name).copied();
        let known = known.or_else(|| OrderStatus::parse(&name));
        let known = known.or((name == "canceled").then_some(OrderStatus::Cancelled));
        if known.is_none() {
            let word: String = word.chars().take(40).collect();
            self.say(
                "status",
                &format!(
                    "It is {word:?}. Say what that is: --status {word:?}=pending, or another."
                ),
            );
        }
        known
    }

    fn order_line(&mut self) -> Option<OrderLine> {
        let key = self.id(|key| (key > 0).then_some(key));
        let order = self.need(kind::ORDER, integer);
        let product = self.need(kind::PRODUCT, reference);
        let quantity = self.need(kind::QUANTITY, |text| Quantity::new(integer(text)?));
        let price = self.money(&["price", "unit_price", "price_at_purchase", "product_price"]);
        let name = self.may(&["product_name", "name", "title"], |text| {
            ProductName::new(&string(text)?)
        });
        Some(OrderLine {
            key: key?,
            order: order?,
            product: product?,
            quantity: quantity?,
            price: price?,
            name: name?,
        })
    }
}
