//! Product search: a trigram index, where the server has one, and otherwise a scan of every text.

use super::queries::identity::lists::containing;
use super::{Conn, Db};
use crate::schema::product_texts;
use diesel::dsl::{Filter, IntoBoxed, Select};
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Text};
use tradepost_domain::kernel::Search;

diesel::define_sql_function! {
    /// Position of a text within another one, from 1; 0 if absent.
    fn strpos(text: Text, part: Text) -> Integer;
}

type Texts = Select<product_texts::table, product_texts::product_id>;

type Found<'a> = IntoBoxed<'a, Filter<Texts, SqlLiteral<Bool>>, Db>;

/// Maximum number of product ids that the prefilter returns.
const FEW: u32 = 1000;

/// A word is common if it occurs in this many texts of a sample of 32.
const COMMON: i64 = 4;

/// In how many texts of a sample each word occurs.
struct WordFrequencies<'a> {
    words: &'a [String],
}

impl QueryId for WordFrequencies<'_> {
    type QueryId = WordFrequencies<'static>;
}

impl QueryFragment<Pg> for WordFrequencies<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // Sampled by physical position, as there may be large gaps between ids. Only the beginning
        // of a long text, which is scanned for each word.
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

impl Query for WordFrequencies<'_> {
    type SqlType = BigInt;
}

impl RunQueryDsl<Conn> for WordFrequencies<'_> {}

/// Prefilter: the ids of the products with every word, if one of the words is rare.
///
/// A trigram index is read for every word that is looked up in it, and common words are in most
/// products. So common words are matched against the texts found by the rare ones.
pub(crate) fn prefilter_ids(conn: &mut Conn, search: &Search) -> QueryResult<Option<Vec<i64>>> {
    if !search.words().iter().any(|word| is_long(word)) {
        return Ok(None);
    }
    let words = search.words();
    let seen = WordFrequencies { words }.load::<i64>(conn)?;
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

/// Ids of the products with every word.
pub(crate) fn products_with(search: &Search) -> Found<'_> {
    let mut found = texts();
    for word in search.words() {
        found = found.filter(product_texts::folded.like(containing(word)));
    }
    found
}

/// Nothing to defer: a GIN index has a pending list of its own (fastupdate).
pub(crate) fn defer_indexing(_: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Nothing is deferred.
pub(crate) fn resume_indexing(_: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// Nothing is deferred.
pub(crate) fn has_unindexed(_: &mut Conn) -> QueryResult<bool> {
    Ok(false)
}

/// Nothing is deferred.
pub(crate) fn index_some(_: &mut Conn) -> QueryResult<()> {
    Ok(())
}

fn texts<'a>() -> Found<'a> {
    product_texts::table
        .select(product_texts::product_id)
        // A literal keeps diesel from caching the prepared statement: PostgreSQL would settle for
        // one generic plan for all words, and the best plan depends on how rare a word is.
        .filter(diesel::dsl::sql::<Bool>("TRUE"))
        .into_boxed()
}

/// Whether a word has a trigram.
fn is_long(word: &str) -> bool {
    word.chars().nth(2).is_some()
}
