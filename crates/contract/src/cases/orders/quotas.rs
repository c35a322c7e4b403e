//! Order quota: the pending orders of one customer, and their orders within an hour.

use crate::{TestShop, at, money, place};
use chrono::{DateTime, Utc};
use tradepost_domain::Stores;
use tradepost_domain::kernel::{Actor, ProductId, Refusal, UserId};
use tradepost_domain::orders::{
    Order, OrderAction, OrderQuota, OrderRefusal, OrderStatus, PlaceOrder,
};

fn limited(user: UserId, quota: OrderQuota, at: DateTime<Utc>) -> PlaceOrder {
    PlaceOrder {
        quota: Some(quota),
        at,
        ..place(user)
    }
}

/// Adds one unit to the cart if it is empty, and orders it within a quota.
fn order(
    shop: &TestShop<'_>,
    user: UserId,
    product: ProductId,
    quota: OrderQuota,
    seconds: i64,
) -> Result<Order, Refusal> {
    if shop.cart(user).is_empty() {
        shop.add(user, product, 1).unwrap();
    }
    shop.place_all(&[limited(user, quota, at(seconds))])
        .remove(0)
}

/// The number of pending orders is bounded. An order that is processed, cancelled or deleted frees
/// quota.
pub fn open_orders_are_bounded(stores: &Stores) {
    const QUOTA: OrderQuota = OrderQuota {
        open: 3,
        hourly: 100,
    };
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), Actor::Staff(shop.staff("grace")));
    let product = shop.product(100, 99);
    let buy = |seconds| order(&shop, ada, product, QUOTA, seconds);
    let refused = Err(Refusal::Orders(OrderRefusal::TooManyOpen {
        limit: 3,
        seconds: 3_600,
    }));
    let placed: Vec<Order> = (0..3).map(|second| buy(second).unwrap()).collect();
    assert_eq!(buy(3), refused);
    assert_eq!(shop.cart(ada), [(product, 1)], "the cart is left alone");
    assert_eq!(shop.stock(product), 96);
    for (order, action, by) in [
        (
            &placed[0],
            OrderAction::SetStatus(OrderStatus::Cancelled),
            Actor::Customer(ada),
        ),
        (&placed[1], OrderAction::Delete, Actor::Customer(ada)),
        (
            &placed[2],
            OrderAction::SetStatus(OrderStatus::Processing),
            staff,
        ),
    ] {
        shop.change_order(order.id, action, by).unwrap();
        assert!(buy(4).is_ok(), "{action:?}");
        assert_eq!(buy(5), refused);
    }
    // A day later they are still pending.
    assert_eq!(buy(86_400), refused);
}

/// The number of orders within an hour is bounded, cancelled and deleted ones included.
pub fn orders_within_an_hour_are_bounded(stores: &Stores) {
    const QUOTA: OrderQuota = OrderQuota {
        open: 100,
        hourly: 3,
    };
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let product = shop.product(100, 99);
    let buy = |seconds| order(&shop, ada, product, QUOTA, seconds);
    let undo = |order: Order, action| {
        shop.change_order(order.id, action, Actor::Customer(ada))
            .unwrap();
    };
    let refused = |seconds| Err(Refusal::Orders(OrderRefusal::TooMany { limit: 3, seconds }));
    undo(
        buy(0).unwrap(),
        OrderAction::SetStatus(OrderStatus::Cancelled),
    );
    undo(buy(600).unwrap(), OrderAction::Delete);
    assert!(buy(1_200).is_ok());
    assert_eq!(buy(1_200), refused(2_400));
    assert_eq!(buy(3_599), refused(1));
    // The window slides: each order frees quota when it is an hour old.
    assert!(buy(3_600).is_ok());
    assert_eq!(buy(3_600), refused(600));
    assert!(buy(4_200).is_ok());
    assert_eq!(buy(4_200), refused(600));
    for second in [90_000, 90_001, 90_002] {
        assert!(buy(second).is_ok());
    }
    assert_eq!(buy(90_003), refused(3_597));
}

/// Orders dated in the far future come from a wrong clock and use no quota.
pub fn orders_from_the_future_use_no_quota(stores: &Stores) {
    const QUOTA: OrderQuota = OrderQuota {
        open: 100,
        hourly: 2,
    };
    const YEAR: i64 = 365 * 86_400;
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let product = shop.product(100, 99);
    let buy = |seconds| order(&shop, ada, product, QUOTA, seconds);
    for second in [YEAR, YEAR + 1, 0, 1] {
        assert!(buy(second).is_ok(), "{second}");
    }
    let refused = |seconds| Err(Refusal::Orders(OrderRefusal::TooMany { limit: 2, seconds }));
    assert_eq!(buy(2), refused(3_598));
    // Another server's clock may be behind.
    assert_eq!(buy(-60), refused(3_660));
}

/// In a batch, each customer's quota is checked against their own orders.
pub fn a_quota_is_each_customers_own(stores: &Stores) {
    const QUOTA: OrderQuota = OrderQuota { open: 2, hourly: 9 };
    let shop = TestShop::new(stores);
    let users = shop.customers(4);
    let product = shop.product(100, 99);
    // The first customer has no orders, the second has one, and so on.
    for (orders, user) in (0..).zip(&users) {
        for second in 0..orders {
            let unlimited = OrderQuota { open: 9, ..QUOTA };
            assert!(order(&shop, *user, product, unlimited, second).is_ok());
        }
    }
    for user in &users {
        shop.add(*user, product, 1).unwrap();
    }
    let mut batch: Vec<PlaceOrder> = users
        .iter()
        .map(|user| limited(*user, QUOTA, at(100)))
        .collect();
    // Without a quota, the number is unbounded.
    batch[3].quota = None;
    let placed = shop.place_all(&batch);
    let refused = Err(Refusal::Orders(OrderRefusal::TooManyOpen {
        limit: 2,
        seconds: 3_600,
    }));
    assert!(placed[0].is_ok() && placed[1].is_ok() && placed[3].is_ok());
    assert_eq!(placed[2], refused);
    assert_eq!(placed[3].as_ref().unwrap().total, money(100));
}
