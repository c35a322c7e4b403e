//! Tables of slices of adjustments of stock.

use super::*;
use crate::inventory::{InventoryRefusal, StockDelta, StockLevel};
use crate::kernel::{
    IdempotencyKey, IdempotencyRefusal, IdempotencyScope, Refusal, ResponseEncoder,
};
use crate::testing::{account, at, product, product_id, user};

fn adjust(product: i64, delta: i64) -> AdjustStock {
    AdjustStock {
        product: product_id(product),
        delta: StockDelta::new(delta).unwrap(),
        note: None,
        key: None,
        by: Some(user(9)),
        at: at(1),
    }
}

fn keyed(key: &str, delta: i64) -> AdjustStock {
    let key = Idempotent {
        scope: IdempotencyScope {
            path: "/stock/".to_owned(),
            key: IdempotencyKey::new(key).unwrap(),
        },
        fingerprint: delta.to_string(),
        render: ResponseEncoder(|adjusted: &Adjusted| adjusted.level.to_string()),
    };
    AdjustStock {
        key: Some(key),
        ..adjust(1, delta)
    }
}

fn state() -> StockState {
    StockState {
        acting: [(user(9), account(9, true, true))].into(),
        products: [
            (product_id(1), product(1, 100, 5)),
            (product_id(2), product(2, 100, 0)),
        ]
        .into(),
        keys: StoredKeys::default(),
    }
}

fn level(units: i64) -> Settled<Adjustment> {
    let level = StockLevel::new(units).unwrap();
    Settled::Executed(Adjustment { level })
}

#[test]
fn each_adjustment_sees_the_earlier_ones_and_a_refusal_affects_no_neighbour() {
    let commands = [
        adjust(1, -3),
        adjust(1, -3),
        adjust(3, 1),
        adjust(2, 4),
        adjust(1, -2),
    ];
    let decision = decide_adjustments(&commands, state());
    let outcome = &decision.outcome;
    assert_eq!(outcome[0], level(2));
    assert!(matches!(
        outcome[1],
        Settled::Refused(Refusal::Inventory(InventoryRefusal::InsufficientStock(_)))
    ));
    assert_eq!(outcome[2], Settled::Refused(Refusal::NotFound));
    assert_eq!(outcome[3..], [level(4), level(0)]);
    let moved: Vec<_> = decision
        .movements
        .iter()
        .map(|one| (one.product, one.delta.units()))
        .collect();
    let (one, two) = (product_id(1), product_id(2));
    assert_eq!(moved, [(one, -3), (two, 4), (one, -2)]);
}

#[test]
fn a_key_repeated_in_a_slice_is_one_adjustment() {
    let commands = [keyed("a", 2), keyed("a", 2), keyed("a", 3), keyed("b", 2)];
    let decision = decide_adjustments(&commands, state());
    let reused = Refusal::Idempotency(IdempotencyRefusal::KeyReused);
    assert_eq!(
        decision.outcome,
        [
            level(7),
            Settled::SameAs { position: 0 },
            Settled::Refused(reused),
            level(9),
        ]
    );
    assert_eq!(decision.movements.len(), 2);
}
