use crate::cases::import::imports;
use crate::{TestShop, draft, level, retry_busy};
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_domain::Stores;
use tradepost_domain::catalog::ProductChange;
use tradepost_domain::kernel::Actor;
use tradepost_domain::orders::{OrderAction, OrderStatus};
use tradepost_domain::reports::SalesBucket;

/// All sales.
fn sales(stores: &Stores) -> Vec<SalesBucket> {
    let (since, until) = (DateTime::UNIX_EPOCH, DateTime::<Utc>::MAX_UTC);
    let until = until.min(DateTime::UNIX_EPOCH + TimeDelta::days(100_000));
    retry_busy(|| stores.reports.sales(since, until))
}

fn sums(stores: &Stores) -> (i64, i64) {
    let sales = sales(stores);
    let orders = sales.iter().map(|bucket| bucket.orders).sum();
    let revenue = sales.iter().map(|bucket| bucket.revenue.minor()).sum();
    (orders, revenue)
}

fn statuses(stores: &Stores) -> Vec<(OrderStatus, u64)> {
    retry_busy(|| stores.reports.orders_by_status())
}

/// Sales and numbers of orders follow each order and each change of its status.
pub fn sales_are_sums_of_orders(stores: &Stores) {
    let shop = TestShop::new(stores);
    assert_eq!((sums(stores), statuses(stores)), ((0, 0), Vec::new()));
    let (ada, grace) = (shop.customer("ada"), Actor::Staff(shop.staff("grace")));
    let product = shop.product(100, 50);
    let orders = [1, 2, 3].map(|units| shop.order(ada, &[(product, units)]));
    assert_eq!(sums(stores), (3, 600));
    assert_eq!(statuses(stores), [(OrderStatus::Pending, 3)]);
    let set = |at: usize, status| {
        let action = OrderAction::SetStatus(status);
        shop.change_order(orders[at].id, action, grace).unwrap();
    };
    set(0, OrderStatus::Processing);
    set(0, OrderStatus::Shipped);
    set(2, OrderStatus::Cancelled);
    assert_eq!(sums(stores), (3, 300));
    let expected = [
        (OrderStatus::Pending, 1),
        (OrderStatus::Shipped, 1),
        (OrderStatus::Cancelled, 1),
    ];
    assert_eq!(statuses(stores), expected);
    let start = SalesBucket::start_of(orders[0].created_at);
    let within = |since: DateTime<Utc>, until: DateTime<Utc>| {
        retry_busy(|| stores.reports.sales(since, until)).len()
    };
    let second = TimeDelta::seconds(1);
    assert_eq!(within(start, start + second), 1);
    assert_eq!(within(start - second, start), 0);
}

/// Imported orders count at their own time, and a cancelled one without its total.
pub fn imported_orders_are_in_the_sums(stores: &Stores) {
    let mut shop = imports::a_shop_of_many(1..=4);
    for order in shop.orders.iter_mut().take(1) {
        order.status = OrderStatus::Cancelled;
    }
    let created = shop.orders[0].created_at;
    let total: i64 = shop.orders[1..].iter().map(|one| one.total.minor()).sum();
    imports::import(stores, shop).unwrap();
    assert_eq!(sums(stores), (4, total));
    let expected = [(OrderStatus::Shipped, 3), (OrderStatus::Cancelled, 1)];
    assert_eq!(statuses(stores), expected);
    assert_eq!(sales(stores)[0].start, SalesBucket::start_of(created));
}

/// Products of the catalogue at or below the threshold are listed, lowest level first.
pub fn low_stock_is_listed(stores: &Stores) {
    let shop = TestShop::new(stores);
    let create = |stock| shop.create(draft("A thing", 100, stock)).unwrap().id;
    let [_, five, none, three, archived, _] = [6, 5, 0, 3, 1, 100].map(create);
    shop.archive(archived, true).unwrap();
    let low = |limit| {
        let products = retry_busy(|| stores.reports.low_stock(limit));
        products.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(low(10), [none, three, five]);
    assert_eq!(low(2), [none, three]);
    retry_busy(|| stores.reports.set_low_stock(level(3)));
    assert_eq!(low(10), [none, three]);
    // The products' own thresholds.
    for (product, threshold) in [(five, Some(level(5))), (three, Some(level(2)))] {
        let change = ProductChange {
            low_stock: Some(threshold),
            ..ProductChange::default()
        };
        shop.change(product, change).unwrap();
    }
    assert_eq!(low(10), [none, five]);
    let change = ProductChange {
        low_stock: Some(None),
        ..ProductChange::default()
    };
    shop.change(three, change).unwrap();
    assert_eq!(low(10), [none, three, five]);
}
