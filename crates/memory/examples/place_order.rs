//! Places an order in a shop in memory: `cargo run -p tradepost-memory --example place_order`.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use tradepost_auth::{BcryptHasher, JwtTokens, system};
use tradepost_domain::prelude::*;
use tradepost_memory::MemoryStore;

fn main() -> Result<(), Box<dyn Error>> {
    let usd: Currency = "USD".parse()?;
    let system = system(BcryptHasher::default(), JwtTokens::with_random_key()?)?;
    let shop = Services::new(MemoryStore::new(usd), system, ServicesConfig::default());
    let grace = NewUser::new("grace", "staple of horses")?;
    let grace = shop.accounts.create_staff(grace)?.actor();
    let ada = shop.accounts.register(NewUser::new("ada", "tea at ten")?)?;
    let mug = ProductDraft::new("Mug".parse()?, Price::parse("12.50", usd)?).with_stock(7)?;
    let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
    shop.carts.add(ada.actor(), mug.id, Quantity::ONE, None)?;
    let order = shop.orders.place(ada.actor(), None, None)?.executed()?;
    println!("order {}: {} {usd}", order.id, order.total);
    Ok(())
}

#[test]
fn the_example_runs() {
    main().unwrap();
}
