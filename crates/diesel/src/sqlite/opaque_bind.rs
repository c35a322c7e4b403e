//! Bind values hidden from the planner. Nothing to do: SQLite plans a statement once, regardless of
//! its values.

/// A bind value to compare a column with.
pub(crate) fn opaque_bind<C, T>(_: C, value: T) -> T {
    value
}
