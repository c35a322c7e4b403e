use super::*;
use crate::catalog::ProductField;
use crate::orders::OrderField;

/// A test row: a number that rows share, and an id.
type Row = (i64, i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Id,
    Number,
}

impl SortField for Field {
    type Row = Row;
    const ALL: &'static [Self] = &[Self::Id, Self::Number];
    const ID: Self = Self::Id;

    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Number => "number",
        }
    }

    fn value(self, row: &Row) -> SortValue {
        SortValue::Number(match self {
            Self::Id => row.1,
            Self::Number => row.0,
        })
    }
}

fn keyset(text: &str) -> Keyset<Field> {
    Keyset::new(&Sorting::parse(text).unwrap()).unwrap()
}

/// Reads a page as a store does.
fn read(rows: &[Row], keyset: Keyset<Field>, span: &CursorRequest) -> CursorPage<Row> {
    let mut rows = rows.to_vec();
    rows.retain(|row| span.contains(keyset, &keyset.position(row)));
    rows.sort_by_key(|row| row.1 % 5);
    CursorPage::new(rows, keyset, span)
}

#[test]
fn keysets_are_sort_orders_by_one_field_and_id() {
    for (text, ok) in [
        ("id", true),
        ("-name", true),
        ("price,id", true),
        ("-created_at,-id", true),
        ("price,-id", false),
        ("price,name", false),
        ("stock", false),
        ("-stock,-id", false),
    ] {
        let keyset = Keyset::<ProductField>::new(&Sorting::parse(text).unwrap());
        let allowed = vec!["id", "name", "price", "created_at"];
        let refused = FieldError::NotByOneField { allowed };
        assert_eq!(
            keyset.map(drop),
            if ok { Ok(()) } else { Err(refused) },
            "{text}"
        );
    }
    for field in OrderField::ALL {
        assert!(Keyset::new(&Sorting::by(*field, true)).is_ok(), "{field:?}");
    }
}

#[test]
fn paging_forwards_and_backwards_gives_the_same_rows() {
    let rows: Vec<Row> = (1..=23).map(|id| (id % 3, id)).collect();
    for text in ["id", "-id", "number", "-number"] {
        let keyset = keyset(text);
        let mut sorted = rows.clone();
        sorted.sort_by(|a, b| keyset.compare(&keyset.position(a), &keyset.position(b)));
        for size in [1, 5, 22, 23, 24] {
            let mut slices = vec![read(&rows, keyset, &CursorRequest::first(size))];
            while let Some(next) = &slices.last().unwrap().next {
                slices.push(read(&rows, keyset, next));
            }
            let seen: Vec<Row> = slices
                .iter()
                .flat_map(|slice| slice.items.clone())
                .collect();
            assert_eq!(seen, sorted, "{text} {size}");
            assert_eq!(slices[0].previous, None);
            for pair in slices.windows(2) {
                let back = read(&rows, keyset, pair[1].previous.as_ref().unwrap());
                assert_eq!(back.items, pair[0].items, "{text} {size}");
                assert_eq!(back.next, pair[0].next);
                assert_eq!(back.previous, pair[0].previous);
            }
        }
    }
}

#[test]
fn an_empty_page_links_back_to_the_row_at_its_bound() {
    let keyset = keyset("number");
    let rows: Vec<Row> = (1..=4).map(|id| (7, id)).collect();
    let first = read(&rows, keyset, &CursorRequest::first(2));
    let after = read(&rows[..2], keyset, first.next.as_ref().unwrap());
    assert_eq!((after.items.len(), &after.next), (0, &None));
    let back = read(&rows[..2], keyset, after.previous.as_ref().unwrap());
    assert_eq!(back.items, rows[..2], "with the row of the edge");

    let second = read(&rows, keyset, first.next.as_ref().unwrap());
    let before = read(&rows[2..], keyset, second.previous.as_ref().unwrap());
    assert_eq!((before.items.len(), &before.previous), (0, &None));
    let again = read(&rows[2..], keyset, before.next.as_ref().unwrap());
    assert_eq!(again.items, rows[2..], "with the row of the edge");

    let nothing = read(&[], keyset, &CursorRequest::first(2));
    assert_eq!((nothing.previous, nothing.next), (None, None));
}
