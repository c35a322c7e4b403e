use super::*;
use crate::testing::{account, at, former_staff, product};

fn adjust(delta: i64) -> AdjustStock {
    let product = ProductId::new(1).unwrap();
    let delta = StockDelta::requested(delta).unwrap();
    AdjustStock {
        product,
        delta,
        note: None,
        key: None,
        by: None,
        at: at(0),
    }
}

#[test]
fn an_adjustment_keeps_stock_within_its_bounds() {
    let most = StockLevel::MAX;
    for (stock, delta, expected) in [
        (5, 3, Ok(8)),
        (5, -5, Ok(0)),
        (5, -6, Err("There is not enough stock.")),
        (0, -1, Err("There is not enough stock.")),
        (most - 1, 1, Ok(most)),
        (
            most,
            1,
            Err("delta: The stock would be more than 2147483647."),
        ),
    ] {
        let product = product(1, 100, stock);
        let decided = decide_adjustment(&adjust(delta), None, Some(&product));
        let seen = decided
            .as_ref()
            .map(|decision| decision.outcome.level.units());
        assert_eq!(
            seen.map_err(ToString::to_string),
            expected.map_err(str::to_owned)
        );
        if let Ok(decision) = decided {
            assert_eq!(decision.movements[0].delta.units(), delta);
            let kind = EventKind::StockAdjusted {
                product: product.id,
                delta: StockDelta::new(delta).unwrap(),
                reason: Reason::Adjustment,
            };
            assert_eq!(decision.events[0].kind, kind);
        }
    }
}

#[test]
fn a_product_that_is_not_sold_has_no_stock_to_adjust() {
    assert_eq!(
        decide_adjustment(&adjust(1), None, None),
        Err(Refusal::NotFound)
    );
    let archived = Product {
        archived: true,
        ..product(1, 100, 5)
    };
    assert_eq!(
        decide_adjustment(&adjust(1), None, Some(&archived)),
        Err(Refusal::NotFound)
    );
}

#[test]
fn only_current_staff_adjust_stock() {
    let command = AdjustStock {
        by: UserId::new(9),
        ..adjust(1)
    };
    let product = product(1, 100, 5);
    let staff = account(9, true, true);
    assert!(decide_adjustment(&command, Some(&staff), Some(&product)).is_ok());
    for (acting, expected) in former_staff(9) {
        let decided = decide_adjustment(&command, acting.as_ref(), Some(&product));
        assert_eq!(decided.err(), Some(expected), "{acting:?}");
    }
}

#[test]
fn requested_values_are_bounded() {
    for units in [-1, StockLevel::MAX + 1, i64::MIN, i64::MAX] {
        assert!(StockLevel::requested(units).is_err(), "{units}");
    }
    for units in [
        0,
        StockLevel::MAX + 1,
        -StockLevel::MAX - 1,
        i64::MIN,
        i64::MAX,
    ] {
        assert!(StockDelta::requested(units).is_err(), "{units}");
    }
}

#[test]
fn reasons_round_trip_through_text() {
    for reason in Reason::ALL {
        assert_eq!(Reason::parse(reason.as_str()), Some(reason));
    }
    assert_eq!(Reason::parse("theft"), None);
}

#[test]
fn strict_stock_writes_need_a_precondition() {
    use StockWrites::{Lenient, Strict};
    for (writes, sets_stock, has_precondition, expected) in [
        (Lenient, true, false, Ok(())),
        (Strict, false, false, Ok(())),
        (Strict, true, true, Ok(())),
        (
            Strict,
            true,
            false,
            Err(Refusal::Inventory(InventoryRefusal::PreconditionRequired)),
        ),
    ] {
        let decided = decide_stock_write(writes, sets_stock, has_precondition);
        assert_eq!(decided, expected, "{writes:?} {sets_stock}");
    }
    assert_eq!(StockWrites::default(), Lenient);
}
