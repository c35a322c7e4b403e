use super::{a_moment, orders};
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_contract::{first_page, level};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductChange, ProductDraft, ProductField,
    ProductFilter, ProductList, ProductRepository,
};
use tradepost_domain::inventory::InventoryRepository;
use tradepost_domain::inventory::{AdjustStock, Adjusted, StockLevel};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Error, Execution, Keyset, Page, PageRequest, Precondition,
    ProductId, Search, StoreError,
};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn stored(store: &Store, id: ProductId) -> Result<Option<Product>, StoreError> {
    Ok(ProductRepository::find_all(store, &[id])?.pop())
}

pub(crate) fn lists_oldest_first(
    store: &Store,
    list: &ProductList,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let mut page = ProductRepository::list(store, list, page)?;
    page.items.reverse();
    Ok(page)
}

pub(crate) fn counts_first(
    store: &Store,
    list: &ProductList,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let count = ProductRepository::list(store, list, page)?.count;
    a_moment();
    let page = ProductRepository::list(store, list, page)?;
    Ok(Page { count, ..page })
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

/// Applies no filter.
pub(crate) fn ignores_filters(
    store: &Store,
    list: &ProductList,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let filter = ProductFilter::all(list.filter.archived);
    let sorting = list.sorting.clone();
    ProductRepository::list(store, &ProductList { filter, sorting }, page)
}

/// Sorts names by locale, without a tie-breaker.
pub(crate) fn sorts_by_language(
    store: &Store,
    list: &ProductList,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let mut page = ProductRepository::list(store, list, page)?;
    if list.sorting.keys().first().unwrap().field == ProductField::Name {
        let name = |product: &Product| product.name.as_str().to_lowercase();
        page.items.sort_by_key(name);
    }
    Ok(page)
}

/// Searches for the longest word only.
pub(crate) fn looks_for_one_word(
    store: &Store,
    list: &ProductList,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let longest = list.filter.search.words().first();
    let search = Search::new(longest.map_or("", String::as_str)).unwrap();
    let filter = ProductFilter {
        search,
        ..list.filter.clone()
    };
    let sorting = list.sorting.clone();
    ProductRepository::list(store, &ProductList { filter, sorting }, page)
}

/// Searches first, and reads the rows later.
pub(crate) fn finds_before_it_reads(
    store: &Store,
    list: &ProductList,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let mut page = ProductRepository::list(store, list, page)?;
    a_moment();
    for product in &mut page.items {
        *product = stored(store, product.id)?.unwrap();
    }
    Ok(page)
}

/// Treats the text as a LIKE pattern with wildcards.
pub(crate) fn takes_wildcards(
    store: &Store,
    list: &ProductList,
    page: PageRequest,
) -> Result<Page<Product>, StoreError> {
    let words = list.filter.search.words().join(" ");
    let search = Search::new(&words.replace(['%', '_'], " ")).unwrap();
    let filter = ProductFilter {
        search,
        ..list.filter.clone()
    };
    let sorting = list.sorting.clone();
    ProductRepository::list(store, &ProductList { filter, sorting }, page)
}

/// Includes the row at the cursor in the next page.
pub(crate) fn repeats_the_edge(
    store: &Store,
    filter: &ProductFilter,
    keyset: Keyset<ProductField>,
    span: &CursorRequest,
) -> Result<CursorPage<Product>, StoreError> {
    let mut span = span.clone();
    span.edge.iter_mut().for_each(|edge| edge.inclusive = true);
    // Pages of at least two rows, or the repeated row would be read forever.
    span.size = span.size.max(2);
    ProductRepository::cursor_page(store, filter, keyset, &span)
}

/// Compares the value without the id as a tie-breaker.
pub(crate) fn skips_equal_values(
    store: &Store,
    filter: &ProductFilter,
    keyset: Keyset<ProductField>,
    span: &CursorRequest,
) -> Result<CursorPage<Product>, StoreError> {
    let mut slice = ProductRepository::cursor_page(store, filter, keyset, span)?;
    if let Some(edge) = &span.edge {
        let value = |product: &Product| keyset.position(product).value;
        slice
            .items
            .retain(|product| value(product) != edge.position.value);
    }
    Ok(slice)
}

pub(crate) fn walks_past_filters(
    store: &Store,
    filter: &ProductFilter,
    keyset: Keyset<ProductField>,
    span: &CursorRequest,
) -> Result<CursorPage<Product>, StoreError> {
    let filter = ProductFilter::all(filter.archived);
    ProductRepository::cursor_page(store, &filter, keyset, span)
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

pub(crate) fn names_everything_asked_for(
    store: &Store,
    ids: &[ProductId],
) -> Result<Vec<Product>, StoreError> {
    let one = |id: &ProductId| ProductRepository::find_all(store, &[*id]);
    let found: Vec<_> = ids.iter().map(one).collect::<Result<_, _>>()?;
    Ok(found.concat())
}

pub(crate) const ROWS: &[Row] = &[
    (
        "finds a product as often as it is asked for",
        Behaviour {
            find_products: names_everything_asked_for,
            ..HONEST
        },
        &["products_are_found_together"],
    ),
    (
        "lists products oldest first",
        Behaviour {
            list_products: lists_oldest_first,
            ..HONEST
        },
        &[
            "products_are_listed_newest_first",
            "archived_products_are_listed_apart",
        ],
    ),
    (
        "counts at another moment than it lists",
        Behaviour {
            list_products: counts_first,
            ..HONEST
        },
        &["lists_are_read_from_one_snapshot"],
    ),
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
        "lists products whatever is asked for",
        Behaviour {
            list_products: ignores_filters,
            ..HONEST
        },
        &[
            "products_are_filtered",
            "words_are_found_in_every_script",
            "an_edit_is_found",
            "cursor_pages_respect_the_filter",
        ],
    ),
    (
        "sorts names by a language",
        Behaviour {
            list_products: sorts_by_language,
            ..HONEST
        },
        &["products_are_sorted"],
    ),
    (
        "looks for one word of many",
        Behaviour {
            list_products: looks_for_one_word,
            ..HONEST
        },
        &["every_word_has_to_be_found"],
    ),
    (
        "finds words before it reads products",
        Behaviour {
            list_products: finds_before_it_reads,
            ..HONEST
        },
        &["a_search_is_read_from_one_snapshot"],
    ),
    (
        "takes wildcards",
        Behaviour {
            list_products: takes_wildcards,
            ..HONEST
        },
        &["words_are_found_in_every_script"],
    ),
    (
        "shows the edge of a part twice",
        Behaviour {
            slice_products: repeats_the_edge,
            ..HONEST
        },
        &["cursor_pages_list_every_product_once"],
    ),
    (
        "skips products that are equal",
        Behaviour {
            slice_products: skips_equal_values,
            ..HONEST
        },
        &["cursor_pages_list_every_product_once"],
    ),
    (
        "walks past what is asked for",
        Behaviour {
            slice_products: walks_past_filters,
            ..HONEST
        },
        &["cursor_pages_respect_the_filter"],
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
