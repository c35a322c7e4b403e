//! Statements for one row that stay prepared.
//!
//! diesel prepares its own `UPDATE` statements each time, as their columns may vary. And
//! SQLite runs `RETURNING` as a trigger, for which each insert keeps a statement journal: the copies
//! of the pages that it changes.

use super::super::Conn;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::Error::NotFound;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;

/// A statement of pieces of SQL, each followed by a value, and of its end.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident, $($sql:literal $field:ident: $rust:ty => $kind:ty),+; $end:literal) => {
        $(#[$doc])*
        #[derive(QueryId)]
        pub(crate) struct $name {
            $(pub(crate) $field: $rust,)+
        }

        impl QueryFragment<Sqlite> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
                $(
                    out.push_sql($sql);
                    out.push_bind_param::<$kind, _>(&self.$field)?;
                )+
                out.push_sql($end);
                Ok(())
            }
        }

        impl RunQueryDsl<Conn> for $name {}
    };
}

statement! {
    /// Changes the stock of a product on hand.
    ChangeStock,
    "UPDATE stock SET on_hand = on_hand + " change: i64 => BigInt,
    " WHERE product_id = " product: i64 => BigInt;
    ""
}

statement! {
    /// Sets the quantity of a cart item.
    UpdateCartItem,
    "UPDATE cart_items SET quantity = " quantity: i64 => BigInt,
    ", updated_at = " at: i64 => BigInt,
    " WHERE id = " id: i64 => BigInt;
    ""
}

statement! {
    /// Sets the status of an order.
    UpdateOrder,
    "UPDATE orders SET status = " status: &'static str => Text,
    ", archived = " archived: bool => Bool,
    ", updated_at = " at: i64 => BigInt,
    " WHERE id = " id: i64 => BigInt;
    ""
}

statement! {
    /// Adds to the number of orders with a status.
    AddOrders,
    "INSERT INTO order_counts (status, orders) VALUES (" status: &'static str => Text,
    ", " orders: i64 => BigInt;
    ") ON CONFLICT (status) DO UPDATE SET orders = orders + excluded.orders"
}

statement! {
    /// Adds to the sales of a bucket.
    AddSales,
    "INSERT INTO sales (bucket, orders, revenue) VALUES (" bucket: i64 => BigInt,
    ", " orders: i64 => BigInt,
    ", " revenue: i64 => BigInt;
    ") ON CONFLICT (bucket) DO UPDATE
       SET orders = orders + excluded.orders, revenue = revenue + excluded.revenue"
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// Id of the row that this connection inserted last.
    fn last_insert_rowid() -> BigInt;
}

/// Inserts rows one by one; returns their ids, in the same order.
///
/// A write owns the database, so AUTOINCREMENT gives its rows successive ids: the first and the last
/// one tell the others.
pub(super) fn insert_each<R>(
    conn: &mut Conn,
    rows: impl Iterator<Item = R>,
    insert: impl Fn(&mut Conn, R) -> QueryResult<usize>,
) -> QueryResult<Vec<i64>> {
    let mut first = None;
    let mut number = 0;
    for row in rows {
        insert(conn, row)?;
        number += 1;
        if first.is_none() {
            first = Some(last_id(conn)?);
        }
    }
    let Some(first) = first else {
        return Ok(Vec::new());
    };
    let last = last_id(conn)?;
    match last - first == number - 1 {
        true => Ok((first..=last).collect()),
        false => Err(NotFound),
    }
}

fn last_id(conn: &mut Conn) -> QueryResult<i64> {
    diesel::select(last_insert_rowid()).get_result(conn)
}
