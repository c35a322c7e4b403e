use crate::{
    Placed, TestShop, at, draft, first_page, level, line_totals, money, place, retry_busy, units,
};
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartRefusal, MAX_CART_ITEMS};
use tradepost_domain::catalog::{CatalogRefusal, Product, ProductChange};
use tradepost_domain::inventory::{InventoryRefusal, Reason, Shortage};
use tradepost_domain::kernel::{Execution, ProductId, ProductName, Quantity, Refusal, UserId};
use tradepost_domain::orders::{
    Order, OrderItem, OrderList, OrderRefusal, OrderStatus, PlaceOrder,
};

fn shortage(product: ProductId, available: i64, requested: i64) -> Shortage {
    Shortage {
        product,
        available: level(available),
        requested,
    }
}

fn orders(stores: &Stores) -> Vec<Order> {
    retry_busy(|| stores.orders.list(&OrderList::default(), first_page())).items
}

fn refusals(placements: Vec<Placed>) -> Vec<Option<Refusal>> {
    placements.into_iter().map(Result::err).collect()
}

fn buyer(placement: &Placed) -> Option<UserId> {
    placement.as_ref().ok().map(|order| order.user)
}

/// An order holds every cart line at its current name and price. Its stock is taken, with movements
/// in the ledger, and the cart is emptied.
pub fn an_order_is_the_whole_cart(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let mug = shop.create(draft("Mug", 250, 5)).unwrap();
    let tea = shop.create(draft("Tea", 100, 9)).unwrap();
    shop.add(user, tea.id, 3).unwrap();
    shop.add(user, mug.id, 2).unwrap();
    let line = |product: &Product, quantity| OrderItem {
        product: product.id,
        name: product.name.clone(),
        unit_price: product.price.money(),
        quantity: units(quantity),
    };
    let order = shop.place(user).unwrap();
    let expected = Order {
        id: order.id,
        user,
        status: OrderStatus::Pending,
        total: money(800),
        adjustment: money(0),
        lines: vec![line(&tea, 3), line(&mug, 2)],
        archived: false,
        created_at: at(100),
        updated_at: at(100),
    };
    assert_eq!(order, expected);
    assert_eq!(shop.found_order(order.id), expected);
    assert_eq!(shop.items(user), []);
    for (product, left, taken) in [(&mug, 3, -2), (&tea, 6, -3)] {
        let now = shop.found(product.id);
        let sold = Product {
            stock: level(left),
            ..product.clone()
        };
        assert_eq!(now, sold, "a sale is no edit of the product");
        let sale = shop.movements(product.id).pop().unwrap().entry;
        assert_eq!((sale.delta.units(), sale.reason), (taken, Reason::Sale));
        assert_eq!(
            (sale.order, sale.actor, sale.at),
            (Some(order.id), Some(user), at(100))
        );
    }
}

/// Later changes of a product change no order.
pub fn an_order_is_a_snapshot(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let product = shop.product(250, 5);
    let order = shop.order(user, &[(product, 2)]);
    let renamed = ProductChange {
        name: Some(ProductName::new("Something else").unwrap()),
        ..ProductChange::default()
    };
    shop.change(product, renamed).unwrap();
    shop.set_price(product, 999);
    shop.set_stock(product, 0);
    shop.archive(product, true).unwrap();
    assert_eq!(shop.found_order(order.id), order);
    assert_eq!(orders(stores), [order]);
}

/// An empty cart cannot be ordered; after an order the cart is empty.
pub fn an_empty_cart_is_refused(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let product = shop.product(100, 5);
    assert_eq!(shop.place(ada), Err(Refusal::Cart(CartRefusal::Empty)));
    shop.order(ada, &[(product, 1)]);
    shop.add(bob, product, 1).unwrap();
    assert_eq!(shop.place(ada), Err(Refusal::Cart(CartRefusal::Empty)));
    assert_eq!((orders(stores).len(), shop.stock(product)), (1, 4));
    assert_eq!(
        shop.cart(bob),
        [(product, 1)],
        "another cart stays as it is"
    );
}

/// The refusal lists every product with insufficient stock, and nothing is changed.
pub fn every_shortage_is_listed(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let [a, b, c] = [(); 3].map(|()| shop.product(100, 9));
    for product in [c, a, b] {
        shop.add(user, product, 5).unwrap();
    }
    shop.set_stock(a, 4);
    shop.set_stock(c, 0);
    let before = shop.items(user);
    let missing = vec![shortage(a, 4, 5), shortage(c, 0, 5)];
    assert_eq!(
        shop.place(user),
        Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(
            missing
        )))
    );
    assert_eq!(shop.items(user), before);
    assert_eq!([a, b, c].map(|product| shop.stock(product)), [4, 9, 0]);
    assert_eq!(orders(stores), []);
}

/// A cart with an archived product is refused as a whole.
pub fn an_archived_product_is_not_sold(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let [a, b, c] = [(); 3].map(|()| shop.product(100, 9));
    for product in [a, b, c] {
        shop.add(user, product, 5).unwrap();
    }
    // Archived products are reported before shortages.
    shop.set_stock(b, 1);
    shop.archive(c, true).unwrap();
    shop.archive(a, true).unwrap();
    assert_eq!(
        shop.place(user),
        Err(Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![
            a, c
        ])))
    );
    assert_eq!(shop.cart(user), [(a, 5), (b, 5), (c, 5)]);
    assert_eq!([a, b, c].map(|product| shop.stock(product)), [9, 1, 9]);
    assert_eq!(orders(stores), []);
}

/// An order whose total differs from the expected total is refused.
pub fn the_agreed_total_guards_the_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let product = shop.product(100, 5);
    shop.add(user, product, 2).unwrap();
    shop.set_price(product, 150);
    let agreed = |minor| PlaceOrder {
        expected_total: Some(money(minor)),
        ..place(user)
    };
    let current = money(300);
    for minor in [200, 299, 301] {
        let refused = refusals(shop.place_all(&[agreed(minor)]));
        assert_eq!(
            refused,
            [Some(Refusal::Orders(OrderRefusal::TotalChanged {
                current
            }))]
        );
    }
    assert_eq!(
        (shop.cart(user), shop.stock(product)),
        (vec![(product, 2)], 5)
    );
    assert_eq!(refusals(shop.place_all(&[agreed(300)])), [None]);
    assert_eq!(orders(stores)[0].total, current);
}

/// Two requests for one cart in a batch place one order. After a refusal, the same cart can be
/// ordered later in the batch.
pub fn two_clicks_in_a_batch_are_one_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let product = shop.product(100, 5);
    shop.add(user, product, 2).unwrap();
    let wrong = PlaceOrder {
        expected_total: Some(money(1)),
        ..place(user)
    };
    let current = money(200);
    let results = shop.place_all(&[wrong, place(user), place(user)]);
    let expected = [
        Some(Refusal::Orders(OrderRefusal::TotalChanged { current })),
        None,
        Some(Refusal::Cart(CartRefusal::Empty)),
    ];
    assert_eq!(refusals(results), expected);
    assert_eq!((orders(stores).len(), shop.stock(product)), (1, 3));
    assert_eq!(shop.items(user), []);
}

/// Within a batch, the first request gets the last units.
pub fn the_last_unit_of_a_batch_goes_to_the_first(stores: &Stores) {
    let shop = TestShop::new(stores);
    let users = shop.customers(3);
    let product = shop.product(100, 3);
    for user in &users {
        shop.add(*user, product, 2).unwrap();
    }
    let requests = [users[2], users[0], users[1]].map(place);
    let results = shop.place_all(&requests);
    assert_eq!(buyer(&results[0]), Some(users[2]));
    let missing = Some(Refusal::Inventory(InventoryRefusal::InsufficientStock(
        vec![shortage(product, 1, 2)],
    )));
    assert_eq!(refusals(results), [None, missing.clone(), missing]);
    assert_eq!((orders(stores).len(), shop.stock(product)), (1, 1));
    assert_eq!(shop.cart(users[0]), [(product, 2)]);
}

/// A refused request does not affect its neighbours, and results are in the order of the requests.
pub fn a_refused_request_does_not_affect_its_neighbours(stores: &Stores) {
    let shop = TestShop::new(stores);
    let users = shop.customers(5);
    let [plenty, scarce, gone] = [9, 1, 9].map(|stock| shop.product(100, stock));
    shop.add(users[0], plenty, 1).unwrap();
    shop.add(users[1], scarce, 1).unwrap();
    // The third is refused for the scarce product, so it takes none of the plentiful one.
    shop.add(users[2], plenty, 9).unwrap();
    shop.add(users[2], scarce, 1).unwrap();
    shop.add(users[3], gone, 1).unwrap();
    shop.add(users[4], plenty, 8).unwrap();
    shop.archive(gone, true).unwrap();
    let requests: Vec<_> = users.iter().map(|user| place(*user)).collect();
    let results = shop.place_all(&requests);
    let buyers: Vec<_> = results.iter().map(buyer).collect();
    assert_eq!(
        buyers,
        [Some(users[0]), Some(users[1]), None, None, Some(users[4])]
    );
    let missing = vec![shortage(plenty, 8, 9), shortage(scarce, 0, 1)];
    let missing = Refusal::Inventory(InventoryRefusal::InsufficientStock(missing));
    let unavailable = Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![gone]));
    assert_eq!(
        refusals(results),
        [None, None, Some(missing), Some(unavailable), None]
    );
    assert_eq!(
        [plenty, scarce, gone].map(|product| shop.stock(product)),
        [0, 0, 9]
    );
    let left: Vec<_> = users.iter().map(|user| shop.items(*user).len()).collect();
    assert_eq!(left, [0, 0, 2, 1, 0]);
    assert_eq!(orders(stores).len(), 3);
}

/// A large batch of carts that share products.
pub fn a_large_batch(stores: &Stores) {
    let shop = TestShop::new(stores);
    let users = shop.customers(40);
    let products = [(); 3].map(|()| shop.product(100, 30));
    for (at, user) in users.iter().enumerate() {
        shop.add(*user, products[at % 3], 1).unwrap();
        shop.add(*user, products[(at + 1) % 3], 1).unwrap();
    }
    let requests: Vec<_> = users.iter().map(|user| place(*user)).collect();
    let results = shop.place_all(&requests);
    for ((at, user), result) in users.iter().enumerate().zip(results) {
        let order = result.unwrap();
        assert_eq!(order.user, *user);
        let expected = [(products[at % 3], 100, 1), (products[(at + 1) % 3], 100, 1)];
        assert_eq!(line_totals(&order.lines), expected);
        assert_eq!(shop.found_order(order.id), order);
        assert_eq!(shop.items(*user), []);
    }
    assert_eq!(products.map(|product| shop.stock(product)), [3, 3, 4]);
}

/// An empty batch does nothing.
pub fn an_empty_batch_does_nothing(stores: &Stores) {
    let shop = TestShop::new(stores);
    assert_eq!(shop.place_all(&[]), []);
    assert_eq!(orders(stores), []);
}

/// A placement id places at most one order. The result of a second use is up to the store, but
/// nothing may be written.
pub fn a_placement_id_makes_one_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let product = shop.product(100, 5);
    shop.add(user, product, 1).unwrap();
    let request = place(user);
    let placed = shop
        .place_all(std::slice::from_ref(&request))
        .remove(0)
        .unwrap();
    shop.add(user, product, 1).unwrap();
    if let Ok(answer) = stores.orders.place(&[request]) {
        assert_eq!(answer, [Ok(Execution::Executed(placed.clone()))]);
    }
    assert_eq!(orders(stores), [placed]);
    assert_eq!(
        (shop.cart(user), shop.stock(product)),
        (vec![(product, 1)], 4)
    );
}

/// The largest possible order is exact to the cent.
pub fn the_largest_order_is_exact(stores: &Stores) {
    const DEAREST: i64 = 999_999_999_999;
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let most = i64::from(Quantity::MAX);
    for _ in 0..MAX_CART_ITEMS {
        let product = shop.product(DEAREST, most);
        shop.add(user, product, most).unwrap();
    }
    let lines = i64::try_from(MAX_CART_ITEMS).unwrap();
    let total = money(lines * most * DEAREST);
    let cart = shop.whole_cart(user);
    assert_eq!(cart.total(total.currency()), Ok(total));
    let request = PlaceOrder {
        expected_total: Some(total),
        ..place(user)
    };
    let order = shop.place_all(&[request]).remove(0).unwrap();
    assert_eq!(order.total, total);
    assert_eq!(order.lines.len(), MAX_CART_ITEMS);
    assert_eq!(shop.found_order(order.id), order);
    let in_order = order.lines.is_sorted_by_key(|line| line.product);
    assert!(in_order, "lines are in the order of the cart");
    assert!(order.lines.iter().all(|line| shop.stock(line.product) == 0));
}
