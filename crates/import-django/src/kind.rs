//! The kind of a model: by the last part of its name, or else by its columns.

use crate::names::{fold, is_named};
use std::collections::BTreeMap;

/// A part of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Users.
    User,
    /// Products.
    Product,
    /// Carts, which name their owners.
    Cart,
    /// Lines of carts.
    CartItem,
    /// Orders.
    Order,
    /// Lines of orders.
    OrderItem,
    /// Prices and stock of products, where they have a model of their own.
    StockRecord,
}

impl Kind {
    /// Every kind, with its word in `--model`.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::User, "user"),
        (Self::Product, "product"),
        (Self::Cart, "cart"),
        (Self::CartItem, "cart-line"),
        (Self::Order, "order"),
        (Self::OrderItem, "order-line"),
        (Self::StockRecord, "stock-record"),
    ];

    /// The kind's word in `--model`.
    #[must_use]
    pub fn word(self) -> &'static str {
        let own = Self::ALL.iter().find(|(kind, _)| *kind == self);
        own.map_or("", |(_, word)| word)
    }
}

pub(crate) const USER: &[&str] = &[
    "user",
    "customer",
    "owner",
    "buyer",
    "account",
    "profile",
    "userprofile",
    "client",
    "member",
    "orderedby",
    "createdby",
    "utilisateur",
    "usuario",
    "cliente",
];
pub(crate) const CART: &[&str] = &["cart", "basket", "panier", "carrito", "carrinho"];
pub(crate) const ORDER: &[&str] = &["order", "commande", "pedido", "orden"];
pub(crate) const PRODUCT: &[&str] = &["product", "item", "produit", "producto", "produto"];
pub(crate) const QUANTITY: &[&str] = &[
    "quantity",
    "qty",
    "amount",
    "count",
    "units",
    "quantite",
    "cantidad",
    "quantidade",
];
/// Quantities that are not amounts of money.
const COUNT: &[&str] = &["quantity", "qty", "quantite", "cantidad", "quantidade"];
pub(crate) const STOCK: &[&str] = &[
    "stock",
    "stockquantity",
    "quantityinstock",
    "countinstock",
    "numinstock",
    "inventory",
    "stockcount",
    "availablequantity",
    "quantity",
    "qty",
    "instock",
    "existencias",
    "estoque",
];
pub(crate) const NAME: &[&str] = &[
    "name",
    "title",
    "productname",
    "producttitle",
    "nom",
    "nombre",
    "nome",
    "titre",
    "titulo",
];
pub(crate) const PRICE: &[&str] = &[
    "price",
    "unitprice",
    "productprice",
    "prix",
    "precio",
    "preco",
];
pub(crate) const STATUS: &[&str] = &[
    "orderstatus",
    "status",
    "deliverystatus",
    "state",
    "currentstatus",
    "statut",
    "estado",
    "situacao",
];
pub(crate) const TOTAL: &[&str] = &[
    "grandtotal",
    "totalprice",
    "total",
    "totalamount",
    "totalcost",
    "ordertotal",
    "totalincltax",
    "finalprice",
    "totalbill",
    "amountpaid",
    "billamount",
    "totalpaid",
    "totalsum",
    "montanttotal",
    "prixtotal",
    "preciototal",
    "montototal",
    "valortotal",
    "precototal",
];

/// Apps of Django and of well-known packages. Their models are never part of a shop,
/// regardless of their columns.
const FOREIGN: &[&str] = &[
    "admin",
    "contenttypes",
    "sessions",
    "sites",
    "authtoken",
    "socialaccount",
    "tokenblacklist",
];

pub(crate) fn is_foreign(model: &str) -> bool {
    let (app, name) = model.rsplit_once('.').unwrap_or(("", model));
    match app {
        // An app of allauth; many shops have an app of that name, with a user model of their own.
        "account" => matches!(fold(name).as_str(), "emailaddress" | "emailconfirmation"),
        app => FOREIGN.contains(&app),
    }
}

/// How a model's kind was determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    ByColumns,
    ByName,
    /// By `--model`.
    Told,
}

/// The last part of a model's name, without case and underscores, in the singular: small shops name
/// a model `Orders`.
pub(crate) fn last_part(model: &str) -> String {
    let part = fold(model.rsplit_once('.').map_or(model, |(_, name)| name));
    match part.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_owned(),
        _ => part,
    }
}

/// The kind of a model with these columns; `None` if it is not part of a shop.
pub(crate) fn of<T>(model: &str, columns: &BTreeMap<String, T>) -> Option<(Kind, Known)> {
    if is_foreign(model) {
        return None;
    }
    let has = |names: &[&str]| columns.keys().any(|column| is_named(column, names));
    let kind = match last_part(model).as_str() {
        "user" | "customuser" => Kind::User,
        "product" | "produit" | "producto" | "produto" => Kind::Product,
        // Small shops name the line itself a cart.
        part if CART.contains(&part) && has(PRODUCT) => Kind::CartItem,
        part if CART.contains(&part) => Kind::Cart,
        "cartitem" | "cartline" | "cartproduct" | "basketitem" | "basketline" => Kind::CartItem,
        "order" | "orderplaced" | "placedorder" | "customerorder" | "commande" | "pedido"
        | "orden" => Kind::Order,
        "orderitem" | "orderline" | "orderproduct" | "orderdetail" | "orderlineitem"
        | "ordereditem" | "orderedproduct" | "lignecommande" | "itempedido" | "pedidoitem"
        | "detallepedido" | "lineapedido" => Kind::OrderItem,
        "stockrecord" if has(PRODUCT) => Kind::StockRecord,
        _ => return by_columns(has).map(|kind| (kind, Known::ByColumns)),
    };
    Some((kind, Known::ByName))
}

fn by_columns(has: impl Fn(&[&str]) -> bool) -> Option<Kind> {
    let is_user = has(&["password"]) && (has(&["username"]) || has(&["email"]));
    if is_user {
        Some(Kind::User)
    } else if has(PRODUCT) && has(ORDER) && has(QUANTITY) {
        Some(Kind::OrderItem)
    } else if has(PRODUCT) && has(COUNT) && (has(CART) || has(USER)) {
        Some(Kind::CartItem)
    } else if has(NAME) && has(PRICE) && !has(PRODUCT) && !has(ORDER) {
        Some(Kind::Product)
    } else if has(USER) && has(STATUS) && has(TOTAL) {
        Some(Kind::Order)
    } else {
        None
    }
}
