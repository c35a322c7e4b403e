//! Slices of commands: several commands in one call of a write port.

use crate::keyed::{answer, key};
use crate::placing_orders::execute;
use crate::{TestShop, at, draft, level, race, units};
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartAction, CartChange, CartItemDetail, ChangeCart};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductChange, ProductDraft,
};
use tradepost_domain::inventory::{AdjustStock, StockDelta};
use tradepost_domain::kernel::{
    Actor, CartItemId, Execution, FieldError, IdempotencyRefusal, Idempotent, OrderId, ProductId,
    Refusal, Sku, UserId,
};
use tradepost_domain::orders::{ChangeOrder, Order, OrderAction, OrderRefusal, OrderStatus};

fn change(user: UserId, action: CartAction) -> ChangeCart {
    ChangeCart {
        user,
        action,
        seen: None,
        key: None,
        at: at(20),
    }
}

fn add(user: UserId, product: ProductId, quantity: i64) -> ChangeCart {
    let quantity = units(quantity);
    change(user, CartAction::Add { product, quantity })
}

/// The units that each change leaves in its line.
fn change_carts(stores: &Stores, commands: &[ChangeCart]) -> Vec<Result<Option<i64>, Refusal>> {
    let units = |change: CartChange| {
        let item = change.executed().unwrap();
        item.map(|item| item.line.quantity.units())
    };
    let changed = execute(commands, |slice| stores.carts.change_all(slice));
    changed.into_iter().map(|one| one.map(units)).collect()
}

/// A refused change does not affect its neighbours, and results are in the order of the commands.
pub fn a_refused_cart_change_does_not_affect_its_neighbours(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let (mug, tea) = (shop.product(100, 9), shop.product(100, 2));
    let nowhere = CartItemId::new(i64::MAX).unwrap();
    let changed = change_carts(
        stores,
        &[
            add(bob, tea, 2),
            add(ada, mug, 10),
            change(ada, CartAction::Remove { line: nowhere }),
            add(ada, mug, 9),
            add(bob, mug, 1),
            add(ada, tea, 1),
        ],
    );
    assert_eq!(changed[0], Ok(Some(2)));
    assert!(
        matches!(changed[1], Err(Refusal::Inventory(_))),
        "{changed:?}"
    );
    assert_eq!(changed[2], Err(Refusal::NotFound));
    assert_eq!(changed[3..], [Ok(Some(9)), Ok(Some(1)), Ok(Some(1))]);
    assert_eq!(shop.cart(ada), [(mug, 9), (tea, 1)]);
    assert_eq!(shop.cart(bob), [(tea, 2), (mug, 1)]);
}

/// Each change sees the earlier ones of its user: units add up in one line, and a product that was
/// removed may be added again.
pub fn cart_changes_of_a_slice_see_each_other(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let (mug, tea) = (shop.product(100, 50), shop.product(100, 50));
    let held = shop.add(ada, tea, 3).unwrap().line.id;
    let remove = || change(ada, CartAction::Remove { line: held });
    let set = |quantity: i64| CartAction::Set {
        line: held,
        quantity: Some(units(quantity)),
        product: None,
    };
    let commands = [
        add(ada, mug, 2),
        add(bob, mug, 7),
        add(ada, mug, 4),
        change(ada, set(5)),
        add(ada, tea, 1),
        remove(),
        remove(),
        add(ada, tea, 2),
        add(ada, mug, 1),
    ];
    let changed = execute(&commands, |slice| stores.carts.change_all(slice));
    let lines: Vec<_> = changed
        .iter()
        .map(|one| match one {
            Ok(Execution::Executed(Some(item))) => item.line.quantity.units(),
            Ok(Execution::Executed(None)) => 0,
            Err(Refusal::NotFound) => -1,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lines, [2, 7, 6, 5, 6, 0, -1, 2, 7]);
    assert_eq!(shop.cart(ada), [(mug, 7), (tea, 2)]);
    assert_eq!(shop.cart(bob), [(mug, 7)]);
    // The last result of a line is the line that is stored.
    let Ok(Execution::Executed(Some(last))) = &changed[8] else {
        panic!("{changed:?}");
    };
    assert_eq!(shop.items(ada)[0], *last);
    // A cart is emptied after an addition, though its line has no id until then.
    let emptied = change_carts(stores, &[add(bob, tea, 1), change(bob, CartAction::Empty)]);
    assert_eq!(emptied, [Ok(Some(1)), Ok(None)]);
    assert_eq!(shop.cart(bob), []);
}

/// A command that is repeated under its key within a slice is executed once, and gets the response
/// of the first.
pub fn a_key_repeated_in_a_slice_is_one_addition(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let mug = shop.product(100, 50);
    let keyed = |user, name: &str, quantity: i64| {
        let key: Idempotent<CartItemDetail> = key("/cart/", name, &quantity.to_string());
        ChangeCart {
            key: Some(key),
            ..add(user, mug, quantity)
        }
    };
    let commands = [
        keyed(ada, "a", 2),
        add(ada, mug, 1),
        keyed(ada, "a", 2),
        keyed(bob, "a", 2),
        keyed(ada, "a", 3),
        keyed(ada, "b", 2),
    ];
    let run = |commands: &[ChangeCart]| {
        let response = |change: CartChange| answer(change.map(Option::unwrap));
        let changed = execute(commands, |slice| stores.carts.change_all(slice));
        let changed = changed.into_iter().map(|one| one.map(response));
        changed.collect::<Vec<_>>()
    };
    let first = run(&commands);
    let reused = Refusal::Idempotency(IdempotencyRefusal::KeyReused);
    assert_eq!(first[0], first[2]);
    assert!(first[0].is_ok() && first[3].is_ok() && first[5].is_ok());
    assert_eq!(first[4], Err(reused.clone()));
    assert_eq!(
        (shop.cart(ada), shop.cart(bob)),
        (vec![(mug, 5)], vec![(mug, 2)])
    );
    // Each key has its response, also for a later slice.
    let again = [&commands[..1], &commands[2..]].concat();
    let expected = [&first[..1], &first[2..]].concat();
    assert_eq!(run(&again), expected);
    assert_eq!(shop.cart(ada), [(mug, 5)]);
}

/// Each change sees the earlier ones, and stock returns once.
pub fn order_changes_of_a_slice_see_each_other(stores: &Stores) {
    let shop = TestShop::new(stores);
    let grace = Actor::Staff(shop.staff("grace"));
    let ada = shop.customer("ada");
    let mug = shop.product(100, 9);
    let orders = [2, 3].map(|quantity| shop.order(ada, &[(mug, quantity)]).id);
    let command = |order, action, by| ChangeOrder {
        order,
        action,
        seen: None,
        by,
        at: at(200),
    };
    let set = OrderAction::SetStatus;
    let own = Actor::Customer(ada);
    let commands = [
        command(orders[0], set(OrderStatus::Processing), grace),
        command(
            OrderId::new(i64::MAX).unwrap(),
            set(OrderStatus::Shipped),
            grace,
        ),
        command(orders[0], set(OrderStatus::Shipped), own),
        command(orders[0], set(OrderStatus::Shipped), grace),
        command(orders[1], set(OrderStatus::Cancelled), own),
        command(orders[1], set(OrderStatus::Cancelled), grace),
        command(orders[1], OrderAction::Delete, own),
    ];
    let changed = execute(&commands, |slice| stores.orders.change_all(slice));
    let status = |one: &Result<Order, Refusal>| one.as_ref().map(|order| order.status).ok();
    let statuses: Vec<_> = changed.iter().map(status).collect();
    let expected = [
        Some(OrderStatus::Processing),
        None,
        None,
        Some(OrderStatus::Shipped),
        Some(OrderStatus::Cancelled),
        Some(OrderStatus::Cancelled),
        None,
    ];
    assert_eq!(statuses[..5], expected[..5]);
    assert_eq!(changed[1], Err(Refusal::NotFound));
    assert_eq!(changed[2], Err(Refusal::Forbidden));
    let not_pending = Refusal::Orders(OrderRefusal::NotPending {
        status: OrderStatus::Cancelled,
    });
    assert_eq!(changed[6], Err(not_pending));
    let found = orders.map(|order| shop.found_order(order).status);
    assert_eq!(found, [OrderStatus::Shipped, OrderStatus::Cancelled]);
    assert_eq!(shop.stock(mug), 7, "the stock of one order is back, once");
}

/// Each adjustment sees the level that the earlier ones leave.
pub fn adjustments_of_a_slice_see_each_other(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (mug, tea) = (shop.product(100, 5), shop.product(100, 0));
    let adjust = |product, delta| AdjustStock {
        product,
        delta: StockDelta::new(delta).unwrap(),
        note: None,
        key: None,
        by: None,
        at: at(60),
    };
    let nowhere = ProductId::new(i64::MAX).unwrap();
    let commands = [
        adjust(tea, 4),
        adjust(mug, -3),
        adjust(mug, -3),
        adjust(nowhere, 1),
        adjust(mug, -2),
    ];
    let adjusted = execute(&commands, |slice| stores.inventory.adjust_all(slice));
    let level = |at: usize| match &adjusted[at] {
        Ok(Execution::Executed(adjusted)) => adjusted.level.units(),
        other => panic!("{other:?}"),
    };
    assert_eq!((level(0), level(1), level(4)), (4, 2, 0));
    assert!(
        matches!(adjusted[2], Err(Refusal::Inventory(_))),
        "{adjusted:?}"
    );
    assert_eq!(adjusted[3], Err(Refusal::NotFound));
    assert_eq!((shop.stock(mug), shop.stock(tea)), (0, 4));
    let deltas = |product| {
        let movements = shop.movements(product);
        let deltas = movements.iter().map(|one| one.entry.delta.units());
        deltas.collect::<Vec<_>>()
    };
    assert_eq!((deltas(mug), deltas(tea)), (vec![5, -3, -2], vec![4]));
    // Each result has the movement that is stored.
    let last = shop.movements(mug).pop().unwrap();
    assert!(matches!(&adjusted[4], Ok(Execution::Executed(one)) if one.movement == last));
}

/// New products and changes of a slice see each other: a sku has one holder, also if it is given up
/// and taken in one slice.
pub fn product_changes_of_a_slice_see_each_other(stores: &Stores) {
    let shop = TestShop::new(stores);
    let sku = |sku: &str| Sku::new(sku).ok();
    let create = |name: &str| CreateProduct {
        draft: ProductDraft {
            sku: sku(name),
            ..draft(name, 100, 5)
        },
        key: None,
        by: None,
        at: at(70),
    };
    let created = execute(&[create("MUG"), create("MUG"), create("TEA")], |slice| {
        stores.products.create_all(slice)
    });
    let taken = Refusal::field("sku", FieldError::Taken);
    assert_eq!(created[1], Err(taken));
    let id = |at: usize| match &created[at] {
        Ok(Execution::Executed(product)) => product.id,
        other => panic!("{other:?}"),
    };
    let (mug, tea) = (id(0), id(2));
    let change = |product, change| ChangeProduct {
        product,
        change,
        seen: None,
        by: None,
        at: at(80),
    };
    let none = ProductChange::default;
    let stock = |units| ProductChange {
        stock: Some(level(units)),
        ..none()
    };
    let archive = |archived| ProductChange {
        archived: Some(archived),
        ..none()
    };
    let named = |name: &str| ProductChange {
        sku: Some(sku(name)),
        ..none()
    };
    let commands = [
        change(mug, stock(9)),
        change(mug, archive(true)),
        change(mug, stock(1)),
        change(tea, stock(2)),
        change(mug, archive(false)),
        change(mug, stock(3)),
        change(mug, named("CUP")),
        change(tea, named("MUG")),
    ];
    let changed = execute(&commands, |slice| stores.products.change_all(slice));
    let level_of = |one: &Result<Product, Refusal>| one.as_ref().ok().map(|one| one.stock.units());
    let levels: Vec<_> = changed.iter().map(level_of).collect();
    let expected = [9, 9, -1, 2, 9, 3, 3, 2].map(|units| (units >= 0).then_some(units));
    assert_eq!(levels, expected);
    assert_eq!(changed[2], Err(Refusal::NotFound));
    assert_eq!((shop.stock(mug), shop.stock(tea)), (3, 2));
    assert_eq!(shop.found(mug).sku, sku("CUP"));
    assert_eq!(shop.found(tea).sku, sku("MUG"));
}

/// A slice of no commands has no results.
pub fn an_empty_slice_does_nothing(stores: &Stores) {
    let (carts, orders) = (stores.carts.change_all(&[]), stores.orders.change_all(&[]));
    assert!(carts.unwrap().is_empty() && orders.unwrap().is_empty());
    assert!(stores.inventory.adjust_all(&[]).unwrap().is_empty());
    assert!(stores.products.create_all(&[]).unwrap().is_empty());
    assert!(stores.products.change_all(&[]).unwrap().is_empty());
    assert_eq!(
        stores.products.change_together(&[]).unwrap(),
        Ok(Vec::new())
    );
}

/// Slices that several servers execute at once, for the same carts, lose no addition, and none is
/// executed twice.
pub fn slices_of_one_cart_lose_nothing(stores: &Stores) {
    const SERVERS: usize = 3;
    let shop = TestShop::new(stores);
    let users = shop.customers(4);
    let (mug, tea) = (shop.product(100, 9_000), shop.product(100, 9_000));
    race(SERVERS, |_| {
        for _ in 0..5 {
            let both = users
                .iter()
                .flat_map(|user| [add(*user, mug, 1), add(*user, tea, 1)]);
            let commands: Vec<_> = both.clone().chain(both).collect();
            let changed = change_carts(stores, &commands);
            assert!(changed.iter().all(Result::is_ok), "{changed:?}");
        }
    });
    let each = i64::try_from(SERVERS * 5 * 2).unwrap();
    for user in users {
        let mut cart = shop.cart(user);
        cart.sort_unstable();
        assert_eq!(cart, [(mug, each), (tea, each)]);
    }
}
