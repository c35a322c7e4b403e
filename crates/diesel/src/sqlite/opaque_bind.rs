//! Bind values hidden from the planner. Nothing to do: SQLite plans a statement once, regardless of
//! its values.

/// The SQL around a bind value.
pub(crate) const OPAQUE_BIND: (&str, &str) = ("", "");
