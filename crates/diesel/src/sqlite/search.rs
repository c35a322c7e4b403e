//! Product search: a trigram index for words of three characters and more, and a scan of the
//! remaining texts for the others.

use super::id_in::id_in;
use super::{Conn, Db};
use crate::schema::product_texts;
use diesel::connection::SimpleConnection;
use diesel::dsl::{AsExprOf, IntoBoxed, Select};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use tradepost_domain::kernel::Search;

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
    /// Position of a text within another one, from 1; 0 if absent.
    fn instr(text: Text, part: Text) -> diesel::sql_types::Integer;
}

type Matching = Match<product_trigrams::folded, AsExprOf<String, Text>>;

type Found<'a> = IntoBoxed<'a, Select<product_texts::table, product_texts::product_id>, Db>;

/// A word is rare if at most this many products have it.
const FEW: u32 = 1000;

/// Texts that one transaction indexes: about ten milliseconds.
const INDEXED: u32 = 200;

/// Products whose texts are sampled for common words.
const NEWEST: i64 = 8;

/// Prefilter: the ids of the products with every word, if one of the words is rare.
///
/// FTS5 reads the positions of each trigram of each word, and common trigrams are in most products;
/// but it finds the first products with a word at once. So the first word that proves rare is
/// looked up alone, and the others are matched against those texts. The newest products only decide
/// which words to try last.
pub(crate) fn prefilter_ids(conn: &mut Conn, search: &Search) -> QueryResult<Option<Vec<i64>>> {
    if has_unindexed(conn)? {
        return scanned(conn, search).map(Some);
    }
    let mut words: Vec<&String> = search.words().iter().filter(|word| is_long(word)).collect();
    if words.len() > 1 {
        let newest = product_texts::table
            .order(product_texts::product_id.desc())
            .limit(NEWEST)
            .select(product_texts::folded)
            .load::<String>(conn)?;
        let has = |text: &&String, word: &str| text.contains(word);
        words.sort_by_key(|word| newest.iter().filter(|text| has(text, word)).count());
    }
    for word in words {
        let first = product_trigrams::table
            .filter(matching(&[word]))
            .select(product_trigrams::rowid)
            .limit(i64::from(FEW) + 1)
            .load::<i64>(conn)?;
        if u32::try_from(first.len()).is_ok_and(|products| products <= FEW) {
            return with_others(conn, first, word, search).map(Some);
        }
    }
    Ok(None)
}

/// Ids of the products with every word, by reading every text: the index is not complete.
fn scanned(conn: &mut Conn, search: &Search) -> QueryResult<Vec<i64>> {
    let mut found = product_texts::table
        .select(product_texts::product_id)
        .into_boxed();
    for word in search.words() {
        found = found.filter(instr(product_texts::folded, word).gt(0));
    }
    found.load(conn)
}

/// Defers the indexing of the texts that this transaction writes: it takes many times as long as
/// all other writes of a large import, and no other transaction can write meanwhile.
pub(crate) fn defer_indexing(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("INSERT INTO deferred_indexing (id) VALUES (1)")
}

/// Ends the deferral, at the end of the transaction.
pub(crate) fn resume_indexing(conn: &mut Conn) -> QueryResult<()> {
    conn.batch_execute("DELETE FROM deferred_indexing")
}

/// Whether texts remain to be indexed.
pub(crate) fn has_unindexed(conn: &mut Conn) -> QueryResult<bool> {
    diesel::select(diesel::dsl::sql::<Bool>(
        "EXISTS (SELECT 1 FROM unindexed_texts)",
    ))
    .get_result(conn)
}

/// Indexes some of the texts whose indexing was deferred.
pub(crate) fn index_some(conn: &mut Conn) -> QueryResult<()> {
    let some =
        format!("SELECT product_id FROM unindexed_texts ORDER BY product_id LIMIT {INDEXED}");
    conn.batch_execute(&format!(
        "INSERT INTO product_trigrams (product_trigrams, rowid, folded)
            SELECT 'delete', product_id, indexed FROM unindexed_texts
            WHERE indexed IS NOT NULL AND product_id IN ({some});
         INSERT INTO product_trigrams (rowid, folded)
            SELECT product_id, folded FROM product_texts WHERE product_id IN ({some});
         DELETE FROM unindexed_texts WHERE product_id IN ({some})"
    ))
}

/// Those of the products with one word that also have the others.
fn with_others(
    conn: &mut Conn,
    products: Vec<i64>,
    word: &String,
    search: &Search,
) -> QueryResult<Vec<i64>> {
    let others = search.words().iter().filter(|other| *other != word);
    if products.is_empty() || others.clone().next().is_none() {
        return Ok(products);
    }
    let mut found = product_texts::table
        .filter(id_in(product_texts::product_id, &products))
        .select(product_texts::product_id)
        .into_boxed();
    for other in others {
        found = found.filter(instr(product_texts::folded, other).gt(0));
    }
    found.load(conn)
}

/// Ids of the products with every word.
pub(crate) fn products_with(search: &Search) -> Found<'_> {
    let mut found = product_texts::table
        .select(product_texts::product_id)
        .into_boxed();
    let (long, short): (Vec<_>, Vec<_>) = search.words().iter().partition(|word| is_long(word));
    if !long.is_empty() {
        found = found.filter(
            product_texts::product_id.eq_any(
                product_trigrams::table
                    .filter(matching(&long))
                    .select(product_trigrams::rowid),
            ),
        );
    }
    for word in short {
        found = found.filter(instr(product_texts::folded, word).gt(0));
    }
    found
}

/// Whether a word has a trigram.
fn is_long(word: &str) -> bool {
    word.chars().nth(2).is_some()
}

/// Matches rows with every one of these words. FTS5 takes them literally between quotes, with
/// quotes doubled.
fn matching(words: &[&String]) -> Matching {
    let phrase = |word: &&String| format!("\"{}\"", word.replace('"', "\"\""));
    let phrases: Vec<String> = words.iter().map(phrase).collect();
    Match::new(
        product_trigrams::folded,
        phrases.join(" ").into_sql::<Text>(),
    )
}
