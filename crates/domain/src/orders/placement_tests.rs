use super::*;
use crate::cart::CartRefusal;
use crate::catalog::CatalogRefusal;
use crate::inventory::InventoryRefusal;
use crate::kernel::{
    CartItemId, IdempotencyRefusal, IdempotencyScope, Quantity, StoredResponse, StoredResponseUsage,
};
use crate::orders::OrderRefusal;
use crate::testing::{at, product, usd, user};
use proptest::prelude::*;

fn id(id: i64) -> ProductId {
    ProductId::new(id).unwrap()
}

fn request(who: i64) -> PlaceOrder {
    PlaceOrder {
        user: user(who),
        expected_total: None,
        key: None,
        placement: PlacementId::new(7),
        quota: None,
        at: at(1),
    }
}

fn offer(price: i64, stock: i64) -> ProductSnapshot {
    let product = product(1, price, stock);
    ProductSnapshot {
        name: product.name,
        price: product.price.money(),
        stock: product.stock,
        archived: false,
    }
}

/// A cart of (product, quantity).
fn cart(who: i64, lines: &[(i64, i64)]) -> (UserId, Vec<CartItem>) {
    let line = |(at_line, (product, quantity)): (usize, &(i64, i64))| CartItem {
        id: CartItemId::new(who * 100 + i64::try_from(at_line).unwrap()).unwrap(),
        user: user(who),
        product: id(*product),
        quantity: Quantity::new(*quantity).unwrap(),
        created_at: at(0),
        updated_at: at(0),
    };
    (user(who), lines.iter().enumerate().map(line).collect())
}

fn floor<const C: usize, const O: usize>(
    carts: [(UserId, Vec<CartItem>); C],
    offers: [(i64, ProductSnapshot); O],
) -> PlacementState {
    PlacementState {
        active: (1..=9).map(user).collect(),
        carts: carts.into(),
        offers: offers.map(|(product, offer)| (id(product), offer)).into(),
        ..PlacementState::default()
    }
}

fn shortage(product: i64, available: i64, requested: i64) -> Shortage {
    Shortage {
        product: id(product),
        available: StockLevel::new(available).unwrap(),
        requested,
    }
}

const PLACED: Settled<Created<Order>> = Settled::Executed(Created::new());

fn refusals(decision: Decision<Vec<Settled<Created<Order>>>>) -> Vec<Option<Refusal>> {
    let refusal = |outcome| match outcome {
        Settled::Refused(refusal) => Some(refusal),
        Settled::Executed(_) => None,
        other => panic!("{other:?}"),
    };
    decision.outcome.into_iter().map(refusal).collect()
}

#[test]
fn an_order_is_the_whole_cart_at_current_prices() {
    let floor = floor(
        [cart(1, &[(1, 2), (2, 3)])],
        [(1, offer(250, 2)), (2, offer(100, 9))],
    );
    let decision = decide_placement(&[request(1)], floor, usd());
    let [order] = &*decision.changes.new_orders else {
        panic!("{decision:?}")
    };
    assert_eq!(order.total.to_string(), "8.00");
    assert_eq!(decision.changes.deleted_cart_items.len(), 2);
    let movements = order.sale(OrderId::new(4).unwrap());
    let taken: Vec<_> = movements
        .iter()
        .map(|m| (m.product.get(), m.delta.units()))
        .collect();
    assert_eq!(taken, [(1, -2), (2, -3)]);
}

#[test]
fn each_unplaceable_cart_has_its_refusal() {
    let gone = ProductSnapshot {
        archived: true,
        ..offer(100, 5)
    };
    for (lines, expected) in [
        (vec![], Refusal::Cart(CartRefusal::Empty)),
        (
            vec![(1, 6)],
            Refusal::Inventory(InventoryRefusal::InsufficientStock(vec![shortage(1, 5, 6)])),
        ),
        (
            vec![(2, 3), (1, 6), (4, 1)],
            Refusal::Inventory(InventoryRefusal::InsufficientStock(vec![
                shortage(1, 5, 6),
                shortage(2, 2, 3),
            ])),
        ),
        (
            vec![(1, 1), (3, 1)],
            Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![id(3)])),
        ),
        // Products that are no longer sold are reported before shortages.
        (
            vec![(1, 6), (3, 1), (8, 1)],
            Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![id(3), id(8)])),
        ),
        // Two lines of one product are checked together.
        (
            vec![(1, 3), (1, 3)],
            Refusal::Inventory(InventoryRefusal::InsufficientStock(vec![shortage(1, 5, 6)])),
        ),
    ] {
        let offers = [
            (1, offer(100, 5)),
            (2, offer(100, 2)),
            (3, gone.clone()),
            (4, offer(100, 9)),
        ];
        let results = decide_placement(&[request(1)], floor([cart(1, &lines)], offers), usd());
        assert_eq!(refusals(results), [Some(expected)], "{lines:?}");
    }
}

#[test]
fn the_total_that_was_agreed_to_guards_the_order() {
    for (expected, refused) in [(200, false), (199, true), (201, true)] {
        let expected_total = Some(Money::from_minor(expected, usd()));
        let request = PlaceOrder {
            expected_total,
            ..request(1)
        };
        let floor = floor([cart(1, &[(1, 2)])], [(1, offer(100, 5))]);
        let current = Money::from_minor(200, usd());
        let expected = refused.then_some(Refusal::Orders(OrderRefusal::TotalChanged { current }));
        assert_eq!(
            refusals(decide_placement(&[request], floor, usd())),
            [expected]
        );
    }
}

#[test]
fn two_clicks_on_one_cart_are_one_order() {
    let floor = floor([cart(1, &[(1, 2)])], [(1, offer(100, 9))]);
    let results = decide_placement(&[request(1), request(1)], floor, usd());
    assert_eq!(
        refusals(results),
        [None, Some(Refusal::Cart(CartRefusal::Empty))]
    );
}

#[test]
fn the_last_unit_goes_to_the_first_and_a_refused_neighbour_affects_no_other() {
    let carts = [
        cart(1, &[(1, 1)]),
        cart(2, &[(1, 1), (2, 1)]),
        cart(3, &[(2, 1)]),
    ];
    let floor = floor(carts, [(1, offer(100, 1)), (2, offer(100, 1))]);
    let results = decide_placement(&[request(1), request(2), request(3)], floor, usd());
    let short = Refusal::Inventory(InventoryRefusal::InsufficientStock(vec![shortage(1, 0, 1)]));
    assert_eq!(refusals(results), [None, Some(short), None]);
}

#[test]
fn a_refused_cart_can_be_tried_again_in_the_same_batch() {
    let wrong = PlaceOrder {
        expected_total: Some(Money::zero(usd())),
        ..request(1)
    };
    let floor = floor([cart(1, &[(1, 1)])], [(1, offer(100, 1))]);
    let results = decide_placement(&[wrong, request(1)], floor, usd());
    let current = Money::from_minor(100, usd());
    assert_eq!(
        refusals(results),
        [
            Some(Refusal::Orders(OrderRefusal::TotalChanged { current })),
            None
        ]
    );
}

#[test]
fn a_quota_bounds_the_orders_of_each_customer() {
    let quota = Some(OrderQuota { open: 2, hourly: 3 });
    let limited = |who| PlaceOrder {
        quota,
        ..request(who)
    };
    let open = Refusal::Orders(OrderRefusal::TooManyOpen {
        limit: 2,
        seconds: 3_600,
    });
    let hourly = Refusal::Orders(OrderRefusal::TooMany {
        limit: 3,
        seconds: 3_599,
    });
    let usage = |open, placed| OrderUsage {
        open,
        placed,
        oldest: Some(at(0)),
    };
    for (used, expected) in [
        (usage(1, 2), None),
        (usage(2, 2), Some(&open)),
        (usage(0, 3), Some(&hourly)),
    ] {
        let mut floor = floor(
            [cart(1, &[(1, 1)]), cart(2, &[(1, 1)])],
            [(1, offer(100, 9))],
        );
        floor.usage.insert(user(1), used);
        let unlimited = PlaceOrder {
            quota: None,
            ..limited(1)
        };
        let decide =
            |requests: &[PlaceOrder]| decide_placement(requests, floor.clone(), usd()).outcome;
        let decided = decide(&[limited(1), limited(2)]);
        let refused = |outcome: &Settled<Created<Order>>| match outcome {
            Settled::Refused(refusal) => Some(refusal.clone()),
            _ => None,
        };
        assert_eq!(refused(&decided[0]).as_ref(), expected);
        assert_eq!(refused(&decided[1]), None, "the neighbour has its own");
        assert_eq!(refused(&decide(&[unlimited])[0]), None);
        // An empty cart is reported first, as nothing would be placed.
        let empty = PlaceOrder {
            user: user(3),
            ..limited(1)
        };
        assert_eq!(
            refused(&decide(&[empty])[0]),
            Some(Refusal::Cart(CartRefusal::Empty))
        );
    }
}

#[test]
fn a_key_beyond_the_quota_is_refused_and_a_replay_is_not() {
    let mut floor = floor([cart(1, &[(1, 1)])], [(1, offer(100, 9))]);
    let kept = StoredResponseUsage {
        first: 0,
        last: MAX_STORED_RESPONSE_BYTES,
    };
    floor.keys.kept.insert(user(1), kept);
    let new = keyed(1, "new", "{}");
    let old = keyed(1, "old", "{}");
    let record = StoredResponse {
        fingerprint: "{}".to_owned(),
        answer: "201".to_owned(),
        at: at(0),
    };
    let scope = old.key.clone().unwrap().scope;
    floor.keys.held.insert((user(1), scope), record);
    let decided = decide_placement(&[new, old, request(1)], floor, usd()).outcome;
    assert_eq!(
        decided[0],
        Settled::Refused(Refusal::Idempotency(IdempotencyRefusal::TooManyKeys))
    );
    assert_eq!(decided[1], Settled::Replayed("201".to_owned()));
    assert_eq!(decided[2], PLACED);
}

fn keyed(who: i64, key: &str, fingerprint: &str) -> PlaceOrder {
    let scope = IdempotencyScope {
        path: "/orders/".to_owned(),
        key: crate::kernel::IdempotencyKey::new(key).unwrap(),
    };
    let render = crate::kernel::ResponseEncoder(|order: &Order| order.id.to_string());
    let fingerprint = fingerprint.to_owned();
    let key = Some(Idempotent {
        scope,
        fingerprint,
        render,
    });
    PlaceOrder {
        key,
        ..request(who)
    }
}

#[test]
fn one_key_in_a_batch_is_one_order() {
    let carts = [cart(1, &[(1, 1)]), cart(2, &[(1, 1)])];
    let floor = floor(carts, [(1, offer(100, 9))]);
    let requests = [
        keyed(1, "k", "{}"),
        keyed(1, "k", "{}"),
        keyed(1, "k", "{1}"),
        // Another user's key of the same name, and another key for a cart that is empty by then.
        keyed(2, "k", "{}"),
        keyed(1, "l", "{}"),
    ];
    let decisions = decide_placement(&requests, floor, usd()).outcome;
    assert_eq!(decisions[0], PLACED);
    assert_eq!(decisions[1], Settled::SameAs { position: 0 });
    assert_eq!(
        decisions[2],
        Settled::Refused(Refusal::Idempotency(IdempotencyRefusal::KeyReused))
    );
    assert_eq!(decisions[3], PLACED);
    assert_eq!(
        decisions[4],
        Settled::Refused(Refusal::Cart(CartRefusal::Empty))
    );
}

#[test]
fn a_used_key_replays_the_stored_response() {
    let mut floor = floor([cart(1, &[(1, 1)])], [(1, offer(100, 9))]);
    let held = StoredResponse {
        fingerprint: "{}".to_owned(),
        answer: "then".to_owned(),
        at: at(0),
    };
    let scope = keyed(1, "k", "{}").key.unwrap().scope;
    floor.keys.held.insert((user(1), scope), held);
    let requests = [keyed(1, "k", "{}"), keyed(1, "k", "{1}"), request(1)];
    let decisions = decide_placement(&requests, floor, usd()).outcome;
    assert_eq!(decisions[0], Settled::Replayed("then".to_owned()));
    assert_eq!(
        decisions[1],
        Settled::Refused(Refusal::Idempotency(IdempotencyRefusal::KeyReused))
    );
    // The cart is unchanged: a new order without a key takes it.
    assert_eq!(decisions[2], PLACED);
}

#[test]
fn a_refused_attempt_is_not_stored() {
    let floor = floor([cart(1, &[(1, 1)])], [(1, offer(100, 9))]);
    let expected_total = Some(Money::zero(usd()));
    let wrong = PlaceOrder {
        expected_total,
        ..keyed(1, "k", "{0}")
    };
    let decisions = decide_placement(&[wrong, keyed(1, "k", "{}")], floor, usd()).outcome;
    let current = Money::from_minor(100, usd());
    assert_eq!(
        decisions[0],
        Settled::Refused(Refusal::Orders(OrderRefusal::TotalChanged { current }))
    );
    assert_eq!(decisions[1], PLACED);
}

proptest! {
    /// For every batch, no product is sold beyond its stock, and every order's total is the sum of
    /// its lines.
    #[test]
    fn no_batch_oversells(
        stocks in prop::collection::vec(0_i64..6, 3),
        carts in prop::collection::vec(prop::collection::vec((1_i64..=3, 1_i64..=3), 0..4), 1..8),
        clicks in prop::collection::vec(1_i64..=8, 1..16),
    ) {
        let mut shop = floor([], []);
        for (at, stock) in (1..).zip(&stocks) {
            shop.offers.insert(id(at), offer(100 * at, *stock));
        }
        for (who, lines) in (1..).zip(&carts) {
            let (user, lines) = cart(who, lines);
            shop.carts.insert(user, lines);
        }
        let requests: Vec<_> = clicks.into_iter().map(request).collect();
        let decision = decide_placement(&requests, shop, usd());
        prop_assert_eq!(decision.outcome.len(), requests.len());
        let mut sold = BTreeMap::<ProductId, i64>::new();
        let mut buyers = BTreeSet::new();
        for order in decision.changes.new_orders {
            prop_assert!(buyers.insert(order.user), "a cart was ordered twice");
            let sum: i64 = order.lines.iter().map(|line| line.total().unwrap().minor()).sum();
            prop_assert_eq!(sum, order.total.minor());
            for line in &order.lines {
                *sold.entry(line.product).or_default() += line.quantity.units();
            }
        }
        for (product, sold) in sold {
            prop_assert!(sold <= stocks[usize::try_from(product.get()).unwrap() - 1]);
        }
    }
}
