//! Tables of slices of changes of carts.

use super::*;
use crate::cart::{CartRefusal, MAX_CART_ITEMS};
use crate::decision::{NewRows, Outcome, StoredRows, answer_slice};
use crate::kernel::{
    CartItemId, Execution, IdempotencyKey, IdempotencyRefusal, IdempotencyScope, ResponseEncoder,
    StoredResponse,
};
use crate::testing::{at, product, product_id, user};

fn units(units: i64) -> Quantity {
    Quantity::new(units).unwrap()
}

fn line_id(id: i64) -> CartItemId {
    CartItemId::new(id).unwrap()
}

fn line(id: i64, owner: i64, product: i64, quantity: i64) -> CartItem {
    CartItem {
        id: line_id(id),
        user: user(owner),
        product: product_id(product),
        quantity: units(quantity),
        created_at: at(0),
        updated_at: at(0),
    }
}

fn command(owner: i64, action: CartAction) -> ChangeCart {
    ChangeCart {
        user: user(owner),
        action,
        seen: None,
        key: None,
        at: at(1),
    }
}

fn add(owner: i64, product: i64, quantity: i64) -> ChangeCart {
    let (product, quantity) = (product_id(product), units(quantity));
    command(owner, CartAction::Add { product, quantity })
}

fn remove(owner: i64, line: i64) -> ChangeCart {
    let line = line_id(line);
    command(owner, CartAction::Remove { line })
}

fn set(owner: i64, line: i64, quantity: i64) -> ChangeCart {
    let (line, quantity) = (line_id(line), Some(units(quantity)));
    let action = CartAction::Set {
        line,
        quantity,
        product: None,
    };
    command(owner, action)
}

fn empty(owner: i64) -> ChangeCart {
    command(owner, CartAction::Empty)
}

fn keyed(key: &str, owner: i64, quantity: i64) -> ChangeCart {
    let key = Idempotent {
        scope: IdempotencyScope {
            path: "/cart/".to_owned(),
            key: IdempotencyKey::new(key).unwrap(),
        },
        fingerprint: quantity.to_string(),
        render: ResponseEncoder(|item: &CartItemDetail| item.line.quantity.units().to_string()),
    };
    ChangeCart {
        key: Some(key),
        ..add(owner, 1, quantity)
    }
}

/// Two products of 50 units each, and these lines.
fn state(lines: &[CartItem]) -> CartsState {
    let mut state = CartsState::default();
    for id in [1, 2] {
        state.products.insert(product_id(id), product(id, 100, 50));
    }
    for line in lines {
        state.carts.entry(line.user).or_default().push(*line);
    }
    state
}

/// The results of a slice whose new lines get the ids from 100, by the units of each line.
fn results(commands: &[ChangeCart], state: CartsState) -> Vec<Result<Option<i64>, Refusal>> {
    let decision = decide_carts(commands, state);
    let new = decision.changes.new_cart_items.iter().zip(100..);
    let rows = NewRows {
        cart_items: new.map(|(new, id)| new.into_item(line_id(id))).collect(),
        ..NewRows::default()
    };
    let settled = decision.outcome.stored(&mut StoredRows::new(&rows, &[]));
    let answers = answer_slice(commands, settled.unwrap());
    let units = |change: Execution<Option<CartItemDetail>>| match change {
        Execution::Executed(item) => item.map(|item| item.line.quantity.units()),
        Execution::Replayed(response) => Some(response.parse().unwrap()),
    };
    let results = answers.results.into_iter();
    results.map(|result| result.map(units)).collect()
}

#[test]
fn each_change_sees_the_earlier_ones_of_its_user() {
    let held = [line(7, 1, 1, 4), line(8, 2, 1, 9)];
    for (commands, expected) in [
        // Units add up, in a line that exists and in a new one, and for each user alone.
        (
            vec![add(1, 1, 2), add(1, 1, 3), add(2, 1, 1)],
            vec![Ok(Some(6)), Ok(Some(9)), Ok(Some(10))],
        ),
        (
            vec![add(1, 2, 2), add(1, 2, 3), add(3, 2, 1)],
            vec![Ok(Some(2)), Ok(Some(5)), Ok(Some(1))],
        ),
        (
            vec![add(1, 1, 1), set(1, 7, 2), add(1, 1, 1)],
            vec![Ok(Some(5)), Ok(Some(2)), Ok(Some(3))],
        ),
        // A line that was removed may be added again, as a new one.
        (
            vec![remove(1, 7), add(1, 1, 2), add(1, 1, 1)],
            vec![Ok(None), Ok(Some(2)), Ok(Some(3))],
        ),
        (
            vec![add(1, 1, 1), remove(1, 7), remove(1, 7)],
            vec![Ok(Some(5)), Ok(None), Err(Refusal::NotFound)],
        ),
        (
            vec![empty(1), set(1, 7, 2), add(1, 2, 1)],
            vec![Ok(None), Err(Refusal::NotFound), Ok(Some(1))],
        ),
        // Lines of others are not found.
        (
            vec![remove(1, 8), remove(2, 8)],
            vec![Err(Refusal::NotFound), Ok(None)],
        ),
    ] {
        assert_eq!(results(&commands, state(&held)), expected, "{commands:?}");
    }
}

#[test]
fn the_limits_hold_across_a_slice() {
    let got = results(&[add(1, 1, 30), add(1, 1, 30), add(1, 1, 20)], state(&[]));
    assert_eq!((&got[0], &got[2]), (&Ok(Some(30)), &Ok(Some(50))));
    assert!(got[1].is_err(), "there are 50 units: {got:?}");
    let many = i64::try_from(MAX_CART_ITEMS).unwrap() - 1;
    let lines: Vec<_> = (0..many).map(|at| line(at + 1, 1, at + 10, 1)).collect();
    let got = results(&[add(1, 1, 1), add(1, 2, 1), add(1, 1, 1)], state(&lines));
    let full = Refusal::Cart(CartRefusal::Full {
        limit: MAX_CART_ITEMS,
    });
    assert_eq!(got, [Ok(Some(1)), Err(full), Ok(Some(2))]);
}

#[test]
fn each_line_is_written_once() {
    let commands = [
        add(1, 1, 2),
        set(1, 7, 5),
        add(1, 2, 1),
        add(1, 2, 1),
        remove(2, 8),
        add(2, 1, 3),
    ];
    let decision = decide_carts(&commands, state(&[line(7, 1, 1, 4), line(8, 2, 1, 9)]));
    let changes = decision.changes;
    let new: Vec<_> = changes
        .new_cart_items
        .iter()
        .map(|new| (new.user, new.product, new.quantity))
        .collect();
    let expected = [
        (user(1), product_id(2), units(2)),
        (user(2), product_id(1), units(3)),
    ];
    assert_eq!(new, expected);
    let [updated] = changes.cart_items[..] else {
        panic!("{:?}", changes.cart_items);
    };
    assert_eq!((updated.id, updated.quantity), (line_id(7), units(5)));
    assert_eq!(changes.deleted_cart_items, [line(8, 2, 1, 9)]);
    // A line that is deleted is not updated besides.
    let decision = decide_carts(&[add(1, 1, 2), empty(1)], state(&[line(7, 1, 1, 4)]));
    assert!(decision.changes.cart_items.is_empty());
    assert_eq!(decision.changes.deleted_cart_items.len(), 1);
}

#[test]
fn emptying_a_cart_with_a_new_line_is_deferred_with_all_that_follows() {
    let commands = [add(1, 1, 1), empty(1), add(1, 2, 1), empty(2), add(2, 1, 1)];
    let later = Err(Refusal::LockConflict);
    let expected = [Ok(Some(1)), later.clone(), later, Ok(None), Ok(Some(1))];
    assert_eq!(results(&commands, state(&[])), expected);
}

#[test]
fn a_key_repeated_in_a_slice_is_one_addition() {
    let commands = [
        keyed("a", 1, 2),
        add(1, 1, 3),
        keyed("a", 1, 2),
        keyed("a", 1, 1),
        keyed("a", 2, 1),
        keyed("b", 1, 1),
    ];
    let reused = Refusal::Idempotency(IdempotencyRefusal::KeyReused);
    // The repeated one gets the response of the first, without the later addition.
    let expected = [
        Ok(Some(2)),
        Ok(Some(5)),
        Ok(Some(2)),
        Err(reused),
        Ok(Some(1)),
        Ok(Some(6)),
    ];
    assert_eq!(results(&commands, state(&[])), expected);
    let mut known = state(&[]);
    let (_, key) = commands[0].key().unwrap();
    let record = StoredResponse {
        fingerprint: "2".to_owned(),
        answer: "7".to_owned(),
        at: at(0),
    };
    known.keys.held.insert((user(1), key.scope.clone()), record);
    let replayed = results(&commands[..1], known);
    assert_eq!(replayed, [Ok(Some(7))]);
}

#[test]
fn a_refused_command_leaves_its_key_unused() {
    let commands = [keyed("a", 1, 51), keyed("a", 1, 2)];
    let got = results(&commands, state(&[]));
    assert!(matches!(got[0], Err(Refusal::Inventory(_))), "{got:?}");
    assert_eq!(got[1], Ok(Some(2)));
}
