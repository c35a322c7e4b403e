use super::{a_moment, orders};
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_contract::{first_page, level};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductChange, ProductDraft, ProductRepository,
};
use tradepost_domain::inventory::InventoryRepository;
use tradepost_domain::inventory::{AdjustStock, Adjusted, StockLevel};
use tradepost_domain::kernel::{Error, Execution, Precondition, ProductId, StoreError};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn stored(store: &Store, id: ProductId) -> Result<Option<Product>, StoreError> {
    Ok(ProductRepository::find_all(store, &[id])?.pop())
}

pub(crate) fn opens_without_a_word(
    store: &Store,
    command: CreateProduct,
) -> Result<Execution<Product>, Error> {
    let stock = command.draft.stock;
    let (by, at) = (command.by, command.at);
    let draft = ProductDraft {
        stock: StockLevel::ZERO,
        ..command.draft
    };
    let created = store.create(CreateProduct { draft, ..command })?;
    let delta = StockLevel::ZERO.delta_to(stock);
    if let (Execution::Executed(product), Some(delta)) = (&created, delta) {
        store.adjust_stock(AdjustStock {
            product: product.id,
            delta,
            note: None,
            key: None,
            by,
            at,
        })?;
        let product = stored(store, product.id)?.unwrap();
        return Ok(Execution::Executed(product));
    }
    Ok(created)
}

pub(crate) fn shares_skus_of_new(
    store: &Store,
    command: CreateProduct,
) -> Result<Execution<Product>, Error> {
    let created = store.create(command.clone());
    if created.is_ok() {
        return created;
    }
    let draft = ProductDraft {
        sku: None,
        ..command.draft
    };
    store.create(CreateProduct { draft, ..command })
}

pub(crate) fn shares_skus_of_old(store: &Store, command: ChangeProduct) -> Result<Product, Error> {
    let changed = ProductRepository::change(store, command.clone());
    if changed.is_ok() {
        return changed;
    }
    let change = ProductChange {
        sku: None,
        ..command.change
    };
    ProductRepository::change(store, ChangeProduct { change, ..command })
}

pub(crate) fn sets_stock_late(store: &Store, command: ChangeProduct) -> Result<Product, Error> {
    let before = stored(store, command.product)?.unwrap().stock;
    let Some(delta) = command
        .change
        .stock
        .and_then(|stock| before.delta_to(stock))
    else {
        return ProductRepository::change(store, command);
    };
    a_moment();
    a_moment();
    store.adjust_stock(AdjustStock {
        product: command.product,
        delta,
        note: None,
        key: None,
        by: command.by,
        at: command.at,
    })?;
    Ok(stored(store, command.product)?.unwrap())
}

pub(crate) fn overwrites(store: &Store, command: ChangeProduct) -> Result<Product, Error> {
    ProductRepository::change(
        store,
        ChangeProduct {
            seen: None,
            ..command
        },
    )
}

pub(crate) fn looks_before_it_locks(
    store: &Store,
    command: ChangeProduct,
) -> Result<Product, Error> {
    let before = stored(store, command.product)?;
    if let Some(before) = before {
        Precondition::check(command.seen.as_ref(), &before)?;
    }
    a_moment();
    overwrites(store, command)
}

pub(crate) fn adjusts_late(
    store: &Store,
    command: AdjustStock,
) -> Result<Execution<Adjusted>, Error> {
    let before = stored(store, command.product)?.unwrap().stock;
    let Some(after) = before.after(command.delta) else {
        return store.adjust_stock(command);
    };
    a_moment();
    let change = ProductChange {
        stock: Some(level(after.units())),
        ..ProductChange::default()
    };
    let (product, by, at) = (command.product, command.by, command.at);
    let level = ProductRepository::change(
        store,
        ChangeProduct {
            seen: None,
            product,
            change,
            by,
            at,
        },
    )?
    .stock;
    let movements = store.movements(product, first_page())?.unwrap();
    let movement = movements.items.into_iter().next().unwrap();
    Ok(Execution::Executed(Adjusted { movement, level }))
}

/// Searches the texts that products were created with.
pub(crate) fn keeps_old_names(store: &Store, command: ChangeProduct) -> Result<Product, Error> {
    let change = ProductChange {
        name: None,
        description: None,
        ..command.change
    };
    ProductRepository::change(store, ChangeProduct { change, ..command })
}

pub(crate) const ROWS: &[Row] = &[
    (
        "forgets the opening movement",
        Behaviour {
            create: opens_without_a_word,
            ..HONEST
        },
        &["stock_from_the_start_is_in_the_ledger"],
    ),
    (
        "gives a sku to two products",
        Behaviour {
            create: shares_skus_of_new,
            change_product: shares_skus_of_old,
            ..HONEST
        },
        &["one_sku_goes_to_one_product", "a_sku_has_one_holder"],
    ),
    (
        "sets stock from a level that it read before",
        Behaviour {
            change_product: sets_stock_late,
            place: orders::waits_a_moment,
            ..HONEST
        },
        &["setting_stock_races_orders"],
    ),
    (
        "adjusts a level that it read before",
        Behaviour {
            adjust: adjusts_late,
            ..HONEST
        },
        &["restocking_races_orders", "writing_off_races_writing_off"],
    ),
    (
        "changes a product that was edited since",
        Behaviour {
            change_product: overwrites,
            ..HONEST
        },
        &[
            "a_product_edit_checks_its_precondition",
            "edits_do_not_overwrite_each_other",
        ],
    ),
    (
        "looks at a product before it locks it",
        Behaviour {
            change_product: looks_before_it_locks,
            ..HONEST
        },
        &["edits_do_not_overwrite_each_other"],
    ),
    (
        "finds products by their old names",
        Behaviour {
            change_product: keeps_old_names,
            ..HONEST
        },
        &["an_edit_is_found"],
    ),
];
