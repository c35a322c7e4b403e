//! Contract of the ports, on an SQLite file.

use std::time::Duration;
use tempfile::TempDir;
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency};
use tradepost_domain::Stores;

#[expect(clippy::unwrap_used, reason = "a test without a database has failed")]
fn sqlite() -> (Stores, TempDir) {
    let folder = TempDir::new().unwrap();
    let url = DatabaseUrl::sqlite(&folder.path().join("shop.db"));
    Migrator::connect(&url, Missing::Create)
        .unwrap()
        .run(|_| ())
        .unwrap();
    let options = OpenOptions {
        currency: ShopCurrency::Is(tradepost_contract::usd()),
        readers: 4,
        // The races of the suite share two cores.
        wait: Duration::from_secs(10),
    };
    (tradepost_diesel::open(&url, &options).unwrap(), folder)
}

tradepost_contract::suite!(sqlite);
