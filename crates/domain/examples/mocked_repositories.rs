//! A service of one's own, tested against mocked repositories. The tests are at the end:
//! `cargo test -p tradepost-domain --example mocked_repositories`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::sync::Arc;
use tradepost_domain::prelude::*;
use tradepost_memory::MemoryStore;

/// Purchasing service: the products to order from suppliers.
struct Purchasing {
    products: Arc<dyn ProductRepository>,
}

impl Purchasing {
    /// The products of the catalogue with fewer units than `least`, those with the fewest first.
    fn running_out(&self, least: i64) -> Result<Vec<(ProductName, i64)>, Error> {
        let mut short = Vec::new();
        let (mut number, list) = (1, ProductList::default());
        while let Some(request) = PageRequest::new(number, PageRequest::MAX_SIZE) {
            let page = self.products.list(&list, request)?;
            let has_next = page.has_next(request);
            let rows = page.items.into_iter();
            let rows = rows.map(|product| (product.name, product.stock.units()));
            short.extend(rows.filter(|(_, units)| *units < least));
            if !has_next {
                break;
            }
            number += 1;
        }
        short.sort_by_key(|(_, units)| *units);
        Ok(short)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Stores::from(MemoryStore::new("USD".parse()?));
    let purchasing = Purchasing {
        products: store.products,
    };
    println!("{} products run out", purchasing.running_out(10)?.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::catalog::MockProductRepository;
    use tradepost_domain::testing::ProductBuilder;

    fn purchasing(products: MockProductRepository) -> Purchasing {
        let products = Arc::new(products);
        Purchasing { products }
    }

    #[test]
    fn products_that_run_out_are_listed_by_their_stock() {
        let mut products = MockProductRepository::new();
        products.expect_list().once().returning(|_, _| {
            let stock = [(1, 12), (2, 7), (3, 0)];
            let row = |(id, units)| ProductBuilder::new(id).stock(units).build();
            Ok(Page {
                count: 3,
                items: stock.map(row).into(),
            })
        });
        let short = purchasing(products).running_out(10).unwrap();
        let short: Vec<_> = short.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(short, ["Product 3", "Product 2"]);
    }

    #[test]
    fn every_page_is_read() {
        let mut products = MockProductRepository::new();
        products.expect_list().times(3).returning(|_, page| {
            let id = i64::try_from(page.number()).unwrap();
            Ok(Page {
                count: 201,
                items: vec![ProductBuilder::new(id).build()],
            })
        });
        assert_eq!(purchasing(products).running_out(1).unwrap().len(), 3);
    }

    #[test]
    fn a_failure_of_the_store_is_passed_on() {
        let mut products = MockProductRepository::new();
        let busy = |_: &ProductList, _| Err(StoreError::new(StoreErrorKind::Busy));
        products.expect_list().returning(busy);
        let failed = purchasing(products).running_out(1).unwrap_err();
        assert!(matches!(failed, Error::Store(_)), "{failed}");
    }

    #[test]
    fn the_example_runs() {
        main().unwrap();
    }
}
