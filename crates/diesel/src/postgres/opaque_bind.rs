//! Bind values hidden from the planner.
//!
//! For the cursor of a last page PostgreSQL estimates few rows, overrates a custom plan for that
//! value, and replans every page, which costs a tenth of the page's time. The value of a subquery
//! is unknown at planning time, so that one generic plan is kept for all pages.

/// The SQL around a bind value.
pub(crate) const OPAQUE_BIND: (&str, &str) = ("(SELECT ", ")");
