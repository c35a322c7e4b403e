//! Pagination and sorting shared by all lists. Each list is a boxed query, which has one type for
//! every filter and sort order; its columns have types of their own, so most of this is macros.

use super::super::{Conn, Database};
use crate::failure::Failure;
use tradepost_domain::kernel::{Page, PageRequest, StoreError};

/// A page with its total count, from one snapshot.
///
/// `page` loads both: in one statement, or in several if `takes_several`. A page without rows has
/// no row for the count either; unless it is the first, `count` is queried in the same snapshot.
pub(super) fn page<T>(
    database: &Database,
    request: PageRequest,
    takes_several: bool,
    page: impl Fn(&mut Conn) -> Result<Page<T>, Failure>,
    count: impl Fn(&mut Conn) -> Result<i64, Failure>,
) -> Result<Page<T>, StoreError> {
    let is_counted = |page: &Page<T>| !page.items.is_empty() || request.offset() == 0;
    if !takes_several {
        let found = database.read(&page)?;
        if is_counted(&found) {
            return Ok(found);
        }
        // Nearly always an offset beyond the end, which the count shows without a second scan.
        return database.snapshot(|conn| {
            let count = super::count(count(conn)?);
            let items = Vec::new();
            match request.offset() < count {
                true => page(conn),
                false => Ok(Page { count, items }),
            }
        });
    }
    database.snapshot(|conn| {
        let found = page(conn)?;
        if is_counted(&found) {
            return Ok(found);
        }
        let count = super::count(count(conn)?);
        Ok(Page { count, ..found })
    })
}

/// Adds a column to the sort order.
macro_rules! towards {
    ($query:expr, $column:expr, $descending:expr) => {
        if $descending {
            $query.then_order_by($column.desc())
        } else {
            $query.then_order_by($column.asc())
        }
    };
}

/// Keeps the rows after a value, or from the value on if inclusive.
macro_rules! beyond {
    ($query:expr, $column:expr, $value:expr, $descending:expr, $inclusive:expr) => {
        match ($descending, $inclusive) {
            (false, false) => $query.filter($column.gt(opaque_bind($column, $value))),
            (false, true) => $query.filter($column.ge(opaque_bind($column, $value))),
            (true, false) => $query.filter($column.lt(opaque_bind($column, $value))),
            (true, true) => $query.filter($column.le(opaque_bind($column, $value))),
        }
    };
}

/// Range scan: loads at least the first rows of a span along a column. `$chosen` makes the query,
/// `$finished` limits it and chooses the columns.
///
/// The rows with the value of the edge and the rows beyond it are two ranges of one index, each
/// with its own limit. A row comparison, `(price, id) > (?, ?)`, would be equivalent, but SQLite
/// does not seek to a rowid within it, and would read all rows with that value.
macro_rules! along {
    ($conn:expr, $span:expr, $descending:expr, $id:expr, $column:expr, $value:ident,
     $chosen:expr, $finished:ident) => {{
        macro_rules! sorted {
            ($query:expr) => {
                towards!(towards!($query, $column, $descending), $id, $descending)
            };
        }
        match &$span.edge {
            None => $finished!(sorted!($chosen())).load($conn)?,
            Some(edge) => {
                let (value, id) = (edge.position.$value(), edge.position.id);
                let same = $chosen().filter($column.eq(opaque_bind($column, value)));
                let same = beyond!(same, $id, id, $descending, edge.inclusive);
                let rest = beyond!($chosen(), $column, value, $descending, false);
                let same = $finished!(sorted!(same));
                same.union_all($finished!(sorted!(rest))).load($conn)?
            }
        }
    }};
}

/// Loads the first rows of a span along the id.
macro_rules! along_id {
    ($conn:expr, $span:expr, $descending:expr, $id:expr, $chosen:expr, $finished:ident) => {{
        let query = match &$span.edge {
            None => $chosen(),
            Some(edge) => {
                beyond!(
                    $chosen(),
                    $id,
                    edge.position.id,
                    $descending,
                    edge.inclusive
                )
            }
        };
        $finished!(towards!(query, $id, $descending)).load($conn)?
    }};
}

pub(super) use super::super::opaque_bind::opaque_bind;
pub(super) use {along, along_id, beyond, towards};
