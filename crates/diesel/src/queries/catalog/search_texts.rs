//! Search texts of products: name and description, folded by the domain.

use super::prelude::*;
use crate::schema::{product_texts, products};
use diesel::upsert::excluded;
use tradepost_domain::kernel::{Description, ProductId, ProductName, searched_text};

/// Products folded per batch.
const BATCH: i64 = 1000;

/// Writes the search text of a product.
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

/// Writes the search text of every product that has none.
pub(in super::super) fn fill_in(conn: &mut Conn) -> QueryResult<()> {
    let mut last = 0;
    loop {
        let written = product_texts::table.filter(product_texts::product_id.eq(products::id));
        let missing = products::table
            .filter(products::id.gt(last))
            .filter(diesel::dsl::not(diesel::dsl::exists(written)))
            .order(products::id)
            .limit(BATCH)
            .select((products::id, products::name, products::description))
            .load::<(i64, String, String)>(conn)?;
        let Some((end, ..)) = missing.last() else {
            return Ok(());
        };
        last = *end;
        let folded = missing
            .into_iter()
            .map(|(product, name, description)| (product, folded(&name, &description)));
        bulk::product_texts(conn, &folded.collect::<Vec<_>>())?;
    }
}

/// The search text of a row. A row that is no valid product, which is reported elsewhere, is found
/// by no word.
fn folded(name: &str, description: &str) -> String {
    match (ProductName::new(name), Description::new(description)) {
        (Ok(name), Ok(description)) => searched_text(&name, &description),
        _ => String::new(),
    }
}

/// Products whose search text disagrees with their name and description.
pub(in super::super) fn wrong(conn: &mut Conn) -> QueryResult<Vec<i64>> {
    let mut wrong = Vec::new();
    let mut last = 0;
    loop {
        let rows = products::table
            .left_join(product_texts::table)
            .filter(products::id.gt(last))
            .order(products::id)
            .limit(BATCH)
            .select((
                products::id,
                products::name,
                products::description,
                product_texts::folded.nullable(),
            ))
            .load::<(i64, String, String, Option<String>)>(conn)?;
        let Some((end, ..)) = rows.last() else {
            return Ok(wrong);
        };
        last = *end;
        let is_wrong = |(_, name, description, text): &(i64, String, String, Option<String>)| {
            text.as_deref() != Some(&*folded(name, description))
        };
        let found = rows.iter().filter(|row| is_wrong(row));
        wrong.extend(found.map(|(id, ..)| *id));
    }
}
