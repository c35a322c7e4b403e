use crate::{TestShop, at, level, retry_busy, units, usd};
use std::collections::HashMap;
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartAction, CartIssue, CartItem, CartRefusal, MAX_CART_ITEMS};
use tradepost_domain::catalog::CatalogRefusal;
use tradepost_domain::inventory::InventoryRefusal;
use tradepost_domain::kernel::{CartItemId, FieldError, ProductId, Quantity, Refusal, UserId};

fn set(line: CartItemId, quantity: i64) -> CartAction {
    CartAction::Set {
        line,
        quantity: Quantity::or_removal(quantity).unwrap(),
        product: None,
    }
}

fn unknown_product<T>() -> Result<T, Refusal> {
    Err(Refusal::field("product_id", FieldError::UnknownProduct))
}

fn short<T>(product: ProductId, available: i64, wanted: i64) -> Result<T, Refusal> {
    Err(InventoryRefusal::short(product, level(available), units(wanted)).into())
}

fn nowhere() -> CartItemId {
    CartItemId::new(i64::MAX).unwrap()
}

/// A user without a stored cart has an empty cart.
pub fn a_new_cart_is_empty(stores: &Stores) {
    let shop = TestShop::new(stores);
    assert_eq!(shop.items(shop.customer("ada")), []);
    assert_eq!(shop.items(UserId::new(i64::MAX).unwrap()), []);
}

/// Adding a product creates a line; adding it again adds up in the same line.
pub fn adding_makes_a_line_and_adds_up(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let (product, other) = (shop.product(250, 10), shop.product(100, 10));
    let add = |product, quantity, when| {
        let quantity = units(quantity);
        let action = CartAction::Add { product, quantity };
        shop.act_at(user, action, at(when)).unwrap().unwrap()
    };
    let first = add(product, 2, 1);
    let expected = CartItem {
        id: first.line.id,
        user,
        product,
        quantity: units(2),
        created_at: at(1),
        updated_at: at(1),
    };
    assert_eq!(first.line, expected);
    assert_eq!(first.product, shop.found(product));
    assert_eq!(first.total().unwrap().minor(), 500);
    let second = add(other, 1, 2);
    let more = add(product, 3, 3);
    let expected = CartItem {
        quantity: units(5),
        updated_at: at(3),
        ..expected
    };
    assert_eq!(more.line, expected);
    assert_eq!(
        shop.items(user),
        [more, second],
        "in the order in which they were added"
    );
    assert_eq!(shop.stock(product), 10, "nothing is reserved");
}

/// A refused addition leaves the cart unchanged.
pub fn adding_is_refused(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let (few, many) = (shop.product(100, 5), shop.product(100, 20_000));
    let archived = shop.product(100, 5);
    shop.archive(archived, true).unwrap();
    shop.add(user, few, 3).unwrap();
    shop.add(user, many, 9_999).unwrap();
    let before = shop.items(user);
    let nothing = ProductId::new(i64::MAX).unwrap();
    assert_eq!(shop.add(user, nothing, 1), unknown_product());
    assert_eq!(shop.add(user, archived, 1), unknown_product());
    assert_eq!(shop.add(user, few, 3), short(few, 5, 6));
    let other = shop.customer("bob");
    assert_eq!(shop.add(other, few, 6), short(few, 5, 6));
    let too_large = FieldError::LineTooLarge {
        max: 9_999,
        held: 9_999,
    };
    assert_eq!(
        shop.add(user, many, 1),
        Err(Refusal::field("quantity", too_large))
    );
    assert_eq!(shop.items(user), before);
    assert_eq!(shop.items(other), []);
    assert_eq!(shop.add(user, few, 2).unwrap().line.quantity, units(5));
}

/// Setting a line's quantity is stored, together with the time of the change.
pub fn setting_a_line(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let (product, other) = (shop.product(100, 9), shop.product(100, 9));
    let before = shop.add(user, product, 2).unwrap();
    let neighbour = shop.add(user, other, 4).unwrap();
    let line = before.line.id;
    let change = |action, when| shop.act_at(user, action, at(when));
    let same = change(set(line, 2), 70).unwrap();
    assert_eq!(same, Some(before.clone()), "the same quantity is no change");
    assert_eq!(shop.items(user), [before.clone(), neighbour.clone()]);
    for (quantity, when) in [(9, 71), (1, 72)] {
        let item = change(set(line, quantity), when).unwrap().unwrap();
        let expected = CartItem {
            quantity: units(quantity),
            updated_at: at(when),
            ..before.line
        };
        assert_eq!(item.line, expected);
        assert_eq!(shop.items(user), [item, neighbour.clone()]);
    }
    let claimed = CartAction::Set {
        line,
        quantity: Some(units(3)),
        product: Some(product),
    };
    assert!(shop.act(user, claimed).is_ok());
    assert_eq!(shop.act(user, set(line, 0)), Ok(None));
    assert_eq!(shop.items(user), [neighbour]);
    assert_eq!(shop.act(user, set(line, 1)), Err(Refusal::NotFound));
}

/// Setting a line to an unavailable quantity or to another product is refused.
pub fn setting_is_refused(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let (product, other) = (shop.product(100, 5), shop.product(100, 5));
    let line = shop.add(user, product, 2).unwrap().line.id;
    let before = shop.items(user);
    assert_eq!(shop.act(user, set(line, 6)), short(product, 5, 6));
    assert_eq!(shop.act(user, set(nowhere(), 1)), Err(Refusal::NotFound));
    assert_eq!(shop.act(user, set(nowhere(), 0)), Err(Refusal::NotFound));
    let another = CartAction::Set {
        line,
        quantity: Some(units(1)),
        product: Some(other),
    };
    let refusal = Refusal::field("product_id", FieldError::OtherProduct);
    assert_eq!(shop.act(user, another), Err(refusal));
    assert_eq!(shop.items(user), before);
    shop.archive(product, true).unwrap();
    let unavailable = Err(Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![
        product,
    ])));
    assert_eq!(shop.act(user, set(line, 1)), unavailable);
    assert_eq!(shop.cart(user), [(product, 2)]);
    assert_eq!(
        shop.act(user, set(line, 0)),
        Ok(None),
        "it can still be taken out"
    );
}

/// A line or all lines can be removed. Line ids are never reused.
pub fn removing_and_emptying(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (user, other) = (shop.customer("ada"), shop.customer("bob"));
    let [a, b] = [shop.product(100, 9), shop.product(100, 9)];
    let first = shop.add(user, a, 1).unwrap().line.id;
    let second = shop.add(user, b, 1).unwrap().line.id;
    shop.add(other, a, 1).unwrap();
    assert_eq!(shop.act(user, CartAction::Remove { line: first }), Ok(None));
    assert_eq!(shop.cart(user), [(b, 1)]);
    let again = shop.act(user, CartAction::Remove { line: first });
    assert_eq!(again, Err(Refusal::NotFound));
    assert_eq!(shop.act(user, CartAction::Empty), Ok(None));
    assert_eq!(shop.items(user), []);
    assert_eq!(
        shop.act(user, CartAction::Empty),
        Ok(None),
        "an empty cart can be emptied"
    );
    assert_eq!(shop.cart(other), [(a, 1)], "another cart is another cart");
    shop.act(other, CartAction::Empty).unwrap();
    let third = shop.add(user, a, 1).unwrap().line.id;
    assert!(
        third > second && second > first,
        "no line gets the id of one that is gone"
    );
}

/// A user cannot read or change the cart of another user.
pub fn carts_are_private_to_their_user(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let product = shop.product(100, 9);
    let line = shop.add(ada, product, 2).unwrap().line.id;
    shop.add(bob, product, 3).unwrap();
    for action in [set(line, 1), set(line, 0), CartAction::Remove { line }] {
        assert_eq!(shop.act(bob, action), Err(Refusal::NotFound));
    }
    assert_eq!(shop.cart(ada), [(product, 2)]);
    shop.act(bob, CartAction::Empty).unwrap();
    assert_eq!(shop.cart(ada), [(product, 2)]);
}

/// One query loads the carts of several users: each user's own lines, in order. Empty carts are
/// left out.
pub fn carts_are_read_together(stores: &Stores) {
    let shop = TestShop::new(stores);
    let users = ["ada", "grace", "joan"].map(|name| shop.customer(name));
    let products = [100, 200, 300].map(|price| shop.product(price, 9));
    for (units, product) in (1..).zip(products) {
        shop.add(users[0], product, units).unwrap();
    }
    for product in products.into_iter().rev() {
        shop.add(users[2], product, 2).unwrap();
    }
    let read = |users: &[UserId]| retry_busy(|| stores.carts.carts(users));
    let of = |user| (user, shop.whole_cart(user));
    let [ada, _, joan] = users;
    assert_eq!(read(&users), HashMap::from([ada, joan].map(of)));
    assert_eq!(read(&[joan, joan]), HashMap::from([of(joan)]));
    assert_eq!(read(&[]), HashMap::new());
    let lines =
        |user| -> Vec<ProductId> { shop.cart(user).into_iter().map(|line| line.0).collect() };
    assert_eq!(lines(ada), products);
    assert_eq!(lines(joan), [products[2], products[1], products[0]]);
}

/// Reading a cart changes neither the cart nor its products, whether or not the cart has issues.
pub fn reading_a_cart_changes_nothing(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let (short, archived) = (shop.product(100, 5), shop.product(100, 5));
    shop.add(user, short, 5).unwrap();
    shop.add(user, archived, 5).unwrap();
    shop.set_stock(short, 1);
    shop.archive(archived, true).unwrap();
    let seen = shop.items(user);
    for _ in 0..3 {
        assert_eq!(shop.items(user), seen);
    }
    assert_eq!(shop.cart(user), [(short, 5), (archived, 5)]);
    assert_eq!((shop.stock(short), shop.stock(archived)), (1, 5));
}

/// A cart shows the current price of each product, and the issues that prevent ordering it.
pub fn a_cart_shows_current_products(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let [dear, short, archived] = [100, 200, 300].map(|price| shop.product(price, 5));
    for product in [dear, short, archived] {
        shop.add(user, product, 4).unwrap();
    }
    shop.set_price(dear, 150);
    shop.set_stock(short, 3);
    shop.archive(archived, true).unwrap();
    let cart = shop.whole_cart(user);
    let products: Vec<_> = cart.items.iter().map(|item| item.product.clone()).collect();
    assert_eq!(
        products,
        [dear, short, archived].map(|product| shop.found(product))
    );
    let issues: Vec<_> = cart.items.iter().map(|item| item.issues()).collect();
    let expected = [
        vec![],
        vec![CartIssue::InsufficientStock],
        vec![CartIssue::ProductUnavailable],
    ];
    assert_eq!(issues, expected);
    assert_eq!(cart.units(), 12);
    assert_eq!(cart.total(usd()).unwrap().minor(), 4 * 650);
}

/// A cart holds at most 100 lines. In a full cart an existing line can still grow.
pub fn a_cart_holds_100_lines(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let products: Vec<_> = (0..=MAX_CART_ITEMS).map(|_| shop.product(100, 5)).collect();
    let (last, lines) = products.split_last().unwrap();
    for product in lines {
        shop.add(user, *product, 1).unwrap();
    }
    let full = Err(Refusal::Cart(CartRefusal::Full {
        limit: MAX_CART_ITEMS,
    }));
    assert_eq!(shop.add(user, *last, 1), full);
    assert_eq!(shop.add(user, lines[0], 1).unwrap().line.quantity, units(2));
    let line = shop.items(user)[7].line.id;
    shop.act(user, CartAction::Remove { line }).unwrap();
    assert!(shop.add(user, *last, 1).is_ok());
    assert_eq!(shop.items(user).len(), MAX_CART_ITEMS);
}
