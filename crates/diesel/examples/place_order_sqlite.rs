//! Places an order in a shop on SQLite, in a temporary file:
//! `cargo run -p tradepost-diesel --example place_order_sqlite`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use std::time::Duration;
use tradepost_auth::{BcryptHasher, JwtTokens, system};
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency, open};
use tradepost_domain::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let usd: Currency = "USD".parse()?;
    let folder = tempfile::tempdir()?;
    let url = DatabaseUrl::sqlite(&folder.path().join("shop.db"));
    Migrator::connect(&url, Missing::Create)?.run(|name| println!("migrated: {name}"))?;
    let options = OpenOptions {
        currency: ShopCurrency::Is(usd),
        readers: 4,
        wait: Duration::from_secs(1),
    };
    let store = open(&url, &options)?;
    let ledger = store.ledger.clone();

    let system = system(BcryptHasher::default(), JwtTokens::with_random_key()?)?;
    let shop = Services::new(store, system, ServicesConfig::default());
    let grace = NewUser::new("grace", "staple of horses")?;
    let grace = shop.accounts.create_staff(grace)?.actor();
    let ada = shop.accounts.register(NewUser::new("ada", "tea at ten")?)?;
    let mug = ProductDraft::new("Mug".parse()?, Price::parse("12.50", usd)?).with_stock(7)?;
    let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
    shop.carts.add(ada.actor(), mug.id, Quantity::ONE, None)?;
    let order = shop.orders.place(ada.actor(), None, None)?.executed()?;
    println!("order {}: {} {usd}", order.id, order.total);

    let audit = ledger.audit()?;
    println!(
        "{} movements, {} discrepancies",
        audit.movements,
        audit.discrepancies.len()
    );
    Ok(())
}

#[test]
fn the_example_runs() {
    main().unwrap();
}
