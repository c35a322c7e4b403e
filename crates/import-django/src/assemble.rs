//! Assembles rows into a shop: resolves foreign keys and groups lines by order.

use crate::carts;
use crate::duplicates;
use crate::index::{self, Found, People, Products};
use crate::kind::Kind;
use crate::orders::Orders;
use crate::plan::Plan;
use crate::rows::Rows;
use crate::value::Reference;
use crate::wrong::{At, Keys, Report};
use crate::{Dump, DumpError, Options, Outside};
use std::collections::{HashMap, HashSet};
use tradepost_domain::identity::{Account, Credentials, PasswordHash};
use tradepost_domain::import::ImportShop;
use tradepost_domain::kernel::UserId;

/// The indexes of users and products, and the report of problems.
pub(crate) struct Context<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) options: &'a Options,
    pub(crate) people: &'a People,
    pub(crate) links: &'a HashMap<String, HashMap<Reference, Option<Reference>>>,
    pub(crate) spoilt: &'a HashSet<(Kind, Reference)>,
    /// Rows that an option left out.
    pub(crate) left_out: &'a HashSet<(Kind, Reference)>,
    /// Orders with an invalid line.
    pub(crate) incomplete: &'a HashSet<Reference>,
    pub(crate) report: &'a mut Report,
    pub(crate) guest: Option<UserId>,
}

impl Context<'_> {
    pub(crate) fn find(&self, kind: Kind, owner: &Reference) -> Found {
        let model = self.plan.name(kind);
        self.people
            .find(self.plan, self.links, self.spoilt, &model, owner)
    }

    pub(crate) fn is_spoilt(&self, kind: Kind, key: &Reference) -> bool {
        self.spoilt.contains(&(kind, key.clone()))
    }

    /// Reports a problem of a row; returns whether it counts, as an option may leave the row out
    /// instead.
    pub(crate) fn say(
        &mut self,
        kind: Kind,
        key: &str,
        field: &'static str,
        value: Option<String>,
        (sentence, hint): (&str, &str),
    ) -> bool {
        let before = self.report.wrong.count();
        let (model, field) = (self.plan.name(kind), self.plan.column(kind, field));
        let at = At {
            model: &model,
            key: Some(key),
            field: &field,
            hint,
        };
        self.report.say(at, value, sentence);
        self.report.wrong.count() > before
    }
}

/// Assembles the shop that the rows describe.
pub(crate) fn dump(rows: Rows<'_>, outside: Outside) -> Result<Dump, DumpError> {
    let new_ids = rows.mapping();
    let Rows {
        options,
        plan,
        mut report,
        skipped,
        undated,
        unstocked,
        mut users,
        mut products,
        carts,
        mut cart_lines,
        orders,
        mut order_lines,
        links,
        variants,
        spoilt,
        left_out,
        incomplete,
        ..
    } = rows;
    plan.variants
        .follow(&variants, &mut order_lines, &mut cart_lines);
    duplicates::remove(&mut users, &mut products, plan, options, &mut report);
    let (mut users, mut people) = index::users(users, options.last_user);
    let has_products = !products.is_empty();
    let mut products = Products::new(products);
    let is_empty = users.is_empty() && !has_products && orders.is_empty();
    if is_empty && report.wrong.is_empty() {
        return Err(DumpError::NoShop);
    }
    let mut notes = Notes::default();
    let guest = guest(options, &mut users, &mut people);
    let mut context = Context {
        plan,
        options,
        people: &people,
        links: &links,
        spoilt: &spoilt,
        left_out: &left_out,
        incomplete: &incomplete,
        report: &mut report,
        guest: guest.as_ref().map(|(id, _)| *id),
    };
    let mut history = Orders::new(&mut context, &mut products, &mut notes);
    let opened = history.assemble(orders, order_lines);
    let orders = history.done;
    let lines = cart_lines.into_iter().chain(opened).collect();
    let (carts, anonymous, merged) =
        carts::assemble(&mut context, &carts, lines, &products, &mut notes);
    if let Some((_, made)) = guest.filter(|_| notes.guests.count() > 0) {
        users.extend(made);
    }
    let has_stock = !plan.column_is_missing(Kind::Product, "stock");
    let notes = notes.sentences(plan, options, &report, &outside, has_stock, &unstocked);
    Ok(Dump {
        shop: ImportShop {
            users,
            products: products.all,
            carts,
            orders,
        },
        skipped,
        anonymous,
        merged,
        undated,
        notes,
        new_ids,
        wrong: report.wrong,
        names: crate::Names::new(plan),
    })
}

/// The account for guest orders, and the account to create if none of that name exists.
fn guest(
    options: &Options,
    users: &mut [Credentials],
    people: &mut People,
) -> Option<(UserId, Option<Credentials>)> {
    let name = options.guest.as_ref()?;
    let mut accounts = users.iter().map(|user| &user.account);
    if let Some(own) = accounts.find(|account| account.username.key() == name.key()) {
        return Some((own.id, None));
    }
    let id = people.next_id()?;
    let account = Account {
        id,
        username: name.clone(),
        email: None,
        is_staff: false,
        is_active: false,
        session_epoch: 0,
        created_at: options.now,
    };
    // An unusable password hash: no password matches.
    let password = PasswordHash::new("!".to_owned());
    Some((id, Some(Credentials { account, password })))
}

/// Notes on an import that are not problems.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) guests: Keys,
    pub(crate) adjusted: Keys,
    pub(crate) added: Keys,
    pub(crate) empty: Keys,
    pub(crate) open: Keys,
    pub(crate) gone: Keys,
    pub(crate) orphans: Keys,
    pub(crate) stand_ins: Keys,
    pub(crate) closed: Keys,
}

impl Notes {
    fn sentences(
        self,
        plan: &Plan,
        options: &Options,
        report: &Report,
        outside: &Outside,
        has_stock: bool,
        unstocked: &Keys,
    ) -> Vec<String> {
        let mut notes = Vec::new();
        if outside.lines > 0 {
            notes.push(format!(
                "Lines that are no JSON are skipped: {}, the first is {:?}.",
                outside.lines, outside.first
            ));
        }
        notes.extend(plan.notes.iter().cloned());
        let units = options.stock.map_or(0, |stock| stock.units());
        let product = plan.name(Kind::Product);
        if unstocked.count() > 0 && !has_stock {
            notes.push(format!(
                "{product} has no column for stock: each product has {units} units. --stock N sets \
                 another number, --field {product}.stock=COLUMN names the column."
            ));
        } else if unstocked.count() > 0 {
            notes.push(format!(
                "{product} {}: no number in stock, taken for {units}.",
                unstocked.all()
            ));
        }
        let (order, line) = (plan.name(Kind::Order), plan.name(Kind::OrderItem));
        let cart_line = plan.name(Kind::CartItem);
        let guest = options.guest.as_ref().map_or("", |name| name.as_str());
        for (model, keys, text) in [
            (
                &order,
                &self.guests,
                &*format!("of guests, given to {guest}"),
            ),
            (&order, &self.open, "open orders, taken for carts"),
            (&order, &self.empty, "without lines, skipped"),
            (
                &order,
                &self.adjusted,
                "the total is kept; its difference to the lines, as tax, shipping or a discount, \
                 is the adjustment",
            ),
            (
                &order,
                &self.added,
                "without a total; it is the lines, tax and shipping less the discount",
            ),
            (&line, &self.gone, "the product is gone, skipped"),
            (
                &cart_line,
                &self.closed,
                "of carts that were ordered, skipped",
            ),
            (&line, &self.orphans, "of no order, skipped"),
            (
                &product,
                &self.stand_ins,
                "made and archived, in the place of products that are gone",
            ),
        ] {
            if keys.count() > 0 {
                notes.push(format!("{model} {}: {text}.", keys.all()));
            }
        }
        for (model, keys) in &report.left_out {
            notes.push(format!("{model} {}: wrong, skipped as told.", keys.all()));
        }
        notes
    }
}
