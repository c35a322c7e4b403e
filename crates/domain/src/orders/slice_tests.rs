//! Tables of slices of changes of orders.

use super::*;
use crate::inventory::Reason;
use crate::kernel::{Actor, Money, Quantity};
use crate::orders::{OrderAction, OrderItem, OrderRefusal, OrderStatus};
use crate::testing::{account, at, product, usd, user};

fn id(number: i64) -> OrderId {
    OrderId::new(number).unwrap()
}

fn order(number: i64) -> Order {
    let product = product(1, 100, 5);
    Order {
        id: id(number),
        user: user(1),
        status: OrderStatus::Pending,
        total: Money::from_minor(200, usd()),
        adjustment: Money::zero(usd()),
        lines: vec![OrderItem {
            product: product.id,
            name: product.name,
            unit_price: Money::from_minor(100, usd()),
            quantity: Quantity::new(2).unwrap(),
        }],
        archived: false,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn change(order: i64, action: OrderAction, by: Actor) -> ChangeOrder {
    ChangeOrder {
        order: id(order),
        action,
        seen: None,
        by,
        at: at(order),
    }
}

fn state() -> OrdersState {
    OrdersState {
        acting: [
            (user(1), account(1, true, false)),
            (user(9), account(9, true, true)),
        ]
        .into(),
        orders: [(id(5), order(5)), (id(6), order(6))].into(),
    }
}

#[test]
fn each_change_sees_the_earlier_ones_and_a_refusal_affects_no_neighbour() {
    let (ada, grace) = (Actor::Customer(user(1)), Actor::Staff(user(9)));
    let set = OrderAction::SetStatus;
    let commands = [
        change(5, set(OrderStatus::Processing), grace),
        change(7, set(OrderStatus::Shipped), grace),
        change(5, set(OrderStatus::Shipped), grace),
        change(5, set(OrderStatus::Cancelled), grace),
        change(6, OrderAction::Delete, ada),
        change(6, set(OrderStatus::Cancelled), ada),
    ];
    let decision = decide_orders(&commands, state());
    let statuses: Vec<_> = decision
        .outcome
        .iter()
        .map(|one| one.as_ref().map(|order| order.status))
        .collect();
    let shipped = Refusal::Orders(OrderRefusal::InvalidTransition {
        from: OrderStatus::Shipped,
        to: OrderStatus::Cancelled,
        allowed: vec![OrderStatus::Delivered],
    });
    assert_eq!(
        statuses,
        [
            Ok(OrderStatus::Processing),
            Err(&Refusal::NotFound),
            Ok(OrderStatus::Shipped),
            Err(&shipped),
            Ok(OrderStatus::Cancelled),
            Err(&Refusal::NotFound),
        ]
    );
    // Each order is written once, in its last state, and the stock returns once.
    let written: Vec<_> = decision
        .changes
        .orders
        .iter()
        .map(|order| (order.id, order.status))
        .collect();
    assert_eq!(
        written,
        [
            (id(5), OrderStatus::Shipped),
            (id(6), OrderStatus::Cancelled)
        ]
    );
    let returned: Vec<_> = decision
        .movements
        .iter()
        .map(|one| (one.order, one.delta.units(), one.reason))
        .collect();
    assert_eq!(returned, [(Some(id(6)), 2, Reason::Return)]);
    assert_eq!(decision.events.len(), 3);
}

#[test]
fn each_change_is_decided_by_the_account_of_its_acting_user() {
    let shipping = OrderAction::SetStatus(OrderStatus::Processing);
    let commands = [
        change(5, shipping, Actor::Staff(user(1))),
        change(5, shipping, Actor::Staff(user(8))),
        change(5, shipping, Actor::Staff(user(9))),
    ];
    let outcome = decide_orders(&commands, state()).outcome;
    assert_eq!(outcome[0], Err(Refusal::Forbidden));
    assert_eq!(outcome[1], Err(Refusal::InvalidToken));
    assert_eq!(outcome[2].as_ref().unwrap().status, OrderStatus::Processing);
}
