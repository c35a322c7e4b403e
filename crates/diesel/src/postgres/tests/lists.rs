//! Plans of lists.

use super::super::queries::lists::{Range, seek};
use super::*;
use crate::schema::orders;
use diesel::dsl::not;
use tradepost_domain::kernel::{CursorBound, CursorRequest, SortPosition, SortValue};

/// As two ranges, the last page of a long list had four fifths of the rate of the first one.
#[test]
fn a_page_of_a_cursor_is_one_range_of_an_index() {
    let (_database, name) = database();
    let position = SortPosition {
        value: SortValue::Number(7),
        id: 1,
    };
    let span = CursorRequest {
        edge: Some(CursorBound {
            position,
            inclusive: false,
        }),
        ..CursorRequest::first(10)
    };
    let range = Range {
        span: &span,
        descending: true,
    };
    let listed = || orders::table.into_boxed().filter(not(orders::archived));
    let (query, rest) = seek(
        listed,
        range,
        orders::id,
        orders::total,
        SortPosition::number,
    );
    assert!(rest.is_none());
    let mut conn = other(&name);
    // The table is empty, and any plan of it is cheap.
    conn.batch_execute("SET enable_seqscan = off; SET enable_sort = off")
        .unwrap();
    let plan = plan(&mut conn, &query, &["bigint", "bigint"]);
    for step in [
        "Index Scan Backward using orders_by_total",
        "Index Cond: (ROW(total, id) < ROW(",
    ] {
        assert!(plan.contains(step), "{step}: {plan}");
    }
}
