//! Import of another shop, in one transaction, with a bounded number of rows per statement.

mod applying;
mod product_rows;

pub(super) use applying::is_catalogue_free;

use super::catalog::search_texts;
use super::events;
use super::prelude::*;
use super::schema::shop_settings::grow_catalogue;
use crate::rows::{
    AccountRow, NewCartItemRow, NewMovementRow, NewOrderItem, NewOrderRow, NewProductRow,
    NewUserRow, StockRow,
};
use crate::schema::{cart_items, orders, products, stock, users};
use std::sync::Arc;
use tradepost_domain::decision::Event;
use tradepost_domain::import::{
    ExistingData, ImportDecision, ImportRepository, ImportShop, Imported, decide_import, imported,
    imported_product, imported_user, sales_history,
};
use tradepost_domain::inventory::{NewMovement, StockLevel};

/// Rows per statement: enough to make the cost of a round trip small, and few enough for SQLite's
/// limit of 32,766 values in one statement.
const BATCH: usize = 1_000;

fn existing(conn: &mut Conn) -> Result<ExistingData, Failure> {
    let staff = users::table
        .filter(users::is_staff.eq(true))
        .order(users::id)
        .select(AccountRow::as_select())
        .load(conn)?;
    let customers = users::table.filter(users::is_staff.eq(false)).count();
    Ok(ExistingData {
        products: row_count(products::table.count().get_result(conn)?),
        orders: row_count(orders::table.count().get_result(conn)?),
        customers: row_count(customers.get_result(conn)?),
        staff: all(staff, AccountRow::account)?,
    })
}

fn write(conn: &mut Conn, command: &ImportShop, decision: &ImportDecision) -> Result<(), Failure> {
    for some in command.users.chunks(BATCH) {
        let users = some
            .iter()
            .map(|user| NewUserRow::from(user).with_id(user.account.id.get()));
        bulk::insert_imported!(conn, users::table, users);
        append(conn, some.iter().map(|user| imported_user(&user.account)))?;
    }
    for some in command.products.chunks(BATCH) {
        let products = some
            .iter()
            .map(|product| NewProductRow::from(product).with_id(product.id.get()));
        bulk::insert_imported!(conn, products::table, products);
        let levels = some.iter().map(|product| StockRow {
            product_id: product.id.get(),
            on_hand: product.stock.units(),
            low_stock: product.low_stock.map(StockLevel::units),
        });
        bulk::insert_imported!(conn, stock::table, levels);
        append(conn, some.iter().map(imported_product))?;
    }
    search_texts::fill_in(conn)?;
    for openings in decision.openings.chunks(BATCH) {
        bulk::insert_movements(conn, openings.iter().map(NewMovementRow::from))?;
    }
    for some in command.orders.chunks(BATCH) {
        let orders = some
            .iter()
            .map(|order| NewOrderRow::from(order).with_id(order.id.get()));
        bulk::insert_imported!(conn, orders::table, orders);
        let lines = some
            .iter()
            .flat_map(|order| NewOrderItem::of_order(order.id, order.user, &order.lines));
        bulk::insert_order_items(conn, lines)?;
        // The imported stock on hand is the level after these movements.
        let history: Vec<NewMovement> = some.iter().flat_map(sales_history).collect();
        bulk::insert_movements(conn, history.iter().map(NewMovementRow::from))?;
        append(conn, some.iter().map(imported))?;
    }
    for some in command.carts.chunks(BATCH) {
        let lines = some
            .iter()
            .map(|line| NewCartItemRow::from(line).with_id(line.id.get()));
        bulk::insert_imported!(conn, cart_items::table, lines);
    }
    bulk::continue_ids(conn)?;
    grow_catalogue(conn, decision.catalogue_size)
}

fn append(conn: &mut Conn, new: impl Iterator<Item = Event>) -> Result<(), Failure> {
    let new: Vec<Event> = new.collect();
    events::append(conn, &new)
}

impl ImportRepository for Database {
    fn existing_data(&self) -> Result<ExistingData, StoreError> {
        self.snapshot(existing)
    }

    fn import(&self, command: Arc<ImportShop>) -> Imported {
        let currency = self.currency();
        self.write(move |conn| {
            locks::lock_shop_for_import(conn)?;
            match decide_import(&command, &existing(conn)?, currency) {
                Ok(decision) => write(conn, &command, &decision).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            }
        })
    }
}
