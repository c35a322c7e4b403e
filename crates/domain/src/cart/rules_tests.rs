//! Tables of every cart rule.

use super::*;
use crate::cart::CartRefusal;
use crate::catalog::CatalogRefusal;
use crate::decision::Changes;
use crate::inventory::StockLevel;
use crate::testing::{at, product, usd, user};

fn units(units: i64) -> Quantity {
    Quantity::new(units).unwrap()
}

fn line(id: i64, product: i64, quantity: i64) -> CartItem {
    CartItem {
        id: CartItemId::new(id).unwrap(),
        user: user(1),
        product: ProductId::new(product).unwrap(),
        quantity: units(quantity),
        created_at: at(0),
        updated_at: at(0),
    }
}

fn decide(
    action: CartAction,
    lines: &[CartItem],
    product: Option<&Product>,
) -> Result<Decision<CartOutcome>, Refusal> {
    decide_cart(
        &ChangeCart {
            seen: None,
            user: user(1),
            action,
            key: None,
            at: at(1),
        },
        lines,
        product,
    )
}

/// A decision with these changes. Carts have neither movements nor events.
fn decided(outcome: CartOutcome, changes: Changes) -> Result<Decision<CartOutcome>, Refusal> {
    Ok(Decision {
        changes,
        ..Decision::of(outcome)
    })
}

fn holds(stock: i64, line: CartItem) -> CartOutcome {
    CartOutcome::Line(CartItemDetail {
        line,
        product: product(1, 100, stock),
    })
}

fn add(quantity: i64) -> CartAction {
    CartAction::Add {
        product: ProductId::new(1).unwrap(),
        quantity: units(quantity),
    }
}

fn set(quantity: i64) -> CartAction {
    let quantity = Quantity::or_removal(quantity).unwrap();
    CartAction::Set {
        line: CartItemId::new(7).unwrap(),
        quantity,
        product: None,
    }
}

fn insert(stock: i64, quantity: i64) -> Result<Decision<CartOutcome>, Refusal> {
    let new = NewCartItem {
        user: user(1),
        product: ProductId::new(1).unwrap(),
        quantity: units(quantity),
        at: at(1),
        updated_at: at(1),
    };
    let changes = Changes {
        new_cart_items: vec![new],
        ..Changes::default()
    };
    let outcome = CartOutcome::New {
        row: 0,
        quantity: units(quantity),
        updated_at: at(1),
        product: product(1, 100, stock),
    };
    decided(outcome, changes)
}

fn update(stock: i64, quantity: i64) -> Result<Decision<CartOutcome>, Refusal> {
    let after = CartItem {
        updated_at: at(1),
        ..line(7, 1, quantity)
    };
    let changes = Changes {
        cart_items: vec![after],
        ..Changes::default()
    };
    decided(holds(stock, after), changes)
}

fn delete(lines: &[CartItem]) -> Result<Decision<CartOutcome>, Refusal> {
    let changes = Changes {
        deleted_cart_items: lines.to_vec(),
        ..Changes::default()
    };
    decided(CartOutcome::Gone, changes)
}

fn short(available: i64, wanted: i64) -> Result<Decision<CartOutcome>, Refusal> {
    let available = StockLevel::new(available).unwrap();
    Err(InventoryRefusal::short(ProductId::new(1).unwrap(), available, units(wanted)).into())
}

#[test]
fn adding_units_is_bounded_by_stock_and_line_maximum() {
    let too_large = Err(Refusal::field(
        "quantity",
        FieldError::LineTooLarge {
            max: 9_999,
            held: 9_999,
        },
    ));
    for (stock, held, added, expected) in [
        (5, None, 1, insert(5, 1)),
        (5, None, 5, insert(5, 5)),
        (5, None, 6, short(5, 6)),
        (0, None, 1, short(0, 1)),
        (5, Some(2), 3, update(5, 5)),
        // The resulting quantity of the line counts, not the added units.
        (5, Some(2), 4, short(5, 6)),
        (20_000, Some(9_998), 1, update(20_000, 9_999)),
        (20_000, Some(9_999), 1, too_large),
    ] {
        let lines: Vec<_> = held.map(|held| line(7, 1, held)).into_iter().collect();
        let decided = decide(add(added), &lines, Some(&product(1, 100, stock)));
        assert_eq!(
            decided, expected,
            "stock {stock}, held {held:?}, added {added}"
        );
    }
}

#[test]
fn an_unknown_or_archived_product_cannot_be_added() {
    let unknown = Err(Refusal::field("product_id", FieldError::UnknownProduct));
    assert_eq!(decide(add(1), &[], None), unknown);
    let archived = Product {
        archived: true,
        ..product(1, 100, 5)
    };
    assert_eq!(decide(add(1), &[], Some(&archived)), unknown);
    assert_eq!(decide(add(1), &[line(7, 1, 1)], Some(&archived)), unknown);
}

#[test]
fn a_cart_has_at_most_100_lines() {
    let mut lines: Vec<_> = (2..=101).map(|id| line(id, id, 1)).collect();
    let mug = product(1, 100, 5);
    assert_eq!(
        decide(add(1), &lines, Some(&mug)),
        Err(Refusal::Cart(CartRefusal::Full { limit: 100 }))
    );
    // A product that the cart has already needs no new line.
    lines[0] = line(7, 1, 1);
    assert_eq!(decide(add(1), &lines, Some(&mug)), update(5, 2));
    lines.pop();
    lines[0] = line(7, 2, 1);
    assert_eq!(decide(add(1), &lines, Some(&mug)), insert(5, 1));
}

#[test]
fn setting_a_quantity_is_bounded_by_stock_and_zero_removes_the_line() {
    let gone = delete(&[line(7, 1, 3)]);
    let kept = decided(holds(5, line(7, 1, 3)), Changes::default());
    for (stock, quantity, expected) in [
        (5, 1, update(5, 1)),
        (5, 5, update(5, 5)),
        (5, 3, kept),
        (5, 6, short(5, 6)),
        (0, 1, short(0, 1)),
        (5, 0, gone.clone()),
        (0, 0, gone.clone()),
    ] {
        let decided = decide(
            set(quantity),
            &[line(7, 1, 3)],
            Some(&product(1, 100, stock)),
        );
        assert_eq!(decided, expected, "stock {stock}, set to {quantity}");
    }
    let archived = Product {
        archived: true,
        ..product(1, 100, 5)
    };
    let unavailable = Err(Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![
        archived.id,
    ])));
    assert_eq!(
        decide(set(1), &[line(7, 1, 3)], Some(&archived)),
        unavailable
    );
    assert_eq!(decide(set(0), &[line(7, 1, 3)], Some(&archived)), gone);
}

#[test]
fn a_line_stays_a_line_of_its_product() {
    let mug = product(1, 100, 5);
    for (claimed, expected) in [
        (1, update(5, 2)),
        (
            2,
            Err(Refusal::field("product_id", FieldError::OtherProduct)),
        ),
    ] {
        let product = ProductId::new(claimed);
        let quantity = Some(units(2));
        let action = CartAction::Set {
            line: CartItemId::new(7).unwrap(),
            quantity,
            product,
        };
        assert_eq!(decide(action, &[line(7, 1, 3)], Some(&mug)), expected);
    }
}

#[test]
fn a_line_of_another_cart_is_not_found() {
    let remove = CartAction::Remove {
        line: CartItemId::new(7).unwrap(),
    };
    for action in [set(1), set(0), remove] {
        let decided = decide(action, &[line(8, 1, 1)], Some(&product(1, 100, 5)));
        assert_eq!(decided, Err(Refusal::NotFound), "{action:?}");
    }
    let lines = [line(7, 1, 1)];
    assert_eq!(decide(remove, &lines, None), delete(&lines));
}

#[test]
fn an_empty_cart_can_be_emptied() {
    for lines in [&[][..], &[line(7, 1, 1), line(8, 2, 3)]] {
        assert_eq!(decide(CartAction::Empty, lines, None), delete(lines));
    }
}

#[test]
fn the_rules_see_the_product_of_the_line() {
    let lines = [line(7, 3, 1)];
    for (action, expected) in [
        (add(1), Some(1)),
        (set(2), Some(3)),
        (set(0), None),
        (CartAction::Empty, None),
    ] {
        let command = ChangeCart {
            seen: None,
            user: user(1),
            action,
            key: None,
            at: at(0),
        };
        assert_eq!(
            command.product(&lines).map(ProductId::get),
            expected,
            "{action:?}"
        );
    }
}

#[test]
fn issues_and_totals_follow_the_product() {
    let item = |stock, archived| CartItemDetail {
        line: line(7, 1, 3),
        product: Product {
            archived,
            ..product(1, 250, stock)
        },
    };
    for (stock, archived, issues) in [
        (3, false, vec![]),
        (2, false, vec![CartIssue::InsufficientStock]),
        (3, true, vec![CartIssue::ProductUnavailable]),
        (0, true, vec![CartIssue::ProductUnavailable]),
    ] {
        assert_eq!(item(stock, archived).issues(), issues);
    }
    let cart = Cart {
        items: vec![item(3, false), item(0, true)],
    };
    assert_eq!(cart.total(usd()).unwrap().minor(), 1_500);
    assert_eq!(cart.units(), 6);
}
