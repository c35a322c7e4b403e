//! Searching: an index of trigrams for words of three characters and more, and a look at each text
//! that is left for the others.

use super::Db;
use crate::schema::product_texts;
use diesel::dsl::{IntoBoxed, Select};
use diesel::prelude::*;
use diesel::sql_types::Text;
use tradepost_domain::Search;

diesel::table! {
    product_trigrams (rowid) {
        rowid -> BigInt,
        folded -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(product_texts, product_trigrams);

diesel::infix_operator!(Match, " MATCH ", backend: diesel::sqlite::Sqlite);

#[diesel::declare_sql_function]
extern "SQL" {
    /// Where a text occurs in another one, from 1; 0 if it does not.
    fn instr(text: Text, part: Text) -> diesel::sql_types::Integer;
}

type Found<'a> = IntoBoxed<'a, Select<product_texts::table, product_texts::product_id>, Db>;

/// The ids of the products with every word.
pub(crate) fn products_with(search: &Search) -> Found<'_> {
    let mut found = product_texts::table
        .select(product_texts::product_id)
        .into_boxed();
    let (long, short): (Vec<_>, Vec<_>) = search
        .words()
        .iter()
        .partition(|word| word.chars().nth(2).is_some());
    if !long.is_empty() {
        let phrases: Vec<String> = long.into_iter().map(|word| phrase(word)).collect();
        let phrases = phrases.join(" ").into_sql::<Text>();
        let matches = Match::new(product_trigrams::folded, phrases);
        found = found.filter(
            product_texts::product_id.eq_any(
                product_trigrams::table
                    .filter(matches)
                    .select(product_trigrams::rowid),
            ),
        );
    }
    for word in short {
        found = found.filter(instr(product_texts::folded, word).gt(0));
    }
    found
}

/// A word as FTS5 takes it, literally: between quotes, and with quotes doubled.
fn phrase(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}
