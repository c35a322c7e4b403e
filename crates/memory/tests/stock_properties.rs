//! Whatever a few people do in a shop, in whatever order, its books are right after every step.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: they fail by panicking"
)]

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use tradepost_contract::{Shop, draft, first_page, level, place, usd};
use tradepost_domain::{
    Actor, CartAction, OrderAction, OrderFilter, OrderId, OrderStatus, PlaceOrder, ProductChange,
    ProductFilter, ProductId, Quantity, Stores, UserId,
};
use tradepost_memory::MemoryStore;

/// A step. Numbers pick one of what is there, so that every step has something to act on.
#[derive(Debug, Clone)]
enum Step {
    Create {
        price: i64,
        stock: i64,
    },
    SetStock {
        product: usize,
        stock: i64,
    },
    SetPrice {
        product: usize,
        price: i64,
    },
    Adjust {
        product: usize,
        delta: i64,
    },
    Archive {
        product: usize,
        archived: bool,
    },
    Restore {
        product: usize,
        stock: i64,
    },
    Add {
        user: usize,
        product: usize,
        units: i64,
    },
    Set {
        user: usize,
        line: usize,
        units: i64,
    },
    Empty {
        user: usize,
    },
    Place {
        users: Vec<usize>,
    },
    SetStatus {
        order: usize,
        status: OrderStatus,
        by: usize,
    },
    /// Staff take it one step further on its way to the customer.
    Advance {
        order: usize,
    },
    Delete {
        order: usize,
        by: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::{
        Add, Adjust, Advance, Archive, Create, Delete, Empty, Place, Restore, Set, SetPrice,
        SetStatus, SetStock,
    };
    let some = 0..5_usize;
    let pick = move || some.clone();
    let status = prop::sample::select(OrderStatus::ALL.to_vec());
    prop_oneof![
        1 => (1..500_i64, 0..8_i64).prop_map(|(price, stock)| Create { price, stock }),
        2 => (pick(), 0..8_i64).prop_map(|(product, stock)| SetStock { product, stock }),
        1 => (pick(), 1..500_i64).prop_map(|(product, price)| SetPrice { product, price }),
        2 => (pick(), -6..9_i64).prop_map(|(product, delta)| Adjust { product, delta }),
        1 => (pick(), any::<bool>())
            .prop_map(|(product, archived)| Archive { product, archived }),
        1 => (pick(), 0..8_i64).prop_map(|(product, stock)| Restore { product, stock }),
        8 => (pick(), pick(), 1..4_i64)
            .prop_map(|(user, product, units)| Add { user, product, units }),
        2 => (pick(), pick(), 0..6_i64).prop_map(|(user, line, units)| Set { user, line, units }),
        1 => pick().prop_map(|user| Empty { user }),
        6 => prop::collection::vec(pick(), 1..6).prop_map(|users| Place { users }),
        5 => (pick(), status, pick())
            .prop_map(|(order, status, by)| SetStatus { order, status, by }),
        4 => pick().prop_map(|order| Advance { order }),
        2 => (pick(), pick()).prop_map(|(order, by)| Delete { order, by }),
    ]
}

/// The shop, who is in it, and what has been made so far.
struct World<'a> {
    shop: Shop<'a>,
    users: Vec<UserId>,
    staff: UserId,
    products: Vec<ProductId>,
    orders: Vec<OrderId>,
}

impl<'a> World<'a> {
    fn new(stores: &'a Stores) -> Self {
        let shop = Shop::new(stores);
        Self {
            shop,
            users: shop.customers(3),
            staff: shop.staff("grace"),
            products: (1..=2).map(|price| shop.product(price, 5)).collect(),
            orders: Vec::new(),
        }
    }

    fn user(&self, at: usize) -> UserId {
        self.users[at % self.users.len()]
    }

    fn product(&self, at: usize) -> ProductId {
        self.products[at % self.products.len()]
    }

    fn actor(&self, at: usize) -> Actor {
        match at % (self.users.len() + 1) {
            0 => Actor::Staff(self.staff),
            at => Actor::Customer(self.users[at - 1]),
        }
    }

    /// A refusal is as good as an answer: only what is left behind counts.
    fn take(&mut self, step: &Step) {
        let shop = self.shop;
        match *step {
            Step::Create { price, stock } => {
                let product = shop.create(draft("A thing", price, stock));
                self.products.extend(product.map(|product| product.id));
            }
            Step::SetStock { product, stock } => {
                let stock = Some(level(stock));
                drop(shop.change(
                    self.product(product),
                    ProductChange {
                        stock,
                        ..ProductChange::default()
                    },
                ));
            }
            Step::SetPrice { product, price } => {
                let price = Some(draft("A thing", price, 0).price);
                drop(shop.change(
                    self.product(product),
                    ProductChange {
                        price,
                        ..ProductChange::default()
                    },
                ));
            }
            Step::Adjust { delta: 0, .. } => {}
            Step::Adjust { product, delta } => drop(shop.adjust(self.product(product), delta)),
            Step::Archive { product, archived } => {
                drop(shop.archive(self.product(product), archived));
            }
            Step::Restore { product, stock } => {
                let change = ProductChange {
                    archived: Some(false),
                    stock: Some(level(stock)),
                    ..ProductChange::default()
                };
                drop(shop.change(self.product(product), change));
            }
            Step::Add {
                user,
                product,
                units,
            } => {
                drop(shop.add(self.user(user), self.product(product), units));
            }
            Step::Set { user, line, units } => self.set(self.user(user), line, units),
            Step::Empty { user } => drop(shop.act(self.user(user), CartAction::Empty)),
            Step::Place { ref users } => self.place(users),
            Step::SetStatus { order, status, by } => {
                self.change_order(order, OrderAction::SetStatus(status), by);
            }
            Step::Advance { order } => self.advance(order),
            Step::Delete { order, by } => self.change_order(order, OrderAction::Delete, by),
        }
    }

    fn set(&self, user: UserId, line: usize, units: i64) {
        let items = self.shop.items(user);
        if let Some(item) = items.get(line) {
            let action = CartAction::Set {
                line: item.line.id,
                quantity: Quantity::or_removal(units).unwrap(),
                product: None,
            };
            drop(self.shop.act(user, action));
        }
    }

    fn place(&mut self, users: &[usize]) {
        let requests: Vec<PlaceOrder> = users.iter().map(|at| place(self.user(*at))).collect();
        let placements = self.shop.place_all(&requests);
        self.orders
            .extend(placements.into_iter().flatten().map(|order| order.id));
    }

    /// One of the last few, so that some get to the end of their life.
    fn order(&self, at: usize) -> Option<OrderId> {
        self.orders.iter().rev().take(3).cycle().nth(at).copied()
    }

    fn advance(&self, order: usize) {
        if let Some(order) = self.order(order)
            && let Some(next) = self.shop.found_order(order).status.next().first()
        {
            let staff = Actor::Staff(self.staff);
            drop(
                self.shop
                    .change_order(order, OrderAction::SetStatus(*next), staff),
            );
        }
    }

    fn change_order(&self, order: usize, action: OrderAction, by: usize) {
        if let Some(order) = self.order(order) {
            drop(self.shop.change_order(order, action, self.actor(by)));
        }
    }

    fn check(&self) {
        let stores = self.shop.stores;
        let audit = stores.ledger.audit().unwrap();
        assert_eq!(audit.discrepancies, [], "the books are wrong");
        for product in &self.products {
            assert!(self.shop.stock(*product) >= 0);
        }
        for user in &self.users {
            let cart = self.shop.cart(*user);
            let products: BTreeSet<_> = cart.iter().map(|(product, _)| product).collect();
            assert_eq!(products.len(), cart.len(), "a product has one line");
        }
        let products = [false, true].map(|archived| {
            let filter = ProductFilter { archived };
            stores.products.list(filter, first_page()).unwrap().count
        });
        let orders = [false, true].map(|archived| {
            let filter = OrderFilter {
                user: None,
                archived,
            };
            stores.orders.list(filter, first_page()).unwrap().count
        });
        let counted = (products.iter().sum::<u64>(), orders.iter().sum::<u64>());
        assert_eq!(
            counted,
            (audit.products, audit.orders),
            "nothing is lost or doubled"
        );
        assert_eq!(audit.orders, u64::try_from(self.orders.len()).unwrap());
    }
}

proptest! {
    #[test]
    fn the_books_are_right_after_every_step(steps in prop::collection::vec(step(), 1..100)) {
        let stores = Stores::of(Arc::new(MemoryStore::new(usd())));
        let mut world = World::new(&stores);
        for step in &steps {
            world.take(step);
            world.check();
        }
    }
}

/// The steps above reach what matters: without this, a generator that only ever makes refused
/// steps would prove nothing.
#[test]
fn the_steps_reach_every_status() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..50 {
        let stores = Stores::of(Arc::new(MemoryStore::new(usd())));
        let mut world = World::new(&stores);
        for _ in 0..100 {
            let step = step().new_tree(&mut runner).unwrap().current();
            world.take(&step);
        }
        for order in &world.orders {
            let order = world.shop.found_order(*order);
            seen.insert((order.status, order.archived));
        }
    }
    let expected: BTreeSet<_> = OrderStatus::ALL
        .into_iter()
        .map(|status| (status, false))
        .chain([(OrderStatus::Cancelled, true)])
        .collect();
    assert_eq!(seen, expected);
}
