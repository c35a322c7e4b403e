use crate::{TestShop, draft, first_page, race, retry_busy};
use std::sync::atomic::{AtomicUsize, Ordering};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{Product, ProductChange, ProductFilter, ProductList};
use tradepost_domain::kernel::{CursorRequest, Keyset, ProductName, Search};

/// Counts a reader as running until it ends, also by a panic.
struct Reader<'a>(&'a AtomicUsize);

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Every product found has every search word in its returned texts, under concurrent renames.
pub fn a_search_is_read_from_one_snapshot(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ids = ["Hot tea", "Hot tea", "Iced tea"].map(|name| {
        let draft = draft(name, 100, 1);
        shop.create(draft).unwrap().id
    });
    let filter = ProductFilter {
        search: Search::new("iced tea").unwrap(),
        ..ProductFilter::default()
    };
    let list = ProductList::new(filter.clone());
    let keyset = Keyset::new(&list.sorting).unwrap();
    let has_words = |products: &[Product]| products.iter().all(|product| filter.matches(product));
    let name = |name| ProductChange {
        name: ProductName::new(name).ok(),
        ..ProductChange::default()
    };
    let reading = AtomicUsize::new(4);
    race(6, |at| {
        if at < 2 {
            while reading.load(Ordering::SeqCst) > 0 {
                shop.change(ids[at], name("Iced tea")).unwrap();
                shop.change(ids[at], name("Hot tea")).unwrap();
            }
            return;
        }
        let _reader = Reader(&reading);
        for _ in 0..10 {
            let page = retry_busy(|| stores.products.list(&list, first_page()));
            assert!(has_words(&page.items), "{page:?}");
            assert_eq!(page.count, u64::try_from(page.items.len()).unwrap());
            let part = retry_busy(|| {
                stores
                    .products
                    .cursor_page(&filter, keyset, &CursorRequest::first(10))
            });
            assert!(has_words(&part.items), "{part:?}");
        }
    });
    let page = retry_busy(|| stores.products.list(&list, first_page()));
    assert_eq!(page.count, 1);
}
