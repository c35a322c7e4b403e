//! Pagination and sorting shared by all lists. Each list is a boxed query, which has one type for
//! every filter and sort order.

use super::prelude::*;
use diesel::dsl::{AsExprOf, Asc, Desc, SqlTypeOf};
use diesel::expression::{
    AppearsOnTable, AsExpression, Expression, TypedExpressionType, ValidGrouping, is_aggregate,
};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::query_dsl::methods::{FilterDsl, ThenOrderDsl};
use diesel::sql_types::{BigInt, Bool, SqlType};
use tradepost_domain::kernel::{CursorRequest, Page, PageRequest, SortPosition};

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
            let count = row_count(count(conn)?);
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
        let count = row_count(count(conn)?);
        Ok(Page { count, ..found })
    })
}

/// The page of rows that each have the total count beside them.
pub(super) fn counted<R, T>(
    rows: Vec<(R, Option<i64>)>,
    value: impl Fn(R) -> Result<T, StoreError>,
) -> Result<Page<T>, Failure> {
    let count = rows.first().and_then(|(_, count)| *count);
    Ok(Page {
        count: row_count(count.unwrap_or_default()),
        items: all(rows, |(row, _)| value(row))?,
    })
}

/// Adds a column to the sort order.
pub(super) fn order_by_dir<Q, C>(query: Q, column: C, descending: bool) -> Q
where
    Q: ThenOrderDsl<Asc<C>, Output = Q> + ThenOrderDsl<Desc<C>, Output = Q>,
    C: ExpressionMethods,
{
    match descending {
        true => ThenOrderDsl::<Desc<C>>::then_order_by(query, column.desc()),
        false => ThenOrderDsl::<Asc<C>>::then_order_by(query, column.asc()),
    }
}

/// A column compared with a value that is hidden from the planner.
pub(crate) struct Comparison<C, V> {
    column: C,
    operator: &'static str,
    value: V,
}

impl<C, V> Expression for Comparison<C, V> {
    type SqlType = Bool;
}

impl<C, V> ValidGrouping<()> for Comparison<C, V> {
    type IsAggregate = is_aggregate::No;
}

impl<C: AppearsOnTable<Table>, V, Table> AppearsOnTable<Table> for Comparison<C, V> {}

impl<C: QueryFragment<Db>, V: QueryFragment<Db>> QueryFragment<Db> for Comparison<C, V> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        let (before, after) = OPAQUE_BIND;
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(self.operator);
        out.push_sql(before);
        self.value.walk_ast(out.reborrow())?;
        out.push_sql(after);
        Ok(())
    }
}

type Compared<C, T> = Comparison<C, AsExprOf<T, SqlTypeOf<C>>>;

fn compare<C, T>(column: C, operator: &'static str, value: T) -> Compared<C, T>
where
    C: Expression,
    C::SqlType: SqlType + TypedExpressionType,
    T: AsExpression<C::SqlType>,
{
    let value = value.as_expression();
    Comparison {
        column,
        operator,
        value,
    }
}

/// Two columns compared as a row, `(a, b) < (x, y)`, with values hidden from the planner.
pub(crate) struct RowComparison<C, I, V, W> {
    columns: (C, I),
    operator: &'static str,
    values: (V, W),
}

impl<C, I, V, W> Expression for RowComparison<C, I, V, W> {
    type SqlType = Bool;
}

impl<C, I, V, W> ValidGrouping<()> for RowComparison<C, I, V, W> {
    type IsAggregate = is_aggregate::No;
}

impl<C, I, V, W, Table> AppearsOnTable<Table> for RowComparison<C, I, V, W>
where
    C: AppearsOnTable<Table>,
    I: AppearsOnTable<Table>,
{
}

impl<C, I, V, W> QueryFragment<Db> for RowComparison<C, I, V, W>
where
    C: QueryFragment<Db>,
    I: QueryFragment<Db>,
    V: QueryFragment<Db>,
    W: QueryFragment<Db>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Db>) -> QueryResult<()> {
        let (before, after) = OPAQUE_BIND;
        out.push_sql("(");
        self.columns.0.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        self.columns.1.walk_ast(out.reborrow())?;
        out.push_sql(")");
        out.push_sql(self.operator);
        out.push_sql("(");
        out.push_sql(before);
        self.values.0.walk_ast(out.reborrow())?;
        out.push_sql(after);
        out.push_sql(", ");
        out.push_sql(before);
        self.values.1.walk_ast(out.reborrow())?;
        out.push_sql(after);
        out.push_sql(")");
        Ok(())
    }
}

type ComparedRow<C, I, T> =
    RowComparison<C, I, AsExprOf<T, SqlTypeOf<C>>, AsExprOf<i64, SqlTypeOf<I>>>;

/// The operator that keeps the rows after a value, or from the value on if inclusive.
fn beyond(descending: bool, inclusive: bool) -> &'static str {
    match (descending, inclusive) {
        (false, false) => " > ",
        (false, true) => " >= ",
        (true, false) => " < ",
        (true, true) => " <= ",
    }
}

/// The direction of a range scan, and its bound.
#[derive(Clone, Copy)]
pub(crate) struct Range<'a> {
    pub(crate) span: &'a CursorRequest,
    pub(crate) descending: bool,
}

/// The rows of a range scan in its order: those of one query, or of two after each other.
pub(crate) type Ranges<Q> = (Q, Option<Q>);

/// Range scan along a column.
///
/// The rows beyond the edge are one range of an index, `(price, id) > (?, ?)`. Where the database
/// does not seek by the second column ([`SEEKS_BY_ROW`]), they are two, each with its own limit: the
/// rows with the value of the edge, and the rows beyond that value.
pub(crate) fn seek<'a, Q, I, C, T>(
    chosen: impl Fn() -> Q,
    range: Range<'a>,
    id: I,
    column: C,
    value: impl Fn(&'a SortPosition) -> T,
) -> Ranges<Q>
where
    Q: ThenOrderDsl<Asc<I>, Output = Q> + ThenOrderDsl<Desc<I>, Output = Q>,
    Q: ThenOrderDsl<Asc<C>, Output = Q> + ThenOrderDsl<Desc<C>, Output = Q>,
    Q: FilterDsl<Compared<I, i64>, Output = Q> + FilterDsl<Compared<C, T>, Output = Q>,
    Q: FilterDsl<ComparedRow<C, I, T>, Output = Q>,
    I: ExpressionMethods<SqlType = BigInt> + Copy,
    C: ExpressionMethods + Copy,
    C::SqlType: SqlType + TypedExpressionType,
    T: AsExpression<C::SqlType>,
{
    let Range { span, descending } = range;
    let sorted = |query| order_by_dir(order_by_dir(query, column, descending), id, descending);
    let Some(edge) = &span.edge else {
        return (sorted(chosen()), None);
    };
    let value = || value(&edge.position);
    if SEEKS_BY_ROW {
        let beyond = RowComparison {
            columns: (column, id),
            operator: beyond(descending, edge.inclusive),
            values: (
                AsExpression::<C::SqlType>::as_expression(value()),
                AsExpression::<BigInt>::as_expression(edge.position.id),
            ),
        };
        return (sorted(FilterDsl::filter(chosen(), beyond)), None);
    }
    let same = FilterDsl::filter(chosen(), compare(column, " = ", value()));
    let operator = beyond(descending, edge.inclusive);
    let same = FilterDsl::filter(same, compare(id, operator, edge.position.id));
    let operator = beyond(descending, false);
    let rest = FilterDsl::filter(chosen(), compare(column, operator, value()));
    (sorted(same), Some(sorted(rest)))
}

/// Range scan along the id.
pub(super) fn seek_id<Q, I>(chosen: impl Fn() -> Q, range: Range<'_>, id: I) -> Ranges<Q>
where
    Q: ThenOrderDsl<Asc<I>, Output = Q> + ThenOrderDsl<Desc<I>, Output = Q>,
    Q: FilterDsl<Compared<I, i64>, Output = Q>,
    I: ExpressionMethods<SqlType = BigInt> + Copy,
{
    let Range { span, descending } = range;
    let mut query = chosen();
    if let Some(edge) = &span.edge {
        let operator = beyond(descending, edge.inclusive);
        query = FilterDsl::filter(query, compare(id, operator, edge.position.id));
    }
    (order_by_dir(query, id, descending), None)
}
