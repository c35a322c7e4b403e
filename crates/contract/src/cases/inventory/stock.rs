use crate::{TestShop, at, draft, level, page, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{ChangeProduct, CreateProduct, Product, ProductChange};
use tradepost_domain::inventory::{
    AdjustStock, InventoryRefusal, Movement, NewMovement, Reason, Shortage, StockDelta, StockLevel,
};
use tradepost_domain::kernel::{Actor, FieldError, Note, ProductId, Refusal};
use tradepost_domain::orders::{OrderAction, OrderStatus};

fn delta(units: i64) -> StockDelta {
    StockDelta::new(units).unwrap()
}

fn entries(movements: Vec<Movement>) -> Vec<NewMovement> {
    movements
        .into_iter()
        .map(|movement| movement.entry)
        .collect()
}

fn deltas(shop: TestShop<'_>, product: ProductId) -> Vec<(i64, Reason)> {
    let row = |movement: Movement| (movement.entry.delta.units(), movement.entry.reason);
    shop.movements(product).into_iter().map(row).collect()
}

fn short(product: ProductId, available: i64, requested: i64) -> Refusal {
    Refusal::Inventory(InventoryRefusal::InsufficientStock(vec![Shortage {
        product,
        available: level(available),
        requested,
    }]))
}

/// Initial stock has a movement.
pub fn stock_from_the_start_is_in_the_ledger(stores: &Stores) {
    let shop = TestShop::new(stores);
    let by = Some(shop.staff("grace"));
    let command = CreateProduct {
        draft: draft("A thing", 100, 5),
        key: None,
        by,
        at: at(3),
    };
    let product = retry_busy(|| stores.products.create(command.clone())).unwrap();
    let product = product.executed().unwrap();
    let opening = NewMovement {
        product: product.id,
        order: None,
        delta: delta(5),
        reason: Reason::Opening,
        note: None,
        actor: by,
        at: at(3),
    };
    assert_eq!(entries(shop.movements(product.id)), [opening]);
    let empty = shop.product(100, 0);
    assert_eq!(shop.movements(empty), [], "nothing needs no explanation");
}

/// Setting stock records the difference as a movement.
pub fn setting_stock_is_in_the_ledger(stores: &Stores) {
    let shop = TestShop::new(stores);
    let by = Some(shop.staff("grace"));
    let product = shop.product(100, 5);
    for (to, when) in [(8, 1), (0, 2), (0, 3), (StockLevel::MAX, 4)] {
        let command = ChangeProduct {
            seen: None,
            product,
            change: ProductChange {
                stock: Some(level(to)),
                ..ProductChange::default()
            },
            by,
            at: at(when),
        };
        let changed = retry_busy(|| stores.products.change(command.clone())).unwrap();
        assert_eq!(changed.stock, level(to));
        assert_eq!(shop.stock(product), to);
    }
    let expected = [(3, 1), (-8, 2), (StockLevel::MAX, 4)].map(|(units, when)| NewMovement {
        product,
        order: None,
        delta: delta(units),
        reason: Reason::Set,
        note: None,
        actor: by,
        at: at(when),
    });
    assert_eq!(entries(shop.movements(product))[1..], expected);
}

/// An adjustment is recorded with actor, time and reason.
pub fn an_adjustment_is_in_the_ledger(stores: &Stores) {
    let shop = TestShop::new(stores);
    let by = Some(shop.staff("grace"));
    let product = shop.product(100, 5);
    let neighbour = shop.product(100, 5);
    let note = Note::new(
        &"נשבר 💔 \"'; "
            .chars()
            .cycle()
            .take(200)
            .collect::<String>(),
    );
    let command = AdjustStock {
        product,
        delta: delta(-2),
        note: Some(note.unwrap()),
        key: None,
        by,
        at: at(4),
    };
    let adjusted = retry_busy(|| stores.inventory.adjust_stock(command.clone())).unwrap();
    let adjusted = adjusted.executed().unwrap();
    assert_eq!(adjusted.level, level(3));
    assert_eq!(Some(&adjusted.movement), shop.movements(product).last());
    assert_eq!((shop.stock(product), shop.stock(neighbour)), (3, 5));
    let expected = NewMovement {
        product,
        order: None,
        delta: command.delta,
        reason: Reason::Adjustment,
        note: command.note,
        actor: by,
        at: at(4),
    };
    assert_eq!(entries(shop.movements(product))[1..], [expected]);
}

/// An adjustment of stock is no edit of the product: its time does not change.
pub fn an_adjustment_is_no_edit(stores: &Stores) {
    let shop = TestShop::new(stores);
    let before = shop.create(draft("A thing", 999_999_999_999, 5)).unwrap();
    let expected = Product {
        stock: level(8),
        ..before
    };
    assert_eq!(shop.adjust(expected.id, 3).unwrap().level, expected.stock);
    assert_eq!(shop.found(expected.id), expected);
}

/// An adjustment can take the stock neither below zero nor above the maximum.
pub fn an_adjustment_stays_within_its_bounds(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 5);
    assert_eq!(shop.adjust(product, -6), Err(short(product, 5, 6)));
    assert_eq!(shop.adjust(product, -5).unwrap().level, level(0));
    assert_eq!(shop.adjust(product, -1), Err(short(product, 0, 1)));
    let most = StockLevel::MAX;
    assert_eq!(shop.adjust(product, most).unwrap().level, level(most));
    let too_large = Refusal::field("delta", FieldError::StockTooLarge { max: most });
    assert_eq!(shop.adjust(product, 1), Err(too_large));
    assert_eq!(shop.stock(product), most);
    let expected = [
        (5, Reason::Opening),
        (-5, Reason::Adjustment),
        (most, Reason::Adjustment),
    ];
    assert_eq!(deltas(shop, product), expected);
}

/// The stock of an archived product cannot be adjusted.
pub fn an_archived_product_cannot_be_adjusted(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 5);
    shop.archive(product, true).unwrap();
    assert_eq!(shop.adjust(product, 1), Err(Refusal::NotFound));
    assert_eq!(shop.stock(product), 5);
    assert_eq!(
        deltas(shop, product),
        [(5, Reason::Opening)],
        "its ledger is still there"
    );
}

/// A product's ledger is listed newest first, in pages, without movements of other products.
pub fn movements_are_listed_newest_first(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 10);
    for units in 1..=4 {
        shop.product(100, 1);
        shop.adjust(product, units).unwrap();
    }
    for (number, size, expected) in [
        (1, 2, &[4, 3][..]),
        (2, 2, &[2, 1]),
        (3, 2, &[10]),
        (4, 2, &[]),
        (u64::MAX, 100, &[]),
        (1, 100, &[4, 3, 2, 1, 10]),
    ] {
        let page = retry_busy(|| stores.inventory.movements(product, page(number, size))).unwrap();
        let seen: Vec<_> = page
            .items
            .iter()
            .map(|row| row.entry.delta.units())
            .collect();
        assert_eq!(
            (page.count, &seen[..]),
            (5, expected),
            "page {number} of {size}"
        );
        assert!(page.items.is_sorted_by_key(|row| std::cmp::Reverse(row.id)));
    }
}

/// Cancelled orders return their units even above the maximum that can be set.
pub fn returned_units_may_exceed_the_most(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), Actor::Staff(shop.staff("grace")));
    let product = shop.product(100, 3);
    let order = shop.order(ada, &[(product, 3)]);
    shop.set_stock(product, StockLevel::MAX);
    let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
    shop.change_order(order.id, cancel, staff).unwrap();
    assert_eq!(shop.stock(product), StockLevel::MAX + 3);
    assert!(shop.adjust(product, 1).is_err());
    assert_eq!(
        shop.adjust(product, -1).unwrap().level,
        level(StockLevel::MAX + 2)
    );
}
