//! A small catalogue to look at.

use crate::exit::Exit;
use crate::outside::SystemClock;
use tradepost_domain::{
    Clock, CreateProduct, Currency, Description, Money, PageRequest, Price, Problem, ProductDraft,
    ProductFilter, ProductList, ProductName, ProductRepository, Sku, StockLevel,
};

/// Sku, name, description, price in hundredths of the currency's unit, stock.
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

/// Fills the catalogue, unless there ever was a product; how many were made.
///
/// # Errors
/// If the store fails.
pub(crate) fn fill(products: &dyn ProductRepository, currency: Currency) -> Result<usize, Exit> {
    if has_any(products)? {
        return Ok(0);
    }
    for row in CATALOGUE {
        let draft = draft(row, currency)
            .map_err(|problem| Exit::Failed(format!("The demo product {}: {problem}", row.0)))?;
        let created = products.create(CreateProduct {
            draft,
            key: None,
            by: None,
            at: SystemClock.now(),
        })?;
        created.map_err(|refusal| Exit::Failed(refusal.to_string()))?;
    }
    Ok(CATALOGUE.len())
}

fn has_any(products: &dyn ProductRepository) -> Result<bool, Exit> {
    let Some(first) = PageRequest::new(1, 1) else {
        return Ok(false);
    };
    for archived in [false, true] {
        if products
            .list(&ProductList::of(ProductFilter::all(archived)), first)?
            .count
            > 0
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn draft(row: Row, currency: Currency) -> Result<ProductDraft, Problem> {
    let (sku, name, description, hundredths, stock) = row;
    Ok(ProductDraft {
        sku: Some(Sku::new(sku)?),
        name: ProductName::new(name)?,
        description: Description::new(description)?,
        price: Price::new(Money::from_minor(minor(hundredths, currency), currency))?,
        stock: StockLevel::requested(stock)?,
    })
}

/// An amount that looks like a price in the currency: 9.90 is 9.90 dollars, 9.900 dinars, and 990
/// yen rather than ten.
fn minor(hundredths: i64, currency: Currency) -> i64 {
    match currency.decimals() {
        decimals @ 3.. => hundredths * 10_i64.pow(decimals - 2),
        _ => hundredths,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
