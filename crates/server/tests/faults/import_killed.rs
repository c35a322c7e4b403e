//! kill -9 of an import of products, while customers order.

use crate::load::Load;
use crate::shop::{Shop, print_line};
use crate::verify::prove;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

/// Rows of the file.
const ROWS: u64 = 3_000;

/// How long an import runs before it is killed, in milliseconds: while it reads, compares, writes
/// and tidies.
const LIVES: [u64; 8] = [30, 90, 200, 400, 700, 1_100, 1_600, 2_400];

/// The imported products that the shop has.
fn imported(shop: &Shop) -> u64 {
    let found = shop.anonymous().get("/api/products/?search=imported");
    let page = found.unwrap().with(200);
    page["count"].as_u64().unwrap()
}

fn is_killed_again_and_again(shop: &Shop, url: &str) {
    let rows = (1..=ROWS).map(|row| format!("SKU{row},Imported thing {row},1.50,5\n"));
    let file = format!("sku,name,price,stock\n{}", rows.collect::<String>());
    std::fs::write(shop.place.path("products.csv"), file).unwrap();
    let words = ["import", "products", "products.csv", "--database", url];
    let words = [&words[..], &["--data-dir", "data0"]].concat();
    let load = Load::start(shop.buyers(4));
    let mut kills = 0;
    for life in LIVES {
        let mut command = shop.place.command(&words);
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut import = command.spawn().unwrap();
        sleep(Duration::from_millis(life));
        let ended = import.try_wait().unwrap();
        kills += usize::from(ended.is_none());
        import.kill().unwrap();
        import.wait().unwrap();
        let found = imported(shop);
        assert!([0, ROWS].contains(&found), "{found} products were imported");
        shop.verify();
    }
    shop.place.run(&words).well();
    assert_eq!(imported(shop), ROWS);
    let buyers = load.stop();
    print_line(&format!("kill -9 of an import, {kills} times"));
    prove(shop, buyers);
}

#[test]
fn an_import_on_sqlite_is_killed() {
    is_killed_again_and_again(&Shop::on_sqlite(&[]), "sqlite://shop.db");
}

#[test]
fn an_import_on_postgres_is_killed() {
    let mut shop = Shop::on_postgres(&[]);
    let url = shop.postgres().url();
    is_killed_again_and_again(&shop, &url);
}
