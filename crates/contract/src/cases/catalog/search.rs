//! Product search.

use crate::{TestShop, draft, first_page, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{ProductChange, ProductDraft, ProductFilter, ProductList};
use tradepost_domain::kernel::{Description, ProductId, ProductName, Search};

/// Ids on a list, newest first; their number equals the reported count.
pub(crate) fn ids_of(stores: &Stores, filter: &ProductFilter) -> Vec<ProductId> {
    let list = ProductList::new(filter.clone());
    let page = retry_busy(|| stores.products.list(&list, first_page()));
    assert_eq!(
        page.count,
        u64::try_from(page.items.len()).unwrap(),
        "{filter:?}"
    );
    page.items.iter().map(|product| product.id).collect()
}

fn found(stores: &Stores, text: &str) -> Vec<ProductId> {
    let search = Search::new(text).unwrap();
    ids_of(
        stores,
        &ProductFilter {
            search,
            ..ProductFilter::default()
        },
    )
}

fn product(shop: &TestShop<'_>, name: &str, description: &str) -> ProductId {
    let description = Description::new(description).unwrap();
    let draft = ProductDraft {
        description,
        ..draft(name, 100, 1)
    };
    shop.create(draft).unwrap().id
}

/// Name, description, searches that match, and searches that do not.
type Row<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str]);

const TABLE: &[Row<'_>] = &[
    (
        "Tea mug",
        "Holds\ttea.\nOr coffee.",
        &[
            "tea",
            "MUG",
            "mug tea",
            "ea",
            "e",
            "a m",
            "coffee. hold",
            "s tea",
            "holds or",
            "tea.",
        ],
        &[
            "teamug",
            "muge",
            "mugholds",
            "mug-holds",
            "tee",
            "teas",
            "coffees",
            "mug\u{301}",
        ],
    ),
    (
        "Straße",
        "GRÖẞE Maß",
        &[
            "strasse", "STRASSE", "straße", "STRAẞE", "größe", "GRÖSSE", "MASS", "ß", "ẞ", "ss",
            "ö",
        ],
        &["strase", "grosse", "groesse", "größen"],
    ),
    (
        "ΟΔΟΣ Σίσυφος",
        "",
        &["οδος", "ΟΔΟΣ", "οδοσ", "ος", "σίσυφοσ", "ΣΊΣΥΦΟΣ", "ς"],
        &["σισυφος"],
    ),
    (
        "İstanbul ISPARTA ılık",
        "",
        &[
            "İstanbul",
            "istanbul",
            "ISTANBUL",
            "i\u{307}stanbul",
            "isparta",
            "ISPARTA",
            "ilik",
            "ILIK",
            "ısparta",
            "stan",
        ],
        &["i\u{301}stanbul"],
    ),
    (
        "日本茶 煎茶",
        "緑茶です。",
        &["日本", "茶", "日本茶", "煎茶 緑茶", "本茶", "です。"],
        &["茶日", "日茶", "日本茶煎茶"],
    ),
    (
        "한국 녹차",
        "ถ้วยชา",
        &["녹차", "한", "ถ้วย", "ชา"],
        &["차녹"],
    ),
    (
        "شاي أخضر",
        "чай ЗЕЛЁНЫЙ",
        &["شاي", "ЧАЙ", "зелёный", "ёны"],
        &["зеленый"],
    ),
    (
        "Mug 🍵🫖",
        "👩\u{200d}🍳",
        &["🍵", "🫖", "🍵🫖", "👩\u{200d}🍳", "🍳"],
        &["🫖🍵", "☕"],
    ),
    (
        "cafe\u{301} creme",
        "",
        &["cafe\u{301}", "café", "é creme", "e\u{301} ", "CAFE\u{301}"],
        &["cafe", "\u{301}"],
    ),
    (
        "café noir",
        "",
        &["café", "CAFÉ", "é noir", "cafe\u{301} noir", "ＣＡＦÉ"],
        &["cafe", "cafe noir"],
    ),
    (
        "100% wool_",
        "50%_off",
        &["100%", "%", "_", "%_", "wool_", "0% w", "%_off"],
        &["100_", "1%%", "w%l", "wo_l", "__", "%%%"],
    ),
    (
        r"back\slash \\ end\",
        "",
        &[r"back\slash", r"\", r"\\", r"end\", r"\s"],
        &[r"\\\", r"back\\", r"\%", r"\_"],
    ),
    (
        r#"5" pipe "best" buy"#,
        "it's * new* (AND) NOT {x} ^a -b c:d",
        &[
            r#"5""#,
            r#""best""#,
            r#"""#,
            "it's",
            "'",
            "*",
            "new*",
            "(and)",
            "NOT",
            "{x}",
            "^a",
            "-b",
            "c:d",
            r#""best" it's"#,
        ],
        &[
            r#""""#,
            "''",
            "ne*",
            "n*w",
            "OR",
            "NEAR",
            "and)(",
            "AND x NOT NOTHING",
            "-buy",
            "d:c",
        ],
    ),
    (
        "a;b--c/*d*/",
        "$1 ?1 :x @y #z",
        &["a;b", "--", "/*d*/", "$1", "?1", ":x", "@y", "#z"],
        &["$2", "?2"],
    ),
    (
        "ǅungla ﬁne ſeven K",
        "",
        &["ǆungla", "Ǆungla", "FINE", "fine", "seven", "k"],
        &["dzungla"],
    ),
];

/// Every search word must occur in the name or the description, compared without case, in every
/// script. Every character is literal.
pub fn words_are_found_in_every_script(stores: &Stores) {
    let shop = TestShop::new(stores);
    let rows: Vec<_> = TABLE
        .iter()
        .map(|row| (product(&shop, row.0, row.1), row))
        .collect();
    for (id, (name, description, finds, misses)) in rows {
        for text in *finds {
            assert!(
                found(stores, text).contains(&id),
                "{text:?} finds {name:?} {description:?}"
            );
        }
        for text in *misses {
            assert!(
                !found(stores, text).contains(&id),
                "{text:?} finds no {name:?} {description:?}"
            );
        }
    }
    let every = found(stores, "");
    assert_eq!(
        (every.len(), found(stores, " \t\u{3000}").len()),
        (TABLE.len(), TABLE.len())
    );
    // Every store finds the same products for any text, also for every pair of characters.
    let matching = |text: &str| {
        let search = Search::new(text).unwrap();
        let filter = ProductFilter {
            search,
            ..ProductFilter::default()
        };
        let matches = |id: &&ProductId| filter.matches(&shop.found(**id));
        every.iter().filter(matches).copied().collect::<Vec<_>>()
    };
    for (name, ..) in TABLE {
        let characters: Vec<char> = name.chars().collect();
        for length in [1, 2, 3, 4] {
            for part in characters.windows(length).step_by(3) {
                let text = String::from_iter(part);
                assert_eq!(found(stores, &text), matching(&text), "{text:?}");
            }
        }
    }
}

/// Only products with every search word are found, in any order of the words, whether a word is
/// rare, common or absent.
pub fn every_word_has_to_be_found(stores: &Stores) {
    // "ananan" does not occur, though all of its parts do. Other words are parts of one another,
    // occur only in the description, or occur in both texts.
    const WORDS: &[&str] = &[
        "common", "rare", "banana", "ananan", "tea", "teapot", "pot", "green", "comm", "re", "a",
        "nowhere",
    ];
    let shop = TestShop::new(stores);
    let mut every = vec![
        product(&shop, "Common rare banana", "Green tea"),
        product(&shop, "Common nan ana", "A green common teapot"),
        product(&shop, "Pot", "Not what others are"),
    ];
    for name in ["Common tea", "Common pot", "Common green"].repeat(4) {
        every.push(product(&shop, name, "Common, and nothing else"));
    }
    every.reverse();
    let products: Vec<_> = every.iter().map(|id| shop.found(*id)).collect();
    let matching = |text: &str| {
        let search = Search::new(text).unwrap();
        let filter = ProductFilter {
            search,
            ..ProductFilter::default()
        };
        let matches = products.iter().filter(|product| filter.matches(product));
        matches.map(|product| product.id).collect::<Vec<_>>()
    };
    assert_eq!(matching("common rare tea tea"), every[every.len() - 1..]);
    for first in WORDS {
        for second in WORDS {
            for text in [
                format!("{first} {second}"),
                format!("common {first} {second}"),
            ] {
                assert_eq!(found(stores, &text), matching(&text), "{text:?}");
            }
        }
    }
}

/// After a rename, a new description or an archiving, a product is found by its current texts only.
pub fn an_edit_is_found(stores: &Stores) {
    let shop = TestShop::new(stores);
    let id = product(&shop, "Green tea", "From Shizuoka");
    let other = product(&shop, "Black tea", "From Assam");
    let nothing: [ProductId; 0] = [];
    shop.change(
        id,
        ProductChange {
            name: ProductName::new("White tea").ok(),
            ..ProductChange::default()
        },
    )
    .unwrap();
    assert_eq!(found(stores, "white shizuoka"), [id]);
    assert_eq!(found(stores, "green"), nothing);
    shop.change(
        id,
        ProductChange {
            description: Description::new("From Fujian").ok(),
            ..ProductChange::default()
        },
    )
    .unwrap();
    assert_eq!(found(stores, "white fujian"), [id]);
    assert_eq!(found(stores, "shizuoka"), nothing);
    assert_eq!(found(stores, "tea"), [other, id]);
    shop.set_price(id, 700);
    shop.set_stock(id, 7);
    assert_eq!(found(stores, "white fujian"), [id]);
    shop.archive(id, true).unwrap();
    assert_eq!(found(stores, "tea"), [other]);
    let search = Search::new("FUJIAN").unwrap();
    let archived = ProductFilter {
        search,
        archived: true,
        ..ProductFilter::default()
    };
    assert_eq!(ids_of(stores, &archived), [id]);
    shop.archive(id, false).unwrap();
    assert_eq!(found(stores, "tea from"), [other, id]);
}
