//! Bind values hidden from the planner.
//!
//! For the cursor of a last page PostgreSQL estimates few rows, overrates a custom plan for that
//! value, and replans every page, which costs a tenth of the page's time. The value of a subquery
//! is unknown at planning time, so that one generic plan is kept for all pages.

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
pub(crate) struct OpaqueBind<E>(E);

/// A bind value to compare a column with.
pub(crate) fn opaque_bind<C, T>(_: C, value: T) -> OpaqueBind<AsExprOf<T, C::SqlType>>
where
    C: Expression,
    C::SqlType: SqlType + TypedExpressionType,
    T: AsExpression<C::SqlType>,
{
    OpaqueBind(value.as_expression())
}

impl<E: Expression> Expression for OpaqueBind<E> {
    type SqlType = E::SqlType;
}

impl<E> ValidGrouping<()> for OpaqueBind<E> {
    type IsAggregate = is_aggregate::Never;
}

impl<E, Table> AppearsOnTable<Table> for OpaqueBind<E> where E: AppearsOnTable<Table> {}

impl<E, Table> SelectableExpression<Table> for OpaqueBind<E> where E: SelectableExpression<Table> {}

impl<E: QueryFragment<Pg>> QueryFragment<Pg> for OpaqueBind<E> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(SELECT ");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}
