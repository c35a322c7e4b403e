use super::*;
use crate::import::products::MockProductImportRepository;
use crate::kernel::{NoProgress, Sku, StoreErrorKind};
use crate::testing::{system, usd, user};
use std::convert::Infallible;

type Rows = Vec<Result<Result<ProductRow, RowProblem>, &'static str>>;

fn imports(port: MockProductImportRepository) -> ProductImports {
    ProductImports::new(Arc::new(port), system().clock, usd())
}

fn good(line: u64) -> ProductRow {
    ProductRow::new(line, Sku::new(&format!("S{line}")).unwrap())
}

/// A port that expects an import to begin and to be discarded.
fn discarding() -> MockProductImportRepository {
    let mut port = MockProductImportRepository::new();
    port.expect_begin()
        .times(1)
        .returning(|_| Ok(ProductImportId::new(1)));
    port.expect_tidy().returning(|| Ok(false));
    port.expect_discard().times(1).returning(|_| Ok(()));
    port
}

#[test]
fn only_staff_and_the_operator_import() {
    let staged = StagedImport {
        import: ProductImportId::new(1),
        rows: 0,
    };
    for (actor, expected) in [
        (Actor::Anonymous, Refusal::Unauthenticated),
        (Actor::Customer(user(1)), Refusal::Forbidden),
    ] {
        let imports = imports(MockProductImportRepository::new());
        let by = ImportedBy::Actor(actor);
        let rows = std::iter::empty::<Result<_, Infallible>>();
        let refused = imports.stage(by, rows, 1, &NoProgress).unwrap_err();
        let expected = ProductImportRefusal::Refused(expected);
        assert_eq!(refused.to_string(), expected.to_string());
        let refused = imports.apply(by, staged, Arc::new(NoProgress)).unwrap_err();
        assert_eq!(refused.to_string(), expected.to_string());
    }
}

#[test]
fn a_failed_source_discards_the_import() {
    let rows: Rows = vec![Ok(Ok(good(2))), Err("broken")];
    let failed =
        imports(discarding()).stage(ImportedBy::Operator, rows.into_iter(), 1, &NoProgress);
    assert!(matches!(failed, Err(StageError::Source("broken"))));
}

#[test]
fn an_import_with_problems_is_discarded() {
    let mut port = discarding();
    port.expect_stage().times(1).returning(|_, _| Ok(Ok(())));
    port.expect_repeated_skus()
        .returning(|_, _| Ok((Vec::new(), 0)));
    port.expect_staged()
        .times(2)
        .returning(|_, after, _| Ok((after < 2).then(|| (good(2), None)).into_iter().collect()));
    let bad = RowProblem::new(3, "sku", RowFault::SameSku { line: 2 });
    let rows: Rows = vec![Ok(Ok(good(2))), Ok(Err(bad))];
    let by = ImportedBy::Operator;
    let reviewed = imports(port)
        .stage(by, rows.into_iter(), 1, &NoProgress)
        .unwrap();
    assert_eq!(reviewed.staged, None);
    let lines = reviewed.problems.listed().iter().map(|one| one.line);
    // The product is new, and the row has neither name nor price.
    assert_eq!(lines.collect::<Vec<_>>(), [2, 2, 3]);
}

#[test]
fn lost_rows_are_noticed_before_the_import_is_applied() {
    let mut port = discarding();
    port.expect_stage().times(1).returning(|_, _| Ok(Ok(())));
    port.expect_repeated_skus()
        .returning(|_, _| Ok((Vec::new(), 0)));
    port.expect_staged()
        .times(1)
        .returning(|_, _, _| Ok(Vec::new()));
    let rows: Rows = vec![Ok(Ok(good(2)))];
    let by = ImportedBy::Operator;
    let reviewed = imports(port).stage(by, rows.into_iter(), 1, &NoProgress);
    let incomplete = ProductImportRefusal::Incomplete;
    assert!(matches!(reviewed, Err(StageError::Refused(found)) if found == incomplete));
}

#[test]
fn rows_are_staged_in_chunks_of_bounded_size() {
    let mut port = discarding();
    let chunks = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&chunks);
    port.expect_stage().returning(move |_, rows| {
        seen.lock().unwrap().push(rows.len());
        Ok(Ok(()))
    });
    port.expect_repeated_skus()
        .returning(|_, _| Err(StoreError::new(StoreErrorKind::Busy)));
    let long = crate::kernel::Description::new(&"x".repeat(10_000)).unwrap();
    let short = (2..702).map(good);
    let long = (702..902).map(|line| ProductRow {
        description: Some(long.clone()),
        ..good(line)
    });
    let rows = short.chain(long).map(|row| Ok::<_, Infallible>(Ok(row)));
    let failed = imports(port).stage(ImportedBy::Operator, rows, 1, &NoProgress);
    assert!(matches!(failed, Err(StageError::Store(_))));
    let chunks = chunks.lock().unwrap().clone();
    assert_eq!(chunks, [500, 305, 95]);
}
