//! Import of another shop, in one transaction, with a bounded number of rows per statement.

use super::super::{Conn, Database, bulk, locks};
use super::accounts::ACCOUNT;
use super::product_texts;
use super::shop;
use crate::failure::Failure;
use crate::rows::AccountRow;
use crate::schema::{orders, products, users};
use diesel::prelude::*;
use std::sync::Arc;
use tradepost_domain::import::{
    ExistingData, ImportDecision, ImportRepository, ImportShop, Imported, decide_import,
    sales_history,
};
use tradepost_domain::inventory::NewMovement;
use tradepost_domain::kernel::StoreError;

/// Rows per statement: enough to make the cost of a round trip small.
const TOGETHER: usize = 1_000;

fn ground(conn: &mut Conn) -> Result<ExistingData, Failure> {
    let staff = users::table
        .filter(users::is_staff.eq(true))
        .order(users::id)
        .select(ACCOUNT)
        .load::<AccountRow>(conn)?;
    let staff = staff.into_iter().map(AccountRow::account);
    let customers = users::table.filter(users::is_staff.eq(false)).count();
    Ok(ExistingData {
        products: super::count(products::table.count().get_result(conn)?),
        orders: super::count(orders::table.count().get_result(conn)?),
        customers: super::count(customers.get_result(conn)?),
        staff: staff.collect::<Result<_, _>>()?,
    })
}

fn write(conn: &mut Conn, command: &ImportShop, decision: &ImportDecision) -> Result<(), Failure> {
    for users in command.users.chunks(TOGETHER) {
        bulk::import_users(conn, users)?;
    }
    for products in command.products.chunks(TOGETHER) {
        bulk::import_products(conn, products)?;
    }
    product_texts::fill_in(conn)?;
    for openings in decision.openings.chunks(TOGETHER) {
        bulk::movements(conn, openings)?;
    }
    for some in command.orders.chunks(TOGETHER) {
        bulk::import_orders(conn, some)?;
        let lines: Vec<_> = some
            .iter()
            .map(|order| (order.id, order.user, &*order.lines))
            .collect();
        bulk::lines(conn, &lines)?;
        // The imported stock on hand is the level after these movements.
        let history: Vec<NewMovement> = some.iter().flat_map(sales_history).collect();
        bulk::movements(conn, &history)?;
    }
    for lines in command.carts.chunks(TOGETHER) {
        bulk::import_cart_lines(conn, lines)?;
    }
    bulk::continue_ids(conn)?;
    shop::grow_catalogue(conn, decision.catalogue_size)
}

impl ImportRepository for Database {
    fn ground(&self) -> Result<ExistingData, StoreError> {
        self.snapshot(ground)
    }

    fn import(&self, command: Arc<ImportShop>) -> Imported {
        let currency = self.currency();
        self.write(move |conn| {
            locks::lock_shop_for_import(conn)?;
            match decide_import(&command, &ground(conn)?, currency) {
                Ok(decision) => write(conn, &command, &decision).map(Ok),
                Err(refusal) => Ok(Err(refusal)),
            }
        })
    }
}
