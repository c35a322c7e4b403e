//! Bind values hidden from the planner. Nothing to do: SQLite plans a statement once, regardless of
//! its values.

use diesel::dsl::AsExprOf;
use diesel::expression::{AsExpression, Expression, TypedExpressionType};
use diesel::sql_types::SqlType;

pub(crate) type OpaqueBind<E> = E;

/// A bind value to compare a column with.
pub(crate) fn opaque_bind<C, T>(_: C, value: T) -> OpaqueBind<AsExprOf<T, C::SqlType>>
where
    C: Expression,
    C::SqlType: SqlType + TypedExpressionType,
    T: AsExpression<C::SqlType>,
{
    value.as_expression()
}
