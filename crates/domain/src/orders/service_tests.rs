//! Authorisation of orders, and the calls that reach the port.

use super::*;
use crate::kernel::{MockPlacementIds, ResponseEncoder, StoreError, StoreErrorKind};
use crate::orders::{MockOrderRepository, PlacementId};
use crate::testing::{at, clock, page, refusal, usd, user};

fn ada() -> Actor {
    Actor::Customer(user(1))
}

fn grace() -> Actor {
    Actor::Staff(user(9))
}

fn id() -> OrderId {
    OrderId::new(5).unwrap()
}

fn order(owner: i64, archived: bool) -> Order {
    Order {
        id: id(),
        user: user(owner),
        status: OrderStatus::Pending,
        total: Money::from_minor(100, usd()),
        adjustment: Money::zero(usd()),
        lines: Vec::new(),
        archived,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn orders(port: MockOrderRepository) -> Orders {
    let mut names = MockPlacementIds::new();
    names.expect_next().returning(|| PlacementId::new(77));
    Orders::new(Arc::new(port), Arc::new(names), Arc::new(clock(60)))
}

#[test]
fn an_anonymous_caller_has_no_orders() {
    let nobody = Actor::Anonymous;
    let no_names = Arc::new(MockPlacementIds::new());
    let port = Arc::new(MockOrderRepository::new());
    let orders = Orders::new(port, no_names, Arc::new(clock(60)));
    let expected = Refusal::Unauthenticated;
    assert_eq!(
        refusal(orders.list(nobody, OrderList::default(), page(1, 10))),
        expected
    );
    assert_eq!(refusal(orders.order(nobody, id(), false)), expected);
    assert_eq!(orders.placing(nobody, None, None), Err(expected.clone()));
    let set = orders.set_status(nobody, id(), OrderStatus::Cancelled, None);
    assert_eq!(refusal(set), expected);
    assert_eq!(refusal(orders.delete(nobody, id(), None)), expected);
}

#[test]
fn staff_list_one_users_orders() {
    let filter = OrderFilter {
        user: Some(user(7)),
        ..OrderFilter::default()
    };
    assert_eq!(filter.clone().seen_by(grace()), Ok(filter));
}

#[test]
fn customers_list_their_own_orders_and_staff_all() {
    for (actor, wish, expected) in [
        (ada(), false, (Some(user(1)), false)),
        (ada(), true, (Some(user(1)), false)),
        (grace(), false, (None, false)),
        (grace(), true, (None, true)),
    ] {
        let mut port = MockOrderRepository::new();
        let (user, archived) = expected;
        let filter = OrderFilter {
            user,
            archived,
            ..OrderFilter::default()
        };
        let list = OrderList::new(filter.clone());
        port.expect_list()
            .withf(move |asked, asked_page| (asked, *asked_page) == (&list, page(1, 10)))
            .once()
            .returning(|_, _| {
                Ok(Page {
                    count: 1,
                    items: vec![order(1, false)],
                })
            });
        port.expect_cursor_page()
            .withf(move |asked, _, span| (asked, span) == (&filter, &CursorRequest::first(9)))
            .once()
            .returning(|_, keyset, span| Ok(CursorPage::new(vec![order(1, false)], keyset, span)));
        let orders = orders(port);
        let others = Some(self::user(99));
        let filter = OrderFilter {
            user: if actor.is_staff() { None } else { others },
            archived: wish,
            ..OrderFilter::default()
        };
        let listed = orders.list(actor, OrderList::new(filter.clone()), page(1, 10));
        assert_eq!(listed.unwrap().items, [order(1, false)]);
        let keyset = Keyset::new(&crate::kernel::Sorting::default()).unwrap();
        let sliced = orders.cursor_page(actor, filter, keyset, &CursorRequest::first(9));
        assert_eq!(sliced.unwrap().items, [order(1, false)]);
    }
}

#[test]
fn a_page_that_does_not_exist_is_not_found() {
    for (count, number, exists) in [(0, 1, true), (10, 2, false), (11, 2, true)] {
        let mut port = MockOrderRepository::new();
        port.expect_list().returning(move |_, _| {
            Ok(Page {
                count,
                items: Vec::new(),
            })
        });
        let listed = orders(port).list(ada(), OrderList::default(), page(number, 10));
        assert_eq!(listed.is_ok(), exists, "{count} {number}");
        if !exists {
            assert_eq!(refusal(listed), Refusal::NotFound);
        }
    }
}

#[test]
fn orders_of_others_and_deleted_orders_are_not_found() {
    // actor, owner, whether the order is deleted, whether deleted orders are requested, visible
    for (actor, owner, archived, wish, visible) in [
        (ada(), 1, false, false, true),
        (ada(), 1, false, true, true),
        (ada(), 2, false, false, false),
        (ada(), 1, true, false, false),
        (ada(), 1, true, true, false),
        (grace(), 1, false, false, true),
        (grace(), 1, true, false, false),
        (grace(), 1, true, true, true),
    ] {
        let mut port = MockOrderRepository::new();
        port.expect_find()
            .withf(|asked| *asked == id())
            .returning(move |_| Ok(Some(order(owner, archived))));
        let found = orders(port).order(actor, id(), wish);
        if visible {
            assert_eq!(found.unwrap(), order(owner, archived));
        } else {
            let case = (actor, owner, archived, wish);
            assert_eq!(refusal(found), Refusal::NotFound, "{case:?}");
        }
    }
    let mut port = MockOrderRepository::new();
    port.expect_find().returning(|_| Ok(None));
    let found = orders(port).order(grace(), id(), true);
    assert_eq!(refusal(found), Refusal::NotFound);
}

#[test]
fn placing_makes_a_command_and_leaves_the_port_alone() {
    let agreed = Some(Money::from_minor(100, usd()));
    let quota = Some(OrderQuota::default());
    for (actor, expected_total, quota) in [
        (ada(), None, None),
        (ada(), None, quota),
        (grace(), agreed, quota),
    ] {
        let expected = PlaceOrder {
            user: actor.customer().unwrap(),
            expected_total,
            key: None,
            placement: PlacementId::new(77),
            quota,
            at: at(60),
        };
        let orders = orders(MockOrderRepository::new()).with_quota(quota);
        let placing = orders.placing(actor, expected_total, None);
        assert_eq!(placing, Ok(expected));
    }
}

#[test]
fn changes_reach_the_port_with_actor_and_time() {
    for by in [ada(), grace()] {
        for action in [
            OrderAction::SetStatus(OrderStatus::Cancelled),
            OrderAction::SetStatus(OrderStatus::Shipped),
            OrderAction::Delete,
        ] {
            let expected = ChangeOrder {
                seen: None,
                order: id(),
                action,
                by,
                at: at(60),
            };
            let mut port = MockOrderRepository::new();
            port.expect_change_all()
                .withf(move |given| *given == [expected.clone()])
                .once()
                .returning(|_| Ok(vec![Ok(order(1, false))]));
            let orders = orders(port);
            match action {
                OrderAction::SetStatus(status) => {
                    let changed = orders.set_status(by, id(), status, None);
                    assert_eq!(changed.unwrap(), order(1, false));
                }
                OrderAction::Delete => assert!(orders.delete(by, id(), None).is_ok()),
            }
        }
    }
}

#[test]
fn many_changes_are_one_slice_with_their_preconditions() {
    let tag = ResponseEncoder(|order: &Order| order.status.to_string());
    let seen = || Precondition {
        tags: vec!["pending".to_owned()],
        tag,
    };
    let mut port = MockOrderRepository::new();
    port.expect_change_all()
        .withf(move |given| {
            let seen = |one: &ChangeOrder| one.seen.as_ref().map(|seen| seen.tags.clone());
            let seen: Vec<_> = given.iter().map(seen).collect();
            seen == [Some(vec!["pending".to_owned()]), None]
        })
        .once()
        .returning(|_| Ok(vec![Ok(order(1, false)), Err(Refusal::NotFound)]));
    let action = OrderAction::SetStatus(OrderStatus::Cancelled);
    let changes = vec![(id(), action, Some(seen())), (id(), action, None)];
    let changed = orders(port).change_all(grace(), changes).unwrap();
    assert_eq!(changed.len(), 2);
    assert_eq!(refusal(changed[1].clone()), Refusal::NotFound);
}

#[test]
fn refusals_and_failures_are_passed_on() {
    let mut port = MockOrderRepository::new();
    port.expect_change_all()
        .once()
        .returning(|_| Ok(vec![Err(Refusal::Forbidden)]));
    port.expect_change_all()
        .once()
        .returning(|_| Err(StoreError::new(StoreErrorKind::OutcomeUnknown)));
    port.expect_find()
        .returning(|_| Err(StoreError::corrupt("orders", "status", 5)));
    let orders = orders(port);
    let refused = orders.set_status(ada(), id(), OrderStatus::Shipped, None);
    assert_eq!(refusal(refused), Refusal::Forbidden);
    let failed = orders.delete(ada(), id(), None);
    assert!(
        matches!(&failed, Err(Error::Store(error)) if *error.kind() == StoreErrorKind::OutcomeUnknown),
        "{failed:?}"
    );
    let failed = orders.order(ada(), id(), false);
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
}
