//! Sorting of lists.

use crate::kernel::FieldError;
use std::cmp::Ordering;
use std::fmt::Debug;

/// Sort field: the fields by which rows of one kind can be sorted.
pub trait SortField: Copy + Eq + Debug + Send + Sync + 'static {
    /// The rows that have these fields.
    type Row;
    /// Every field, in the order in which clients see them.
    const ALL: &'static [Self];
    /// The id, which is unique.
    const ID: Self;

    /// The name in the API.
    fn as_str(self) -> &'static str;

    /// The sort value of a row.
    fn value(self, row: &Self::Row) -> SortValue;

    /// Whether a store can seek to a position in this order, without reading the rows before it.
    fn supports_keyset(self) -> bool {
        true
    }
}

/// Sort value of a row. Texts are compared by code point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortValue {
    /// A number, an amount in minor units, or a time in microseconds since 1970.
    Number(i64),
    /// A text.
    Text(String),
}

/// A sort field and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SortKey<F> {
    /// The field.
    pub field: F,
    /// Descending.
    pub descending: bool,
}

impl<F: SortField> SortKey<F> {
    fn compare(self, one: &F::Row, other: &F::Row) -> Ordering {
        let ordering = self.field.value(one).cmp(&self.field.value(other));
        if self.descending {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

/// Sort order of a list: sort keys, the last of which is always the id, so that no two rows are
/// equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sorting<F>(Vec<SortKey<F>>);

impl<F: SortField> Sorting<F> {
    /// By one field, and then by id in the same direction.
    #[must_use]
    pub fn by(field: F, descending: bool) -> Self {
        Self::completed(vec![SortKey { field, descending }])
    }

    /// Parses comma-separated field names; a minus sign before a name means descending.
    ///
    /// # Errors
    /// [`FieldError::NotOneOf`] for an unknown name, [`FieldError::Repeated`] for a repeated field.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let mut keys = Vec::<SortKey<F>>::new();
        // Ends at the first unknown or repeated name, so it reads at most one name more than fields
        // exist.
        for name in text.split(',') {
            let (descending, name) = match name.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, name),
            };
            let known = F::ALL.iter().find(|field| field.as_str() == name);
            let field = *known.ok_or_else(Self::names)?;
            if keys.iter().any(|key| key.field == field) {
                return Err(FieldError::Repeated);
            }
            keys.push(SortKey { field, descending });
        }
        Ok(Self::completed(keys))
    }

    fn names() -> FieldError {
        let allowed = F::ALL.iter().map(|field| field.as_str()).collect();
        FieldError::NotOneOf { allowed }
    }

    /// Drops the keys after the id; without an id, appends it in the direction of the key before.
    fn completed(mut keys: Vec<SortKey<F>>) -> Self {
        match keys.iter().position(|key| key.field == F::ID) {
            Some(at) => keys.truncate(at + 1),
            None => keys.push(SortKey {
                field: F::ID,
                descending: keys.last().is_none_or(|last| last.descending),
            }),
        }
        Self(keys)
    }

    /// The sort keys, the most significant first; the last one is the id.
    #[must_use]
    pub fn keys(&self) -> &[SortKey<F>] {
        &self.0
    }

    /// Compares two rows in this order.
    #[must_use]
    pub fn compare(&self, one: &F::Row, other: &F::Row) -> Ordering {
        let by_key = |key: &SortKey<F>| key.compare(one, other);
        let differing = self.0.iter().map(by_key).find(|order| order.is_ne());
        differing.unwrap_or(Ordering::Equal)
    }
}

impl<F: SortField> Default for Sorting<F> {
    /// Newest first.
    fn default() -> Self {
        Self::by(F::ID, true)
    }
}

/// A list: its filter and its sort order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct List<Filter, F> {
    /// Filter.
    pub filter: Filter,
    /// Sort order.
    pub sorting: Sorting<F>,
}

impl<Filter, F: SortField> List<Filter, F> {
    /// A filtered list, newest first.
    #[must_use]
    pub fn new(filter: Filter) -> Self {
        let sorting = Sorting::default();
        Self { filter, sorting }
    }
}

impl<Filter: Default, F: SortField> Default for List<Filter, F> {
    fn default() -> Self {
        Self::new(Filter::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ProductField;

    fn written(sorting: &Sorting<ProductField>) -> String {
        let key = |key: &SortKey<ProductField>| {
            let sign = if key.descending { "-" } else { "" };
            format!("{sign}{}", key.field.as_str())
        };
        sorting.keys().iter().map(key).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn sort_orders_are_parsed_and_end_with_the_id() {
        let allowed = vec!["id", "name", "price", "stock", "created_at"];
        let unknown = Err(FieldError::NotOneOf { allowed });
        let many = vec!["price"; 1_000_000].join(",");
        for (text, expected) in [
            ("id", Ok("id")),
            ("-id", Ok("-id")),
            ("price", Ok("price,id")),
            ("-price", Ok("-price,-id")),
            ("-price,name", Ok("-price,name,id")),
            ("price,-name", Ok("price,-name,-id")),
            ("price,-id", Ok("price,-id")),
            ("-id,price,name", Ok("-id")),
            ("id,name,price,stock,created_at", Ok("id")),
            (
                "name,-price,stock,-created_at",
                Ok("name,-price,stock,-created_at,-id"),
            ),
            ("price,price", Err(FieldError::Repeated)),
            ("price,-price", Err(FieldError::Repeated)),
            (&many, Err(FieldError::Repeated)),
            ("", unknown.clone()),
            ("-", unknown.clone()),
            ("--price", unknown.clone()),
            ("+price", unknown.clone()),
            (" price", unknown.clone()),
            ("Price", unknown.clone()),
            ("price,", unknown.clone()),
            (",price", unknown.clone()),
            ("description", unknown.clone()),
            ("total_price", unknown.clone()),
        ] {
            let read = Sorting::parse(text).map(|sorting| written(&sorting));
            assert_eq!(read, expected.map(str::to_owned), "{:.40}", text);
        }
        assert_eq!(written(&Sorting::default()), "-id");
    }
}
