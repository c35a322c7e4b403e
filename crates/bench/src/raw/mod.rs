//! The databases' own limits for batches: the server's statements, 64 orders at a time, over one
//! connection, and nothing else.

/// A statement in two halves, with its parameters between them, separated by commas or another
/// separator; it stays prepared.
macro_rules! statement {
    ($backend:ty, $conn:ty, $name:ident, $head:literal,
     { $($column:ident: $rust:ty => $sql:ty),+ $(,)? }, $tail:literal $(-> $row:ty)?) => {
        statement!($backend, $conn, $name, $head, ", ", { $($column: $rust => $sql),+ }, $tail $(-> $row)?);
    };
    ($backend:ty, $conn:ty, $name:ident, $head:literal, $between:literal,
     { $($column:ident: $rust:ty => $sql:ty),+ $(,)? }, $tail:literal $(-> $row:ty)?) => {
        #[derive(QueryId)]
        struct $name {
            $($column: $rust),+
        }

        impl QueryFragment<$backend> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, $backend>) -> QueryResult<()> {
                out.push_sql($head);
                let mut separators = std::iter::once("").chain(std::iter::repeat($between));
                $(
                    out.push_sql(separators.next().unwrap_or_default());
                    out.push_bind_param::<$sql, _>(&self.$column)?;
                )+
                out.push_sql($tail);
                Ok(())
            }
        }

        impl RunQueryDsl<$conn> for $name {}

        $(impl Query for $name {
            type SqlType = $row;
        })?
    };
}

mod postgres;
mod sqlite;

use crate::Outcome;
use crate::data::{Link, TestShop};
use crate::plan::BATCH;
use std::time::{Duration, Instant};

/// A time in 2027, in microseconds.
const AT: i64 = 1_800_000_000_000_000;

/// A cart line: id, user, product, quantity.
type Line = (i64, i64, i64, i64);

/// Places the orders of the carts of users 1 to `orders`; returns the time.
pub(crate) fn run(shop: &TestShop, orders: u32) -> Outcome<Duration> {
    let users: Vec<i64> = (1..=i64::from(orders)).collect();
    match shop.connect()? {
        Link::Postgres(mut conn) => {
            let began = Instant::now();
            for batch in users.chunks(BATCH) {
                postgres::place(&mut conn, batch)?;
            }
            Ok(began.elapsed())
        }
        Link::Sqlite(mut conn) => {
            let carts = sqlite::carts(&mut conn)?;
            let began = Instant::now();
            for batch in carts.chunks(BATCH) {
                sqlite::place(&mut conn, batch)?;
            }
            Ok(began.elapsed())
        }
    }
}

/// A placement id, as scattered as a random one.
fn placement(user: i64) -> String {
    format!("{:016x}{user:x}", fastrand::u64(..))
}
