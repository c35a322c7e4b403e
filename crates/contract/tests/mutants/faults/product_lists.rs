use super::a_moment;
use super::products::stored;
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_domain::catalog::{
    Product, ProductField, ProductFilter, ProductList, ProductRepository,
};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Keyset, Page, PageRequest, ProductId, Search, StoreError,
};
use tradepost_memory::MemoryStore as Store;

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
];
