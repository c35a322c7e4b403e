use crate::{TestShop, at, draft, level, money, retry_busy};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{
    ChangeProduct, Price, Product, ProductChange, ProductDraft, ProductFilter, ProductList,
};
use tradepost_domain::identity::{UpdateUser, UserChange};
use tradepost_domain::import::products::{
    ApplyProducts, ImportCounts, ProductImportId, ProductImportRefusal, ProductRow, RowFault,
};
use tradepost_domain::inventory::{Movement, Reason};
use tradepost_domain::kernel::{
    Description, NoProgress, Note, ProductName, Progress, Refusal, Search, Sku, UserId,
};
use tradepost_domain::testing::measuring;

/// A row with this sku that changes nothing.
pub(crate) fn row(line: u64, sku: &str) -> ProductRow {
    ProductRow::new(line, Sku::new(sku).unwrap())
}

/// A complete row: a name, a price in cents, and units on hand.
pub(crate) fn full(line: u64, sku: &str, price: i64, stock: i64) -> ProductRow {
    ProductRow {
        name: Some(ProductName::new(&format!("Product {sku}")).unwrap()),
        description: Some(Description::new("From a file.").unwrap()),
        price: Some(Price::new(money(price)).unwrap()),
        stock: Some(level(stock)),
        measures: measuring(250).into(),
        ..row(line, sku)
    }
}

fn drafted(sku: &str, price: i64, stock: i64) -> ProductDraft {
    ProductDraft {
        sku: Some(Sku::new(sku).unwrap()),
        ..draft(&format!("Product {sku}"), price, stock)
    }
}

fn stage(stores: &Stores, rows: Vec<ProductRow>) -> ApplyProducts {
    let import = retry_busy(|| stores.product_imports.begin(at(0)));
    let count = u64::try_from(rows.len()).unwrap();
    let rows: Arc<[ProductRow]> = rows.into();
    retry_busy(|| stores.product_imports.stage(import, Arc::clone(&rows))).unwrap();
    ApplyProducts {
        import,
        rows: count,
        by: None,
        at: at(300),
    }
}

fn apply(stores: &Stores, command: ApplyProducts) -> Result<ImportCounts, ProductImportRefusal> {
    let applied = retry_busy(|| stores.product_imports.apply(command, Arc::new(NoProgress)));
    while retry_busy(|| stores.product_imports.tidy()) {}
    applied
}

/// Imports rows.
pub(crate) fn import(
    stores: &Stores,
    rows: Vec<ProductRow>,
) -> Result<ImportCounts, ProductImportRefusal> {
    apply(stores, stage(stores, rows))
}

fn counts(created: u64, changed: u64) -> ImportCounts {
    ImportCounts {
        created,
        changed,
        ..ImportCounts::default()
    }
}

/// The products that a search finds, archived ones apart.
pub(crate) fn listed(stores: &Stores, words: &str, archived: bool) -> Vec<Product> {
    let filter = ProductFilter {
        search: Search::new(words).unwrap(),
        archived,
        ..ProductFilter::default()
    };
    let list = ProductList::new(filter);
    retry_busy(|| stores.products.list(&list, crate::first_page())).items
}

fn of_sku(stores: &Stores, sku: &str) -> Product {
    let products = listed(stores, "", false);
    let has_sku = |product: &Product| product.sku.as_ref().is_some_and(|own| own.as_str() == sku);
    products.into_iter().find(has_sku).unwrap()
}

/// An import creates and changes products by their skus, and finds them by their new texts.
pub fn products_are_imported_by_their_skus(stores: &Stores) {
    let shop = TestShop::new(stores);
    let old = shop.create(drafted("MUG", 500, 7)).unwrap();
    let other = shop.create(drafted("CUP", 300, 1)).unwrap();
    let renamed = ProductRow {
        name: Some(ProductName::new("Stoneware tankard").unwrap()),
        price: Some(Price::new(money(650)).unwrap()),
        ..row(3, "MUG")
    };
    let rows = vec![full(2, "POT", 1_900, 4), renamed];
    assert_eq!(import(stores, rows), Ok(counts(1, 1)));
    let made = of_sku(stores, "POT");
    let expected = full(2, "POT", 1_900, 4);
    assert_eq!(
        (
            made.name,
            made.description,
            made.price,
            made.stock,
            made.measures
        ),
        (
            expected.name.unwrap(),
            expected.description.unwrap(),
            expected.price.unwrap(),
            level(4),
            measuring(250)
        )
    );
    let changed = Product {
        name: ProductName::new("Stoneware tankard").unwrap(),
        price: Price::new(money(650)).unwrap(),
        updated_at: at(300),
        ..old
    };
    assert_eq!(shop.found(changed.id), changed);
    assert_eq!(shop.found(other.id), other);
    assert_eq!(listed(stores, "tankard", false), [changed]);
    assert_eq!(listed(stores, "product MUG", false), []);
    assert_eq!(listed(stores, "file", false).len(), 1);
}

/// Rows that name the values that a product has change nothing: no movement, no time, no event.
pub fn the_same_products_twice_change_nothing(stores: &Stores) {
    let shop = TestShop::new(stores);
    let rows = || vec![full(2, "MUG", 500, 7), full(3, "CUP", 300, 0)];
    assert_eq!(import(stores, rows()), Ok(counts(2, 0)));
    let before = listed(stores, "", false);
    let movements = shop.movements(of_sku(stores, "MUG").id);
    let mut again = stage(stores, rows());
    again.at = at(400);
    let unchanged = apply(stores, again).unwrap();
    assert_eq!((unchanged.created, unchanged.changed), (0, 0));
    assert_eq!(listed(stores, "", false), before);
    assert_eq!(shop.movements(of_sku(stores, "MUG").id), movements);
}

/// Stock of a new product is its opening movement. Stock of an existing one is set by a movement of
/// the difference, with a note.
pub fn imported_stock_is_in_the_ledger(stores: &Stores) {
    let shop = TestShop::new(stores);
    let mug = shop.create(drafted("MUG", 500, 7)).unwrap().id;
    let stock = |line, sku, units| ProductRow {
        stock: Some(level(units)),
        ..row(line, sku)
    };
    let rows = vec![stock(2, "MUG", 3), full(3, "POT", 100, 5)];
    import(stores, rows).unwrap();
    let pot = of_sku(stores, "POT").id;
    assert_eq!((shop.stock(mug), shop.stock(pot)), (3, 5));
    let entry = |movement: Movement| {
        let note = movement.entry.note.as_ref().map(Note::as_str) == Some("import");
        (movement.entry.delta.units(), movement.entry.reason, note)
    };
    let ledger = |product| {
        let movements = shop.movements(product).into_iter();
        movements.map(entry).collect::<Vec<_>>()
    };
    use Reason::{Opening, Set};
    assert_eq!(ledger(mug), [(7, Opening, false), (-4, Set, true)]);
    assert_eq!(ledger(pot), [(5, Opening, false)]);
}

/// A row restores or archives a product, and changes no archived one.
pub fn archived_products_are_imported(stores: &Stores) {
    let shop = TestShop::new(stores);
    for sku in ["OLD", "GOING"] {
        shop.create(drafted(sku, 500, 7)).unwrap();
    }
    let old = of_sku(stores, "OLD").id;
    shop.archive(old, true).unwrap();
    let refused = import(stores, vec![full(2, "OLD", 500, 7)]).unwrap_err();
    let ProductImportRefusal::Invalid(problems) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(problems.listed()[0].fault, RowFault::Archived);
    let set = |line, sku, archived| ProductRow {
        archived: Some(archived),
        ..row(line, sku)
    };
    let rows = vec![
        set(2, "OLD", false),
        set(3, "GOING", true),
        set(4, "GONE", true),
    ];
    let expected = ImportCounts {
        skipped: 1,
        ..counts(0, 2)
    };
    assert_eq!(import(stores, rows), Ok(expected));
    let skus = |archived| {
        let products = listed(stores, "", archived).into_iter();
        let skus = products.filter_map(|product| product.sku);
        skus.map(|sku| sku.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (skus(false), skus(true)),
        (vec!["OLD".into()], vec!["GOING".into()])
    );
}

/// One row with a problem, behind others that could be written, refuses the whole import.
pub fn a_refused_product_import_writes_nothing(stores: &Stores) {
    let shop = TestShop::new(stores);
    let mug = shop.create(drafted("MUG", 500, 7)).unwrap();
    let mut rows: Vec<_> = (2..1_202)
        .map(|line| full(line, &format!("NEW{line}"), 100, 1))
        .collect();
    rows.insert(0, full(1, "MUG", 600, 9));
    rows.push(row(1_300, "NAMELESS"));
    let refused = import(stores, rows).unwrap_err();
    let ProductImportRefusal::Invalid(problems) = refused else {
        panic!("{refused:?}")
    };
    let lines: Vec<u64> = problems.listed().iter().map(|one| one.line).collect();
    assert_eq!((problems.count(), lines), (2, vec![1_300, 1_300]));
    assert_eq!(listed(stores, "", false), std::slice::from_ref(&mug));
    assert_eq!(shop.movements(mug.id).len(), 1);
}

/// An import larger than one chunk.
pub fn a_large_product_import_is_applied(stores: &Stores) {
    let rows = |price| {
        let row = move |line| full(line, &format!("SKU{line}"), price, 3);
        (2..1_502).map(row).collect::<Vec<_>>()
    };
    assert_eq!(import(stores, rows(100)), Ok(counts(1_500, 0)));
    assert_eq!(import(stores, rows(200)), Ok(counts(0, 1_500)));
    let audit = retry_busy(|| stores.ledger.audit());
    assert_eq!((audit.products, audit.movements), (1_500, 1_500));
    assert_eq!(listed(stores, "sku1501", false).len(), 1);
}

/// Ends the thread that applies an import once it has written some of the rows.
#[derive(Default)]
struct Interruption {
    is_writing: AtomicBool,
}

impl Progress for Interruption {
    fn begin(&self, stage: &'static str, _: Option<u64>) {
        let is_writing = stage == "Writing lines";
        self.is_writing.store(is_writing, Ordering::Relaxed);
    }

    fn advance(&self, _: u64) {
        assert!(!self.is_writing.load(Ordering::Relaxed), "interrupted");
    }
}

/// Applies rows until it is interrupted; whether it was. A store that writes all rows at once is not.
fn interrupt(stores: &Stores, rows: Vec<ProductRow>) -> bool {
    let command = stage(stores, rows);
    let port = &stores.product_imports;
    let apply = || port.apply(command, Arc::new(Interruption::default()));
    catch_unwind(AssertUnwindSafe(|| retry_busy(apply))).is_err()
}

/// An import that has written some of its rows is completed by another process, and by the next
/// import. Until then no product is edited.
pub fn an_interrupted_product_import_is_completed(stores: &Stores) {
    let rows = |price| {
        let row = move |line| full(line, &format!("SKU{line}"), price, 3);
        (2..1_302).map(row).collect::<Vec<_>>()
    };
    let with_price = |price| {
        let has_price = |product: &&Product| product.price.money().minor() == price;
        listed(stores, "", false).iter().filter(has_price).count()
    };
    let is_interrupted = interrupt(stores, rows(100));
    let first = listed(stores, "", false).remove(0);
    let edit = ChangeProduct {
        product: first.id,
        change: ProductChange {
            stock: Some(level(9)),
            ..ProductChange::default()
        },
        seen: None,
        by: None,
        at: at(310),
    };
    let edit = || retry_busy(|| stores.products.change_all(std::slice::from_ref(&edit))).remove(0);
    if is_interrupted {
        assert_eq!(edit(), Err(Refusal::LockConflict));
    }
    while retry_busy(|| stores.product_imports.tidy()) {}
    assert_eq!(edit().map(|product| product.stock), Ok(level(9)));
    assert_eq!(retry_busy(|| stores.ledger.audit()).products, 1_300);
    assert_eq!(with_price(100), listed(stores, "", false).len());
    interrupt(stores, rows(200));
    retry_busy(|| stores.product_imports.begin(at(320)));
    assert_eq!(with_price(200), listed(stores, "", false).len());
    let audit = retry_busy(|| stores.ledger.audit());
    // The openings, the edit, and the import of its stock.
    assert_eq!((audit.products, audit.movements), (1_300, 1_302));
    assert_eq!(audit.discrepancies, []);
}

/// Staged rows are read once each, in the order of their lines, with the product of their sku.
pub fn staged_rows_are_read_with_their_products(stores: &Stores) {
    let shop = TestShop::new(stores);
    let mug = shop.create(drafted("MUG", 500, 7)).unwrap();
    let rows = vec![full(2, "A", 1, 1), row(5, "MUG"), full(9, "B", 2, 2)];
    let staged = stage(stores, rows.clone());
    let mut read = Vec::new();
    loop {
        let after = read.last().map_or(0, |(row, _): &(ProductRow, _)| row.line);
        let some = retry_busy(|| stores.product_imports.staged(staged.import, after, 2));
        assert!(some.len() <= 2);
        if some.is_empty() {
            break;
        }
        read.extend(some);
    }
    let products = [None, Some(mug), None];
    assert_eq!(read, rows.into_iter().zip(products).collect::<Vec<_>>());
}

/// Rows of one sku are found with the line of the first of them.
pub fn rows_of_one_sku_are_found(stores: &Stores) {
    let lines = [(2, "A"), (3, "B"), (4, "A"), (6, "b"), (8, "A"), (9, "B")];
    let rows = lines.map(|(line, sku)| row(line, sku)).to_vec();
    let import = stage(stores, rows).import;
    let found = |limit| retry_busy(|| stores.product_imports.repeated_skus(import, limit));
    assert_eq!(found(10), (vec![(2, 4), (2, 8), (3, 9)], 3));
    assert_eq!(found(2), (vec![(2, 4), (2, 8)], 3));
}

/// An import ends when it is applied, when it is discarded, and when another one begins.
pub fn a_newer_product_import_replaces_an_older_one(stores: &Stores) {
    let superseded = Err(ProductImportRefusal::Superseded);
    let rows = || vec![full(2, "MUG", 500, 7)];
    let older = stage(stores, rows());
    let newer = stage(stores, rows());
    let late: Arc<[ProductRow]> = rows().into();
    let stage_late = |import: ProductImportId| {
        retry_busy(|| stores.product_imports.stage(import, Arc::clone(&late)))
    };
    assert_eq!(stage_late(older.import).map(|()| counts(0, 0)), superseded);
    assert_eq!(apply(stores, older), superseded);
    assert_eq!(apply(stores, newer), Ok(counts(1, 0)));
    assert_eq!(apply(stores, newer), superseded);
    let discarded = stage(stores, rows());
    retry_busy(|| stores.product_imports.discard(discarded.import));
    assert_eq!(apply(stores, discarded), superseded);
    let short = ApplyProducts {
        rows: 2,
        ..stage(stores, rows())
    };
    assert_eq!(apply(stores, short), Err(ProductImportRefusal::Incomplete));
}

/// Former staff cannot import products.
pub fn products_are_imported_by_current_staff(stores: &Stores) {
    let shop = TestShop::new(stores);
    let switch = |user: UserId, is_active, is_staff| {
        let command = UpdateUser {
            by: None,
            user,
            change: UserChange {
                is_active,
                is_staff,
            },
            at: at(210),
        };
        retry_busy(|| stores.accounts.switch(command)).unwrap();
    };
    let boss = shop.staff("boss");
    let (demoted, deactivated) = (shop.staff("demoted"), shop.staff("deactivated"));
    switch(demoted, None, Some(false));
    switch(deactivated, Some(false), None);
    for (user, refusal) in [
        (demoted, Refusal::Forbidden),
        (deactivated, Refusal::InvalidToken),
    ] {
        let mut command = stage(stores, vec![full(2, "MUG", 500, 7)]);
        command.by = Some(user);
        let refused = apply(stores, command);
        assert_eq!(refused, Err(ProductImportRefusal::Refused(refusal)));
    }
    assert_eq!(listed(stores, "", false), []);
    let mut command = stage(stores, vec![full(2, "MUG", 500, 7)]);
    command.by = Some(boss);
    assert_eq!(apply(stores, command), Ok(counts(1, 0)));
    let opening = shop.movements(of_sku(stores, "MUG").id).pop().unwrap();
    assert_eq!(opening.entry.actor, Some(boss));
}
