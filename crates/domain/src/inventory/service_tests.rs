//! Authorisation of the inventory, and the calls that reach the port.

use super::*;
use crate::inventory::{MockInventoryRepository, NewMovement, Reason};
use crate::kernel::MovementId;
use crate::testing::{at, clock, page, refusal, user};

fn ada() -> Actor {
    Actor::Customer(user(1))
}

fn grace() -> Actor {
    Actor::Staff(user(9))
}

/// An inventory over a port that panics on unexpected calls, at 60 seconds on its clock.
fn inventory(stock: MockInventoryRepository) -> Inventory {
    Inventory::new(Arc::new(stock), Arc::new(clock(60)))
}

fn id() -> ProductId {
    ProductId::new(1).unwrap()
}

#[test]
fn only_staff_adjust_stock_or_read_the_ledger() {
    for (actor, expected) in [
        (Actor::Anonymous, Refusal::Unauthenticated),
        (ada(), Refusal::Forbidden),
    ] {
        // A mock without expectations panics on every call.
        let inventory = inventory(MockInventoryRepository::new());
        let delta = StockDelta::new(1).unwrap();
        let adjusted = inventory.adjust_stock(actor, id(), delta, None, None);
        assert_eq!(refusal(adjusted), expected);
        assert_eq!(
            refusal(inventory.movements(actor, id(), page(1, 10))),
            expected
        );
    }
}

#[test]
fn an_adjustment_carries_actor_time_and_reason() {
    let mut stock = MockInventoryRepository::new();
    let (delta, note) = (StockDelta::new(-2).unwrap(), Note::new("broken").ok());
    let command = AdjustStock {
        product: id(),
        delta,
        note: note.clone(),
        key: None,
        by: Some(user(9)),
        at: at(60),
    };
    stock
        .expect_adjust_all()
        .withf(move |given| *given == [command.clone()])
        .once()
        .returning(|_| Ok(vec![Ok(Execution::Replayed("as it was".to_owned()))]));
    let adjusted = inventory(stock).adjust_stock(grace(), id(), delta, note, None);
    assert_eq!(
        adjusted.unwrap(),
        Execution::Replayed("as it was".to_owned())
    );
}

#[test]
fn movements_are_paged_and_only_of_existing_products() {
    let movement = Movement {
        id: MovementId::new(1).unwrap(),
        entry: NewMovement {
            product: id(),
            order: None,
            delta: StockDelta::new(5).unwrap(),
            reason: Reason::Opening,
            note: None,
            actor: None,
            at: at(0),
        },
    };
    let known = Some(Page {
        count: 1,
        items: vec![movement.clone()],
    });
    for (answer, number, expected) in [
        (known.clone(), 1, Some(movement)),
        (known, 2, None),
        (None, 1, None),
    ] {
        let mut stock = MockInventoryRepository::new();
        stock
            .expect_movements()
            .withf(move |asked, asked_page| (*asked, *asked_page) == (id(), page(number, 10)))
            .returning(move |_, _| Ok(answer.clone()));
        let listed = inventory(stock).movements(grace(), id(), page(number, 10));
        match expected {
            Some(movement) => assert_eq!(listed.unwrap().items, [movement]),
            None => assert_eq!(refusal(listed), Refusal::NotFound),
        }
    }
}
