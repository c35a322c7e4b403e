//! A connection that is lost at the COMMIT of a change of a cart, an order, a product or stock: the
//! client learns the true outcome, and the change is made once.

use crate::client::{Answer, Client};
use crate::lost_commit::{CUTS, await_ready, fill_cart, order, shop_behind_a_proxy};
use crate::proxy::Cut;
use crate::shop::{IN_TIME, OPENING, Shop, print_line};
use crate::verify::assert_no_deadlock;
use serde_json::Value;

/// A change that can be sent repeatedly.
struct Change {
    name: &'static str,
    method: &'static str,
    path: String,
    body: String,
    /// The `Idempotency-Key`, or nothing.
    key: &'static str,
    /// The status when it is executed.
    status: u16,
}

impl Change {
    fn send(&self, client: &mut Client) -> Answer {
        let sent = client.ask(self.method, &self.path, self.key, &self.body);
        sent.unwrap()
    }
}

const KEY: &str = "Idempotency-Key: once\r\n";

fn add(product: i64, key: &'static str) -> Change {
    Change {
        name: "add",
        method: "POST",
        path: "/api/cart/".to_owned(),
        body: format!("{{\"product_id\": {product}, \"quantity\": 2}}"),
        key,
        status: 201,
    }
}

fn cancel(order: &Value) -> Change {
    Change {
        name: "cancel",
        method: "PATCH",
        path: format!("/api/orders/{}/", order["id"]),
        body: "{\"status\": \"cancelled\"}".to_owned(),
        key: "",
        status: 200,
    }
}

fn deliver(product: i64, key: &'static str) -> Change {
    Change {
        name: "deliver",
        method: "POST",
        path: format!("/api/products/{product}/stock/"),
        body: "{\"delta\": 3}".to_owned(),
        key,
        status: 201,
    }
}

fn restock(product: i64) -> Change {
    Change {
        name: "set stock",
        method: "PATCH",
        path: format!("/api/products/{product}/"),
        body: "{\"stock\": 7}".to_owned(),
        key: "",
        status: 200,
    }
}

fn units(client: &mut Client) -> i64 {
    let cart = client.get("/api/cart/").unwrap().with(200);
    let items = cart["results"].as_array().unwrap();
    let units = items.iter().map(|item| item["quantity"].as_i64().unwrap());
    units.sum()
}

fn told(change: &Change, cut: Cut, answer: &Answer) {
    let code = (answer.status >= 400).then(|| answer.code());
    print_line(&format!(
        "{cut:?} {} {:?}: {} {code:?} after {:.0?}",
        change.name, change.key, answer.status, answer.took
    ));
    assert!(answer.took < IN_TIME);
}

fn assert_books(shop: &Shop) {
    assert_no_deadlock(shop);
    print_line(&shop.verify());
}

#[test]
fn a_change_with_a_lost_commit_answer_is_acknowledged_and_made_once() {
    let (shop, proxy) = shop_behind_a_proxy();
    let [product, other] = [shop.products[0], shop.products[1]];
    let mut customers = shop.customers(8).into_iter();
    let mut staff = shop.staff(0);
    let send = |change: &Change, client: &mut Client, cut: Cut| {
        proxy.arm(cut);
        let answer = change.send(client);
        assert!(proxy.has_cut(cut), "the connection was cut");
        told(change, cut, &answer);
        assert_eq!(answer.status, change.status, "{answer:?}");
        answer
    };
    for (round, cut) in (1..).zip(CUTS) {
        for key in ["", KEY] {
            let mut client = shop.client(0, &customers.next().unwrap());
            let change = add(product, key);
            let answer = send(&change, &mut client, cut);
            assert_eq!(units(&mut client), 2);
            let again = change.send(&mut client);
            assert_eq!(again.status, 201);
            assert_eq!(again.body == answer.body, !key.is_empty());
            assert_eq!(units(&mut client), if key.is_empty() { 4 } else { 2 });
        }
        let mut client = shop.client(0, &customers.next().unwrap());
        fill_cart(&mut client, product);
        let placed = order(&mut client, "").with(201);
        assert_eq!(shop.stock(product), OPENING - 2);
        send(&cancel(&placed), &mut client, cut);
        assert_eq!(shop.stock(product), OPENING, "the stock is back, once");
        let delivery = deliver(other, if round == 1 { KEY } else { "" });
        send(&delivery, &mut staff, cut);
        assert_eq!(shop.stock(other), if round == 1 { OPENING + 3 } else { 10 });
        send(&restock(other), &mut staff, cut);
        assert_eq!(shop.stock(other), 7);
    }
    assert_books(&shop);
}

/// The database is unreachable before the outcome can be looked up.
#[test]
fn an_unknown_outcome_of_a_change_is_reported_and_its_key_resolves_it_later() {
    let (shop, proxy) = shop_behind_a_proxy();
    let product = shop.products[0];
    let mut customers = shop.customers(4).into_iter();
    for cut in CUTS {
        // Returns whether the change is made.
        let send = |change: &Change, client: &mut Client| {
            // The server may commit something of its own meanwhile, and lose that commit instead:
            // then the change has not begun, or is made on another connection.
            for _ in 0..20 {
                proxy.arm_for_good(cut);
                let answer = change.send(client);
                assert!(proxy.has_cut(cut), "the connection was cut");
                told(change, cut, &answer);
                proxy.open();
                await_ready(&shop);
                if answer.status == change.status {
                    return true;
                }
                assert_eq!(answer.status, 503, "{answer:?}");
                if answer.code() == "outcome_unknown" {
                    return cut == Cut::AfterCommit;
                }
                assert_eq!(answer.code(), "unavailable");
            }
            panic!("the commit of {} is never lost", change.name);
        };
        let mut client = shop.client(0, &customers.next().unwrap());
        let change = add(product, KEY);
        let done = send(&change, &mut client);
        assert_eq!(units(&mut client), if done { 2 } else { 0 });
        assert_eq!(change.send(&mut client).status, 201);
        assert_eq!(units(&mut client), 2);
        let mut client = shop.client(0, &customers.next().unwrap());
        fill_cart(&mut client, product);
        let placed = order(&mut client, "").with(201);
        let change = cancel(&placed);
        let done = send(&change, &mut client);
        assert_eq!(
            shop.stock(product),
            if done { OPENING } else { OPENING - 2 }
        );
        change.send(&mut client);
        assert_eq!(shop.stock(product), OPENING, "the stock is back, once");
    }
    assert_books(&shop);
}
