//! Search texts of products: name and description, folded by the domain.

use super::prelude::*;
use crate::rows::SearchTextRow;
use crate::schema::{product_texts, products};
use diesel::dsl::not;
use tradepost_domain::kernel::{Description, ProductName, searched_text};

/// Products folded per batch.
const BATCH: i64 = 1000;

/// The columns of a product that its search text is made of.
#[derive(Queryable, Selectable)]
#[diesel(table_name = products)]
struct SearchedRow {
    id: i64,
    name: String,
    description: String,
}

impl SearchedRow {
    /// The search text. A row that is no valid product, which is reported elsewhere, is found by no
    /// word.
    fn folded(&self) -> String {
        let name = ProductName::new(&self.name);
        match (name, Description::new(&self.description)) {
            (Ok(name), Ok(description)) => searched_text(&name, &description),
            _ => String::new(),
        }
    }
}

/// Writes the search text of every product that has none.
pub(in super::super) fn fill_in(conn: &mut Conn) -> QueryResult<()> {
    let mut last = 0;
    loop {
        let written = product_texts::table.filter(product_texts::product_id.eq(products::id));
        let missing = products::table
            .filter(products::id.gt(last))
            .filter(not(exists(written)))
            .order(products::id)
            .limit(BATCH)
            .select(SearchedRow::as_select())
            .load(conn)?;
        let Some(end) = missing.last() else {
            return Ok(());
        };
        last = end.id;
        let texts = missing.iter().map(|row| SearchTextRow {
            product_id: row.id,
            folded: row.folded(),
        });
        bulk::insert_imported!(conn, product_texts::table, texts);
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
            .select((SearchedRow::as_select(), product_texts::folded.nullable()))
            .load::<(SearchedRow, Option<String>)>(conn)?;
        let Some((end, _)) = rows.last() else {
            return Ok(wrong);
        };
        last = end.id;
        let found = rows
            .iter()
            .filter(|(row, text)| text.as_deref() != Some(&*row.folded()));
        wrong.extend(found.map(|(row, _)| row.id));
    }
}
