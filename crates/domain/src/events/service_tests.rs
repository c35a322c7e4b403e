use super::*;
use crate::catalog::MockProductRepository;
use crate::decision::EventKind;
use crate::events::MockEventRepository;
use crate::orders::{MockOrderRepository, Order, OrderStatus};
use crate::testing::{at, money, product, product_id, refusal, user};
use std::sync::Arc;

fn seq(number: i64) -> EventSeq {
    EventSeq::new(number).unwrap()
}

fn order() -> OrderId {
    OrderId::new(4).unwrap()
}

fn placed(number: i64) -> LoggedEvent {
    LoggedEvent {
        seq: seq(number),
        event: Event {
            kind: EventKind::OrderPlaced {
                order: order(),
                user: user(1),
                total: money(100),
            },
            actor: Some(user(1)),
            at: at(0),
        },
    }
}

fn staff() -> Actor {
    Actor::Staff(user(9))
}

/// The service over a log of `last` events.
fn service(last: i64, archived: bool) -> Events {
    let mut events = MockEventRepository::new();
    events
        .expect_last()
        .returning(move || Ok(EventSeq::new(last)));
    events
        .expect_feed_id()
        .returning(|| Ok(FeedId::new("abc").unwrap()));
    events.expect_read().returning(move |query| {
        let numbers = (1..=last).filter(|number| query.range.contains(seq(*number)));
        let limit = usize::try_from(query.limit).unwrap();
        Ok(numbers.take(limit).map(placed).collect())
    });
    let mut orders = MockOrderRepository::new();
    orders.expect_find().returning(move |id| {
        let stored = Order {
            id: order(),
            user: user(1),
            status: OrderStatus::Cancelled,
            total: money(100),
            adjustment: money(0),
            lines: Vec::new(),
            archived,
            created_at: at(0),
            updated_at: at(0),
        };
        Ok((id == order()).then_some(stored))
    });
    let mut products = MockProductRepository::new();
    products.expect_find_all().returning(|ids| {
        Ok(ids
            .iter()
            .filter(|id| id.get() == 1)
            .map(|_| product(1, 1, 1))
            .collect())
    });
    Events::new(Arc::new(events), Arc::new(orders), Arc::new(products))
}

fn after(number: i64) -> FeedQuery {
    FeedQuery {
        after: EventSeq::new(number),
        limit: 2,
        ..FeedQuery::default()
    }
}

#[test]
fn the_feed_continues_after_a_position() {
    let service = service(5, false);
    for (position, expected) in [(0, vec![1, 2]), (3, vec![4, 5]), (4, vec![5]), (5, vec![])] {
        let feed = service.feed(staff(), &after(position)).unwrap();
        let numbers: Vec<_> = feed.events.iter().map(|event| event.seq.get()).collect();
        assert_eq!((numbers, feed.last), (expected, 5));
    }
}

#[test]
fn a_position_beyond_the_log_is_refused() {
    for (last, position) in [(5, 6), (0, 1)] {
        let rewound = Refusal::Events(EventRefusal::FeedRewound { last });
        let feed = service(last, false).feed(staff(), &after(position));
        assert_eq!(refusal(feed), rewound);
    }
    assert!(service(0, false).feed(staff(), &after(0)).is_ok());
}

#[test]
fn owners_see_the_history_of_an_order_without_its_actors() {
    let open = service(1, false);
    let actor_of = |history: Result<Vec<LoggedEvent>, Error>| history.unwrap()[0].event.actor;
    let owner = Actor::Customer(user(1));
    assert_eq!(actor_of(open.order_history(owner, order())), None);
    assert_eq!(
        actor_of(open.order_history(staff(), order())),
        Some(user(1))
    );
    let other = open.order_history(Actor::Customer(user(2)), order());
    assert_eq!(refusal(other), Refusal::NotFound);
    let missing = open.order_history(staff(), OrderId::new(5).unwrap());
    assert_eq!(refusal(missing), Refusal::NotFound);
    // Staff alone see deleted orders.
    let deleted = service(1, true);
    assert_eq!(
        refusal(deleted.order_history(owner, order())),
        Refusal::NotFound
    );
    assert!(deleted.order_history(staff(), order()).is_ok());
}

#[test]
fn only_staff_read_the_log() {
    let service = service(1, false);
    for (actor, expected) in [
        (Actor::Anonymous, Refusal::Unauthenticated),
        (Actor::Customer(user(1)), Refusal::Forbidden),
    ] {
        assert_eq!(refusal(service.feed(actor, &after(0))), expected);
        assert_eq!(
            refusal(service.audit(actor, &EventQuery::default())),
            expected
        );
        let history = service.product_history(actor, product_id(1), None, 10);
        assert_eq!(refusal(history), expected);
    }
    let anonymous = service.order_history(Actor::Anonymous, order());
    assert_eq!(refusal(anonymous), Refusal::Unauthenticated);
    let missing = service.product_history(staff(), product_id(2), None, 10);
    assert_eq!(refusal(missing), Refusal::NotFound);
    let history = service.product_history(staff(), product_id(1), Some(seq(2)), 10);
    assert_eq!(history.unwrap().len(), 1);
}
