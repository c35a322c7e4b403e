use crate::{TestShop, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::inventory::Audit;
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
