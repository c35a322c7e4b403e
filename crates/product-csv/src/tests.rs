use super::*;
use proptest::prelude::*;
use tradepost_domain::catalog::{Measure, Price, Product};
use tradepost_domain::import::products::{ProductRow, RowProblem};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{Currency, Description, Money, ProductName, Sku};
use tradepost_domain::testing::{ProductBuilder, level, measuring, usd};

fn options() -> Options {
    Options::new(usd())
}

type Rows = Vec<Result<ProductRow, RowProblem>>;

fn read_with(file: &[u8], options: Options) -> Result<(Rows, Report), CsvError> {
    let mut file = ProductFile::open(Box::new(file), options)?;
    let rows = file.by_ref().collect::<Result<Rows, _>>()?;
    Ok((rows, file.report().clone()))
}

fn read(file: &[u8]) -> (Rows, Report) {
    read_with(file, options()).unwrap()
}

/// Line, sku, name, price in cents, and stock of a row.
type Short<'a> = (u64, &'a str, &'a str, Option<i64>, Option<i64>);

fn short(row: &Result<ProductRow, RowProblem>) -> Short<'_> {
    let row = row.as_ref().unwrap();
    let name = row.name.as_ref().map_or("", ProductName::as_str);
    let price = row.price.map(|price| price.money().minor());
    let stock = row.stock.map(StockLevel::units);
    (row.line, row.sku.as_str(), name, price, stock)
}

/// The weight of a row, in grams.
fn weight(row: &ProductRow) -> Option<i64> {
    row.measures.get(Measure::WeightGrams)
}

fn shorts(rows: &Rows) -> Vec<Short<'_>> {
    rows.iter().map(short).collect()
}

fn problems(file: &str) -> Vec<String> {
    let (rows, _) = read(file.as_bytes());
    let problems = rows.into_iter().filter_map(Result::err);
    problems.map(|problem| problem.to_string()).collect()
}

const OWN: &str = "sku,name,description,price,currency,stock,weight_grams,archived\r\n\
    MUG,Mug,\"Blue, large.\r\nHolds \"\"half\"\" a litre.\",12.50,USD,7,300,false\r\n\
    \r\n\
    TEA,'=Tea,,3,usd,,,\r\n";

#[test]
fn own_columns_are_read() {
    let (rows, report) = read(OWN.as_bytes());
    assert_eq!(
        shorts(&rows),
        [
            (2, "MUG", "Mug", Some(1_250), Some(7)),
            (5, "TEA", "=Tea", Some(300), None)
        ]
    );
    let [Ok(mug), Ok(tea)] = &*rows else {
        panic!("{rows:?}")
    };
    let description = mug.description.as_ref().map(Description::as_str);
    assert_eq!(description, Some("Blue, large.\r\nHolds \"half\" a litre."));
    assert_eq!((weight(mug), mug.archived), (Some(300), Some(false)));
    // An empty description is one, other empty cells are none.
    assert_eq!(tea.description, Some(Description::default()));
    assert_eq!((weight(tea), tea.archived), (None, None));
    assert_eq!((report.dialect, report.rows), (Dialect::Tradepost, 2));
    assert_eq!(report.left_out(), [""; 0]);
}

#[test]
fn encodings_and_separators_are_detected() {
    let text = "sku;name;price;stock\nMÜG;Größe \"L\";1,50;7\n";
    let expected = [(2, "MÜG", "Größe \"L\"", Some(150), Some(7))];
    let utf16 = |unit: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(unit).collect::<Vec<_>>();
    let tabs = text.replace(';', "\t").replace('\n', "\r\n");
    for (form, file) in [
        ("UTF-8", text.as_bytes().to_vec()),
        ("BOM", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        (
            "UTF-16",
            [b"\xff\xfe".to_vec(), utf16(u16::to_le_bytes)].concat(),
        ),
        (
            "UTF-16BE",
            [b"\xfe\xff".to_vec(), utf16(u16::to_be_bytes)].concat(),
        ),
        ("tabs", tabs.into_bytes()),
    ] {
        assert_eq!(shorts(&read(&file).0), expected, "{form}");
    }
    let named = read(b"sep=;\r\nsku;name\r\nMUG;Mug\r\n");
    assert_eq!(shorts(&named.0), [(3, "MUG", "Mug", None, None)]);
    let commas = read(b"sku,\"name;x;y;z\"\nMUG,1\n").1;
    assert_eq!(
        (commas.separator, &*commas.ignored[0].0),
        (',', "name;x;y;z")
    );
}

#[test]
fn a_file_that_is_no_table_of_products_is_refused_with_a_sentence() {
    for (file, sentence) in [
        (&b""[..], "it is empty"),
        (b"\n\n", "it is empty"),
        (b",,\n", "it is empty"),
        (
            b"id,title\n1,Mug\n",
            "no column for the sku, but \"id\", \"title\"",
        ),
        (b"sku,price,SKU\n", "has the column SKU twice"),
        (
            b"sku,name\n1,Gr\xfcner Tee, gro\xdfe Dose\n",
            "line 2 is not UTF-8: it seems to be windows-1252. Save it as UTF-8",
        ),
        (
            b"PK\x03\x04rest",
            "it is compressed as zip, which is not read here: unpack it first",
        ),
    ] {
        let error = read_with(file, options()).unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
}

#[test]
fn problems_name_line_and_column() {
    let file = "sku,name,price,currency,stock,weight_grams,archived\n\
        ,Mug,1,USD,1,1,no\n\
        A,\"Two\nlines\",0,EUR,-1,1000001,maybe\n\
        B,Mug,\"1,234\",USD,1.5,x,no\n\
        C,Mug\n\
        D,Mug,1,USD,1,1,no,more\n";
    assert_eq!(
        problems(file),
        [
            "line 2, sku: This field is required.",
            "line 3, name: Control characters are not allowed.",
            "line 3, currency: The shop's currency is USD.",
            "line 3, price: Must be greater than 0.",
            "line 3, stock: Must be from 0 to 2147483647.",
            "line 3, weight_grams: Must be from 0 to 1000000.",
            "line 3, archived: Expected true or false.",
            "line 5, price: \"1,234\" can be read in two ways. Write it with a decimal point and \
             without separators of thousands.",
            "line 5, stock: A whole number is required.",
            "line 5, weight_grams: A decimal number is required.",
            "line 6: The row has 2 cells and the header 7. A quotation mark may be missing.",
            "line 7: The row has 8 cells and the header 7. A quotation mark may be missing.",
        ]
    );
}

#[test]
fn a_missing_quotation_mark_does_not_make_one_row_of_a_large_file() {
    let rest = "B,Cup\n".repeat(400_000);
    let file = format!("sku,name\nA,\"Mug\n{rest}");
    assert_eq!(
        problems(&file),
        ["line 2: The row is longer than 1048576 bytes. A quotation mark may be missing."]
    );
    // Without its end, the header has no columns that can be told apart.
    let header = format!("sku,\"name\n{rest}");
    let error = read_with(header.as_bytes(), options()).unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
}

const SHOPIFY: &str = include_str!("../tests/shopify.csv");

#[test]
fn rows_of_shopify_are_read() {
    let (rows, report) = read(SHOPIFY.as_bytes());
    assert_eq!(
        shorts(&rows),
        [
            (
                2,
                "SHIRT-R-S",
                "Linen shirt - Red / S",
                Some(3_900),
                Some(12)
            ),
            (
                3,
                "SHIRT-R-M",
                "Linen shirt - Red / M",
                Some(3_900),
                Some(0)
            ),
            (
                4,
                "SHIRT-B-S",
                "Linen shirt - Blue / S",
                Some(4_150),
                Some(3)
            ),
            (6, "POT-1", "Cast iron pot", Some(8_900), None),
            (7, "OLD-1", "Old kettle", Some(1_500), Some(1)),
        ]
    );
    let row = |at: usize| rows[at].as_ref().unwrap();
    let description = row(2).description.as_ref().map(Description::as_str);
    assert_eq!(
        description,
        Some("Woven in Flanders.\n\n- 100 % linen\n- Washes at 40°")
    );
    assert_eq!(weight(row(0)), Some(210));
    assert_eq!(
        (row(3).archived, row(4).archived),
        (Some(false), Some(true))
    );
    assert_eq!(report.dialect, Dialect::Shopify);
    assert_eq!(
        report.left_out(),
        [
            "Columns that are not imported: Vendor (3 rows), Tags (1 row), Option1 Name (3 rows), \
             Option2 Name (1 row), Variant Compare At Price (1 row), Image Src (2 rows).",
            "1 row without a variant, such as further images."
        ]
    );
}

#[test]
fn a_variant_without_its_product_is_a_problem() {
    let file = "Handle,Title,Variant SKU,Variant Price\nmug,Mug,MUG,1\ncup,,CUP,1\nmug,,MUG2,1\n";
    assert_eq!(
        problems(file),
        ["line 3, Handle: No earlier row has a title for this handle."]
    );
    let status = "Handle,Title,Status,Variant SKU\nmug,Mug,gone,MUG\n";
    assert_eq!(
        problems(status),
        ["line 2, Status: The status has to be active, draft, archived or unlisted."]
    );
}

const WOOCOMMERCE: &str = include_str!("../tests/woocommerce.csv");

#[test]
fn rows_of_woocommerce_are_read() {
    let (rows, report) = read(WOOCOMMERCE.as_bytes());
    assert_eq!(
        shorts(&rows),
        [
            (2, "KETTLE", "Kettle", Some(4_900), Some(8)),
            (4, "SCARF-R", "Scarf - Red", Some(2_500), Some(4)),
            (5, "SCARF-B", "Scarf - Blue", Some(2_500), None),
            (8, "GUIDE", "Tea guide", Some(900), None),
        ]
    );
    let row = |at: usize| rows[at].as_ref().unwrap();
    let description = |at| row(at).description.as_ref().map(Description::as_str);
    assert_eq!(
        description(0),
        Some("Boils a litre.\n\nMade of steel & copper.")
    );
    assert_eq!(description(3), Some("How to brew."));
    assert_eq!(description(1), None);
    assert_eq!(weight(row(0)), Some(1_250));
    assert_eq!(
        (row(0).archived, row(3).archived),
        (Some(false), Some(true))
    );
    assert_eq!(report.dialect, Dialect::WooCommerce);
    let left_out = report.left_out();
    assert!(left_out[0].contains("Sale price (1 row)"), "{left_out:?}");
    assert_eq!(
        left_out[1..],
        [
            "1 row of grouped products.",
            "1 row of products that another shop sells.",
            "1 row of variable products, of which the variations are imported."
        ]
    );
}

#[test]
fn stock_can_be_left_out() {
    let options = Options {
        stock: false,
        ..options()
    };
    let (rows, _) = read_with(b"sku,stock\nMUG,many\nCUP,3\n", options).unwrap();
    assert_eq!(
        shorts(&rows),
        [(2, "MUG", "", None, None), (3, "CUP", "", None, None)]
    );
}

fn written(products: &[Product], archived: bool, mark: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = ProductWriter::new(&mut file, archived, mark).unwrap();
    for product in products {
        writer.write(product).unwrap();
    }
    writer.finish().unwrap();
    file
}

#[test]
fn an_export_is_csv_of_rfc_4180() {
    let mug = ProductBuilder::new(1).sku("MUG").name("Mug, \"blue\"");
    let mug = mug.description("-one\r\ntwo").price(1_250).stock(7);
    let file = written(&[mug.archived().build()], true, true);
    let measures = Measure::ALL.iter();
    let measures: String = measures.map(|one| format!(",{}", one.name())).collect();
    let zeros = ",0".repeat(Measure::ALL.len());
    assert_eq!(
        String::from_utf8(file).unwrap(),
        format!(
            "\u{feff}sku,name,description,price,currency,stock{measures},archived\r\n\
             MUG,\"Mug, \"\"blue\"\"\",\"'-one\r\ntwo\",12.50,USD,7{zeros},true\r\n"
        )
    );
}

/// Texts of cells: every character that CSV, spreadsheets and this crate treat in a special way.
fn text(pattern: &'static str) -> impl Strategy<Value = String> {
    proptest::string::string_regex(pattern).unwrap()
}

proptest! {
    #[test]
    fn an_export_is_read_back_as_the_same_values(
        sku in text("[='+@a-c;, \"-]{1,8}"),
        name in text("[='+@a-cé🍵;,\"-]{1,20}"),
        description in text("[='+@\t\r\n;,\"a-c é-]{0,40}"),
        minor in 1_i64..=999_999_999_999,
        stock in 0_i64..=2_147_483_647,
        code in prop::sample::select(vec!["USD", "JPY", "KWD"]),
        archived in any::<bool>(),
        mark in any::<bool>(),
    ) {
        let currency = Currency::from_code(code).unwrap();
        let (Ok(sku), Ok(name)) = (Sku::new(&sku), ProductName::new(&name)) else {
            return Ok(());
        };
        let description = Description::new(&description).unwrap();
        let price = Price::new(Money::from_minor(minor, currency)).unwrap();
        let measures = measuring(stock % 1_000);
        let product = Product {
            sku: Some(sku.clone()),
            name: name.clone(),
            description: description.clone(),
            price,
            measures,
            archived,
            ..ProductBuilder::new(1).stock(stock).build()
        };
        let file = written(std::slice::from_ref(&product), true, mark);
        let (rows, _) = read_with(&file, Options::new(currency)).unwrap();
        let expected = ProductRow {
            name: Some(name),
            description: Some(description),
            price: Some(price),
            stock: Some(level(stock)),
            measures: measures.into(),
            archived: Some(archived),
            ..ProductRow::new(2, sku)
        };
        prop_assert_eq!(rows, [Ok(expected)]);
    }

    #[test]
    fn no_file_can_make_the_reader_panic(file in proptest::collection::vec(any::<u8>(), 0..200)) {
        for header in ["", "sku,name,price\n", "Handle,Title,SKU,Price\n", "SKU,Type,Stock\n"] {
            let file = [header.as_bytes(), &file].concat();
            drop(read_with(&file, options()));
        }
    }
}
