//! Rows by a list of ids: one statement with one parameter, for any number of ids.

use diesel::dsl::EqAny;
use diesel::expression::Expression;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// Whether a column has one of these values.
pub(crate) fn id_in<Column>(column: Column, ids: &[i64]) -> EqAny<Column, &[i64]>
where
    Column: Expression<SqlType = BigInt>,
{
    column.eq_any(ids)
}
