//! SQL that SQLite plans differently from PostgreSQL.

/// The SQL around a bind value that hides it from the planner. Nothing to do: SQLite plans a
/// statement once, regardless of its values.
pub(crate) const OPAQUE_BIND: (&str, &str) = ("", "");

/// Whether a row comparison, `(total, id) < (?, ?)`, seeks by both columns. SQLite does not seek by
/// a rowid within it, and would read all rows with the value of the first column.
pub(crate) const SEEKS_BY_ROW: bool = false;
