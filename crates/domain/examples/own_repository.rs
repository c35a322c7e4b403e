//! A repository of one's own: a read-only catalogue from a supplier's price list. The other ports
//! of the shop are those of the store in memory.
//! `cargo run -p tradepost-domain --example own_repository`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use std::sync::Arc;
use tradepost_domain::catalog::{ChangeProduct, CreateProduct, NewProduct, ProductField};
use tradepost_domain::kernel::{AllOrNone, CursorPage, Outcomes};
use tradepost_domain::prelude::*;
use tradepost_domain::testing::{at, system};
use tradepost_memory::MemoryStore;

/// The products of a price list.
struct PriceList(Vec<Product>);

impl PriceList {
    /// Reads a list of lines such as `1;Mug;12.50;7`: id, name, price and stock.
    fn read(text: &str, currency: Currency) -> Result<Self, Box<dyn Error>> {
        let product = |line: &str| -> Result<Product, Box<dyn Error>> {
            let fields: Vec<_> = line.split(';').collect();
            let [id, name, price, stock] = fields[..] else {
                return Err(format!("not four fields: {line}").into());
            };
            let price = Price::parse(price, currency)?;
            let new = NewProduct {
                draft: ProductDraft::new(name.parse()?, price).with_stock(stock.parse()?)?,
                by: None,
                at: at(0),
            };
            Ok(new.into_product(id.parse()?))
        };
        let products: Result<_, _> = text.lines().map(product).collect();
        Ok(Self(products?))
    }

    fn read_only<T>() -> Outcomes<T> {
        Err(StoreError::new(StoreErrorKind::Unavailable))
    }
}

impl ProductRepository for PriceList {
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError> {
        // Which rows match, and in which order, is decided by the domain.
        let mut rows: Vec<_> = self.0.iter().collect();
        rows.retain(|product| list.filter.matches(product));
        rows.sort_by(|one, other| list.sorting.compare(one, other));
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let before = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let size = usize::try_from(page.size()).unwrap_or(usize::MAX);
        let items = rows.into_iter().skip(before).take(size).cloned().collect();
        Ok(Page { count, items })
    }

    fn cursor_page(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        request: &CursorRequest,
    ) -> Result<CursorPage<Product>, StoreError> {
        let rows = self.0.iter().filter(|product| {
            filter.matches(product) && request.contains(keyset, &keyset.position(product))
        });
        Ok(CursorPage::new(rows.cloned().collect(), keyset, request))
    }

    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        let rows = self.0.iter().filter(|product| ids.contains(&product.id));
        Ok(rows.cloned().collect())
    }

    fn create_all(&self, _: &[CreateProduct]) -> Outcomes<Execution<Product>> {
        Self::read_only()
    }

    fn change_all(&self, _: &[ChangeProduct]) -> Outcomes<Product> {
        Self::read_only()
    }

    fn change_together(&self, _: &[ChangeProduct]) -> AllOrNone<Product> {
        Err(StoreError::new(StoreErrorKind::Unavailable))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let usd: Currency = "USD".parse()?;
    let prices = PriceList::read("1;Mug;12.50;7\n2;Spoon;0.99;0\n3;Plate;9.90;3", usd)?;
    let stores = Stores {
        products: Arc::new(prices),
        ..MemoryStore::new(usd).into()
    };
    let shop = Services::new(stores, system(), ServicesConfig::default());

    let list = ProductList {
        filter: ProductFilter {
            in_stock: true,
            ..ProductFilter::default()
        },
        sorting: Sorting::parse("price")?,
    };
    let page = PageRequest::new(1, 10).ok_or("no such page")?;
    let found = shop.catalogue.list(Actor::Anonymous, list, page)?;
    for product in &found.items {
        println!("{}: {}", product.name, product.price.money());
    }
    Ok(())
}

#[test]
fn the_example_runs() {
    main().unwrap();
}
