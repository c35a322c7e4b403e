//! Searching: an index of trigrams, where the server has one, and otherwise a look at every text.

use super::queries::accounts::containing;
use super::{Conn, Db};
use crate::schema::product_texts;
use diesel::dsl::{Filter, IntoBoxed, Select};
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use tradepost_domain::Search;

diesel::define_sql_function! {
    /// Where a text occurs in another one, from 1; 0 if it does not.
    fn strpos(text: Text, part: Text) -> Integer;
}

type Texts = Select<product_texts::table, product_texts::product_id>;

type Found<'a> = IntoBoxed<'a, Filter<Texts, SqlLiteral<Bool>>, Db>;

/// The most products whose ids are passed on.
const FEW: u32 = 1000;

/// How many texts of a sample, out of 32, have a word that is common.
const COMMON: i64 = 4;

/// In how many texts of a sample each word occurs.
struct Seen<'a> {
    words: &'a [String],
}

impl QueryId for Seen<'_> {
    type QueryId = Seen<'static>;
}

impl QueryFragment<Pg> for Seen<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // By their places in the table, as there may be large gaps between ids; and no more of a
        // long text than its beginning, as it is read for each word.
        out.push_sql(
            "WITH sample AS MATERIALIZED (
                SELECT left(folded, 1000) AS folded FROM product_texts WHERE ctid = ANY (ARRAY(
                    SELECT CAST(format('(%s,1)', pages * part / 32) AS tid)
                    FROM generate_series(0, 31) AS part, (SELECT pg_relation_size('product_texts')
                        / current_setting('block_size')::BIGINT) AS size (pages))))
            SELECT (SELECT count(*) FROM sample WHERE strpos(folded, word) > 0)
            FROM unnest(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.words)?;
        out.push_sql(") WITH ORDINALITY AS words (word, place) ORDER BY place");
        Ok(())
    }
}

impl Query for Seen<'_> {
    type SqlType = BigInt;
}

impl RunQueryDsl<Conn> for Seen<'_> {}

/// The ids of the products with every word, if one of the words is rare.
///
/// An index of trigrams is read for every word that it is asked for, of which common ones are in
/// most products. So those are looked for in the texts of the others.
pub(crate) fn few_products_with(conn: &mut Conn, search: &Search) -> QueryResult<Option<Vec<i64>>> {
    if !search.words().iter().any(|word| is_long(word)) {
        return Ok(None);
    }
    let words = search.words();
    let seen = Seen { words }.load::<i64>(conn)?;
    let seen = || words.iter().zip(&seen);
    if !seen().any(|(word, times)| is_long(word) && *times == 0) {
        return Ok(None);
    }
    let mut found = texts();
    for (word, times) in seen() {
        found = if is_long(word) && *times < COMMON {
            found.filter(product_texts::folded.like(containing(word)))
        } else {
            found.filter(strpos(product_texts::folded, word).gt(0))
        };
    }
    let found: Vec<i64> = found.limit(i64::from(FEW) + 1).load(conn)?;
    let few = u32::try_from(found.len()).is_ok_and(|products| products <= FEW);
    Ok(few.then_some(found))
}

/// The ids of the products with every word.
pub(crate) fn products_with(search: &Search) -> Found<'_> {
    let mut found = texts();
    for word in search.words() {
        found = found.filter(product_texts::folded.like(containing(word)));
    }
    found
}

fn texts<'a>() -> Found<'a> {
    product_texts::table
        .select(product_texts::product_id)
        // A literal keeps the statement from being kept prepared: PostgreSQL would settle for one
        // plan for all words, and how rare a word is makes all the difference.
        .filter(diesel::dsl::sql::<Bool>("TRUE"))
        .into_boxed()
}

/// Whether a word has a trigram.
fn is_long(word: &str) -> bool {
    word.chars().nth(2).is_some()
}
