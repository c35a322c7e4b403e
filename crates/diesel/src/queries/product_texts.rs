//! What is searched of each product: its name and its description, folded by the domain.

use super::super::Conn;
use crate::schema::{product_texts, products};
use diesel::prelude::*;
use diesel::upsert::excluded;
use tradepost_domain::{Description, ProductId, ProductName, searched_text};

/// Products that are folded at once.
const BATCH: i64 = 1000;

/// Writes what is searched of a product.
pub(super) fn write(
    conn: &mut Conn,
    product: ProductId,
    name: &ProductName,
    description: &Description,
) -> QueryResult<()> {
    put(conn, product.get(), &searched_text(name, description))
}

fn put(conn: &mut Conn, product: i64, folded: &str) -> QueryResult<()> {
    diesel::insert_into(product_texts::table)
        .values((
            product_texts::product_id.eq(product),
            product_texts::folded.eq(folded),
        ))
        .on_conflict(product_texts::product_id)
        .do_update()
        .set(product_texts::folded.eq(excluded(product_texts::folded)))
        .execute(conn)
        .map(drop)
}

/// Writes what is searched of every product that nothing was written of.
pub(super) fn fill_in(conn: &mut Conn) -> QueryResult<()> {
    loop {
        let written = product_texts::table.filter(product_texts::product_id.eq(products::id));
        let missing = products::table
            .filter(diesel::dsl::not(diesel::dsl::exists(written)))
            .order(products::id)
            .limit(BATCH)
            .select((products::id, products::name, products::description))
            .load::<(i64, String, String)>(conn)?;
        if missing.is_empty() {
            return Ok(());
        }
        for (product, name, description) in missing {
            // A row that is no product is for the audit to tell: it is not found by any word.
            let folded = match (ProductName::new(&name), Description::new(&description)) {
                (Ok(name), Ok(description)) => searched_text(&name, &description),
                _ => String::new(),
            };
            put(conn, product, &folded)?;
        }
    }
}
