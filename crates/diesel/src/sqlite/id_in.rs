//! Rows by a list of ids, passed as one JSON array: the statement is the same for any number of
//! ids, and stays prepared.

use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::Sqlite;

#[derive(Debug, Clone, QueryId)]
pub(crate) struct IdIn<Column> {
    column: Column,
    ids: String,
}

/// Whether a column has one of these values.
pub(crate) fn id_in<Column>(column: Column, ids: &[i64]) -> IdIn<Column>
where
    Column: Expression<SqlType = BigInt>,
{
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    IdIn {
        column,
        ids: format!("[{}]", ids.join(",")),
    }
}

impl<Column> Expression for IdIn<Column> {
    type SqlType = Bool;
}

impl<Column> ValidGrouping<()> for IdIn<Column> {
    type IsAggregate = is_aggregate::No;
}

impl<Column, Table> AppearsOnTable<Table> for IdIn<Column> where Column: AppearsOnTable<Table> {}

impl<Column, Table> SelectableExpression<Table> for IdIn<Column> where
    Column: SelectableExpression<Table>
{
}

impl<Column: QueryFragment<Sqlite>> QueryFragment<Sqlite> for IdIn<Column> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.ids)?;
        out.push_sql("))");
        Ok(())
    }
}
