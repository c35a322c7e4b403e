use super::*;
use crate::cart::CartOutcome;
use crate::cart::NewCartItem;
use crate::catalog::{NewProduct, Product};
use crate::identity::{NewAccount, PasswordHash, Username};
use crate::inventory::{Adjusted, Adjustment, Movement};
use crate::kernel::{CartItemId, MovementId, OrderId, ProductId, Quantity, Refusal, UserId};
use crate::orders::{NewOrder, Order, OrderItem, PlacementId};
use crate::testing::{ProductBuilder, at, money, product, user};

fn new_product(stock: i64) -> NewProduct {
    NewProduct {
        draft: ProductBuilder::new(1).stock(stock).draft(),
        by: Some(user(9)),
        at: at(3),
    }
}

fn new_order(who: i64) -> NewOrder {
    let product = product(1, 100, 5);
    let price = product.price.money();
    NewOrder {
        user: user(who),
        placement: PlacementId::new(7),
        lines: vec![OrderItem {
            product: product.id,
            name: product.name,
            unit_price: price,
            quantity: Quantity::new(2).unwrap(),
        }],
        total: price.plus(price).unwrap(),
        at: at(3),
    }
}

fn new_account(is_staff: bool) -> NewAccount {
    NewAccount {
        username: Username::new("ada").unwrap(),
        email: None,
        password: PasswordHash::new("$2b$".to_owned()),
        is_staff,
        at: at(3),
    }
}

#[test]
fn new_rows_bring_their_movements_and_events() {
    let mut decision = Decision::of(());
    decision.changes.new_products = vec![new_product(5), new_product(0)];
    decision.changes.new_orders = vec![new_order(1)];
    decision.changes.new_accounts = vec![new_account(false), new_account(true)];
    let ids = NewIds {
        products: [11, 12].into_iter().filter_map(ProductId::new).collect(),
        orders: OrderId::new(21).into_iter().collect(),
        accounts: [31, 32].into_iter().filter_map(UserId::new).collect(),
        ..NewIds::default()
    };
    let completed = decision.complete(ids).unwrap();
    let moved = |one: &NewMovement| (one.product.get(), one.order, one.delta.units());
    let moved: Vec<_> = completed.movements.iter().map(moved).collect();
    assert_eq!(moved, [(11, None, 5), (1, OrderId::new(21), -2)]);
    let told = |event: &Event| {
        assert_eq!(event.at, at(3));
        (event.kind.clone(), event.actor)
    };
    let told: Vec<_> = completed.events.iter().map(told).collect();
    let created = |id| EventKind::ProductCreated {
        product: ProductId::new(id).unwrap(),
    };
    let registered = |id| EventKind::AccountRegistered { user: user(id) };
    let placed = EventKind::OrderPlaced {
        order: OrderId::new(21).unwrap(),
        user: user(1),
        total: money(200),
    };
    assert_eq!(
        told,
        [
            (created(11), Some(user(9))),
            (created(12), Some(user(9))),
            (placed, Some(user(1))),
            (registered(31), Some(user(31))),
            (registered(32), None),
        ]
    );
    let rows = completed.rows;
    assert_eq!(rows.products[1].id, ProductId::new(12).unwrap());
    assert_eq!(rows.orders[0].total.minor(), 200);
    assert!(rows.accounts[1].account.is_staff);
    assert_eq!(completed.changes, Changes::default());
}

#[test]
fn a_wrong_number_of_ids_completes_nothing() {
    let mut decision = Decision::of(());
    decision.changes.new_products = vec![new_product(5)];
    assert_eq!(decision.clone().complete(NewIds::default()), None);
    let ids = NewIds {
        products: [1, 2].into_iter().filter_map(ProductId::new).collect(),
        ..NewIds::default()
    };
    assert_eq!(decision.complete(ids), None);
}

#[test]
fn outcomes_take_the_new_rows_in_order() {
    let order = |id, who| new_order(who).into_order(OrderId::new(id).unwrap());
    let rows = NewRows {
        orders: vec![order(1, 5), order(2, 6)],
        products: vec![new_product(5).into_product(ProductId::new(3).unwrap())],
        ..NewRows::default()
    };
    let created = || Settled::Executed(Created::<Order>::new());
    let outcome = vec![
        created(),
        Settled::SameAs { position: 0 },
        Settled::Refused(Refusal::NotFound),
        created(),
        Settled::Replayed("then".to_owned()),
    ];
    let settled = outcome.clone().stored(&mut StoredRows::new(&rows, &[]));
    let expected = vec![
        Settled::Executed(order(1, 5)),
        Settled::SameAs { position: 0 },
        Settled::Refused(Refusal::NotFound),
        Settled::Executed(order(2, 6)),
        Settled::Replayed("then".to_owned()),
    ];
    assert_eq!(settled, Some(expected));
    let none = NewRows::default();
    assert_eq!(outcome.stored(&mut StoredRows::new(&none, &[])), None);
    let mut stored = StoredRows::new(&rows, &[]);
    let mut created = || Created::<Product>::new().stored(&mut stored);
    assert_eq!(created(), rows.products.first().cloned());
    assert_eq!(created(), None);
}

#[test]
fn a_new_cart_item_is_taken_with_its_product() {
    let model = product(1, 100, 5);
    let new = NewCartItem {
        user: user(1),
        product: model.id,
        quantity: Quantity::new(2).unwrap(),
        at: at(3),
        updated_at: at(3),
    };
    let rows = NewRows {
        cart_items: vec![new.into_item(CartItemId::new(4).unwrap())],
        ..NewRows::default()
    };
    let outcome = CartOutcome::New {
        row: 0,
        quantity: new.quantity,
        updated_at: new.updated_at,
        product: model.clone(),
    };
    let stored = outcome.stored(&mut StoredRows::new(&rows, &[]));
    let item = stored.flatten().unwrap();
    assert_eq!((item.line, item.product), (rows.cart_items[0], model));
}

#[test]
fn an_adjustment_takes_its_movement() {
    let mut decision = Decision::of(());
    decision.changes.new_products = vec![new_product(5)];
    let ids = NewIds {
        products: vec![ProductId::new(1).unwrap()],
        ..NewIds::default()
    };
    let entry = decision.complete(ids).unwrap().movements.remove(0);
    let movement = Movement {
        id: MovementId::new(8).unwrap(),
        entry,
    };
    let level = crate::inventory::StockLevel::new(5).unwrap();
    let none = NewRows::default();
    let movements = [movement.clone()];
    let stored = Adjustment { level }.stored(&mut StoredRows::new(&none, &movements));
    assert_eq!(stored, Some(Adjusted { movement, level }));
}
