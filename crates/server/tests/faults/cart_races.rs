//! Races for one cart: three servers on one PostgreSQL, and one customer who sends many requests at
//! once.

use crate::client::{Answer, Client};
use crate::races::{SERVERS, at_once, order, race, racer, summary, three_servers};
use crate::shop::{OPENING, Shop, print_line};
use crate::verify::{all_orders, assert_no_deadlock};
use serde_json::Value;
use std::collections::BTreeMap;

/// Requests to add to one cart.
const ADDS: i64 = 60;

/// One client for each request, spread over the servers.
fn clients(shop: &Shop, token: &str) -> Vec<Client> {
    let numbers = 0..usize::try_from(ADDS).unwrap();
    let client = |number| shop.client(number % SERVERS, token);
    numbers.map(client).collect()
}

fn add_one(client: &mut Client, product: i64, headers: &str) -> Answer {
    let body = format!("{{\"product_id\": {product}, \"quantity\": 1}}");
    client.ask("POST", "/api/cart/", headers, &body).unwrap()
}

/// Units by product of the lines of a cart or an order.
fn units(lines: &Value) -> BTreeMap<i64, i64> {
    let mut units = BTreeMap::new();
    for line in lines.as_array().unwrap() {
        // Of an order, or of a cart.
        let product = line["product_id"].as_i64();
        let product = product.or(line["product"]["id"].as_i64()).unwrap();
        *units.entry(product).or_default() += line["quantity"].as_i64().unwrap();
    }
    units
}

fn cart(client: &mut Client) -> BTreeMap<i64, i64> {
    units(&client.get("/api/cart/").unwrap().with(200)["results"])
}

/// Asserts that stock was taken by these orders only, and the ledger audit.
fn assert_books(shop: &Shop, sold: &BTreeMap<i64, i64>) {
    for product in &shop.products {
        let sold = sold.get(product).copied().unwrap_or_default();
        assert_eq!(shop.stock(*product), OPENING - sold);
    }
    assert_no_deadlock(shop);
    print_line(&shop.verify());
}

/// Each answer has the quantity after its own addition, as if the additions came one by one.
#[test]
fn sixty_adds_of_one_customer() {
    let shop = three_servers(&[]);
    let token = shop.customers(1).remove(0);
    let product = shop.products[0];
    let answers = at_once(clients(&shop, &token), move |client| {
        add_one(client, product, "")
    });
    let (counts, slowest) = summary(&answers);
    print_line(&format!("sixty adds: {counts:?} within {slowest:.0?}"));
    assert_eq!(counts, BTreeMap::from([(201, 60)]));
    let quantity = |(_, answer): &(Client, Answer)| answer.json()["quantity"].as_i64().unwrap();
    let mut quantities: Vec<i64> = answers.iter().map(quantity).collect();
    quantities.sort_unstable();
    assert_eq!(quantities, Vec::from_iter(1..=ADDS));
    let mut customer = shop.client(1, &token);
    let whole = BTreeMap::from([(product, ADDS)]);
    assert_eq!(cart(&mut customer), whole);
    let placed = order(&mut customer).with(201);
    assert_eq!(units(&placed["items"]), whole);
    assert_books(&shop, &whole);
}

/// Beside adds without a key, which are executed each time.
#[test]
fn one_key_for_thirty_adds_of_one_customer() {
    let shop = three_servers(&[]);
    let token = shop.customers(1).remove(0);
    let [product, other] = [shop.products[0], shop.products[1]];
    let keyed = clients(&shop, &token).into_iter().enumerate();
    let racers = keyed.map(|(number, mut client)| {
        racer(move || match number % 2 {
            0 => add_one(&mut client, product, "Idempotency-Key: once\r\n"),
            _ => add_one(&mut client, other, ""),
        })
    });
    let answers = race(racers.collect());
    let keyed: Vec<_> = answers.iter().step_by(2).collect();
    assert!(answers.iter().all(|answer| answer.status == 201));
    assert!(keyed.iter().all(|answer| answer.body == keyed[0].body));
    let replayed = |answer: &&&Answer| answer.header("Idempotent-Replayed") == Some("true");
    assert_eq!(keyed.iter().filter(replayed).count(), 29);
    let expected = BTreeMap::from([(product, 1), (other, 30)]);
    assert_eq!(cart(&mut shop.client(2, &token)), expected);
    assert_books(&shop, &BTreeMap::new());
}

/// Sixty requests, of which every fifth is an order: every unit that was added is in one order, or
/// still in the cart.
fn adds_race_orders(customers: usize) {
    let shop = three_servers(&[]);
    let tokens = shop.customers(customers);
    let requests = clients(&shop, "").into_iter().enumerate();
    let racers = requests.map(|(number, mut client)| {
        let customer = number % customers;
        client.token = tokens[customer].clone();
        let product = shop.products[number / customers % 2];
        racer(move || match number % 5 {
            4 => (customer, None, order(&mut client)),
            _ => (customer, Some(product), add_one(&mut client, product, "")),
        })
    });
    let answers = race(racers.collect());
    let mut ordered = BTreeMap::new();
    for (customer, token) in tokens.iter().enumerate() {
        let mut left = cart(&mut shop.client(0, token));
        for (_, product, answer) in answers.iter().filter(|(of, ..)| *of == customer) {
            match (product, answer.status) {
                (Some(product), 201) => *left.entry(*product).or_default() -= 1,
                (None, 201) => {
                    for (product, quantity) in units(&answer.json()["items"]) {
                        *left.entry(product).or_default() += quantity;
                        *ordered.entry(product).or_default() += quantity;
                    }
                }
                (None, _) => assert_eq!((answer.status, &*answer.code()), (400, "empty_cart")),
                (Some(_), _) => panic!("{answer:?}"),
            }
        }
        assert!(left.values().all(|units| *units == 0), "{left:?}");
    }
    let is_order = |(_, product, answer): &&(usize, Option<i64>, Answer)| {
        product.is_none() && answer.status == 201
    };
    let orders = answers.iter().filter(is_order).count();
    assert_eq!(all_orders(&shop).len(), orders);
    print_line(&format!(
        "48 adds and 12 orders of {customers} customers at once: {orders} orders"
    ));
    assert_books(&shop, &ordered);
}

#[test]
fn adds_of_one_customer_race_orders() {
    adds_race_orders(1);
}

#[test]
fn adds_of_four_customers_race_orders() {
    adds_race_orders(4);
}
