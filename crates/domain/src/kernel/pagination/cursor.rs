//! Cursor pagination (keyset): a page begins at a position in the sort order rather than at an
//! offset, so that the last page costs as much as the first one, and inserted and deleted rows
//! shift no others.

use crate::kernel::{FieldError, SortField, SortKey, SortValue, Sorting};
use std::cmp::Ordering;

/// A sort order that supports keyset pagination: by one field, and then by id in the same
/// direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyset<F> {
    key: SortKey<F>,
}

impl<F: SortField> Keyset<F> {
    /// The keyset of a sort order.
    ///
    /// # Errors
    /// [`FieldError::NotByOneField`] if the order does not support it.
    pub fn new(sorting: &Sorting<F>) -> Result<Self, FieldError> {
        let key = match *sorting.keys() {
            [key] => Some(key),
            [key, id] if key.descending == id.descending => Some(key),
            _ => None,
        };
        let key = key.filter(|key| key.field.supports_keyset());
        key.map(|key| Self { key }).ok_or_else(|| {
            let places = F::ALL.iter().filter(|field| field.supports_keyset());
            let allowed = places.map(|field| field.as_str()).collect();
            FieldError::NotByOneField { allowed }
        })
    }

    /// The field.
    #[must_use]
    pub fn field(self) -> F {
        self.key.field
    }

    /// Whether the order is descending.
    #[must_use]
    pub fn is_descending(self) -> bool {
        self.key.descending
    }

    /// The sort position of a row.
    #[must_use]
    pub fn position(self, row: &F::Row) -> SortPosition {
        let id = match F::ID.value(row) {
            SortValue::Number(id) => id,
            SortValue::Text(_) => 0,
        };
        SortPosition {
            value: self.key.field.value(row),
            id,
        }
    }

    /// Compares two positions in this order.
    #[must_use]
    pub fn compare(self, one: &SortPosition, other: &SortPosition) -> Ordering {
        let ordering = one.cmp(other);
        if self.key.descending {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

impl<F: SortField> Default for Keyset<F> {
    /// Newest first.
    fn default() -> Self {
        let (field, descending) = (F::ID, true);
        Self {
            key: SortKey { field, descending },
        }
    }
}

/// Sort position: the sort value and id of an existing or deleted row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortPosition {
    /// The value of the sort field.
    pub value: SortValue,
    /// The row's id.
    pub id: i64,
}

impl SortPosition {
    /// The numeric sort value; a default for an order by text.
    #[must_use]
    pub fn number(&self) -> i64 {
        match self.value {
            SortValue::Number(number) => number,
            SortValue::Text(_) => 0,
        }
    }

    /// The text sort value; empty for an order by number.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.value {
            SortValue::Number(_) => "",
            SortValue::Text(text) => text,
        }
    }
}

/// Bound of a cursor page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorBound {
    /// The position.
    pub position: SortPosition,
    /// Whether the row at the position is included.
    pub inclusive: bool,
}

/// Request for a cursor page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorRequest {
    /// The bound at which it begins; `None` for the end of the list that it reads from.
    pub edge: Option<CursorBound>,
    /// Whether to page backwards. The rows are in the list's order in both directions.
    pub backwards: bool,
    /// Maximum number of rows.
    pub size: u32,
}

impl CursorRequest {
    /// The first page.
    #[must_use]
    pub fn first(size: u32) -> Self {
        Self {
            edge: None,
            backwards: false,
            size,
        }
    }

    /// The fetch limit: one row more than requested tells whether there are more.
    #[must_use]
    pub fn fetch_limit(&self) -> u32 {
        self.size.saturating_add(1)
    }

    /// Whether a position is on the requested side of the bound.
    #[must_use]
    pub fn contains<F: SortField>(&self, keyset: Keyset<F>, place: &SortPosition) -> bool {
        self.edge
            .as_ref()
            .is_none_or(|edge| match keyset.compare(place, &edge.position) {
                Ordering::Less => self.backwards,
                Ordering::Equal => edge.inclusive,
                Ordering::Greater => !self.backwards,
            })
    }
}

/// A cursor page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorPage<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// Request for the previous page, if there may be rows.
    pub previous: Option<CursorRequest>,
    /// Request for the next page, if there may be rows.
    pub next: Option<CursorRequest>,
}

impl<T> CursorPage<T> {
    /// Builds the page that `span` requests from rows which it [contains](CursorRequest::contains): in any
    /// order, and at least the first [`CursorRequest::fetch_limit`] from its bound on.
    #[must_use]
    pub fn new<F: SortField<Row = T>>(
        rows: Vec<T>,
        keyset: Keyset<F>,
        span: &CursorRequest,
    ) -> Self {
        let size = usize::try_from(span.size).unwrap_or(usize::MAX);
        let mut items = rows;
        items.sort_by_cached_key(|row| keyset.position(row));
        if keyset.is_descending() != span.backwards {
            items.reverse();
        }
        let more = items.len() > size;
        items.truncate(size);
        if span.backwards {
            items.reverse();
        }
        // With a bound, rows may exist on the side that the client came from; on the other side, if
        // more were read than requested.
        let (before, after) = if span.backwards {
            (more, span.edge.is_some())
        } else {
            (span.edge.is_some(), more)
        };
        let part = |end: Option<&T>, backwards| {
            let edge = match (end, &span.edge) {
                (Some(row), _) => Some(CursorBound {
                    position: keyset.position(row),
                    inclusive: false,
                }),
                // An empty page: its neighbour includes the row at the bound, unless this page did.
                (None, Some(edge)) => Some(CursorBound {
                    position: edge.position.clone(),
                    inclusive: !edge.inclusive,
                }),
                (None, None) => None,
            };
            CursorRequest {
                edge,
                backwards,
                size: span.size,
            }
        };
        Self {
            previous: before.then(|| part(items.first(), true)),
            next: after.then(|| part(items.last(), false)),
            items,
        }
    }
}

#[cfg(test)]
#[path = "cursor_tests.rs"]
mod tests;
