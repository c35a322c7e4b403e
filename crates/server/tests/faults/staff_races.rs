//! Races between staff's bulk edits and customers: three servers on one PostgreSQL.

use crate::races::{SERVERS, add, order, race, racer, three_servers};
use crate::shop::{OPENING, Shop, print_line};
use crate::staff_pages::{Session, value};
use crate::verify::{all_orders, assert_no_deadlock};
use serde_json::Value;

/// Forms that staff send at once.
const FORMS: usize = 9;

/// Those of them that also edit the price of one product, from the same one.
const PRICED: usize = 4;

/// Units that each form adds to each product.
const DELTA: i64 = 5;

/// A long deadline: a form is saved as a whole, and on a busy machine it may take many attempts until
/// all of its rows are free.
const PATIENT: [&str; 2] = ["--request-timeout", "120"];

const BUYERS: usize = 40;

/// The fields of the form that edits price and stock of these products.
fn fields(page: &str, products: &[i64]) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for product in products {
        let mut field =
            |name: &str, value: String| fields.push((format!("{name}.{product}"), value));
        for name in ["version", "price"] {
            let attribute = format!("name=\"{name}.{product}\"");
            field(name, value(page, &attribute).to_owned());
        }
        field("delta", DELTA.to_string());
    }
    fields.extend(products.iter().map(|id| ("id".to_owned(), id.to_string())));
    fields
}

/// Asserts the ledger audit, and that PostgreSQL has logged no deadlock.
fn assert_books(shop: &Shop) {
    assert_no_deadlock(shop);
    print_line(&shop.verify());
}

/// Each form changes the stock of every product. Of those that also edit one price, the first is saved,
/// and the others change nothing.
#[test]
fn bulk_edits_of_products_race_sales() {
    let shop = three_servers(&PATIENT);
    let mut products = shop.products.clone();
    products.extend((0..6).map(|_| shop.new_product(100, OPENING)));
    let (sold, priced) = (shop.products.clone(), shop.products[1]);
    let session = Session::begin(&shop);
    let chosen: Vec<_> = products.iter().map(|id| ("id", id.to_string())).collect();
    let chosen: Vec<_> = chosen.iter().map(|(name, id)| (*name, &**id)).collect();
    let path = "/admin/products/bulk/";
    let page = session.send(&mut shop.anonymous(), path, &chosen);
    assert_eq!(page.status, 200, "{page:?}");
    let price = |form: usize| format!("20.{form:02}");
    let mut racers = Vec::new();
    for form in 0..FORMS {
        let mut fields = fields(&page.body, &products);
        if form < PRICED {
            let name = format!("price.{priced}");
            let of_price = fields.iter_mut().find(|(field, _)| *field == name);
            of_price.unwrap().1 = price(form);
        }
        let (session, mut client) = (session.clone(), shop.client(form % SERVERS, ""));
        let save = move || {
            let mut send = || session.send(&mut client, "/admin/products/bulk/save/", &fields);
            let mut answers = std::iter::repeat_with(&mut send).take(100);
            // While orders hold the products, nothing is changed, and the form is sent again.
            answers.find(|answer| answer.status != 503).unwrap()
        };
        racers.push(racer(save));
    }
    for (number, token) in shop.customers(BUYERS).iter().enumerate() {
        let mut client = shop.client(number % SERVERS, token);
        for product in &sold {
            add(&mut client, *product, 1);
        }
        racers.push(racer(move || order(&mut client)));
    }
    let answers = race(racers);
    let (forms, orders) = answers.split_at(FORMS);
    assert!(orders.iter().all(|answer| answer.status == 201));
    let (with_price, others) = forms.split_at(PRICED);
    assert!(others.iter().all(|form| form.status == 303), "{others:?}");
    let saved: Vec<usize> = (0..PRICED)
        .filter(|form| with_price[*form].status == 303)
        .collect();
    let [winner] = saved[..] else {
        panic!("the price was edited by {saved:?}: {with_price:?}");
    };
    for form in with_price.iter().filter(|form| form.status != 303) {
        assert_eq!(form.status, 412, "{form:?}");
        let meanwhile = format!("Another user changed it to {} meanwhile.", price(winner));
        assert!(form.body.contains(&meanwhile), "{form:?}");
        // Everything that was typed is kept.
        let rows = form.body.matches("name=\"id\"").count();
        assert_eq!(rows, products.len(), "{form:?}");
        let delta = format!("name=\"delta.{priced}\"");
        assert_eq!(value(&form.body, &delta), DELTA.to_string());
    }
    let path = format!("/api/products/{priced}/");
    let product = shop.anonymous().get(&path).unwrap().with(200);
    assert_eq!(product["price"], Value::from(price(winner)));
    let delivered = DELTA * i64::try_from(FORMS - PRICED + 1).unwrap();
    for product in products {
        let sold = if sold.contains(&product) { BUYERS } else { 0 };
        let expected = OPENING + delivered - i64::try_from(sold).unwrap();
        assert_eq!(shop.stock(product), expected);
    }
    for order in all_orders(&shop).values() {
        let lines = order["items"].as_array().unwrap();
        let line = lines.iter().find(|line| line["product_id"] == priced);
        let paid = line.unwrap()["price"].as_str().unwrap().to_owned();
        assert!(
            ["19.99".to_owned(), price(winner)].contains(&paid),
            "{order}"
        );
    }
    print_line(&format!(
        "{FORMS} bulk edits and {BUYERS} orders at once; the price is that of form {winner}"
    ));
    assert_books(&shop);
}

/// Each order is either processed by staff or cancelled by its customer.
#[test]
fn bulk_changes_of_orders_race_cancellations() {
    let shop = three_servers(&PATIENT);
    let session = Session::begin(&shop);
    let tokens = shop.customers(BUYERS);
    let mut ticked = Vec::new();
    let mut cancels = Vec::new();
    for (number, token) in tokens.iter().enumerate() {
        let mut client = shop.client(number % SERVERS, token);
        add(&mut client, shop.products[0], 1);
        let id = order(&mut client).with(201)["id"].as_i64().unwrap();
        ticked.push(("order".to_owned(), format!("{id}.pending")));
        let path = format!("/api/orders/{id}/");
        let body = "{\"status\": \"cancelled\"}";
        let cancel = move || client.ask("PATCH", &path, "", body).unwrap();
        cancels.push((id, racer(cancel)));
    }
    ticked.push(("transition".to_owned(), "processing".to_owned()));
    let forms = (0..SERVERS).map(|server| {
        let (session, ticked) = (session.clone(), ticked.clone());
        let mut client = shop.client(server, "");
        racer(move || session.send(&mut client, "/admin/orders/change/", &ticked))
    });
    let (ids, cancels): (Vec<i64>, Vec<_>) = cancels.into_iter().unzip();
    let answers = race(forms.chain(cancels).collect());
    let (forms, cancels) = answers.split_at(SERVERS);
    assert!(forms.iter().all(|form| form.status < 500), "{forms:?}");
    let orders = all_orders(&shop);
    let mut cancelled = 0;
    for (id, answer) in ids.iter().zip(cancels) {
        let status = orders[id]["status"].as_str().unwrap();
        match answer.status {
            200 => {
                assert_eq!(status, "cancelled");
                cancelled += 1;
            }
            _ => {
                assert_eq!(
                    (answer.status, &*answer.code()),
                    (409, "invalid_transition")
                );
                assert_eq!(status, "processing");
            }
        }
    }
    let processed = i64::try_from(BUYERS).unwrap() - cancelled;
    assert_eq!(shop.stock(shop.products[0]), OPENING - processed);
    print_line(&format!(
        "{SERVERS} bulk changes of {BUYERS} orders at once with cancellations: {cancelled} cancelled"
    ));
    assert_books(&shop);
}
