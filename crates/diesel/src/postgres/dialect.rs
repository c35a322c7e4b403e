//! SQL that PostgreSQL plans differently from SQLite.

/// The SQL around a bind value that hides it from the planner.
///
/// For the cursor of a last page PostgreSQL estimates few rows, overrates a custom plan for that
/// value, and replans every page, which costs a tenth of the page's time. The value of a subquery
/// is unknown at planning time, so that one generic plan is kept for all pages.
pub(crate) const OPAQUE_BIND: (&str, &str) = ("(SELECT ", ")");

/// Whether a row comparison, `(total, id) < (?, ?)`, seeks by both columns.
pub(crate) const SEEKS_BY_ROW: bool = true;
