//! Values that are not planned by: SQLite plans a statement once, and by no value.

/// A value that a column is compared with.
pub(crate) fn unseen<C, T>(_: C, value: T) -> T {
    value
}
