//! Keyset pages: a part of a list that begins at a place in its order rather than at a number, so
//! that the last part costs what the first one does, and rows that come and go move no others.

use crate::{Problem, SortField, SortKey, SortValue, Sorting};
use std::cmp::Ordering;

/// An order in which a store can go on from any place: by one field, and then by id in the same
/// direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyset<F> {
    key: SortKey<F>,
}

impl<F: SortField> Keyset<F> {
    /// The order as one of this kind.
    ///
    /// # Errors
    /// [`Problem::NotByOneField`] if it is none.
    pub fn new(sorting: &Sorting<F>) -> Result<Self, Problem> {
        let key = match *sorting.keys() {
            [key] => Some(key),
            [key, id] if key.descending == id.descending => Some(key),
            _ => None,
        };
        let key = key.filter(|key| key.field.has_places());
        key.map(|key| Self { key }).ok_or_else(|| {
            let places = F::ALL.iter().filter(|field| field.has_places());
            let allowed = places.map(|field| field.as_str()).collect();
            Problem::NotByOneField { allowed }
        })
    }

    /// The field.
    #[must_use]
    pub fn field(self) -> F {
        self.key.field
    }

    /// Whether it goes from the largest to the smallest.
    #[must_use]
    pub fn is_descending(self) -> bool {
        self.key.descending
    }

    /// Where a row is.
    #[must_use]
    pub fn place(self, row: &F::Row) -> Place {
        let id = match F::ID.value(row) {
            SortValue::Number(id) => id,
            SortValue::Text(_) => 0,
        };
        Place {
            value: self.key.field.value(row),
            id,
        }
    }

    /// Which of two places comes first.
    #[must_use]
    pub fn compare(self, one: &Place, other: &Place) -> Ordering {
        let ordering = one.cmp(other);
        if self.key.descending {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

/// A place in an order: that of a row which is there, or was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// What the row was sorted by.
    pub value: SortValue,
    /// The row's id.
    pub id: i64,
}

impl Place {
    /// The number that the row was sorted by. Where the order is by text there is none.
    #[must_use]
    pub fn number(&self) -> i64 {
        match self.value {
            SortValue::Number(number) => number,
            SortValue::Text(_) => 0,
        }
    }

    /// The text that the row was sorted by. Where the order is by number there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.value {
            SortValue::Number(_) => "",
            SortValue::Text(text) => text,
        }
    }
}

/// Where a part of a list begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The place.
    pub place: Place,
    /// Whether the row of that place is part of it.
    pub inclusive: bool,
}

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Where it begins; without it, at the end of the list that it comes from.
    pub edge: Option<Edge>,
    /// Whether it goes towards the start of the list. Its rows are in the list's order all the same.
    pub backwards: bool,
    /// The most rows.
    pub size: u32,
}

impl Span {
    /// The first part.
    #[must_use]
    pub fn first(size: u32) -> Self {
        Self {
            edge: None,
            backwards: false,
            size,
        }
    }

    /// How many rows a store has to read: one more than asked for tells whether there are more.
    #[must_use]
    pub fn reads(&self) -> u32 {
        self.size.saturating_add(1)
    }

    /// Whether a place is on the side of the edge that was asked for.
    #[must_use]
    pub fn holds<F: SortField>(&self, keyset: Keyset<F>, place: &Place) -> bool {
        self.edge
            .as_ref()
            .is_none_or(|edge| match keyset.compare(place, &edge.place) {
                Ordering::Less => self.backwards,
                Ordering::Equal => edge.inclusive,
                Ordering::Greater => !self.backwards,
            })
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// The part before it, if there may be rows.
    pub previous: Option<Span>,
    /// The part after it, if there may be rows.
    pub next: Option<Span>,
}

impl<T> Slice<T> {
    /// Makes the part that `span` asks for of rows which it [holds](Span::holds): in any order, and
    /// at least the first [`Span::reads`] from its edge on.
    #[must_use]
    pub fn new<F: SortField<Row = T>>(rows: Vec<T>, keyset: Keyset<F>, span: &Span) -> Self {
        let size = usize::try_from(span.size).unwrap_or(usize::MAX);
        let mut items = rows;
        items.sort_by_cached_key(|row| keyset.place(row));
        if keyset.is_descending() != span.backwards {
            items.reverse();
        }
        let more = items.len() > size;
        items.truncate(size);
        if span.backwards {
            items.reverse();
        }
        // Beyond the edge is what the reader came from; beyond the other end, what was read too much.
        let (before, after) = if span.backwards {
            (more, span.edge.is_some())
        } else {
            (span.edge.is_some(), more)
        };
        let part = |end: Option<&T>, backwards| {
            let edge = match (end, &span.edge) {
                (Some(row), _) => Some(Edge {
                    place: keyset.place(row),
                    inclusive: false,
                }),
                // Nothing is here any more: what is beyond has the edge itself, if that is there.
                (None, Some(edge)) => Some(Edge {
                    place: edge.place.clone(),
                    inclusive: !edge.inclusive,
                }),
                (None, None) => None,
            };
            Span {
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
#[path = "slice_tests.rs"]
mod tests;
