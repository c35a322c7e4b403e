//! PostgreSQL's own limit for single transactions, by pgbench, which comes with it.

use crate::data::TestShop;
use crate::plan::{Basket, PGBENCH_CLIENTS};
use crate::requests::PAGES;
use crate::{Outcome, fill};
use std::fs;
use std::process::Command;
use std::time::Duration;
use tradepost_test_postgres::Cluster;

/// The transaction that pgbench runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Script {
    /// Places the order of a cart that has not been ordered yet.
    Order(Basket),
    /// Adds a line to an empty cart.
    AddToCart,
    /// Reads a page of the catalogue.
    ListProducts,
    ShowProduct,
    ReadCart,
}

impl Script {
    fn text(self, each: u32, products: u32) -> String {
        let template = match self {
            Self::Order(Basket::Spread) => include_str!("pgbench/order_spread.sql"),
            Self::Order(Basket::One) => include_str!("pgbench/order_one.sql"),
            Self::AddToCart => include_str!("pgbench/add_to_cart.sql"),
            Self::ListProducts => include_str!("pgbench/list_products.sql"),
            Self::ShowProduct => include_str!("pgbench/show_product.sql"),
            Self::ReadCart => include_str!("pgbench/read_cart.sql"),
        };
        template
            .replace("{each}", &each.to_string())
            .replace("{products}", &products.to_string())
            .replace("{pages}", &PAGES.to_string())
            .replace("{first}", &fill::of(fill::FIRST, ":u", products))
            .replace("{second}", &fill::second(":a", ":u", products))
    }
}

/// Runs a script this many times, each for another user; returns the time.
pub(crate) fn run(
    cluster: &Cluster,
    shop: &TestShop,
    script: Script,
    count: u32,
) -> Outcome<Duration> {
    let each = count / PGBENCH_CLIENTS;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("script.sql");
    fs::write(&file, script.text(each, shop.products))?;
    let programs = cluster.sql(
        "postgres",
        "SELECT setting FROM pg_config WHERE name = 'BINDIR'",
    )?;
    let done = Command::new(format!("{programs}/pgbench"))
        .args([
            "--no-vacuum",
            "--protocol=prepared",
            "--jobs=2",
            "--define=done=0",
        ])
        .arg(format!("--client={PGBENCH_CLIENTS}"))
        .arg(format!("--transactions={each}"))
        .arg("--file")
        .arg(&file)
        .arg(&shop.url)
        .output()?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let complained = String::from_utf8_lossy(&done.stderr).into_owned();
    let all = format!("actually processed: {}/", each * PGBENCH_CLIENTS);
    if !done.status.success() || !said.contains(&all) {
        return Err(format!("pgbench: {said}{complained}").into());
    }
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rate| rate.split('.').next()?.parse::<u64>().ok());
    let rate = rate
        .filter(|rate| *rate > 0)
        .ok_or("pgbench told no rate")?;
    Ok(Duration::from_micros(
        u64::from(each * PGBENCH_CLIENTS) * 1_000_000 / rate,
    ))
}
