//! A database that accepts no writes: a standby, or a server that is set to read-only.

use crate::place::Place;
use crate::shop::{IN_TIME, Shop};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tradepost_test_postgres::Cluster;

#[test]
fn a_standby_is_named_by_the_commands_that_need_a_primary() {
    let cluster = Cluster::start().unwrap();
    let name = cluster.database().unwrap();
    let place = Place::new();
    let run = |command: &str, url: &str| {
        let words = [command, "--database", url, "--data-dir", "data"];
        place.run(&words)
    };
    let (primary, standby) = (cluster.url(&name), cluster.standby().unwrap());
    run("migrate", &primary).well();
    let caught_up = || {
        let migrated = "SELECT count(*) FROM __diesel_schema_migrations";
        standby.sql(&name, migrated).ok() == cluster.sql(&name, migrated).ok()
    };
    let began = Instant::now();
    while !caught_up() {
        assert!(began.elapsed() < 6 * IN_TIME);
        sleep(Duration::from_millis(20));
    }
    let url = standby.url(&name);
    for command in ["serve", "migrate"] {
        let sentence = run(command, &url).sentence(1);
        assert!(
            sentence.contains("is on a standby"),
            "{command}: {sentence}"
        );
        assert!(sentence.contains("--database"), "{command}: {sentence}");
    }
    let checked = run("check", &url);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.out.contains("is on a standby"), "{checked:?}");
    let checked = run("check", &primary);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.out.contains("replicas"), "{checked:?}");
    // Read-only commands work on a standby.
    run("verify", &url).well();
}

#[test]
fn a_shop_whose_database_becomes_read_only_is_not_ready() {
    let mut shop = Shop::on_postgres(&[]);
    let token = shop.customers(1).remove(0);
    let mut client = shop.client(0, &token);
    let product = shop.products[0];
    let add = format!("{{\"product_id\": {product}, \"quantity\": 1}}");
    client.post("/api/cart/", &add).unwrap().with(201);
    let turn = |shop: &mut Shop, state: &str, status: u16| {
        let set = format!("ALTER SYSTEM SET default_transaction_read_only = {state}");
        let cluster = &shop.postgres().cluster;
        // The setting is turned off from a session in which it is off.
        let set = [set.as_str(), "SELECT pg_reload_conf()"];
        for statement in set {
            let off = cluster.url("postgres") + "&options=-cdefault_transaction_read_only%3Doff";
            cluster.sql_at(&off, statement).unwrap();
        }
        let began = Instant::now();
        loop {
            let ready = shop.anonymous().get("/readyz").unwrap();
            if ready.status == status {
                return ready;
            }
            assert!(began.elapsed() < 6 * IN_TIME, "{ready:?}");
            sleep(Duration::from_millis(20));
        }
    };
    let ready = turn(&mut shop, "on", 503);
    assert_eq!(ready.code(), "unavailable");
    let refused = client.post("/api/cart/", &add).unwrap();
    assert_eq!((refused.status, &*refused.code()), (503, "unavailable"));
    let path = format!("/api/products/{product}/");
    client.get(&path).unwrap().with(200);
    turn(&mut shop, "off", 200);
    client.post("/api/cart/", &add).unwrap().with(201);
}
