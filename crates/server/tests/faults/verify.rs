//! Compares the customers' recorded answers with the database.

use crate::load::{Buyer, slowest, summary};
use crate::shop::{IN_TIME, OPENING, PRICES, Shop, print_line};
use serde_json::Value;
use std::collections::BTreeMap;

/// Every acknowledged order exists once, in its acknowledged status, no other order exists beyond those with an
/// unknown outcome, and the ledger audit succeeds.
pub(crate) fn prove(shop: &Shop, mut buyers: Vec<Buyer>) {
    let orders = all_orders(shop);
    let acknowledged = buyers.iter().map(|buyer| buyer.orders.len()).sum::<usize>();
    let unknown = buyers.iter().map(|buyer| buyer.unknown).sum::<usize>();
    let mut told = BTreeMap::new();
    for buyer in &mut buyers {
        for order in std::mem::take(&mut buyer.orders) {
            let id = order["id"].as_i64().unwrap();
            let path = format!("/api/orders/{id}/");
            let own = buyer.client.get(&path).unwrap().with(200);
            assert_eq!(own, order, "an order is as it was");
            assert_eq!(orders.get(&id), Some(&order), "staff see the same");
            assert!(told.insert(id, ()).is_none(), "{order} was told twice");
            buyer.orders.push(order);
        }
        let page = buyer.client.get("/api/orders/?page_size=1").unwrap();
        let there = page.with(200)["count"].as_u64().unwrap();
        let there = usize::try_from(there).unwrap();
        let (least, unknown) = (buyer.orders.len(), buyer.unknown);
        assert!(
            (least..=least + unknown).contains(&there),
            "{there} orders, of which {least} were acknowledged and {unknown} are unknown"
        );
    }
    let sold = sold(shop, &orders);
    for (product, sold) in shop.products.iter().zip(sold) {
        assert_eq!(
            shop.stock(*product),
            OPENING - sold,
            "stock is what is left"
        );
    }
    assert_no_deadlock(shop);
    let verified = shop.verify();
    let events: Vec<_> = buyers.iter().flat_map(|buyer| &buyer.events).collect();
    let broken = events
        .iter()
        .filter(|event| event.status >= 500 && event.status != 503);
    assert_eq!(broken.count(), 0, "{}", summary(&events));
    assert!(slowest(&events) < IN_TIME, "{}", summary(&events));
    assert!(acknowledged > 0, "{}", summary(&events));
    let found = orders.len() - acknowledged;
    print_line(&format!(
        "{acknowledged} orders were acknowledged, {unknown} unknown of which {found} are there. {verified}"
    ));
}

/// Asserts that PostgreSQL has logged no deadlock: no transaction waits while holding locks that
/// others wait for.
pub(crate) fn assert_no_deadlock(shop: &Shop) {
    let log = shop.postgres_log();
    let deadlock = log.lines().find(|line| line.contains("deadlock detected"));
    assert_eq!(deadlock, None);
}

/// By their ids.
pub(crate) fn all_orders(shop: &Shop) -> BTreeMap<i64, Value> {
    let mut staff = shop.staff(0);
    let mut orders = BTreeMap::new();
    let mut path = "/api/orders/?page_size=100&ordering=id".to_owned();
    loop {
        let page = staff.get(&path).unwrap().with(200);
        for order in page["results"].as_array().unwrap() {
            orders.insert(order["id"].as_i64().unwrap(), order.clone());
        }
        match page["next"]
            .as_str()
            .and_then(|next| next.find("/api/").map(|at| &next[at..]))
        {
            Some(next) => path = next.to_owned(),
            None => {
                let count = page["count"].as_u64().unwrap();
                assert_eq!(u64::try_from(orders.len()).unwrap(), count);
                return orders;
            }
        }
    }
}

/// The number of units sold per product, without cancelled orders. Asserts that each order is complete and its total right.
fn sold(shop: &Shop, orders: &BTreeMap<i64, Value>) -> [i64; 2] {
    let mut sold = [0; 2];
    for order in orders.values() {
        let mut total = 0;
        for line in order["items"].as_array().unwrap() {
            let is_it = |product: &i64| line["product_id"] == *product;
            let product = shop.products.iter().position(is_it).unwrap();
            let quantity = line["quantity"].as_i64().unwrap();
            if order["status"] != "cancelled" {
                sold[product] += quantity;
            }
            total += quantity * PRICES[product];
        }
        let told = order["total_price"].as_str().unwrap().replace('.', "");
        assert_eq!(told.parse(), Ok(total), "{order}");
        assert!(total > 0, "{order} is empty");
    }
    sold
}
