use super::*;
use crate::catalog::{ChangeProduct, Measure, MeasureChanges, ProductChange, decide_change};
use crate::decision::{Changes, ProductAttribute, ProductUpdate};
use crate::kernel::Money;
use crate::testing::{ProductBuilder, account, at, former_staff, product, product_id, usd};

fn change(change: ProductChange) -> ChangeProduct {
    let product = ProductId::new(1).unwrap();
    ChangeProduct {
        seen: None,
        product,
        change,
        by: UserId::new(9),
        at: at(60),
    }
}

fn decide(command: &ChangeProduct, product: &Product) -> Result<Decision<Product>, Refusal> {
    decide_change(
        command,
        Some(&account(9, true, true)),
        Some(product),
        None,
        usd(),
    )
}

#[test]
fn a_price_is_more_than_nothing_and_has_ten_digits() {
    let price = |minor| Price::new(Money::from_minor(minor, usd()));
    assert!(price(1).is_ok() && price(999_999_999_999).is_ok());
    assert_eq!(price(0), Err(FieldError::NotPositive));
    assert_eq!(price(-1), Err(FieldError::NotPositive));
    assert_eq!(price(1_000_000_000_000), Err(FieldError::TooManyDigits));
}

#[test]
fn a_measure_is_a_whole_number_up_to_its_maximum() {
    for measure in Measure::ALL {
        let max = measure.max();
        for (value, is_valid) in [
            (-1, false),
            (0, true),
            (max, true),
            (max + 1, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            let range = FieldError::OutOfRange { min: 0, max };
            let expected = is_valid.then_some(value).ok_or(range);
            assert_eq!(measure.check(value), expected);
            let measures = Measures::default().with(*measure, value);
            assert_eq!(measures.map(|measures| measures.get(*measure)), expected);
        }
    }
}

#[test]
fn a_change_of_a_measure_is_an_attribute_of_its_event() {
    for measure in Measure::ALL.iter().copied() {
        let before = Product {
            measures: Measures::default().with(measure, 250).unwrap(),
            ..product(1, 100, 5)
        };
        let changed = |to| ProductAttribute::Measure {
            measure,
            from: 250,
            to,
        };
        for (value, expected) in [
            (None, vec![]),
            (Some(250), vec![]),
            (Some(0), vec![changed(0)]),
            (Some(300), vec![changed(300)]),
        ] {
            let named = MeasureChanges::default();
            let named = value.map_or(Ok(named), |value| named.with(measure, value));
            let named = ProductChange {
                measures: named.unwrap(),
                ..ProductChange::default()
            };
            let decided = decide(&change(named), &before).unwrap();
            let after = decided.outcome.measures;
            assert_eq!(after.get(measure), value.unwrap_or(250));
            let attributes = decided.events.iter().flat_map(|event| match &event.kind {
                EventKind::ProductChanged { attributes, .. } => attributes.clone(),
                other => panic!("{other:?}"),
            });
            assert_eq!(attributes.collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn a_change_leaves_unnamed_fields_unchanged() {
    let before = product(1, 100, 5);
    let name = ProductName::new("Cup").unwrap();
    let named = ProductChange {
        name: Some(name.clone()),
        ..ProductChange::default()
    };
    let decided = decide(&change(named), &before).unwrap();
    let after = Product {
        name,
        updated_at: at(60),
        ..before.clone()
    };
    let (product, attributes) = (before.id, vec![ProductAttribute::Name]);
    let expected = Decision {
        changes: Changes {
            products: vec![ProductUpdate {
                before,
                after: after.clone(),
            }],
            ..Changes::default()
        },
        events: vec![Event {
            kind: EventKind::ProductChanged {
                product,
                attributes,
            },
            actor: UserId::new(9),
            at: at(60),
        }],
        ..Decision::of(after)
    };
    assert_eq!(decided, expected);
    assert!(decided.changes.products[0].is_renamed());
}

#[test]
fn a_change_that_changes_nothing_leaves_no_trace() {
    let before = product(1, 100, 5);
    let same = ProductChange {
        price: Some(before.price),
        stock: Some(before.stock),
        archived: Some(false),
        ..ProductChange::default()
    };
    let decided = decide(&change(same), &before).unwrap();
    assert_eq!(decided, Decision::of(before));
}

#[test]
fn setting_stock_writes_the_difference() {
    for (from, to, delta) in [(5, 8, Some(3)), (5, 0, Some(-5)), (5, 5, None)] {
        let level = StockLevel::requested(to).unwrap();
        let set = ProductChange {
            stock: Some(level),
            ..ProductChange::default()
        };
        let decided = decide(&change(set), &product(1, 100, from)).unwrap();
        assert_eq!(decided.outcome.stock.units(), to);
        let moved = |movement: &NewMovement| (movement.delta.units(), movement.reason);
        let moved: Vec<_> = decided.movements.iter().map(moved).collect();
        let expected: Vec<_> = delta
            .map(|delta| (delta, Reason::Set))
            .into_iter()
            .collect();
        assert_eq!(moved, expected);
        let kinds: Vec<_> = decided
            .events
            .iter()
            .map(|one| one.kind.name().as_str())
            .collect();
        assert_eq!(kinds, vec!["stock.adjusted"; expected.len()]);
    }
}

#[test]
fn an_archived_product_is_not_found_until_it_is_restored() {
    let archived = Product {
        archived: true,
        ..product(1, 100, 5)
    };
    for (wish, found) in [(None, false), (Some(true), false), (Some(false), true)] {
        let wish = ProductChange {
            archived: wish,
            ..ProductChange::default()
        };
        let decided = decide(&change(wish), &archived);
        match decided {
            Ok(decision) => assert!(found && !decision.outcome.archived),
            Err(refusal) => assert!(!found && refusal == Refusal::NotFound),
        }
    }
    let nothing = change(ProductChange::default());
    assert_eq!(
        decide_change(&nothing, Some(&account(9, true, true)), None, None, usd()),
        Err(Refusal::NotFound)
    );
}

#[test]
fn archiving_and_restoring_change_the_number_of_products() {
    for (archived, kind, growth) in [
        (true, "product.archived", -1),
        (false, "product.restored", 1),
    ] {
        let before = Product {
            archived: !archived,
            ..product(1, 100, 5)
        };
        let wish = ProductChange {
            archived: Some(archived),
            ..ProductChange::default()
        };
        let decided = decide(&change(wish), &before).unwrap();
        let kinds: Vec<_> = decided
            .events
            .iter()
            .map(|one| one.kind.name().as_str())
            .collect();
        assert_eq!(kinds, [kind]);
        assert_eq!(decided.changes.catalogue_growth(), growth);
    }
}

#[test]
fn a_sku_has_one_holder() {
    let before = product(1, 100, 5);
    let sku = Some(Some(Sku::new("MUG").unwrap()));
    let command = change(ProductChange {
        sku,
        ..ProductChange::default()
    });
    for (holder, taken) in [(None, false), (Some(1), false), (Some(2), true)] {
        let holder = holder.and_then(ProductId::new);
        let decided = decide_change(
            &command,
            Some(&account(9, true, true)),
            Some(&before),
            holder,
            usd(),
        );
        assert_eq!(
            decided == Err(Refusal::field("sku", FieldError::Taken)),
            taken
        );
    }
}

#[test]
fn only_current_staff_write_products() {
    let change = change(ProductChange::default());
    let model = product(1, 100, 5);
    let create = CreateProduct {
        draft: ProductBuilder::new(1).draft(),
        key: None,
        by: change.by,
        at: at(0),
    };
    for (acting, expected) in former_staff(9) {
        let acting = acting.as_ref();
        let changed = decide_change(&change, acting, Some(&model), None, usd());
        assert_eq!(changed.err(), Some(expected.clone()), "{acting:?}");
        let created = decide_creation(&create, acting, None, usd());
        assert_eq!(created.err(), Some(expected), "{acting:?}");
    }
}

#[test]
fn a_price_is_in_the_currency_of_the_shop() {
    let eur = Currency::from_code("EUR").unwrap();
    let price = Price::new(Money::from_minor(100, eur)).unwrap();
    let command = change(ProductChange {
        price: Some(price),
        ..ProductChange::default()
    });
    let refused = Refusal::field("price", FieldError::OtherCurrency(usd()));
    assert_eq!(decide(&command, &product(1, 100, 5)), Err(refused));
}

#[test]
fn a_product_that_starts_with_stock_has_an_opening_movement() {
    let id = product_id(1);
    let command = CreateProduct {
        draft: ProductBuilder::new(1).stock(5).draft(),
        key: None,
        by: None,
        at: at(0),
    };
    let decision = decide_creation(&command, None, None, usd()).unwrap();
    assert_eq!(decision.changes.catalogue_growth(), 1);
    let [new] = &*decision.changes.new_products else {
        panic!("{decision:?}")
    };
    let opening = new.opening(id).unwrap();
    assert_eq!(
        (opening.delta.units(), opening.reason),
        (5, Reason::Opening)
    );
    let draft = ProductDraft {
        stock: StockLevel::ZERO,
        ..new.draft.clone()
    };
    let empty = NewProduct {
        draft,
        ..new.clone()
    };
    assert_eq!(empty.opening(id), None);
}
