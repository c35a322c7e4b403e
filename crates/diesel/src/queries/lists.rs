//! What the lists of every table have in common. Each is a boxed query, which has one type whatever
//! it is filtered and sorted by; its columns have types of their own, so that most of this is macros.

use super::super::{Conn, Database};
use crate::failure::Failure;
use tradepost_domain::{Page, PageRequest, StoreError};

/// A page with its count, of one moment.
///
/// `page` finds both: in one statement, or in several as `takes_several` says. A page without rows
/// has no row for the count either; if it is not the first, `count` is asked in the same moment.
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
        // Nearly always beyond the end, which its count tells without a second look at every row.
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

/// Sorts by a column as well.
macro_rules! towards {
    ($query:expr, $column:expr, $descending:expr) => {
        if $descending {
            $query.then_order_by($column.desc())
        } else {
            $query.then_order_by($column.asc())
        }
    };
}

/// Leaves what comes after a value; the value itself too, if that is wanted.
macro_rules! beyond {
    ($query:expr, $column:expr, $value:expr, $descending:expr, $inclusive:expr) => {
        match ($descending, $inclusive) {
            (false, false) => $query.filter($column.gt(unseen($column, $value))),
            (false, true) => $query.filter($column.ge(unseen($column, $value))),
            (true, false) => $query.filter($column.lt(unseen($column, $value))),
            (true, true) => $query.filter($column.le(unseen($column, $value))),
        }
    };
}

/// Loads at least the first rows of a span along a column: `$chosen` makes the query, `$finished`
/// limits it and chooses the columns.
///
/// What has the value of the edge and what is beyond are two ranges of one index, each with its own
/// limit. One comparison of both columns, `(price, id) > (?, ?)`, would say the same; but SQLite
/// does not look up a rowid within it, and would read all that has that value.
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
                let (value, id) = (edge.place.$value(), edge.place.id);
                let same = $chosen().filter($column.eq(unseen($column, value)));
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
                beyond!($chosen(), $id, edge.place.id, $descending, edge.inclusive)
            }
        };
        $finished!(towards!(query, $id, $descending)).load($conn)?
    }};
}

pub(super) use super::super::unseen::unseen;
pub(super) use {along, along_id, beyond, towards};
