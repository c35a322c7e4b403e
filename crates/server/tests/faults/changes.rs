//! Test support: every kind of change of a cart, an order, a product and stock, each with its effect,
//! so that one test covers all of them.

use crate::client::{Answer, Client, Lost};
use crate::lost_commit::{fill_cart, order};
use crate::shop::Shop;

/// Units that a cart has, and an order.
const UNITS: i64 = 2;

/// The opening stock of the product of a change.
const STOCK: i64 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Add,
    AddWithKey,
    SetQuantity,
    Remove,
    Empty,
    Cancel,
    Delete,
    Process,
    Deliver,
    DeliverWithKey,
    SetStock,
    SetPrice,
}

impl Kind {
    pub(crate) const ALL: [Self; 12] = [
        Self::Add,
        Self::AddWithKey,
        Self::SetQuantity,
        Self::Remove,
        Self::Empty,
        Self::Cancel,
        Self::Delete,
        Self::Process,
        Self::Deliver,
        Self::DeliverWithKey,
        Self::SetStock,
        Self::SetPrice,
    ];

    /// The tables of the rows that it locks.
    pub(crate) fn locks(self) -> &'static [&'static str] {
        match self {
            Self::Add | Self::AddWithKey | Self::SetQuantity | Self::Remove | Self::Empty => {
                &["users"]
            }
            Self::Cancel | Self::Delete => &["orders", "stock"],
            Self::Process => &["orders"],
            Self::Deliver | Self::DeliverWithKey => &["stock"],
            Self::SetStock | Self::SetPrice => &["products", "stock"],
        }
    }

    /// The status of the answer.
    fn status(self) -> u16 {
        match self {
            Self::Add | Self::AddWithKey | Self::Deliver | Self::DeliverWithKey => 201,
            Self::Remove | Self::Empty | Self::Delete => 204,
            _ => 200,
        }
    }

    /// The status of the answer to a repetition.
    fn status_again(self) -> u16 {
        match self {
            Self::Remove | Self::Delete => 404,
            _ => self.status(),
        }
    }

    /// Whether a repetition is executed as well.
    fn is_repeatable(self) -> bool {
        matches!(self, Self::Add | Self::Deliver)
    }
}

/// A change that can be sent repeatedly, with a product of its own, and the order or the cart item
/// that it needs.
pub(crate) struct Change {
    pub(crate) kind: Kind,
    pub(crate) product: i64,
    pub(crate) order: i64,
    client: Client,
    /// Reads the state that the change affects.
    reader: Client,
    method: &'static str,
    path: String,
    body: String,
}

impl Change {
    /// Makes the rows that a change needs, for this customer.
    pub(crate) fn prepare(shop: &Shop, kind: Kind, customer: &str) -> Self {
        let product = shop.new_product(250, STOCK);
        let mut reader = shop.client(0, customer);
        let (mut client, mut line, mut placed) = (shop.client(0, customer), 0, 0);
        match kind {
            Kind::Add | Kind::AddWithKey => {}
            Kind::SetQuantity | Kind::Remove | Kind::Empty => {
                fill_cart(&mut reader, product);
                let cart = reader.get("/api/cart/").unwrap().with(200);
                line = cart["results"][0]["id"].as_i64().unwrap();
            }
            Kind::Cancel | Kind::Delete | Kind::Process => {
                fill_cart(&mut reader, product);
                placed = order(&mut reader, "").with(201)["id"].as_i64().unwrap();
            }
            Kind::Deliver | Kind::DeliverWithKey | Kind::SetStock | Kind::SetPrice => {}
        }
        if !kind.locks().contains(&"users") && !matches!(kind, Kind::Cancel | Kind::Delete) {
            (client, reader) = (shop.staff(0), shop.staff(0));
        }
        let (of_line, of_order) = (
            format!("/api/cart/{line}/"),
            format!("/api/orders/{placed}/"),
        );
        let of_product = format!("/api/products/{product}/");
        let of_stock = format!("{of_product}stock/");
        let cart = "/api/cart/".to_owned();
        let add = format!("{{\"product_id\": {product}, \"quantity\": {UNITS}}}");
        let (method, path, body) = match kind {
            Kind::Add | Kind::AddWithKey => ("POST", cart, &*add),
            Kind::SetQuantity => ("PATCH", of_line, "{\"quantity\": 5}"),
            Kind::Remove => ("DELETE", of_line, ""),
            Kind::Empty => ("DELETE", cart, ""),
            Kind::Cancel => ("PATCH", of_order, "{\"status\": \"cancelled\"}"),
            Kind::Delete => ("DELETE", of_order, ""),
            Kind::Process => ("PATCH", of_order, "{\"status\": \"processing\"}"),
            Kind::Deliver | Kind::DeliverWithKey => ("POST", of_stock, "{\"delta\": 3}"),
            Kind::SetStock => ("PATCH", of_product, "{\"stock\": 7}"),
            Kind::SetPrice => ("PATCH", of_product, "{\"price\": \"9.00\"}"),
        };
        Self {
            kind,
            product,
            order: placed,
            client,
            reader,
            method,
            path,
            body: body.to_owned(),
        }
    }

    pub(crate) fn try_send(&mut self) -> Result<Answer, Lost> {
        let key = match self.kind {
            Kind::AddWithKey | Kind::DeliverWithKey => "Idempotency-Key: once\r\n",
            _ => "",
        };
        self.client.ask(self.method, &self.path, key, &self.body)
    }

    pub(crate) fn send(&mut self) -> Answer {
        self.try_send().unwrap()
    }

    /// Asserts the answer to a change that was executed.
    #[track_caller]
    pub(crate) fn assert_done(&self, answer: &Answer) {
        assert_eq!(
            answer.status,
            self.kind.status(),
            "{:?}: {answer:?}",
            self.kind
        );
    }

    /// How often it was made, as far as that makes a difference.
    pub(crate) fn effect(&mut self) -> i64 {
        let mut get = |path: &str| self.reader.get(path).unwrap().with(200);
        match self.kind {
            Kind::Add | Kind::AddWithKey | Kind::SetQuantity | Kind::Remove | Kind::Empty => {
                let cart = get("/api/cart/");
                let items = cart["results"].as_array().unwrap();
                let units = items.iter().map(|item| item["quantity"].as_i64().unwrap());
                match (self.kind, units.sum::<i64>()) {
                    (Kind::Add | Kind::AddWithKey, units) => units / UNITS,
                    (Kind::SetQuantity, UNITS) | (Kind::Remove | Kind::Empty, UNITS) => 0,
                    (Kind::SetQuantity, 5) | (Kind::Remove | Kind::Empty, 0) => 1,
                    (kind, units) => panic!("{units} units after {kind:?}"),
                }
            }
            Kind::Cancel | Kind::Delete => (self.stock() - (STOCK - UNITS)) / UNITS,
            Kind::Process => {
                let history = get(&format!("{}history/", self.path));
                let events = history["results"].as_array().unwrap().iter();
                let changes = events.filter(|event| event["type"] == "order.status");
                i64::try_from(changes.count()).unwrap()
            }
            Kind::Deliver | Kind::DeliverWithKey => (self.stock() - STOCK) / 3,
            Kind::SetStock => {
                let movements = get(&format!("{}stock/", self.path));
                let movements = movements["results"].as_array().unwrap().iter();
                let set = movements.filter(|movement| movement["reason"] == "set");
                i64::try_from(set.count()).unwrap()
            }
            Kind::SetPrice => i64::from(get(&self.path)["price"] == "9.00"),
        }
    }

    fn stock(&mut self) -> i64 {
        let path = format!("/api/products/{}/", self.product);
        let product = self.reader.get(&path).unwrap().with(200);
        product["stock"].as_i64().unwrap()
    }

    /// Sends it until it was made, and asserts that a repetition is made only if it may be. `done`:
    /// whether it was made already.
    #[track_caller]
    pub(crate) fn assert_made_once(&mut self, done: bool) {
        let kind = self.kind;
        assert_eq!(self.effect(), i64::from(done), "{kind:?}");
        if !done {
            let answer = self.send();
            self.assert_done(&answer);
            assert_eq!(self.effect(), 1, "{kind:?}");
        }
        let again = self.send();
        assert_eq!(
            again.status,
            kind.status_again(),
            "{kind:?} again: {again:?}"
        );
        let expected = if kind.is_repeatable() { 2 } else { 1 };
        assert_eq!(self.effect(), expected, "{kind:?} again");
    }
}
