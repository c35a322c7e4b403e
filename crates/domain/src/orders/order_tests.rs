//! The order state machine: this table is its documentation.

use super::*;
use crate::orders::OrderRefusal;
use crate::testing::{account, at, former_staff, product, usd, user};
use OrderStatus::{Cancelled, Delivered, Pending, Processing, Shipped};
use proptest::prelude::*;

/// The result of an action for an actor.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The order has this status now.
    Now(OrderStatus),
    /// The order is unchanged.
    Same,
    /// The order is cancelled and deleted.
    Gone,
    /// 409 with the allowed statuses.
    No(Vec<OrderStatus>),
    NotPending,
    Forbidden,
}
use Answer::{Forbidden, Gone, No, NotPending, Now, Same};

fn order(status: OrderStatus) -> Order {
    let line = |id, quantity| {
        let product = product(id, 100, 0);
        OrderItem {
            product: product.id,
            name: product.name,
            unit_price: product.price.money(),
            quantity: Quantity::new(quantity).unwrap(),
        }
    };
    Order {
        id: OrderId::new(5).unwrap(),
        user: user(1),
        status,
        total: Money::from_minor(500, usd()),
        adjustment: Money::zero(usd()),
        lines: vec![line(1, 2), line(2, 3)],
        archived: false,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn change(order: &Order, action: OrderAction, by: Actor) -> ChangeOrder {
    ChangeOrder {
        seen: None,
        order: order.id,
        action,
        by,
        at: at(9),
    }
}

fn decide(order: &Order, action: OrderAction, by: Actor) -> Result<Decision<Order>, Refusal> {
    let acting = match by {
        Actor::Anonymous => None,
        Actor::Customer(user) => Some(account(user.get(), true, false)),
        Actor::Staff(user) => Some(account(user.get(), true, true)),
    };
    let command = change(order, action, by);
    decide_order(&command, acting.as_ref(), Some(order))
}

fn answer(before: &Order, action: OrderAction, by: Actor) -> Answer {
    match decide(before, action, by) {
        Ok(decision) if decision == Decision::of(before.clone()) => Same,
        Ok(decision) => {
            let after = decision.outcome;
            assert_eq!(decision.changes.orders, std::slice::from_ref(&after));
            let kind = EventKind::OrderStatus {
                order: before.id,
                user: before.user,
                from: before.status,
                to: after.status,
                total: before.total,
            };
            let actor = by.customer().ok();
            let event = Event {
                kind,
                actor,
                at: at(9),
            };
            assert_eq!(decision.events, [event]);
            if after.archived {
                Gone
            } else {
                Now(after.status)
            }
        }
        Err(Refusal::Orders(OrderRefusal::InvalidTransition { from, to, allowed })) => {
            assert_eq!((from, OrderAction::SetStatus(to)), (before.status, action));
            No(allowed)
        }
        Err(Refusal::Orders(OrderRefusal::NotPending { status })) => {
            assert_eq!(status, before.status);
            NotPending
        }
        Err(Refusal::Forbidden) => Forbidden,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn every_status_action_and_actor() {
    let to = OrderAction::SetStatus;
    let delete = OrderAction::Delete;
    let owner_too_late = || No(vec![]);
    // (status, action, result for the owner, result for staff)
    let table = [
        (Pending, to(Pending), Same, Same),
        (Pending, to(Processing), Forbidden, Now(Processing)),
        (
            Pending,
            to(Shipped),
            Forbidden,
            No(vec![Processing, Cancelled]),
        ),
        (
            Pending,
            to(Delivered),
            Forbidden,
            No(vec![Processing, Cancelled]),
        ),
        (Pending, to(Cancelled), Now(Cancelled), Now(Cancelled)),
        (Pending, delete, Gone, Gone),
        (
            Processing,
            to(Pending),
            Forbidden,
            No(vec![Shipped, Cancelled]),
        ),
        (Processing, to(Processing), Same, Same),
        (Processing, to(Shipped), Forbidden, Now(Shipped)),
        (
            Processing,
            to(Delivered),
            Forbidden,
            No(vec![Shipped, Cancelled]),
        ),
        (Processing, to(Cancelled), owner_too_late(), Now(Cancelled)),
        (Processing, delete, NotPending, NotPending),
        (Shipped, to(Pending), Forbidden, No(vec![Delivered])),
        (Shipped, to(Processing), Forbidden, No(vec![Delivered])),
        (Shipped, to(Shipped), Same, Same),
        (Shipped, to(Delivered), Forbidden, Now(Delivered)),
        (
            Shipped,
            to(Cancelled),
            owner_too_late(),
            No(vec![Delivered]),
        ),
        (Shipped, delete, NotPending, NotPending),
        (Delivered, to(Pending), Forbidden, No(vec![])),
        (Delivered, to(Processing), Forbidden, No(vec![])),
        (Delivered, to(Shipped), Forbidden, No(vec![])),
        (Delivered, to(Delivered), Same, Same),
        (Delivered, to(Cancelled), owner_too_late(), No(vec![])),
        (Delivered, delete, NotPending, NotPending),
        (Cancelled, to(Pending), Forbidden, No(vec![])),
        (Cancelled, to(Processing), Forbidden, No(vec![])),
        (Cancelled, to(Shipped), Forbidden, No(vec![])),
        (Cancelled, to(Delivered), Forbidden, No(vec![])),
        (Cancelled, to(Cancelled), Same, Same),
        (Cancelled, delete, NotPending, NotPending),
    ];
    let actions = OrderStatus::ALL.len() + 1;
    assert_eq!(
        table.len(),
        OrderStatus::ALL.len() * actions,
        "the table is whole"
    );
    for (status, action, owner, staff) in table {
        let order = order(status);
        assert_eq!(
            answer(&order, action, Actor::Customer(user(1))),
            owner,
            "{status} {action:?}"
        );
        // Staff who own the order have the rights of staff.
        for id in [1, 2] {
            let seen = answer(&order, action, Actor::Staff(user(id)));
            assert_eq!(seen, staff, "{status} {action:?}, staff");
        }
        let stranger = decide(&order, action, Actor::Customer(user(3)));
        assert_eq!(
            stranger,
            Err(Refusal::NotFound),
            "{status} {action:?}, stranger"
        );
        let nobody = decide(&order, action, Actor::Anonymous);
        assert_eq!(
            nobody,
            Err(Refusal::Unauthenticated),
            "{status} {action:?}, nobody"
        );
        for by in [Actor::Customer(user(1)), Actor::Staff(user(2))] {
            let deleted = Order {
                archived: true,
                ..order.clone()
            };
            assert_eq!(
                decide(&deleted, action, by),
                Err(Refusal::NotFound),
                "deleted"
            );
        }
    }
}

#[test]
fn an_unknown_order_is_not_found() {
    let command = ChangeOrder {
        seen: None,
        order: OrderId::new(5).unwrap(),
        action: OrderAction::Delete,
        by: Actor::Staff(user(1)),
        at: at(0),
    };
    let staff = account(1, true, true);
    assert_eq!(
        decide_order(&command, Some(&staff), None),
        Err(Refusal::NotFound)
    );
}

/// The role in the command comes from a session, which may be out of date.
#[test]
fn the_role_of_the_account_decides() {
    let (order, cancel) = (order(Pending), OrderAction::SetStatus(Cancelled));
    for (acting, refusal) in former_staff(2) {
        let command = change(&order, cancel, Actor::Staff(user(2)));
        // A customer does not learn of others' orders.
        let refusal = match refusal {
            Refusal::Forbidden => Refusal::NotFound,
            other => other,
        };
        let decided = decide_order(&command, acting.as_ref(), Some(&order));
        assert_eq!(decided, Err(refusal), "{acting:?}");
    }
    let command = change(&order, cancel, Actor::Customer(user(1)));
    let deactivated = account(1, false, false);
    let decided = decide_order(&command, Some(&deactivated), Some(&order));
    assert_eq!(decided, Err(Refusal::InvalidToken));
    let promoted = account(2, true, true);
    let command = change(&order, cancel, Actor::Customer(user(2)));
    assert!(decide_order(&command, Some(&promoted), Some(&order)).is_ok());
}

#[test]
fn cancelling_and_deleting_return_the_stock_of_every_line() {
    for action in [OrderAction::SetStatus(Cancelled), OrderAction::Delete] {
        let decision = decide(&order(Pending), action, Actor::Customer(user(1))).unwrap();
        let returned: Vec<_> = decision
            .movements
            .iter()
            .map(|back| {
                (
                    back.product.get(),
                    back.delta.units(),
                    back.reason,
                    back.order,
                )
            })
            .collect();
        let id = OrderId::new(5);
        assert_eq!(
            returned,
            [(1, 2, Reason::Return, id), (2, 3, Reason::Return, id)]
        );
    }
}

proptest! {
    /// For every sequence of changes, an order's stock is returned once if it is cancelled and
    /// never otherwise.
    #[test]
    fn stock_is_returned_exactly_once(pushes in prop::collection::vec((0_usize..6, 0_usize..3), 0..20)) {
        let mut order = order(Pending);
        let mut returned = 0;
        for (action, actor) in pushes {
            let action = OrderStatus::ALL
                .get(action)
                .map_or(OrderAction::Delete, |status| OrderAction::SetStatus(*status));
            let by = [Actor::Customer(user(1)), Actor::Staff(user(2)), Actor::Customer(user(3))][actor];
            if let Ok(decision) = decide(&order, action, by) {
                returned += decision.movements.iter().map(|back| back.delta.units()).sum::<i64>();
                order = decision.outcome;
            }
        }
        prop_assert_eq!(returned, if order.status == Cancelled { 5 } else { 0 });
    }
}
