//! Import of another shop: its users, products, carts and orders, with their original ids, into a
//! shop that has none of these yet.
//!
//! Orders are history. Their lines are kept as sold, and the ledger is written as if the orders had
//! been placed here: the opening stock is the current stock plus the units sold since; a cancelled
//! order sold its units and returned them.

use super::error::{ImportError, ImportErrorKind, ImportRefusal, ImportRow};
use crate::cart::{CartItem, MAX_CART_ITEMS};
use crate::catalog::{Price, Product};
use crate::decision::{Event, EventKind};
use crate::identity::{Account, Credentials};
use crate::inventory::{NewMovement, Reason, StockDelta};
use crate::kernel::{Currency, ProductId, UserId};
use crate::orders::order;
use crate::orders::{Order, OrderStatus};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

/// The largest id that can be imported: 2^53 - 1, the largest integer that a client which parses
/// JSON numbers as floating point tells from its neighbours. Later ids continue from there.
pub const LARGEST_IMPORTED_ID: i64 = 9_007_199_254_740_991;

/// Command: import a shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportShop {
    /// Users, with their password hashes.
    pub users: Vec<Credentials>,
    /// Products, with their current stock.
    pub products: Vec<Product>,
    /// Cart lines.
    pub carts: Vec<CartItem>,
    /// Orders.
    pub orders: Vec<Order>,
}

/// Existing data of the importing shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExistingData {
    /// Number of products, archived ones included.
    pub products: u64,
    /// Number of orders, deleted ones included.
    pub orders: u64,
    /// Number of users other than staff.
    pub customers: u64,
    /// Staff users.
    pub staff: Vec<Account>,
}

/// The writes of an import besides the command itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportDecision {
    /// The opening movement of each product, by ascending product; [`sales_history`] gives the
    /// movements of each order.
    pub openings: Vec<NewMovement>,
    /// Number of products in the catalogue.
    pub catalogue_size: i64,
}

/// Decides whether a shop may be imported, and its opening stock.
///
/// # Errors
/// [`ImportRefusal`] with every error.
pub fn decide_import(
    command: &ImportShop,
    existing: &ExistingData,
    currency: Currency,
) -> Result<ImportDecision, ImportRefusal> {
    let mut wrong = ImportRefusal::default();
    let ExistingData {
        products,
        orders,
        customers,
        ..
    } = *existing;
    if products + orders + customers > 0 {
        wrong.push(ImportError::NotEmpty {
            products,
            orders,
            customers,
        });
    }
    let users = check_users(command, existing, &mut wrong);
    let products = check_products(command, currency, &mut wrong);
    check_carts(command, &users, &products, &mut wrong);
    let sold = check_orders(command, &users, &products, currency, &mut wrong);
    let openings = openings(command, &sold, &mut wrong);
    if !wrong.problems.is_empty() {
        return Err(wrong);
    }
    let sold = |product: &&Product| !product.archived;
    let catalogue_size = command.products.iter().filter(sold).count();
    Ok(ImportDecision {
        openings,
        catalogue_size: i64::try_from(catalogue_size).unwrap_or(i64::MAX),
    })
}

/// The ledger entries of an imported order: its sale, and its return if it was cancelled. The user
/// that cancelled it is not known.
#[must_use]
pub fn sales_history(order: &Order) -> Vec<NewMovement> {
    let units = |sign: i64| {
        let lines = order.lines.iter();
        lines.map(move |line| (line.product, sign * line.quantity.units()))
    };
    let (id, user) = (order.id, order.user);
    let mut entries = order::movements(id, units(-1), Reason::Sale, user, order.created_at);
    if order.status == OrderStatus::Cancelled {
        let returns = order::movements(id, units(1), Reason::Return, user, order.updated_at);
        entries.extend(returns.into_iter().map(|entry| NewMovement {
            actor: None,
            ..entry
        }));
    }
    entries
}

/// `account.registered` of an imported user.
#[must_use]
pub fn imported_user(account: &Account) -> Event {
    Event {
        kind: EventKind::AccountRegistered { user: account.id },
        actor: None,
        at: account.created_at,
    }
}

/// `product.created` of an imported product.
#[must_use]
pub fn imported_product(product: &Product) -> Event {
    Event {
        kind: EventKind::ProductCreated {
            product: product.id,
        },
        actor: None,
        at: product.created_at,
    }
}

/// The event of an imported order.
#[must_use]
pub fn imported(order: &Order) -> Event {
    Event {
        kind: EventKind::OrderImported {
            order: order.id,
            user: order.user,
            status: order.status,
            total: order.total,
        },
        actor: None,
        at: order.created_at,
    }
}

fn check_id<Id: Copy + Eq + Hash>(
    seen: &mut HashSet<Id>,
    id: Id,
    number: i64,
    row: ImportRow,
    wrong: &mut ImportRefusal,
) {
    if number > LARGEST_IMPORTED_ID {
        wrong.row(row, "id", ImportErrorKind::IdTooLarge);
    }
    if !seen.insert(id) {
        wrong.row(row, "id", ImportErrorKind::Twice);
    }
}

fn check_users(
    command: &ImportShop,
    existing: &ExistingData,
    wrong: &mut ImportRefusal,
) -> HashSet<UserId> {
    let mut ids = HashSet::new();
    let mut names = HashMap::new();
    let mut emails = HashMap::new();
    for Credentials { account, .. } in &command.users {
        let row = ImportRow::User(account.id);
        check_id(&mut ids, account.id, account.id.get(), row, wrong);
        let name = account.username.key();
        let email = account.email.as_ref().map(|email| email.key());
        for staff in &existing.staff {
            let taken =
                || ImportErrorKind::TakenHere(format!("{}, with id {}", staff.username, staff.id));
            let staff_email = staff.email.as_ref().map(|email| email.key());
            for (field, same) in [
                ("id", staff.id == account.id),
                ("username", staff.username.key() == name),
                ("email", email.is_some() && staff_email == email),
            ] {
                if same {
                    wrong.row(row, field, taken());
                }
            }
        }
        if let Some(other) = names.insert(name, row) {
            wrong.row(row, "username", ImportErrorKind::SameAs(other));
        }
        if let Some(other) = email.and_then(|email| emails.insert(email, row)) {
            wrong.row(row, "email", ImportErrorKind::SameAs(other));
        }
    }
    ids
}

fn check_products(
    command: &ImportShop,
    currency: Currency,
    wrong: &mut ImportRefusal,
) -> HashSet<ProductId> {
    let mut ids = HashSet::new();
    let mut skus = HashMap::new();
    for product in &command.products {
        let row = ImportRow::Product(product.id);
        check_id(&mut ids, product.id, product.id.get(), row, wrong);
        if product.price.money().currency() != currency {
            wrong.row(row, "price", ImportErrorKind::OtherCurrency(currency));
        }
        let holder = product
            .sku
            .as_ref()
            .and_then(|sku| skus.insert(sku.as_str(), row));
        if let Some(other) = holder {
            wrong.row(row, "sku", ImportErrorKind::SameAs(other));
        }
    }
    ids
}

fn check_carts(
    command: &ImportShop,
    users: &HashSet<UserId>,
    products: &HashSet<ProductId>,
    wrong: &mut ImportRefusal,
) {
    let mut ids = HashSet::new();
    let mut carts = BTreeMap::<UserId, BTreeSet<ProductId>>::new();
    for line in &command.carts {
        let row = ImportRow::CartItem(line.id);
        check_id(&mut ids, line.id, line.id.get(), row, wrong);
        if !users.contains(&line.user) {
            let missing = ImportErrorKind::Missing(ImportRow::User(line.user));
            wrong.row(row, "user", missing);
        }
        if !products.contains(&line.product) {
            let missing = ImportErrorKind::Missing(ImportRow::Product(line.product));
            wrong.row(row, "product", missing);
        }
        let cart = carts.entry(line.user).or_default();
        if !cart.insert(line.product) {
            wrong.row(row, "product", ImportErrorKind::SecondLine);
        } else if cart.len() == MAX_CART_ITEMS + 1 {
            wrong.row(row, "user", ImportErrorKind::CartFull);
        }
    }
}

/// Units sold and not returned, by product.
type Sold = BTreeMap<ProductId, i64>;

fn check_orders(
    command: &ImportShop,
    users: &HashSet<UserId>,
    products: &HashSet<ProductId>,
    currency: Currency,
    wrong: &mut ImportRefusal,
) -> Sold {
    let mut ids = HashSet::new();
    let mut sold = Sold::new();
    for order in &command.orders {
        let row = ImportRow::Order(order.id);
        check_id(&mut ids, order.id, order.id.get(), row, wrong);
        if !users.contains(&order.user) {
            let missing = ImportErrorKind::Missing(ImportRow::User(order.user));
            wrong.row(row, "user", missing);
        }
        if order.archived && order.status != OrderStatus::Cancelled {
            wrong.row(row, "status", ImportErrorKind::DeletedNotCancelled);
        }
        for line in &order.lines {
            if !products.contains(&line.product) {
                let missing = ImportErrorKind::Missing(ImportRow::Product(line.product));
                wrong.row(row, "lines", missing);
            }
            // Today's bounds of a price: those under which an order could be placed.
            if Price::new(line.unit_price).is_err() {
                let fault = match line.unit_price.minor() {
                    ..=0 => ImportErrorKind::NotPositive,
                    _ => ImportErrorKind::TooLarge,
                };
                wrong.row(row, "lines", fault);
            }
            if order.status != OrderStatus::Cancelled {
                let units = sold.entry(line.product).or_default();
                *units = units.saturating_add(line.quantity.units());
            }
        }
        check_total(order, currency, row, wrong);
    }
    sold
}

fn check_total(order: &Order, currency: Currency, row: ImportRow, wrong: &mut ImportRefusal) {
    if order.lines.is_empty() {
        return wrong.row(row, "lines", ImportErrorKind::NoLines);
    }
    if order.total.currency() != currency || order.adjustment.currency() != currency {
        return wrong.row(row, "total", ImportErrorKind::OtherCurrency(currency));
    }
    if order.total.minor() < 0 {
        return wrong.row(row, "total", ImportErrorKind::Negative);
    }
    let parts = order.subtotal();
    match parts.and_then(|lines| lines.plus(order.adjustment)) {
        Ok(sum) if sum == order.total => {}
        Ok(lines) => {
            let total = order.total;
            wrong.row(row, "total", ImportErrorKind::TotalDiffers { total, lines });
        }
        Err(crate::kernel::MoneyError::Overflow) => {
            wrong.row(row, "total", ImportErrorKind::TooLarge)
        }
        Err(crate::kernel::MoneyError::CurrencyMismatch(..)) => {
            wrong.row(row, "lines", ImportErrorKind::OtherCurrency(currency));
        }
    }
}

fn openings(command: &ImportShop, sold: &Sold, wrong: &mut ImportRefusal) -> Vec<NewMovement> {
    let mut openings = Vec::with_capacity(command.products.len());
    for product in &command.products {
        let sold = sold.get(&product.id).copied().unwrap_or(0);
        let Some(units) = product.stock.units().checked_add(sold) else {
            wrong.row(
                ImportRow::Product(product.id),
                "stock",
                ImportErrorKind::TooLarge,
            );
            continue;
        };
        openings.extend(StockDelta::new(units).map(|delta| NewMovement {
            product: product.id,
            order: None,
            delta,
            reason: Reason::Opening,
            note: None,
            actor: None,
            at: product.created_at,
        }));
    }
    openings.sort_unstable_by_key(|opening| opening.product);
    openings
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
