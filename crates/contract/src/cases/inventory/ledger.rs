use crate::{TestShop, at, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::inventory::{Audit, LedgerCheck, LedgerCheckKind, StockAudit};
use tradepost_domain::kernel::Actor;
use tradepost_domain::orders::{OrderAction, OrderStatus};

fn audit(stores: &Stores) -> Audit {
    retry_busy(|| stores.ledger.audit())
}

/// The ledger audit of an empty shop counts zero rows.
pub fn an_empty_shop_has_an_empty_ledger(stores: &Stores) {
    assert_eq!(audit(stores), Audit::default());
}

/// The ledger audit covers every product, order and movement, archived and deleted ones included.
pub fn an_audit_looks_at_everything(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), Actor::Staff(shop.staff("grace")));
    let [a, b, empty] = [5, 5, 0].map(|stock| shop.product(100, stock));
    let orders = [(); 3].map(|()| shop.order(ada, &[(a, 1), (b, 1)]).id);
    let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
    shop.change_order(orders[0], cancel, staff).unwrap();
    shop.change_order(orders[1], OrderAction::Delete, staff)
        .unwrap();
    shop.adjust(a, 4).unwrap();
    shop.archive(b, true).unwrap();
    shop.archive(empty, true).unwrap();
    shop.add(ada, a, 1).unwrap();
    let expected = Audit {
        products: 3,
        orders: 3,
        // Two openings, three sales and two returns of two lines each, one adjustment.
        movements: 2 + 6 + 4 + 1,
        discrepancies: Vec::new(),
    };
    assert_eq!(audit(stores), expected);
}

/// Ledger entries have ids in the order in which they were written, across products.
pub fn entries_are_numbered_in_the_order_of_writing(stores: &Stores) {
    let shop = TestShop::new(stores);
    let [a, b] = [5, 5].map(|stock| shop.product(100, stock));
    let mut last = None;
    for product in [a, b, a, b] {
        shop.adjust(product, 1).unwrap();
        let newest = shop.movements(product).pop().map(|movement| movement.id);
        assert!(newest > last);
        last = newest;
    }
}

/// The stock check covers every product once, archived ones included, in parts of any size.
pub fn stock_is_checked_in_parts(stores: &Stores) {
    let shop = TestShop::new(stores);
    let part = |after, limit| retry_busy(|| stores.ledger.audit_stock(after, limit));
    assert_eq!(part(None, 2), StockAudit::default());
    let products = [5, 0, 3, 0, 1].map(|stock| shop.product(100, stock));
    shop.adjust(products[0], -4).unwrap();
    shop.archive(products[2], true).unwrap();
    let mut after = None;
    let mut parts = Vec::new();
    for _ in 0..4 {
        let StockAudit { audit, last } = part(after, 2);
        assert_eq!((audit.orders, audit.discrepancies.len()), (0, 0));
        parts.push((audit.products, audit.movements, last));
        after = last.or(after);
    }
    let last = |at: usize| Some(products[at]);
    let expected = [
        (2, 2, last(1)),
        (2, 1, last(3)),
        (1, 1, last(4)),
        (0, 0, None),
    ];
    assert_eq!(parts, expected);
}

/// The last result of each kind of check is kept, with all its fields.
pub fn the_last_ledger_checks_are_kept(stores: &Stores) {
    let last = || {
        let mut checks = retry_busy(|| stores.ledger.last_checks());
        checks.sort_by_key(|check| check.kind);
        checks
    };
    let record = |check: &LedgerCheck| retry_busy(|| stores.ledger.record_check(check));
    assert_eq!(last(), []);
    let stock = LedgerCheck {
        kind: LedgerCheckKind::Stock,
        at: at(7),
        products: 9,
        orders: 0,
        movements: 40,
        discrepancies: 2,
        first: ["product 1: wrong", "product 2: wrong"]
            .map(str::to_owned)
            .into(),
    };
    let whole = LedgerCheck {
        kind: LedgerCheckKind::Whole,
        orders: 8,
        discrepancies: 0,
        first: Vec::new(),
        ..stock.clone()
    };
    record(&whole);
    record(&stock);
    assert_eq!(last(), [stock.clone(), whole.clone()]);
    let newer = LedgerCheck {
        at: at(8),
        ..whole.clone()
    };
    let newer = LedgerCheck {
        kind: LedgerCheckKind::Stock,
        ..newer
    };
    record(&newer);
    assert_eq!(last(), [newer, whole]);
}
