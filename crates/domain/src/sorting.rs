//! In which order the rows of a list come.

use crate::Problem;
use std::cmp::Ordering;
use std::fmt::Debug;

/// What a list can be sorted by: the fields of one kind of row.
pub trait SortField: Copy + Eq + Debug + Send + Sync + 'static {
    /// The rows that have these fields.
    type Row;
    /// Every field, in the order in which clients are told of them.
    const ALL: &'static [Self];
    /// The id, which no two rows share.
    const ID: Self;

    /// The name that clients know.
    fn as_str(self) -> &'static str;

    /// What a row is sorted by.
    fn value(self, row: &Self::Row) -> SortValue;

    /// Whether a store can find its place in this order without reading the rows before it.
    fn has_places(self) -> bool {
        true
    }
}

/// What a row is sorted by. Texts are compared by code point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortValue {
    /// A number, an amount in minor units, or a time in microseconds since 1970.
    Number(i64),
    /// A text.
    Text(String),
}

/// A field, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SortKey<F> {
    /// The field.
    pub field: F,
    /// From the largest to the smallest.
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

/// The order of a list: some fields, of which the last is always the id, so that no two rows are in
/// the same place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sorting<F>(Vec<SortKey<F>>);

impl<F: SortField> Sorting<F> {
    /// By one field, and then by id in the same direction.
    #[must_use]
    pub fn by(field: F, descending: bool) -> Self {
        Self::completed(vec![SortKey { field, descending }])
    }

    /// Reads names of fields with commas between them, of which those with a minus descend.
    ///
    /// # Errors
    /// [`Problem::NotOneOf`] for a name that is none, [`Problem::Repeated`] for a field that was
    /// named before.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut keys = Vec::<SortKey<F>>::new();
        // Ends at the first name that is wrong or named again: after as many as there are fields.
        for name in text.split(',') {
            let (descending, name) = match name.strip_prefix('-') {
                Some(name) => (true, name),
                None => (false, name),
            };
            let known = F::ALL.iter().find(|field| field.as_str() == name);
            let field = *known.ok_or_else(Self::names)?;
            if keys.iter().any(|key| key.field == field) {
                return Err(Problem::Repeated);
            }
            keys.push(SortKey { field, descending });
        }
        Ok(Self::completed(keys))
    }

    fn names() -> Problem {
        let allowed = F::ALL.iter().map(|field| field.as_str()).collect();
        Problem::NotOneOf { allowed }
    }

    /// Nothing sorts after the id; without it, it is the last, in the direction of the key before.
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

    /// The keys, the most important first; the last one is the id.
    #[must_use]
    pub fn keys(&self) -> &[SortKey<F>] {
        &self.0
    }

    /// Which of two rows comes first.
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

/// A list that is asked for: of which rows, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct List<Filter, F> {
    /// Of which rows.
    pub filter: Filter,
    /// In which order.
    pub sorting: Sorting<F>,
}

impl<Filter, F: SortField> List<Filter, F> {
    /// These rows, newest first.
    #[must_use]
    pub fn of(filter: Filter) -> Self {
        let sorting = Sorting::default();
        Self { filter, sorting }
    }
}

impl<Filter: Default, F: SortField> Default for List<Filter, F> {
    fn default() -> Self {
        Self::of(Filter::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProductField;

    fn written(sorting: &Sorting<ProductField>) -> String {
        let key = |key: &SortKey<ProductField>| {
            let sign = if key.descending { "-" } else { "" };
            format!("{sign}{}", key.field.as_str())
        };
        sorting.keys().iter().map(key).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn orderings_as_a_table() {
        let allowed = vec!["id", "name", "price", "stock", "created_at"];
        let unknown = Err(Problem::NotOneOf { allowed });
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
            ("price,price", Err(Problem::Repeated)),
            ("price,-price", Err(Problem::Repeated)),
            (&many, Err(Problem::Repeated)),
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
