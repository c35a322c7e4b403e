use crate::store::{Behaviour, HONEST, StagedRows};
use crate::table::Row;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use tradepost_domain::import::products::{
    ApplyProducts, ImportCounts, ProductImportId, ProductImportRefusal, ProductImportRepository,
    ProductRow, Staged,
};
use tradepost_domain::inventory::{AdjustStock, InventoryRepository, StockDelta};
use tradepost_domain::kernel::{NoProgress, StoreError};
use tradepost_memory::MemoryStore as Store;

fn applied(store: &Store, command: ApplyProducts) -> Staged<ImportCounts> {
    store.apply(command, Arc::new(NoProgress))
}

fn every_row(store: &Store, command: ApplyProducts) -> StagedRows {
    store.staged(command.import, 0, u32::MAX)
}

fn takes_an_ended_import_for_an_empty_one(
    store: &Store,
    command: ApplyProducts,
) -> Staged<ImportCounts> {
    match applied(store, command)? {
        Err(ProductImportRefusal::Superseded) => Ok(Ok(ImportCounts::default())),
        other => Ok(other),
    }
}

fn imports_for_former_staff(store: &Store, command: ApplyProducts) -> Staged<ImportCounts> {
    applied(
        store,
        ApplyProducts {
            by: None,
            ..command
        },
    )
}

/// Imports the rows before the first problem.
fn imports_partially(store: &Store, command: ApplyProducts) -> Staged<ImportCounts> {
    let rows = every_row(store, command)?;
    let answer = applied(store, command)?;
    if answer.is_err() {
        let import = store.begin(DateTime::<Utc>::UNIX_EPOCH)?;
        let good = rows.into_iter().map(|(row, _)| row);
        let good: Vec<_> = good.filter(|row| row.name.is_some()).collect();
        let rows = u64::try_from(good.len()).unwrap();
        drop(store.stage(import, good.into())?);
        let command = ApplyProducts {
            import,
            rows,
            ..command
        };
        drop(applied(store, command)?);
    }
    Ok(answer)
}

/// Imports the first rows, and reports all of them.
fn imports_the_first_rows(store: &Store, command: ApplyProducts) -> Staged<ImportCounts> {
    let rows = every_row(store, command)?;
    let import = store.begin(DateTime::<Utc>::UNIX_EPOCH)?;
    let first = rows.into_iter().map(|(row, _)| row).take(500);
    let rows: Vec<_> = first.collect();
    let count = u64::try_from(rows.len()).unwrap();
    drop(store.stage(import, rows.into())?);
    let command = ApplyProducts {
        import,
        rows: count,
        ..command
    };
    applied(store, command)
}

/// Writes two movements that cancel each other for every product.
fn writes_what_is_the_same(store: &Store, command: ApplyProducts) -> Staged<ImportCounts> {
    let rows = every_row(store, command)?;
    for product in rows.into_iter().filter_map(|(_, product)| product) {
        for delta in [1, -1] {
            let adjust = AdjustStock {
                product: product.id,
                delta: StockDelta::new(delta).unwrap(),
                note: None,
                key: None,
                by: None,
                at: command.at,
            };
            drop(store.adjust_stock(adjust));
        }
    }
    applied(store, command)
}

/// Reports success although nothing was written.
fn acknowledges_without_writing(_: &Store, _: ApplyProducts) -> Staged<ImportCounts> {
    Ok(Ok(ImportCounts::default()))
}

fn forgets_the_stock(
    store: &Store,
    import: ProductImportId,
    rows: Arc<[ProductRow]>,
) -> Staged<()> {
    let rows = rows.iter().map(|row| ProductRow {
        stock: None,
        ..row.clone()
    });
    store.stage(import, rows.collect())
}

fn forgets_the_products(
    store: &Store,
    import: ProductImportId,
    after: u64,
    limit: u32,
) -> StagedRows {
    let rows = store.staged(import, after, limit)?.into_iter();
    Ok(rows.map(|(row, _)| (row, None)).collect())
}

fn finds_no_repeated_sku(
    _: &Store,
    _: ProductImportId,
    _: u32,
) -> Result<(Vec<(u64, u64)>, u64), StoreError> {
    Ok((Vec::new(), 0))
}

pub(crate) const ROWS: &[Row] = &[
    (
        "takes an ended import of products for an empty one",
        Behaviour {
            apply_products: takes_an_ended_import_for_an_empty_one,
            ..HONEST
        },
        &["a_newer_product_import_replaces_an_older_one"],
    ),
    (
        "imports products for former staff",
        Behaviour {
            apply_products: imports_for_former_staff,
            ..HONEST
        },
        &["products_are_imported_by_current_staff"],
    ),
    (
        "imports a part of the products",
        Behaviour {
            apply_products: imports_partially,
            ..HONEST
        },
        &["a_refused_product_import_writes_nothing"],
    ),
    (
        "imports the first rows alone",
        Behaviour {
            apply_products: imports_the_first_rows,
            ..HONEST
        },
        &["an_interrupted_product_import_is_completed"],
    ),
    (
        "writes movements for products that stay the same",
        Behaviour {
            apply_products: writes_what_is_the_same,
            ..HONEST
        },
        &["the_same_products_twice_change_nothing"],
    ),
    (
        "says that products were imported which were not",
        Behaviour {
            apply_products: acknowledges_without_writing,
            ..HONEST
        },
        &[
            "a_product_import_races_orders",
            "a_product_import_races_an_edit",
        ],
    ),
    (
        "forgets the stock of imported products",
        Behaviour {
            stage_products: forgets_the_stock,
            ..HONEST
        },
        &["imported_stock_is_in_the_ledger"],
    ),
    (
        "reads staged rows without their products",
        Behaviour {
            staged_products: forgets_the_products,
            ..HONEST
        },
        &["staged_rows_are_read_with_their_products"],
    ),
    (
        "finds no repeated sku",
        Behaviour {
            repeated_skus: finds_no_repeated_sku,
            ..HONEST
        },
        &["rows_of_one_sku_are_found"],
    ),
];
