//! Tables of slices of new products and of changes.

use super::*;
use crate::catalog::ProductChange;
use crate::inventory::StockLevel;
use crate::testing::{ProductBuilder, account, at, product, product_id, usd, user};

fn create(id: i64, sku: &str) -> CreateProduct {
    CreateProduct {
        draft: ProductBuilder::new(id).sku(sku).draft(),
        key: None,
        by: Some(user(9)),
        at: at(1),
    }
}

fn change(product: i64, change: ProductChange) -> ChangeProduct {
    ChangeProduct {
        product: product_id(product),
        change,
        seen: None,
        by: Some(user(9)),
        at: at(product),
    }
}

fn sku(sku: &str) -> ProductChange {
    ProductChange {
        sku: Some(Sku::new(sku).ok()),
        ..ProductChange::default()
    }
}

fn stock(units: i64) -> ProductChange {
    ProductChange {
        stock: StockLevel::new(units),
        ..ProductChange::default()
    }
}

fn archive(archived: bool) -> ProductChange {
    ProductChange {
        archived: Some(archived),
        ..ProductChange::default()
    }
}

fn state() -> CatalogState {
    CatalogState {
        acting: [(user(9), account(9, true, true))].into(),
        products: [
            (
                product_id(1),
                ProductBuilder::new(1).sku("MUG").stock(5).build(),
            ),
            (product_id(2), product(2, 100, 0)),
        ]
        .into(),
        skus: [("MUG".to_owned(), product_id(1))].into(),
        keys: StoredKeys::default(),
    }
}

fn taken() -> Refusal {
    Refusal::field("sku", FieldError::Taken)
}

#[test]
fn a_sku_goes_to_one_new_product_of_a_slice() {
    let commands = [
        create(3, "CUP"),
        create(4, "CUP"),
        create(5, "MUG"),
        create(6, "POT"),
    ];
    let decision = decide_creations(&commands, &state(), usd());
    let refused = || Settled::Refused(taken());
    let created = || Settled::Executed(Created::new());
    assert_eq!(
        decision.outcome,
        [created(), refused(), refused(), created()]
    );
    assert_eq!(decision.changes.new_products.len(), 2);
}

#[test]
fn each_change_sees_the_earlier_ones_and_a_refusal_affects_no_neighbour() {
    let commands = [
        change(1, stock(9)),
        change(3, stock(1)),
        change(2, sku("MUG")),
        change(1, archive(true)),
        change(1, stock(2)),
        change(1, archive(false)),
        change(1, stock(4)),
    ];
    let decision = decide_changes(&commands, state(), usd());
    let levels: Vec<_> = decision
        .outcome
        .iter()
        .map(|one| one.as_ref().map(|product| product.stock.units()))
        .collect();
    let gone = || Err(&Refusal::NotFound);
    let taken = taken();
    assert_eq!(
        levels,
        [Ok(9), gone(), Err(&taken), Ok(9), gone(), Ok(9), Ok(4)]
    );
    let deltas: Vec<_> = decision
        .movements
        .iter()
        .map(|one| one.delta.units())
        .collect();
    assert_eq!(deltas, [4, -5]);
    // The row is written once, from its first state to its last.
    let [update] = &decision.changes.products[..] else {
        panic!("{:?}", decision.changes.products);
    };
    assert_eq!(
        (update.before.stock.units(), update.after.stock.units()),
        (5, 4)
    );
    assert_eq!(decision.changes.catalogue_growth(), 0);
}

#[test]
fn a_sku_that_is_given_up_in_a_slice_is_taken_in_the_next() {
    let commands = [
        change(1, sku("CUP")),
        change(2, sku("MUG")),
        change(2, stock(3)),
        change(1, stock(3)),
    ];
    let outcome = decide_changes(&commands, state(), usd()).outcome;
    assert!(outcome[0].is_ok());
    assert_eq!(outcome[1], Err(Refusal::LockConflict));
    assert_eq!(
        outcome[2],
        Err(Refusal::LockConflict),
        "in the order of the product"
    );
    assert!(outcome[3].is_ok());
    let commands = [change(1, sku("CUP")), change(2, sku("CUP"))];
    let outcome = decide_changes(&commands, state(), usd()).outcome;
    assert!(outcome[0].is_ok());
    assert_eq!(outcome[1], Err(taken()));
}
