use crate::{TestShop, at, draft, first_page, level, money, page, retry_busy, usd};
use chrono::{DateTime, Utc};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Measure, Measures, Price, Product, ProductChange, ProductDraft,
    ProductFilter, ProductList,
};
use tradepost_domain::kernel::{
    Currency, Description, FieldError, Money, ProductId, ProductName, Refusal, Sku,
};
use tradepost_domain::testing::measuring;

const ARCHIVED: bool = true;
const CATALOGUE: bool = false;

fn nowhere() -> ProductId {
    ProductId::new(i64::MAX).unwrap()
}

fn with_sku(sku: &str) -> ProductDraft {
    ProductDraft {
        sku: Some(Sku::new(sku).unwrap()),
        ..draft("A thing", 100, 0)
    }
}

fn new_sku(sku: Option<&str>) -> ProductChange {
    ProductChange {
        sku: Some(sku.map(|sku| Sku::new(sku).unwrap())),
        ..ProductChange::default()
    }
}

fn taken<T>() -> Result<T, Refusal> {
    Err(Refusal::field("sku", FieldError::Taken))
}

fn all(archived: bool) -> ProductList {
    ProductList::new(ProductFilter::all(archived))
}

fn listed(stores: &Stores, archived: bool) -> Vec<ProductId> {
    let page = retry_busy(|| stores.products.list(&all(archived), first_page()));
    assert_eq!(page.count, u64::try_from(page.items.len()).unwrap());
    page.items.iter().map(|product| product.id).collect()
}

/// A new product has the values of its draft, and is found by id.
pub fn a_new_product_is_as_drafted(stores: &Stores) {
    let shop = TestShop::new(stores);
    let draft = ProductDraft {
        description: Description::new("Holds tea.\n\nOr coffee.").unwrap(),
        measures: measuring(350),
        low_stock: Some(level(3)),
        ..with_sku("MUG-1")
    };
    let product = shop.create(draft.clone()).unwrap();
    let expected = Product {
        id: product.id,
        sku: draft.sku,
        name: draft.name,
        description: draft.description,
        price: draft.price,
        stock: level(0),
        measures: draft.measures,
        low_stock: draft.low_stock,
        archived: false,
        created_at: at(0),
        updated_at: at(0),
    };
    assert_eq!(product, expected);
    assert_eq!(shop.found(product.id), expected);
}

/// One query loads several products: each once, archived ones included, unknown ids left out.
pub fn products_are_found_together(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ids = [100, 200, 300].map(|price| shop.product(price, 1));
    shop.archive(ids[1], true).unwrap();
    let found = |asked: &[ProductId]| {
        let mut found = retry_busy(|| stores.products.find_all(asked));
        found.sort_by_key(|product| product.id);
        found
    };
    let products = ids.map(|id| shop.found(id));
    let mut asked = vec![nowhere()];
    asked.extend(ids.iter().rev());
    asked.extend(ids);
    assert_eq!(found(&asked), products);
    assert_eq!(found(&asked[1..2]), products[2..]);
    assert_eq!(found(&[]), []);
}

/// An unknown product is absent and cannot be changed.
pub fn an_unknown_product_is_absent(stores: &Stores) {
    let shop = TestShop::new(stores);
    shop.product(100, 1);
    assert_eq!(shop.find(nowhere()), None);
    assert_eq!(
        retry_busy(|| stores.inventory.movements(nowhere(), first_page())),
        None
    );
    assert_eq!(
        shop.change(nowhere(), ProductChange::default()),
        Err(Refusal::NotFound)
    );
    assert_eq!(shop.adjust(nowhere(), 1), Err(Refusal::NotFound));
}

/// Products are listed newest first, each page with the total count. A page after the last is
/// empty, however large its number.
pub fn products_are_listed_newest_first(stores: &Stores) {
    let shop = TestShop::new(stores);
    assert_eq!(listed(stores, CATALOGUE), []);
    let mut ids: Vec<_> = (0..5).map(|stock| shop.product(100, stock)).collect();
    assert!(ids.is_sorted(), "ids ascend");
    // An edit does not change a product's place in the list.
    shop.set_price(ids[0], 200);
    ids.reverse();
    assert_eq!(listed(stores, CATALOGUE), ids);
    for (number, size, expected) in [
        (1, 2, &ids[..2]),
        (2, 2, &ids[2..4]),
        (3, 2, &ids[4..]),
        (4, 2, &[]),
        (1, 5, &ids[..]),
        (u64::MAX, 100, &[]),
    ] {
        let page = retry_busy(|| stores.products.list(&all(CATALOGUE), page(number, size)));
        let items: Vec<_> = page.items.iter().map(|product| product.id).collect();
        assert_eq!(
            (page.count, &items[..]),
            (5, expected),
            "page {number} of {size}"
        );
    }
    let page = retry_busy(|| stores.products.list(&all(CATALOGUE), page(1, 1)));
    assert_eq!(
        page.items,
        [shop.found(ids[0])],
        "a list shows what is there"
    );
}

/// The catalogue omits archived products, which have a list of their own.
pub fn archived_products_are_listed_apart(stores: &Stores) {
    let shop = TestShop::new(stores);
    let [a, b, c] = [
        shop.product(100, 1),
        shop.product(100, 1),
        shop.product(100, 1),
    ];
    shop.archive(b, true).unwrap();
    assert_eq!(listed(stores, CATALOGUE), [c, a]);
    assert_eq!(listed(stores, ARCHIVED), [b]);
    shop.archive(b, false).unwrap();
    shop.archive(c, true).unwrap();
    shop.archive(a, true).unwrap();
    assert_eq!(listed(stores, CATALOGUE), [b]);
    assert_eq!(listed(stores, ARCHIVED), [c, a]);
}

/// A change writes the fields that it names, and the time.
pub fn a_change_touches_what_it_names(stores: &Stores) {
    let shop = TestShop::new(stores);
    let before = shop.create(with_sku("MUG-1")).unwrap();
    let neighbour = shop.create(with_sku("MUG-2")).unwrap();
    let name = ProductName::new("Another thing").unwrap();
    let description = Description::new("Better than before").unwrap();
    let price = Price::new(money(250)).unwrap();
    let some = ProductChange {
        name: Some(name.clone()),
        price: Some(price),
        ..ProductChange::default()
    };
    let expected = Product {
        name,
        price,
        updated_at: at(50),
        ..before.clone()
    };
    assert_eq!(shop.change(before.id, some), Ok(expected.clone()));
    assert_eq!(shop.found(before.id), expected);
    let largest = Measure::ALL.iter();
    let largest = largest.fold(Measures::default(), |measures, measure| {
        measures.with(*measure, measure.max()).unwrap()
    });
    let others = ProductChange {
        sku: Some(Some(Sku::new("CUP").unwrap())),
        description: Some(description.clone()),
        stock: Some(level(7)),
        measures: largest.into(),
        low_stock: Some(Some(level(0))),
        ..ProductChange::default()
    };
    let expected = Product {
        sku: Some(Sku::new("CUP").unwrap()),
        description,
        stock: level(7),
        measures: largest,
        low_stock: Some(level(0)),
        ..expected
    };
    assert_eq!(shop.change(before.id, others), Ok(expected.clone()));
    assert_eq!(shop.found(before.id), expected);
    // A change that does not name the measures keeps them.
    shop.set_price(before.id, 300);
    assert_eq!(shop.found(before.id).measures, expected.measures);
    assert_eq!(shop.found(neighbour.id), neighbour);
}

/// A change to the current values leaves the product unchanged, its time included.
pub fn a_change_that_changes_nothing_keeps_the_time(stores: &Stores) {
    let shop = TestShop::new(stores);
    let before = shop.create(with_sku("MUG-1")).unwrap();
    let same = ProductChange {
        sku: Some(before.sku.clone()),
        name: Some(before.name.clone()),
        description: Some(before.description.clone()),
        price: Some(before.price),
        stock: Some(before.stock),
        adjustment: None,
        measures: before.measures.into(),
        low_stock: Some(before.low_stock),
        archived: Some(false),
    };
    assert_eq!(shop.change(before.id, same), Ok(before.clone()));
    assert_eq!(shop.found(before.id), before);
    assert_eq!(shop.movements(before.id), []);
}

/// An archived product is found and can be restored, but not changed otherwise.
pub fn a_product_is_archived_and_brought_back(stores: &Stores) {
    let shop = TestShop::new(stores);
    let before = shop.create(draft("A thing", 100, 5)).unwrap();
    let archived = Product {
        archived: true,
        updated_at: at(50),
        ..before.clone()
    };
    assert_eq!(shop.archive(before.id, true), Ok(archived.clone()));
    assert_eq!(shop.found(before.id), archived);
    assert_eq!(shop.archive(before.id, true), Err(Refusal::NotFound));
    assert_eq!(
        shop.change(before.id, new_sku(Some("MUG"))),
        Err(Refusal::NotFound)
    );
    assert_eq!(shop.found(before.id), archived);
    let back = ProductChange {
        archived: Some(false),
        stock: Some(level(8)),
        ..ProductChange::default()
    };
    let expected = Product {
        archived: false,
        stock: level(8),
        ..archived
    };
    assert_eq!(shop.change(before.id, back), Ok(expected.clone()));
    assert_eq!(shop.found(before.id), expected);
}

/// A SKU is unique, archived products included, and case-sensitive.
pub fn a_sku_has_one_holder(stores: &Stores) {
    let shop = TestShop::new(stores);
    let holder = shop.create(with_sku("MUG")).unwrap();
    assert_eq!(shop.create(with_sku("MUG")), taken());
    let other = shop.create(with_sku("mug")).unwrap();
    assert_eq!(shop.change(other.id, new_sku(Some("MUG"))), taken());
    assert_eq!(shop.found(other.id), other);
    assert!(
        shop.change(holder.id, new_sku(Some("MUG"))).is_ok(),
        "it is its own"
    );
    shop.archive(holder.id, true).unwrap();
    assert_eq!(shop.create(with_sku("MUG")), taken());
    assert_eq!(shop.change(other.id, new_sku(Some("MUG"))), taken());
    assert_eq!(
        listed(stores, CATALOGUE),
        [other.id],
        "what was refused is not there"
    );
    for _ in 0..2 {
        assert!(
            shop.create(draft("A thing", 100, 0)).is_ok(),
            "many have none"
        );
    }
}

/// A SKU that a product gives up can be used again.
pub fn a_sku_can_be_given_up(stores: &Stores) {
    let shop = TestShop::new(stores);
    let before = shop.create(with_sku("MUG")).unwrap();
    assert_eq!(shop.change(before.id, new_sku(None)).unwrap().sku, None);
    assert_eq!(shop.found(before.id).sku, None);
    let heir = shop.create(with_sku("MUG")).unwrap();
    assert_eq!(shop.change(before.id, new_sku(Some("MUG"))), taken());
    shop.change(heir.id, new_sku(Some("CUP"))).unwrap();
    assert!(shop.change(before.id, new_sku(Some("MUG"))).is_ok());
}

/// A price in another currency than the shop's is refused.
pub fn another_currency_is_refused(stores: &Stores) {
    let shop = TestShop::new(stores);
    let eur = Currency::from_code("EUR").unwrap();
    let price = Price::new(Money::from_minor(100, eur)).unwrap();
    let other_currency = Refusal::field("price", FieldError::OtherCurrency(usd()));
    let foreign = ProductDraft {
        price,
        ..draft("A thing", 100, 5)
    };
    assert_eq!(shop.create(foreign), Err(other_currency.clone()));
    assert_eq!(listed(stores, CATALOGUE), []);
    let before = shop.create(draft("A thing", 100, 5)).unwrap();
    let foreign = ProductChange {
        price: Some(price),
        stock: Some(level(9)),
        ..ProductChange::default()
    };
    assert_eq!(shop.change(before.id, foreign), Err(other_currency));
    assert_eq!(shop.found(before.id), before);
}

/// Texts of any script and of maximum length are stored unchanged.
pub fn texts_come_back_as_written(stores: &Stores) {
    let shop = TestShop::new(stores);
    let quotes = r#"'; DROP TABLE products; -- "x" \' \\ %_ ${1} $1 ? \0 {{}} <b>"#;
    for text in [
        "😀".repeat(64),
        "שלום עולם — مرحبا\u{200f}\u{200d}".to_owned(),
        quotes.to_owned(),
        "e\u{301} is not é, ﬁ is not fi, İ is not I".to_owned(),
        "\u{feff}null NULL \u{fffd}\u{10ffff} x".to_owned(),
    ] {
        let long: String = text.chars().cycle().take(9_990).collect();
        let name: String = text.chars().cycle().take(200).collect();
        let draft = ProductDraft {
            sku: Some(Sku::new(&text.chars().take(64).collect::<String>()).unwrap()),
            name: ProductName::new(&name).unwrap(),
            description: Description::new(&format!("\n  \t{long}\r\n \t\n")).unwrap(),
            ..draft("A thing", 100, 0)
        };
        let product = shop.create(draft.clone()).unwrap();
        for product in [&product, &shop.found(product.id)] {
            assert_eq!(product.sku, draft.sku);
            assert_eq!(product.name, draft.name);
            assert_eq!(product.description, draft.description);
        }
        let other = ProductChange {
            description: Some(Description::new(&text).unwrap()),
            ..ProductChange::default()
        };
        let changed = shop.change(product.id, other).unwrap();
        assert_eq!(changed.description.as_str(), text);
        assert_eq!(shop.found(product.id), changed);
    }
}

/// Times are stored in whole microseconds, from the distant past to the distant future.
pub fn times_come_back_to_the_microsecond(stores: &Stores) {
    let moment = |seconds, micros: u32| DateTime::from_timestamp(seconds, micros * 1_000).unwrap();
    let times: [DateTime<Utc>; 6] = [
        moment(0, 0),
        moment(0, 1),
        moment(1_700_000_000, 999_999),
        moment(1_700_000_000, 100_000),
        moment(i64::from(i32::MAX) + 1, 7),
        moment(253_402_300_799, 999_999),
    ];
    for created in times {
        for changed in times {
            let command = CreateProduct {
                draft: draft("A thing", 100, 1),
                key: None,
                by: None,
                at: created,
            };
            let product = retry_busy(|| stores.products.create(command.clone())).unwrap();
            let id = product.executed().unwrap().id;
            let command = ChangeProduct {
                seen: None,
                product: id,
                change: ProductChange {
                    stock: Some(level(3)),
                    ..ProductChange::default()
                },
                by: None,
                at: changed,
            };
            retry_busy(|| stores.products.change(command.clone())).unwrap();
            let found = TestShop::new(stores).found(id);
            assert_eq!((found.created_at, found.updated_at), (created, changed));
            let moved = TestShop::new(stores).movements(id);
            let moved: Vec<_> = moved.iter().map(|movement| movement.entry.at).collect();
            assert_eq!(moved, [created, changed]);
        }
    }
}
