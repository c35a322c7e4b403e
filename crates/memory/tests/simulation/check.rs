//! Compares the store with the model, and with the invariants of design.md, which hold
//! independently of the model.

use crate::command::render_order;
use crate::model::Model;
use crate::model::carts::{MOST_LINES, MOST_UNITS};
use crate::model::orders::EDGES;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use tradepost_contract::{first_page, page};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{Product, ProductFilter, ProductList};
use tradepost_domain::kernel::{
    Execution, IdempotencyScope, OrderId, PageRequest, ProductId, StoreError, UserId,
};
use tradepost_domain::orders::{Order, OrderFilter, OrderList, PlaceOrder};

/// The first difference, if any.
pub(crate) type Checked<T = ()> = Result<T, String>;

pub(crate) fn same<T: PartialEq + Debug>(what: &str, found: &T, expected: &T) -> Checked {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: found {found:?}\n  expected {expected:?}"))
    }
}

pub(crate) fn holds(promise: &str, held: bool) -> Checked {
    if held {
        Ok(())
    } else {
        Err(format!("broken: {promise}"))
    }
}

pub(crate) fn read<T>(answer: Result<T, StoreError>) -> Checked<T> {
    answer.map_err(|error| format!("a read failed: {error}"))
}

fn number(of: usize) -> u64 {
    u64::try_from(of).unwrap()
}

/// Observations of the shop so far.
#[derive(Default)]
pub(crate) struct Witness {
    orders: BTreeMap<OrderId, Order>,
    acknowledged: BTreeSet<OrderId>,
    /// Responses under keys since the last purge.
    answers: BTreeMap<(UserId, IdempotencyScope), String>,
    /// Number of entries of each product's ledger, and the id of the last.
    ledgers: BTreeMap<ProductId, (usize, i64)>,
}

impl Witness {
    /// Records that a client got the response that its order was placed.
    pub(crate) fn acknowledge(
        &mut self,
        request: &PlaceOrder,
        written: &Execution<Order>,
    ) -> Checked {
        let answer = match written {
            Execution::Executed(order) => {
                let new = self.acknowledged.insert(order.id);
                holds("no order is acknowledged twice as a new one", new)?;
                render_order(order)
            }
            Execution::Replayed(answer) => answer.clone(),
        };
        let Some(key) = &request.key else {
            return holds("without a key nothing is replayed", !is_before(written));
        };
        let scope = (request.user, key.scope.clone());
        let first = self.answers.entry(scope).or_insert_with(|| answer.clone());
        same("the answer under one key", &answer, first)
    }

    /// Records a purge of keys, whose commands would be executed again.
    pub(crate) fn forget_answers(&mut self) {
        self.answers.clear();
    }

    /// The rows that the last command wrote are as expected, and no other rows were added or
    /// removed.
    pub(crate) fn touched(&mut self, stores: &Stores, model: &Model) -> Checked {
        let touched = &model.touched;
        for id in &touched.products {
            self.product(stores, model, *id)?;
        }
        for user in &touched.carts {
            cart(stores, model, *user)?;
        }
        for id in &touched.orders {
            let order = read(stores.orders.find(*id))?;
            let order = order.ok_or_else(|| format!("order {id} is not there"))?;
            same("order", &order, &model.orders[id])?;
            self.order(&order)?;
        }
        for user in &touched.users {
            account(stores, model, *user)?;
        }
        let one = page(1, 1);
        for archived in [false, true] {
            let found = read(
                stores
                    .products
                    .list(&ProductList::new(ProductFilter::all(archived)), one),
            )?
            .count;
            let products = model.products.values();
            let expected = products.filter(|product| product.archived == archived);
            let what = if archived {
                "archived"
            } else {
                "in the catalogue"
            };
            same(what, &found, &number(expected.count()))?;
            let found = read(stores.orders.list(&all_orders(archived), one))?.count;
            let orders = model.orders.values();
            let expected = orders.filter(|order| order.archived == archived).count();
            same("orders", &found, &number(expected))?;
        }
        Ok(())
    }

    /// The whole state is as expected. After a command that failed, this proves that it changed
    /// nothing.
    pub(crate) fn whole(&mut self, stores: &Stores, model: &Model) -> Checked {
        for archived in [false, true] {
            let found = read(stores.products.list(
                &ProductList::new(ProductFilter::all(archived)),
                first_page(),
            ))?;
            let products = model.products.values().rev();
            let expected = products.filter(|product| product.archived == archived);
            newest("products", &found.items, found.count, expected)?;
            let found = read(stores.orders.list(&all_orders(archived), first_page()))?;
            let orders = model.orders.values().rev();
            let expected = orders.filter(|order| order.archived == archived);
            newest("orders", &found.items, found.count, expected)?;
            for order in &found.items {
                self.order(order)?;
            }
        }
        for (id, entries) in &model.ledger {
            let found = read(stores.inventory.movements(*id, page(1, 1)))?;
            let found = found.map(|ledger| ledger.count);
            same("movements", &found, &Some(number(entries.len())))?;
        }
        for user in model.accounts.keys() {
            cart(stores, model, *user)?;
            account(stores, model, *user)?;
        }
        Ok(())
    }

    /// At the end: the ledger audit finds nothing, and no acknowledged order is lost.
    pub(crate) fn end(&mut self, stores: &Stores, model: &Model) -> Checked {
        audit(stores, model)?;
        self.whole(stores, model)?;
        for (id, entries) in &model.ledger {
            let mut found = Vec::new();
            for number in 1.. {
                let request = page(number, PageRequest::MAX_SIZE);
                let ledger = read(stores.inventory.movements(*id, request))?;
                let ledger = ledger.ok_or_else(|| format!("product {id} has no ledger"))?;
                found.extend(ledger.items.iter().map(|movement| movement.entry.clone()));
                if !ledger.has_next(request) {
                    break;
                }
            }
            found.reverse();
            same("ledger", &found, entries)?;
        }
        for id in &self.acknowledged {
            let order = read(stores.orders.find(*id))?;
            holds("no acknowledged order is lost", order.is_some())?;
        }
        Ok(())
    }

    /// Units on hand match the ledger, which is append-only.
    fn product(&mut self, stores: &Stores, model: &Model, id: ProductId) -> Checked {
        let product = read(stores.products.find_all(&[id]))?.pop();
        let product = product.ok_or_else(|| format!("product {id} is not there"))?;
        same("product", &product, &model.products[&id])?;
        let empty = Vec::new();
        let entries = model.ledger.get(&id).unwrap_or(&empty);
        let (known, last) = self.ledgers.get(&id).copied().unwrap_or_default();
        let new = entries.len() - known;
        let request = page(1, u32::try_from(new.max(1)).unwrap());
        let ledger = read(stores.inventory.movements(id, request))?;
        let ledger = ledger.ok_or_else(|| format!("product {id} has no ledger"))?;
        same("movements", &ledger.count, &number(entries.len()))?;
        let mut newest = last;
        for (movement, expected) in ledger.items.iter().take(new).rev().zip(&entries[known..]) {
            same("movement", &movement.entry, expected)?;
            holds("no movement's id is used again", movement.id.get() > newest)?;
            newest = movement.id.get();
        }
        self.ledgers.insert(id, (entries.len(), newest));
        let sum: i64 = entries.iter().map(|entry| entry.delta.units()).sum();
        let on_hand = product.stock.units();
        holds("stock is the sum of its movements", on_hand == sum)?;
        holds("stock is never negative", on_hand >= 0)
    }

    /// An order moves along the allowed transitions, and is otherwise unchanged.
    fn order(&mut self, order: &Order) -> Checked {
        let cost = |line: &tradepost_domain::orders::OrderItem| {
            line.unit_price.minor() * line.quantity.units()
        };
        let lines: i64 = order.lines.iter().map(cost).sum();
        same("an order's total", &order.total.minor(), &lines)?;
        if let Some(before) = self.orders.get(&order.id) {
            let (from, to) = (before.status, order.status);
            let moves = from == to || EDGES.contains(&(from, to));
            holds("a status moves along an edge", moves)?;
            let undone = before.archived && !order.archived;
            holds("a deleted order stays deleted", !undone)?;
            let as_before = Order {
                status: to,
                archived: order.archived,
                updated_at: order.updated_at,
                ..before.clone()
            };
            same("an order after it was placed", order, &as_before)?;
            if from == to && before.archived == order.archived {
                return Ok(());
            }
        }
        self.orders.insert(order.id, order.clone());
        Ok(())
    }
}

pub(crate) fn audit(stores: &Stores, model: &Model) -> Checked {
    let audit = read(stores.ledger.audit())?;
    same("discrepancies", &audit.discrepancies, &Vec::new())?;
    let counted = (audit.products, audit.orders, audit.movements);
    let movements = model.ledger.values().map(Vec::len).sum();
    let expected = (
        number(model.products.len()),
        number(model.orders.len()),
        number(movements),
    );
    same("products, orders and movements", &counted, &expected)
}

fn is_before(written: &Execution<Order>) -> bool {
    matches!(written, Execution::Replayed(_))
}

fn all_orders(archived: bool) -> OrderList {
    OrderList::new(OrderFilter {
        archived,
        ..OrderFilter::default()
    })
}

/// The first page of a list; most lists have one page.
fn newest<'a, T: PartialEq + Debug + 'a>(
    what: &str,
    found: &[T],
    count: u64,
    expected: impl Iterator<Item = &'a T>,
) -> Checked {
    let mut all = 0;
    let mut found = found.iter();
    for expected in expected {
        all += 1;
        if let Some(found) = found.next() {
            same(what, found, expected)?;
        }
    }
    same(what, &count, &all)
}

fn cart(stores: &Stores, model: &Model, user: UserId) -> Checked {
    let found = read(stores.carts.carts(&[user]))?
        .remove(&user)
        .unwrap_or_default()
        .items;
    let lines = model.carts.get(&user).map_or(&[][..], Vec::as_slice);
    same("lines of a cart", &found.len(), &lines.len())?;
    for (item, line) in found.iter().zip(lines) {
        same("a cart line", &item.line, line)?;
        let product: &Product = &model.products[&line.product];
        same("the product of a cart line", &item.product, product)?;
    }
    let products: BTreeSet<ProductId> = found.iter().map(|item| item.line.product).collect();
    holds("a product has one line", products.len() == found.len())?;
    holds("a cart has at most 100 lines", found.len() <= MOST_LINES)?;
    let mut units = found.iter().map(|item| item.line.quantity.units());
    let bounded = units.all(|units| (1..=MOST_UNITS).contains(&units));
    holds("a line has 1 to 9,999 units", bounded)
}

fn account(stores: &Stores, model: &Model, user: UserId) -> Checked {
    let expected = &model.accounts[&user];
    let key = expected.account.username.key();
    let found = read(stores.accounts.credentials(&key))?;
    same("credentials", &found.as_ref(), &Some(expected))?;
    let found = read(stores.accounts.find(user))?;
    same("account", &found.as_ref(), &Some(&expected.account))
}
