use super::a_moment;
use tradepost_contract::{first_page, level};
use tradepost_domain::{
    AdjustStock, Adjusted, ChangeProduct, CreateProduct, Outcome, Page, PageRequest, Product,
    ProductChange, ProductDraft, ProductFilter, ProductRepository, Seen, StockLevel, StoreError,
    Written,
};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn lists_oldest_first(
    store: &Store,
    filter: ProductFilter,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let mut page = ProductRepository::list(store, filter, page)?;
    page.items.reverse();
    Ok(page)
}

pub(crate) fn counts_first(
    store: &Store,
    filter: ProductFilter,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let count = ProductRepository::list(store, filter, page)?.count;
    a_moment();
    let page = ProductRepository::list(store, filter, page)?;
    Ok(Page { count, ..page })
}

pub(crate) fn opens_without_a_word(
    store: &Store,
    command: CreateProduct,
) -> Outcome<Written<Product>> {
    let stock = command.draft.stock;
    let (by, at) = (command.by, command.at);
    let draft = ProductDraft {
        stock: StockLevel::ZERO,
        ..command.draft
    };
    let created = store.create(CreateProduct { draft, ..command })?;
    let delta = StockLevel::ZERO.delta_to(stock);
    if let (Ok(Written::Now(product)), Some(delta)) = (&created, delta) {
        let adjusted = store.adjust_stock(AdjustStock {
            product: product.id,
            delta,
            note: None,
            key: None,
            by,
            at,
        })?;
        adjusted.unwrap();
        let product = ProductRepository::find(store, product.id)?.unwrap();
        return Ok(Ok(Written::Now(product)));
    }
    Ok(created)
}

pub(crate) fn shares_skus_of_new(
    store: &Store,
    command: CreateProduct,
) -> Outcome<Written<Product>> {
    let created = store.create(command.clone())?;
    if created.is_ok() {
        return Ok(created);
    }
    let draft = ProductDraft {
        sku: None,
        ..command.draft
    };
    store.create(CreateProduct { draft, ..command })
}

pub(crate) fn shares_skus_of_old(store: &Store, command: ChangeProduct) -> Outcome<Product> {
    let changed = ProductRepository::change(store, command.clone())?;
    if changed.is_ok() {
        return Ok(changed);
    }
    let change = ProductChange {
        sku: None,
        ..command.change
    };
    ProductRepository::change(store, ChangeProduct { change, ..command })
}

pub(crate) fn sets_stock_late(store: &Store, command: ChangeProduct) -> Outcome<Product> {
    let before = ProductRepository::find(store, command.product)?
        .unwrap()
        .stock;
    let Some(delta) = command
        .change
        .stock
        .and_then(|stock| before.delta_to(stock))
    else {
        return ProductRepository::change(store, command);
    };
    a_moment();
    a_moment();
    let adjusted = store.adjust_stock(AdjustStock {
        product: command.product,
        delta,
        note: None,
        key: None,
        by: command.by,
        at: command.at,
    })?;
    let product = ProductRepository::find(store, command.product)?.unwrap();
    Ok(adjusted.map(|_| product))
}

pub(crate) fn overwrites(store: &Store, command: ChangeProduct) -> Outcome<Product> {
    ProductRepository::change(
        store,
        ChangeProduct {
            seen: None,
            ..command
        },
    )
}

pub(crate) fn looks_before_it_locks(store: &Store, command: ChangeProduct) -> Outcome<Product> {
    let before = ProductRepository::find(store, command.product)?;
    if let Some(before) = before
        && let Err(refusal) = Seen::check(command.seen.as_ref(), &before)
    {
        return Ok(Err(refusal));
    }
    a_moment();
    overwrites(store, command)
}

pub(crate) fn adjusts_late(store: &Store, command: AdjustStock) -> Outcome<Written<Adjusted>> {
    let before = ProductRepository::find(store, command.product)?
        .unwrap()
        .stock;
    let Some(after) = before.after(command.delta) else {
        return store.adjust_stock(command);
    };
    a_moment();
    let change = ProductChange {
        stock: Some(level(after.units())),
        ..ProductChange::default()
    };
    let (product, by, at) = (command.product, command.by, command.at);
    let changed = ProductRepository::change(
        store,
        ChangeProduct {
            seen: None,
            product,
            change,
            by,
            at,
        },
    )?;
    let movements = store.movements(product, first_page())?.unwrap();
    let movement = movements.items.into_iter().next().unwrap();
    Ok(changed.map(|product| {
        Written::Now(Adjusted {
            movement,
            level: product.stock,
        })
    }))
}
