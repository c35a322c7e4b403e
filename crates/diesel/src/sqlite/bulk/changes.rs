//! Statements that apply the changes of decisions, row by row.

use super::super::Conn;
use super::prepared::{UpdateCartItem, UpdateOrder, insert_each};
use crate::rows::{NewCartItemRow, NewProductRow, SearchTextRow, StockRow, micros};
use crate::schema::{cart_items, product_texts, products, stock};
use diesel::prelude::*;
use diesel::upsert::excluded;
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::Product;
use tradepost_domain::orders::Order;

/// Inserts products; returns their ids, in the same order.
pub(crate) fn insert_products<'a>(
    conn: &mut Conn,
    new: impl Iterator<Item = NewProductRow<'a>>,
) -> QueryResult<Vec<i64>> {
    insert_each(conn, new, |conn, row| {
        let insert = diesel::insert_into(products::table);
        insert.values(row).execute(conn)
    })
}

/// Inserts the stock of products.
pub(crate) fn insert_stock(
    conn: &mut Conn,
    new: impl Iterator<Item = StockRow>,
) -> QueryResult<()> {
    for row in new {
        diesel::insert_into(stock::table)
            .values(row)
            .execute(conn)?;
    }
    Ok(())
}

/// Updates the thresholds of low stock of products.
pub(crate) fn update_thresholds(
    conn: &mut Conn,
    thresholds: &[(i64, Option<i64>)],
) -> QueryResult<()> {
    for (product, threshold) in thresholds {
        diesel::update(stock::table.find(product))
            .set(stock::low_stock.eq(threshold))
            .execute(conn)?;
    }
    Ok(())
}

/// Inserts or replaces the search texts of products.
pub(crate) fn write_search_texts(
    conn: &mut Conn,
    texts: impl Iterator<Item = SearchTextRow>,
) -> QueryResult<()> {
    for row in texts {
        diesel::insert_into(product_texts::table)
            .values(row)
            .on_conflict(product_texts::product_id)
            .do_update()
            .set(product_texts::folded.eq(excluded(product_texts::folded)))
            .execute(conn)?;
    }
    Ok(())
}

/// Updates products, without their stock.
pub(crate) fn update_products<'a>(
    conn: &mut Conn,
    products: impl Iterator<Item = &'a Product>,
) -> QueryResult<()> {
    for product in products {
        diesel::update(products::table.find(product.id.get()))
            .set(NewProductRow::from(product))
            .execute(conn)?;
    }
    Ok(())
}

/// Inserts cart items; returns their ids, in the same order.
pub(crate) fn insert_cart_items(
    conn: &mut Conn,
    new: impl Iterator<Item = NewCartItemRow>,
) -> QueryResult<Vec<i64>> {
    insert_each(conn, new, |conn, row| {
        let insert = diesel::insert_into(cart_items::table);
        insert.values(row).execute(conn)
    })
}

/// Updates the quantities of cart items.
pub(crate) fn update_cart_items(conn: &mut Conn, items: &[CartItem]) -> QueryResult<()> {
    for item in items {
        let update = UpdateCartItem {
            quantity: item.quantity.units(),
            at: micros(item.updated_at),
            id: item.id.get(),
        };
        update.execute(conn)?;
    }
    Ok(())
}

/// Updates the status of orders.
pub(crate) fn update_orders(conn: &mut Conn, orders: &[Order]) -> QueryResult<()> {
    for order in orders {
        let update = UpdateOrder {
            status: order.status.as_str(),
            archived: order.archived,
            at: micros(order.updated_at),
            id: order.id.get(),
        };
        update.execute(conn)?;
    }
    Ok(())
}
