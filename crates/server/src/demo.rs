//! The demo catalogue.

use crate::exit::CliError;
use tradepost_auth::SystemClock;
use tradepost_domain::catalog::{
    CreateProduct, Price, Product, ProductDraft, ProductFilter, ProductList, ProductRepository,
};
use tradepost_domain::kernel::{
    Clock, Currency, Description, Error, FieldError, Money, PageRequest, ProductName, Refusal, Sku,
};

/// SKU, name, description, price in hundredths of the currency's unit, stock.
type Row = (&'static str, &'static str, &'static str, i64, i64);

const CATALOGUE: [Row; 12] = [
    (
        "TEA-ASSAM-250",
        "Assam tea, 250 g",
        "Black tea from the Brahmaputra valley. Strong and malty; takes milk well.",
        990,
        120,
    ),
    (
        "TEA-SENCHA-100",
        "Sencha, 100 g",
        "Green tea from Shizuoka. Brew it at 70 degrees for a minute.",
        1_250,
        80,
    ),
    (
        "TEA-MINT-50",
        "Moroccan mint, 50 g",
        "Gunpowder tea with spearmint.",
        650,
        60,
    ),
    (
        "COF-SIDAMO-500",
        "Sidamo coffee, 500 g",
        "Whole beans, lightly roasted. Citrus and jasmine.",
        1_690,
        45,
    ),
    (
        "COF-SANTOS-500",
        "Santos coffee, 500 g",
        "Whole beans, darkly roasted. Nuts and chocolate.",
        1_390,
        75,
    ),
    (
        "MUG-STONE-GREY",
        "Stoneware mug, grey",
        "Holds 300 ml. Fit for the dishwasher.",
        1_400,
        40,
    ),
    (
        "MUG-STONE-BLUE",
        "Stoneware mug, blue",
        "Holds 300 ml. Fit for the dishwasher.",
        1_400,
        40,
    ),
    (
        "POT-GLASS-1L",
        "Glass teapot, 1 l",
        "Borosilicate glass with a strainer of steel.",
        3_450,
        18,
    ),
    (
        "KET-GOOSE-09",
        "Gooseneck kettle, 0.9 l",
        "For pouring coffee slowly. For every stove, induction too.",
        5_990,
        12,
    ),
    (
        "GRI-HAND-01",
        "Hand grinder",
        "Burrs of steel, from espresso to French press.",
        7_900,
        9,
    ),
    (
        "FIL-PAPER-100",
        "Paper filters, 100 pieces",
        "Unbleached, size 02.",
        490,
        200,
    ),
    (
        "GIFT-BOX-01",
        "Gift box",
        "A mug, Assam tea and a card. The last one of its kind.",
        3_900,
        1,
    ),
];

/// Fills the catalogue, unless a product exists that does not belong to the demo; returns the
/// number of products created. Demo products that another server creates meanwhile, or that a
/// crashed one created before, are not created twice.
///
/// # Errors
/// If the store fails.
pub(crate) fn fill(
    products: &dyn ProductRepository,
    currency: Currency,
) -> Result<usize, CliError> {
    if has_others(products)? {
        return Ok(0);
    }
    make(products, currency, &CATALOGUE)
}

fn make(
    products: &dyn ProductRepository,
    currency: Currency,
    rows: &[Row],
) -> Result<usize, CliError> {
    let mut made = 0;
    for row in rows {
        let draft = draft(*row, currency).map_err(|problem| {
            CliError::Failed(format!("The demo product {}: {problem}", row.0))
        })?;
        let created = products.create(CreateProduct {
            draft,
            key: None,
            by: None,
            at: SystemClock.now(),
        });
        let is_taken = |refusal: &Refusal| *refusal == Refusal::field("sku", FieldError::Taken);
        match created {
            Ok(_) => made += 1,
            Err(Error::Refused(refusal)) if is_taken(&refusal) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(made)
}

/// Whether a product exists that does not belong to the demo, archived or not. A page longer than
/// the demo catalogue contains at least one if the catalogue has more products than the demo.
fn has_others(products: &dyn ProductRepository) -> Result<bool, CliError> {
    let Some(first) = PageRequest::new(1, PageRequest::MAX_SIZE) else {
        return Ok(false);
    };
    let of_demo = |product: &Product| {
        let sku = product.sku.as_ref().map(Sku::as_str);
        CATALOGUE.iter().any(|row| Some(row.0) == sku)
    };
    for archived in [false, true] {
        let page = products.list(&ProductList::new(ProductFilter::all(archived)), first)?;
        if !page.items.iter().all(of_demo) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn draft(row: Row, currency: Currency) -> Result<ProductDraft, FieldError> {
    let (sku, name, description, hundredths, stock) = row;
    let price = Price::new(Money::from_minor(minor(hundredths, currency), currency))?;
    Ok(ProductDraft {
        sku: Some(Sku::new(sku)?),
        description: Description::new(description)?,
        ..ProductDraft::new(ProductName::new(name)?, price).with_stock(stock)?
    })
}

/// An amount in minor units that looks like a price in the currency: 9.90 is 9.90 dollars, 9.900
/// dinars, and 990 yen rather than ten.
fn minor(hundredths: i64, currency: Currency) -> i64 {
    match currency.decimals() {
        decimals @ 3.. => hundredths * 10_i64.pow(decimals - 2),
        _ => hundredths,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;
    use tempfile::TempDir;
    use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency};

    fn usd() -> Currency {
        Currency::from_code("USD").unwrap()
    }

    fn shop() -> (TempDir, Arc<dyn ProductRepository>) {
        let folder = TempDir::new().unwrap();
        let url = DatabaseUrl::sqlite(&folder.path().join("shop.db"));
        let mut migrator = Migrator::connect(&url, Missing::Create).unwrap();
        migrator.run(|_| ()).unwrap();
        let options = OpenOptions {
            currency: ShopCurrency::Is(usd()),
            readers: 4,
            wait: Duration::from_secs(10),
        };
        let stores = tradepost_diesel::open(&url, &options).unwrap();
        (folder, stores.products)
    }

    fn count(products: &dyn ProductRepository) -> u64 {
        let first = PageRequest::new(1, 1).unwrap();
        products.list(&ProductList::default(), first).unwrap().count
    }

    #[test]
    fn a_partly_filled_demo_is_completed_and_a_catalogue_in_use_is_left_alone() {
        let (_folder, products) = shop();
        let products = products.as_ref();
        assert_eq!(make(products, usd(), &CATALOGUE[..5]).unwrap(), 5);
        assert_eq!(fill(products, usd()).unwrap(), 7);
        assert_eq!(fill(products, usd()).unwrap(), 0);
        assert_eq!(count(products), 12);
        let (_folder, products) = shop();
        let products = products.as_ref();
        let own = ("OWN", "Something of the shop's own", "", 100, 1);
        make(products, usd(), &[CATALOGUE[0], own]).unwrap();
        assert_eq!(fill(products, usd()).unwrap(), 0);
        assert_eq!(count(products), 2);
    }

    #[test]
    fn servers_that_start_together_fill_it_once() {
        let (_folder, products) = shop();
        let made: usize = std::thread::scope(|scope| {
            let servers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| fill(products.as_ref(), usd()).unwrap()))
                .collect();
            let made = servers.into_iter().map(|server| server.join().unwrap());
            made.sum()
        });
        assert_eq!((made, count(products.as_ref())), (12, 12));
    }

    #[test]
    fn the_catalogue_fits_every_currency() {
        for (code, first) in [
            ("USD", "9.90"),
            ("JPY", "990"),
            ("KWD", "9.900"),
            ("CLF", "9.9000"),
        ] {
            let currency = Currency::from_code(code).unwrap();
            let drafts: Vec<_> = CATALOGUE.map(|row| draft(row, currency).unwrap()).into();
            assert_eq!(drafts[0].price.money().to_string(), first, "{code}");
        }
    }
}
