//! Values that are not planned by.
//!
//! PostgreSQL sees that few rows are beyond the place of a last page, takes a plan for that place to
//! be worth more than it is, and plans anew for each page: for a tenth of the time that one takes.
//! What a subquery gives is known when the statement runs, so that one plan is kept for all.

use diesel::dsl::AsExprOf;
use diesel::expression::{
    AppearsOnTable, AsExpression, Expression, SelectableExpression, TypedExpressionType,
    ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::SqlType;

#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct Unseen<E>(E);

/// A value that a column is compared with.
pub(crate) fn unseen<C, T>(_: C, value: T) -> Unseen<AsExprOf<T, C::SqlType>>
where
    C: Expression,
    C::SqlType: SqlType + TypedExpressionType,
    T: AsExpression<C::SqlType>,
{
    Unseen(value.as_expression())
}

impl<E: Expression> Expression for Unseen<E> {
    type SqlType = E::SqlType;
}

impl<E> ValidGrouping<()> for Unseen<E> {
    type IsAggregate = is_aggregate::Never;
}

impl<E, Table> AppearsOnTable<Table> for Unseen<E> where E: AppearsOnTable<Table> {}

impl<E, Table> SelectableExpression<Table> for Unseen<E> where E: SelectableExpression<Table> {}

impl<E: QueryFragment<Pg>> QueryFragment<Pg> for Unseen<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(SELECT ");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}
