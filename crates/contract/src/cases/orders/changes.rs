use crate::{TestShop, at, first_page, page, retry_busy};
use OrderAction::{Delete, SetStatus};
use OrderStatus::{Cancelled, Delivered, Pending, Processing, Shipped};
use tradepost_domain::Stores;
use tradepost_domain::inventory::Reason;
use tradepost_domain::kernel::{Actor, OrderId, ProductId, Refusal, UserId};
use tradepost_domain::orders::{
    ChangeOrder, Order, OrderAction, OrderFilter, OrderList, OrderRefusal, OrderStatus,
};

/// A customer, another customer, and a staff user.
struct Cast<'a> {
    shop: TestShop<'a>,
    owner: UserId,
    other: UserId,
    staff: Actor,
    product: ProductId,
}

impl<'a> Cast<'a> {
    fn new(stores: &'a Stores) -> Self {
        let shop = TestShop::new(stores);
        Self {
            shop,
            owner: shop.customer("ada"),
            other: shop.customer("bob"),
            staff: Actor::Staff(shop.staff("grace")),
            product: shop.product(100, 10),
        }
    }

    fn order(&self) -> Order {
        self.shop.order(self.owner, &[(self.product, 2)])
    }

    /// A new order that staff moved to this status.
    fn order_that_is(&self, status: OrderStatus) -> Order {
        let order = self.order();
        let way: &[_] = match status {
            Pending => &[],
            Processing => &[Processing],
            Shipped => &[Processing, Shipped],
            Delivered => &[Processing, Shipped, Delivered],
            Cancelled => &[Cancelled],
        };
        for step in way {
            self.shop
                .change_order(order.id, SetStatus(*step), self.staff)
                .unwrap();
        }
        self.shop.found_order(order.id)
    }

    fn owner(&self) -> Actor {
        Actor::Customer(self.owner)
    }
}

fn listed(stores: &Stores, user: Option<UserId>, archived: bool) -> Vec<OrderId> {
    let list = OrderList::new(OrderFilter {
        user,
        archived,
        ..OrderFilter::default()
    });
    let page = retry_busy(|| stores.orders.list(&list, first_page()));
    assert_eq!(page.count, u64::try_from(page.items.len()).unwrap());
    page.items.iter().map(|order| order.id).collect()
}

/// Orders are listed newest first, each page with the total count.
pub fn orders_are_listed_newest_first(stores: &Stores) {
    let cast = Cast::new(stores);
    assert_eq!(listed(stores, None, false), []);
    let mut ids: Vec<_> = (0..5).map(|_| cast.order().id).collect();
    assert!(ids.is_sorted(), "ids ascend");
    cast.shop
        .change_order(ids[0], SetStatus(Processing), cast.staff)
        .unwrap();
    ids.reverse();
    assert_eq!(listed(stores, None, false), ids);
    let all = OrderList::default();
    for (number, size, expected) in [
        (1, 2, &ids[..2]),
        (2, 2, &ids[2..4]),
        (3, 2, &ids[4..]),
        (4, 2, &[]),
        (u64::MAX, 100, &[]),
    ] {
        let page = retry_busy(|| stores.orders.list(&all, page(number, size)));
        let items: Vec<_> = page.items.iter().map(|order| order.id).collect();
        assert_eq!(
            (page.count, &items[..]),
            (5, expected),
            "page {number} of {size}"
        );
    }
    let page = retry_busy(|| stores.orders.list(&all, page(2, 2)));
    let found: Vec<_> = ids[2..4]
        .iter()
        .map(|id| cast.shop.found_order(*id))
        .collect();
    assert_eq!(page.items, found, "a list shows orders with their lines");
}

/// A list has the orders of one customer or of all, and either deleted orders or the others.
pub fn orders_are_listed_by_owner_and_apart_if_deleted(stores: &Stores) {
    let cast = Cast::new(stores);
    let order = |user| cast.shop.order(user, &[(cast.product, 1)]).id;
    let (a, b) = (order(cast.owner), order(cast.other));
    let (c, d) = (order(cast.owner), order(cast.other));
    for (id, by) in [(a, cast.owner()), (d, cast.staff)] {
        cast.shop.change_order(id, Delete, by).unwrap();
    }
    let (owner, other) = (Some(cast.owner), Some(cast.other));
    let nobody = UserId::new(i64::MAX);
    for (user, visible, deleted) in [
        (None, vec![c, b], vec![d, a]),
        (owner, vec![c], vec![a]),
        (other, vec![b], vec![d]),
        (nobody, vec![], vec![]),
    ] {
        assert_eq!(listed(stores, user, false), visible, "{user:?}");
        assert_eq!(listed(stores, user, true), deleted, "{user:?}");
    }
}

/// An unknown order is absent and cannot be changed.
pub fn an_unknown_order_is_absent(stores: &Stores) {
    let cast = Cast::new(stores);
    cast.order();
    let nowhere = OrderId::new(i64::MAX).unwrap();
    assert_eq!(retry_busy(|| stores.orders.find(nowhere)), None);
    for action in [SetStatus(Cancelled), Delete] {
        let refused = cast.shop.change_order(nowhere, action, cast.staff);
        assert_eq!(refused, Err(Refusal::NotFound));
    }
}

/// Staff move an order through every status. Only status and time change; no stock moves.
pub fn staff_take_an_order_to_its_end(stores: &Stores) {
    let cast = Cast::new(stores);
    let mut expected = cast.order();
    for (status, when) in [(Processing, 301), (Shipped, 302), (Delivered, 303)] {
        let command = ChangeOrder {
            seen: None,
            order: expected.id,
            action: SetStatus(status),
            by: cast.staff,
            at: at(when),
        };
        let changed = retry_busy(|| stores.orders.change(command.clone()));
        expected = Order {
            status,
            updated_at: at(when),
            ..expected
        };
        assert_eq!(changed, Ok(expected.clone()));
        assert_eq!(cast.shop.found_order(expected.id), expected);
    }
    assert_eq!(cast.shop.stock(cast.product), 8);
    assert_eq!(cast.shop.movements(cast.product).len(), 2);
}

/// Setting the current status changes nothing, not even the time.
pub fn the_same_status_changes_nothing(stores: &Stores) {
    let cast = Cast::new(stores);
    for status in OrderStatus::ALL {
        cast.shop.set_stock(cast.product, 10);
        let before = cast.order_that_is(status);
        for by in [cast.owner(), cast.staff] {
            let command = ChangeOrder {
                seen: None,
                order: before.id,
                action: SetStatus(status),
                by,
                at: at(400),
            };
            let after = retry_busy(|| stores.orders.change(command.clone()));
            assert_eq!(after, Ok(before.clone()), "{status}");
            assert_eq!(cast.shop.found_order(before.id), before);
        }
    }
}

/// Cancelling returns each line's stock, and the movements record the actor.
pub fn cancelling_returns_the_stock(stores: &Stores) {
    let cast = Cast::new(stores);
    let other = cast.shop.product(100, 7);
    for (from, by) in [
        (Pending, cast.owner()),
        (Pending, cast.staff),
        (Processing, cast.staff),
    ] {
        let order = cast
            .shop
            .order(cast.owner, &[(cast.product, 2), (other, 7)]);
        if from == Processing {
            cast.shop
                .change_order(order.id, SetStatus(from), cast.staff)
                .unwrap();
        }
        assert_eq!(
            (cast.shop.stock(cast.product), cast.shop.stock(other)),
            (8, 0)
        );
        let cancelled = cast
            .shop
            .change_order(order.id, SetStatus(Cancelled), by)
            .unwrap();
        let expected = Order {
            status: Cancelled,
            updated_at: at(200),
            ..order.clone()
        };
        assert_eq!(cancelled, expected);
        assert_eq!(cast.shop.found_order(order.id), expected);
        assert_eq!(
            (cast.shop.stock(cast.product), cast.shop.stock(other)),
            (10, 7)
        );
        let back = cast.shop.movements(other).pop().unwrap().entry;
        assert_eq!((back.delta.units(), back.reason), (7, Reason::Return));
        let who = by.customer().ok();
        assert_eq!(
            (back.order, back.actor, back.at),
            (Some(order.id), who, at(200))
        );
    }
    assert_eq!(
        cast.shop.items(cast.owner),
        [],
        "the cart does not come back"
    );
}

/// Cancelling an order repeatedly returns its stock once.
pub fn cancelling_twice_returns_stock_once(stores: &Stores) {
    let cast = Cast::new(stores);
    let order = cast.order();
    for by in [cast.owner(), cast.owner(), cast.staff] {
        let cancelled = cast.shop.change_order(order.id, SetStatus(Cancelled), by);
        assert_eq!(cancelled.map(|order| order.status), Ok(Cancelled));
        assert_eq!(cast.shop.stock(cast.product), 10);
    }
    let status = Cancelled;
    for by in [cast.owner(), cast.staff] {
        let deleted = cast.shop.change_order(order.id, Delete, by);
        assert_eq!(
            deleted,
            Err(Refusal::Orders(OrderRefusal::NotPending { status }))
        );
    }
    assert_eq!(cast.shop.movements(cast.product).len(), 3);
}

/// Cancelling returns the stock of products that have been archived since.
pub fn stock_of_an_archived_product_comes_back(stores: &Stores) {
    let cast = Cast::new(stores);
    let order = cast.order();
    cast.shop.archive(cast.product, true).unwrap();
    cast.shop
        .change_order(order.id, SetStatus(Cancelled), cast.owner())
        .unwrap();
    let product = cast.shop.found(cast.product);
    assert_eq!((product.stock.units(), product.archived), (10, true));
}

/// A deleted order is cancelled and hidden; it cannot be changed any more.
pub fn a_deleted_order_is_cancelled_and_archived(stores: &Stores) {
    let cast = Cast::new(stores);
    for by in [cast.owner(), cast.staff] {
        let order = cast.order();
        let deleted = cast.shop.change_order(order.id, Delete, by).unwrap();
        let expected = Order {
            status: Cancelled,
            archived: true,
            updated_at: at(200),
            ..order
        };
        assert_eq!(deleted, expected);
        assert_eq!(cast.shop.stock(cast.product), 10);
        for action in [Delete, SetStatus(Cancelled), SetStatus(Processing)] {
            for by in [cast.owner(), cast.staff] {
                let refused = cast.shop.change_order(expected.id, action, by);
                assert_eq!(refused, Err(Refusal::NotFound));
            }
        }
        assert_eq!(cast.shop.found_order(expected.id), expected);
        assert_eq!(cast.shop.stock(cast.product), 10);
    }
}

/// A change that the rules refuse leaves the order and its stock unchanged.
pub fn a_refused_change_changes_nothing(stores: &Stores) {
    let cast = Cast::new(stores);
    let (owner, staff) = (cast.owner(), cast.staff);
    let not_pending = |status| Refusal::Orders(OrderRefusal::NotPending { status });
    let invalid = |from, to, allowed: &[_]| {
        Refusal::Orders(OrderRefusal::InvalidTransition {
            from,
            to,
            allowed: allowed.to_vec(),
        })
    };
    let stranger = Actor::Customer(cast.other);
    for (from, action, by, refusal) in [
        (Pending, SetStatus(Cancelled), stranger, Refusal::NotFound),
        (Pending, Delete, stranger, Refusal::NotFound),
        (Pending, Delete, Actor::Anonymous, Refusal::Unauthenticated),
        (Pending, SetStatus(Processing), owner, Refusal::Forbidden),
        (
            Pending,
            SetStatus(Shipped),
            staff,
            invalid(Pending, Shipped, &[Processing, Cancelled]),
        ),
        (
            Processing,
            SetStatus(Cancelled),
            owner,
            invalid(Processing, Cancelled, &[]),
        ),
        (Processing, Delete, owner, not_pending(Processing)),
        (
            Processing,
            SetStatus(Pending),
            staff,
            invalid(Processing, Pending, &[Shipped, Cancelled]),
        ),
        (
            Shipped,
            SetStatus(Cancelled),
            staff,
            invalid(Shipped, Cancelled, &[Delivered]),
        ),
        (Shipped, Delete, staff, not_pending(Shipped)),
        (
            Delivered,
            SetStatus(Cancelled),
            staff,
            invalid(Delivered, Cancelled, &[]),
        ),
        (
            Cancelled,
            SetStatus(Pending),
            staff,
            invalid(Cancelled, Pending, &[]),
        ),
        (Cancelled, Delete, owner, not_pending(Cancelled)),
    ] {
        cast.shop.set_stock(cast.product, 10);
        let before = cast.order_that_is(from);
        let stock = cast.shop.stock(cast.product);
        let refused = cast.shop.change_order(before.id, action, by);
        assert_eq!(refused, Err(refusal), "{from} {action:?} {by:?}");
        assert_eq!(cast.shop.found_order(before.id), before);
        assert_eq!(cast.shop.stock(cast.product), stock);
    }
}
