//! Searching: an index of trigrams, where the server has one, and otherwise a look at every text.

use super::Db;
use crate::schema::product_texts;
use diesel::dsl::{Filter, IntoBoxed, Select};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use tradepost_domain::Search;

type Texts = Select<product_texts::table, product_texts::product_id>;

type Found<'a> = IntoBoxed<'a, Filter<Texts, SqlLiteral<Bool>>, Db>;

/// The ids of the products with every word.
pub(crate) fn products_with(search: &Search) -> Found<'_> {
    let mut found = product_texts::table
        .select(product_texts::product_id)
        // A literal keeps the statement from being kept prepared: PostgreSQL would settle for one
        // plan for all words, and how rare a word is makes all the difference.
        .filter(diesel::dsl::sql::<Bool>("TRUE"))
        .into_boxed();
    for word in search.words() {
        found = found.filter(product_texts::folded.like(pattern(word)));
    }
    found
}

/// What LIKE takes for a word anywhere: nothing in it is a wildcard.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for character in word.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
