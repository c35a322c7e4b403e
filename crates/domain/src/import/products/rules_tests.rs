use super::*;
use crate::catalog::Product;
use crate::import::products::RowFault;
use crate::inventory::{NewMovement, Reason};
use crate::testing::{ProductBuilder, at, former_staff, level, measuring, money, usd, user};

fn row(line: u64, sku: &str) -> ProductRow {
    ProductRow::new(line, Sku::new(sku).unwrap())
}

fn full(line: u64, sku: &str, price: i64, stock: i64) -> ProductRow {
    ProductRow {
        name: Some(ProductName::new("Mug").unwrap()),
        description: Some(Description::new("Blue.").unwrap()),
        price: Some(Price::new(money(price)).unwrap()),
        stock: Some(level(stock)),
        measures: measuring(300).into(),
        ..row(line, sku)
    }
}

fn mug() -> Product {
    let product = ProductBuilder::new(1).sku("MUG").name("Mug").price(500);
    Product {
        description: Description::new("Blue.").unwrap(),
        measures: measuring(300),
        ..product.stock(7).build()
    }
}

fn archived() -> Product {
    Product {
        archived: true,
        ..mug()
    }
}

fn decide(row: ProductRow, product: Option<Product>) -> ProductsDecision {
    let terms = ImportTerms {
        by: None,
        acting: None,
        currency: usd(),
        at: at(60),
    };
    decide_product_rows(&[(row, product)], &terms).unwrap()
}

#[test]
fn a_row_has_one_effect_or_problems() {
    let with = |archived| ProductRow {
        archived,
        ..full(2, "MUG", 500, 7)
    };
    let sku_alone = || ProductRow {
        archived: Some(true),
        ..row(2, "MUG")
    };
    use RowEffect::{Changed, Created, Skipped, Unchanged};
    for (row, product, effect) in [
        (full(2, "MUG", 500, 7), None, Some(Created)),
        (full(2, "MUG", 500, 7), Some(mug()), Some(Unchanged)),
        (row(2, "MUG"), Some(mug()), Some(Unchanged)),
        (full(2, "MUG", 600, 7), Some(mug()), Some(Changed)),
        (full(2, "MUG", 500, 8), Some(mug()), Some(Changed)),
        (with(Some(true)), Some(mug()), Some(Changed)),
        (with(Some(true)), None, Some(Skipped)),
        (with(Some(false)), None, Some(Created)),
        (with(Some(false)), Some(archived()), Some(Changed)),
        (with(Some(true)), Some(archived()), Some(Unchanged)),
        (sku_alone(), Some(archived()), Some(Unchanged)),
        // Archived: a row that does not restore it has to leave it unchanged.
        (with(None), Some(archived()), None),
        (
            ProductRow {
                archived: Some(true),
                ..full(2, "MUG", 501, 7)
            },
            Some(archived()),
            None,
        ),
        (row(2, "MUG"), None, None),
    ] {
        let decided = decide(row.clone(), product.clone());
        let effects: Vec<_> = effect.into_iter().map(|effect| (0, effect)).collect();
        assert_eq!(decided.effects, effects, "{row:?} {product:?}");
        assert_eq!(decided.problems.is_empty(), effect.is_some());
        let writes = matches!(effect, Some(Created | Changed));
        assert_eq!(decided.decision != Decision::of(()), writes, "{row:?}");
    }
}

#[test]
fn a_new_product_needs_a_name_and_a_price() {
    let decided = decide(row(4, "NEW"), None);
    let problems = decided.problems.listed().iter();
    let problems: Vec<_> = problems
        .map(|problem| (problem.line, &*problem.column, problem.fault.clone()))
        .collect();
    assert_eq!(
        problems,
        [
            (4, "name", RowFault::NeededByNew),
            (4, "price", RowFault::NeededByNew)
        ]
    );
}

#[test]
fn a_price_in_another_currency_is_a_problem_of_its_line() {
    let eur = Currency::from_code("EUR").unwrap();
    let price = Price::parse("5", eur).unwrap();
    for product in [None, Some(mug())] {
        let row = ProductRow {
            price: Some(price),
            ..full(9, "MUG", 500, 7)
        };
        let decided = decide(row, product);
        let [problem] = decided.problems.listed() else {
            panic!("{decided:?}")
        };
        assert_eq!((problem.line, &*problem.column), (9, "price"));
    }
}

#[test]
fn imported_stock_is_set_by_a_movement_with_a_note() {
    let decided = decide(full(2, "MUG", 500, 3), Some(mug()));
    let moved = |movement: &NewMovement| {
        let note = movement.note.as_ref().map(Note::as_str);
        (movement.delta.units(), movement.reason, note == Some(NOTE))
    };
    let moved: Vec<_> = decided.decision.movements.iter().map(moved).collect();
    assert_eq!(moved, [(-4, Reason::Set, true)]);
    let kinds = decided
        .decision
        .events
        .iter()
        .map(|one| one.kind.name().as_str());
    assert_eq!(kinds.collect::<Vec<_>>(), ["stock.adjusted"]);
}

#[test]
fn products_are_imported_by_staff_alone() {
    for (acting, expected) in former_staff(9) {
        let terms = ImportTerms {
            by: Some(user(9)),
            acting: acting.as_ref(),
            currency: usd(),
            at: at(60),
        };
        let decided = decide_product_rows(&[(row(2, "MUG"), Some(mug()))], &terms);
        assert_eq!(decided, Err(expected));
    }
}
