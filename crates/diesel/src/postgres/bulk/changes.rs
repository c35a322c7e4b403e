//! Statements that apply the changes of decisions: one for each kind of row.

use super::super::Conn;
use super::names;
use crate::rows::columns::{Columns, Parameters};
use crate::rows::{NewCartItemRow, NewProductRow, SearchTextRow, StockRow, micros};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::Product;
use tradepost_domain::orders::Order;

insert!(InsertProducts<'a>, NewProductRow<'a> => "products", " ORDER BY row_number RETURNING id");

impl Query for InsertProducts<'_> {
    type SqlType = BigInt;
}

insert!(InsertStock, StockRow => "stock", "");

statement!(UpdateThresholds,
    "UPDATE stock SET low_stock = new.low_stock FROM unnest(", {
        product_id: i64 => BigInt,
        low_stock: Option<i64> => Nullable<BigInt>,
    }, ") AS new (product_id, low_stock) WHERE stock.product_id = new.product_id");

insert!(WriteSearchTexts, SearchTextRow => "product_texts", " ON CONFLICT (product_id) DO UPDATE SET folded = excluded.folded");

insert!(InsertCartItems, NewCartItemRow => "cart_items", " ORDER BY row_number RETURNING id");

impl Query for InsertCartItems {
    type SqlType = BigInt;
}

/// An update of products to these rows, each with its id. The time of creation never changes.
#[derive(Default)]
pub(in crate::postgres) struct UpdateProducts<'a> {
    ids: Vec<i64>,
    rows: <NewProductRow<'a> as Columns>::Arrays,
}

impl QueryFragment<Pg> for UpdateProducts<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE products SET ");
        let mut separators = std::iter::once("").chain(std::iter::repeat(", "));
        NewProductRow::names("", &mut |name| {
            if name != "created_at" {
                out.push_sql(separators.next().unwrap_or_default());
                out.push_sql(name);
                out.push_sql(" = new.");
                out.push_sql(name);
            }
        });
        out.push_sql(" FROM unnest(");
        out.push_bind_param::<Array<BigInt>, _>(&self.ids)?;
        NewProductRow::bind(&self.rows, &mut Parameters::new(&mut out, false))?;
        out.push_sql(") AS new (id, ");
        names::<NewProductRow<'_>>(&mut out);
        out.push_sql(") WHERE products.id = new.id");
        Ok(())
    }
}

prepared!(UpdateProducts<'a>);

statement!(UpdateCartItems,
    "UPDATE cart_items SET quantity = new.quantity, updated_at = new.updated_at FROM unnest(", {
        id: i64 => BigInt,
        quantity: i64 => BigInt,
        updated_at: i64 => BigInt,
    }, ") AS new (id, quantity, updated_at) WHERE cart_items.id = new.id");

statement!(UpdateOrders,
    "UPDATE orders SET status = new.status, archived = new.archived, updated_at = new.updated_at
     FROM unnest(", {
        id: i64 => BigInt,
        status: &'static str => Text,
        archived: bool => Bool,
        updated_at: i64 => BigInt,
    }, ") AS new (id, status, archived, updated_at) WHERE orders.id = new.id");

/// Inserts products; returns their ids, in the same order.
pub(crate) fn insert_products<'a>(
    conn: &mut Conn,
    new: impl Iterator<Item = NewProductRow<'a>>,
) -> QueryResult<Vec<i64>> {
    new.collect::<InsertProducts<'_>>().load(conn)
}

/// Inserts the stock of products.
pub(crate) fn insert_stock(
    conn: &mut Conn,
    new: impl Iterator<Item = StockRow>,
) -> QueryResult<()> {
    new.collect::<InsertStock>().execute(conn).map(drop)
}

/// Updates the thresholds of low stock of products.
pub(crate) fn update_thresholds(
    conn: &mut Conn,
    thresholds: &[(i64, Option<i64>)],
) -> QueryResult<()> {
    let (product_id, low_stock) = thresholds.iter().copied().unzip();
    let rows = UpdateThresholds {
        product_id,
        low_stock,
    };
    rows.execute(conn).map(drop)
}

/// Inserts or replaces the search texts of products.
pub(crate) fn write_search_texts(
    conn: &mut Conn,
    texts: impl Iterator<Item = SearchTextRow>,
) -> QueryResult<()> {
    texts.collect::<WriteSearchTexts>().execute(conn).map(drop)
}

/// Updates products, without their stock.
pub(crate) fn update_products<'a>(
    conn: &mut Conn,
    products: impl Iterator<Item = &'a Product>,
) -> QueryResult<()> {
    let mut update = UpdateProducts::default();
    for product in products {
        update.ids.push(product.id.get());
        NewProductRow::from(product).push(&mut update.rows);
    }
    update.execute(conn).map(drop)
}

/// Inserts cart items; returns their ids, in the same order.
pub(crate) fn insert_cart_items(
    conn: &mut Conn,
    new: impl Iterator<Item = NewCartItemRow>,
) -> QueryResult<Vec<i64>> {
    new.collect::<InsertCartItems>().load(conn)
}

/// Updates the quantities of cart items.
pub(crate) fn update_cart_items(conn: &mut Conn, items: &[CartItem]) -> QueryResult<()> {
    let rows = UpdateCartItems {
        id: items.iter().map(|item| item.id.get()).collect(),
        quantity: items.iter().map(|item| item.quantity.units()).collect(),
        updated_at: items.iter().map(|item| micros(item.updated_at)).collect(),
    };
    rows.execute(conn).map(drop)
}

/// Updates the status of orders.
pub(crate) fn update_orders(conn: &mut Conn, orders: &[Order]) -> QueryResult<()> {
    let rows = UpdateOrders {
        id: orders.iter().map(|order| order.id.get()).collect(),
        status: orders.iter().map(|order| order.status.as_str()).collect(),
        archived: orders.iter().map(|order| order.archived).collect(),
        updated_at: orders
            .iter()
            .map(|order| micros(order.updated_at))
            .collect(),
    };
    rows.execute(conn).map(drop)
}
