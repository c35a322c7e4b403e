//! What a model is: by the last part of its name, and where that says nothing, by its fields.

use crate::row::Row;

/// A part of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    User,
    Product,
    /// The cart itself, which says whose it is.
    Cart,
    CartLine,
    Order,
    OrderLine,
}

pub(crate) const USER: &[&str] = &["user", "customer", "owner", "buyer"];
pub(crate) const CART: &[&str] = &["cart", "basket"];
pub(crate) const ORDER: &[&str] = &["order"];
pub(crate) const PRODUCT: &[&str] = &["product", "item"];
pub(crate) const QUANTITY: &[&str] = &["quantity", "qty", "amount"];
pub(crate) const STOCK: &[&str] = &[
    "stock",
    "stock_quantity",
    "inventory",
    "quantity",
    "count_in_stock",
    "in_stock",
];
pub(crate) const NAME: &[&str] = &["name", "title"];
pub(crate) const PRICE: &[&str] = &["price", "unit_price"];
pub(crate) const STATUS: &[&str] = &["status", "state"];

/// Apps of Django's own, whose models are no part of a shop whatever their fields are.
const FOREIGN: &[&str] = &["admin", "contenttypes", "sessions", "sites", "authtoken"];

/// What a row is; `None` if it is no part of a shop.
pub(crate) fn of(row: &Row) -> Option<Kind> {
    let (app, model) = row.model.rsplit_once('.').unwrap_or(("", &row.model));
    if FOREIGN.contains(&app) {
        return None;
    }
    match model.to_ascii_lowercase().replace('_', "").as_str() {
        "user" | "customuser" => return Some(Kind::User),
        "product" => return Some(Kind::Product),
        // Small shops call the line itself a cart.
        "cart" | "basket" if row.has(PRODUCT) => return Some(Kind::CartLine),
        "cart" | "basket" => return Some(Kind::Cart),
        "cartitem" | "cartline" | "cartproduct" | "basketitem" | "basketline" => {
            return Some(Kind::CartLine);
        }
        "order" => return Some(Kind::Order),
        "orderitem" | "orderline" | "orderproduct" | "orderdetail" => return Some(Kind::OrderLine),
        _ => {}
    }
    if row.has(&["username"]) && row.has(&["password"]) {
        Some(Kind::User)
    } else if row.has(PRODUCT) && row.has(&["quantity", "qty"]) {
        match (row.has(ORDER), row.has(CART) || row.has(USER)) {
            (true, _) => Some(Kind::OrderLine),
            (false, true) => Some(Kind::CartLine),
            (false, false) => None,
        }
    } else if row.has(NAME) && row.has(PRICE) && row.has(STOCK) && !row.has(PRODUCT) {
        Some(Kind::Product)
    } else if row.has(USER) && row.has(STATUS) && row.has(&["total_price", "total"]) {
        Some(Kind::Order)
    } else {
        None
    }
}
