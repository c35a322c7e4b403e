use crate::cases::import::imports;
use crate::{TestShop, at, hash, level, money, place, race, retry_busy};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tradepost_domain::Stores;
use tradepost_domain::catalog::ProductChange;
use tradepost_domain::decision::{AccountAttribute, Event, EventKind, EventName, ProductAttribute};
use tradepost_domain::events::{EventFilter, EventQuery, EventRange, LoggedEvent, MAX_EVENTS};
use tradepost_domain::identity::{ChangePassword, UpdateUser, UserChange};
use tradepost_domain::inventory::{Reason, StockDelta};
use tradepost_domain::kernel::{Actor, EventSeq, UserId};
use tradepost_domain::orders::{OrderAction, OrderStatus};

fn read(stores: &Stores, filter: EventFilter, range: EventRange) -> Vec<LoggedEvent> {
    let query = EventQuery {
        filter,
        range,
        limit: MAX_EVENTS,
    };
    retry_busy(|| stores.events.read(&query))
}

/// The whole log, whose positions have no gap.
fn log(stores: &Stores) -> Vec<Event> {
    let logged = read(stores, EventFilter::default(), EventRange::Oldest);
    let positions: Vec<_> = logged.iter().map(|one| one.seq.get()).collect();
    assert_eq!(positions, (1..).take(logged.len()).collect::<Vec<_>>());
    let last = retry_busy(|| stores.events.last());
    assert_eq!(last, logged.last().map(|one| one.seq));
    logged.into_iter().map(|one| one.event).collect()
}

fn names(stores: &Stores) -> Vec<&'static str> {
    let events = log(stores).into_iter();
    events.map(|event| event.kind.name().as_str()).collect()
}

/// Every command has its events, with subject, details, actor and time.
pub fn an_event_is_committed_with_its_cause(stores: &Stores) {
    let shop = TestShop::new(stores);
    assert_eq!(log(stores), []);
    let (ada, grace) = (shop.customer("ada"), shop.staff("grace"));
    let product = shop.product(100, 20);
    shop.set_price(product, 250);
    shop.adjust(product, -2).unwrap();
    let order = shop.order(ada, &[(product, 2)]).id;
    let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
    shop.change_order(order, cancel, Actor::Staff(grace))
        .unwrap();
    shop.archive(product, true).unwrap();
    shop.archive(product, false).unwrap();
    let total = money(500);
    let event = |kind, actor, seconds| Event {
        kind,
        actor,
        at: at(seconds),
    };
    let attributes = vec![ProductAttribute::Price {
        from: money(100),
        to: money(250),
    }];
    let (by_ada, by_grace) = (Some(ada), Some(grace));
    let logged = log(stores);
    // The times of an order are those of the helpers, which are not the subject here.
    let time = |position: usize| logged[position].at;
    let expected = vec![
        event(EventKind::AccountRegistered { user: ada }, by_ada, 0),
        event(EventKind::AccountRegistered { user: grace }, None, 0),
        event(EventKind::ProductCreated { product }, None, 0),
        event(
            EventKind::ProductChanged {
                product,
                attributes,
            },
            None,
            50,
        ),
        event(
            EventKind::StockAdjusted {
                product,
                delta: StockDelta::new(-2).unwrap(),
                reason: Reason::Adjustment,
            },
            None,
            60,
        ),
        Event {
            at: time(5),
            ..event(
                EventKind::OrderPlaced {
                    order,
                    user: ada,
                    total,
                },
                by_ada,
                0,
            )
        },
        Event {
            at: time(6),
            ..event(
                EventKind::OrderStatus {
                    order,
                    user: ada,
                    from: OrderStatus::Pending,
                    to: OrderStatus::Cancelled,
                    total,
                },
                by_grace,
                0,
            )
        },
        event(EventKind::ProductArchived { product }, None, 50),
        event(EventKind::ProductRestored { product }, None, 50),
    ];
    assert_eq!(logged, expected);
    let stored = retry_busy(|| stores.orders.find(order)).unwrap();
    assert_eq!((time(5), time(6)), (stored.created_at, stored.updated_at));
}

/// Changes of accounts have events with the acting user; none has a name or an address.
pub fn changes_of_accounts_have_events(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, grace) = (shop.customer("ada"), shop.staff("grace"));
    let password = ChangePassword {
        user: ada,
        verified: Some(0),
        new: hash("new"),
        at: at(1),
    };
    retry_busy(|| stores.accounts.change_password(password.clone())).unwrap();
    let off = UpdateUser {
        by: Some(grace),
        user: ada,
        change: UserChange {
            is_active: Some(false),
            is_staff: None,
        },
        at: at(2),
    };
    retry_busy(|| stores.accounts.switch(off)).unwrap();
    let rotated = Event {
        kind: EventKind::KeyRotated,
        actor: None,
        at: at(3),
    };
    retry_busy(|| stores.events.append(rotated.clone()));
    let changed = Event {
        kind: EventKind::AccountChanged {
            user: ada,
            attribute: AccountAttribute::Password,
        },
        actor: Some(ada),
        at: at(1),
    };
    let switched = Event {
        kind: EventKind::AccountSwitched {
            user: ada,
            is_active: false,
            is_staff: false,
        },
        actor: Some(grace),
        at: at(2),
    };
    assert_eq!(log(stores)[2..], [changed, switched, rotated]);
}

/// Neither a refused command nor one that changes nothing has an event, also beside commands of the
/// same batch.
pub fn a_refusal_has_no_event(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let product = shop.product(100, 9);
    let before = names(stores);
    shop.adjust(product, -10).unwrap_err();
    shop.archive(product, false).unwrap();
    shop.place(ada).unwrap_err();
    assert_eq!(names(stores), before);
    shop.add(ada, product, 1).unwrap();
    shop.add(bob, product, 9).unwrap();
    let placed = shop.place_all(&[place(ada), place(bob), place(ada)]);
    assert_eq!(placed.iter().flatten().count(), 1);
    assert_eq!(names(stores)[before.len()..], ["order.placed"]);
}

/// A level of stock that reaches zero, its threshold, or leaves zero, has an event; a batch of
/// orders has one for each product.
pub fn stock_crossings_have_events(stores: &Stores) {
    let shop = TestShop::new(stores);
    let users = shop.customers(4);
    let product = shop.product(100, 9);
    let before = names(stores).len();
    for user in &users {
        shop.add(*user, product, 2).unwrap();
    }
    let requests: Vec<_> = users.iter().map(|user| place(*user)).collect();
    let placed = shop.place_all(&requests);
    let first = placed[0].as_ref().unwrap().id;
    shop.adjust(product, -1).unwrap();
    let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
    shop.change_order(first, cancel, Actor::Customer(users[0]))
        .unwrap();
    let change = ProductChange {
        stock: Some(level(100)),
        ..ProductChange::default()
    };
    shop.change(product, change).unwrap();
    let crossings = log(stores).split_off(before);
    let crossings = crossings.into_iter().map(|event| event.kind);
    let crossings: Vec<_> = crossings
        .filter(|kind| kind.name().as_str().starts_with("stock."))
        .filter(|kind| kind.name() != EventName::StockAdjusted)
        .collect();
    let expected = [
        EventKind::StockLow {
            product,
            level: level(1),
        },
        EventKind::StockOut { product },
        EventKind::StockBack {
            product,
            level: level(2),
        },
    ];
    assert_eq!(crossings, expected);
}

/// An import has the first event of each of its rows, before every later event.
pub fn an_import_has_events(stores: &Stores) {
    imports::import(stores, imports::a_shop_of_many(1..=3)).unwrap();
    let shop = TestShop::new(stores);
    let cancelled = OrderAction::SetStatus(OrderStatus::Delivered);
    let grace = shop.staff("grace");
    let order = tradepost_domain::kernel::OrderId::new(2).unwrap();
    shop.change_order(order, cancelled, Actor::Staff(grace))
        .unwrap();
    let expected = [
        ["account.registered"; 3],
        ["product.created"; 3],
        ["order.imported"; 3],
    ];
    let names = names(stores);
    assert_eq!(names[..9], expected.concat());
    assert_eq!(names[9..], ["account.registered", "order.status"]);
    let first = log(stores).into_iter().nth(6).unwrap();
    let stored = retry_busy(|| stores.orders.find(first.kind.order().unwrap())).unwrap();
    let imported = EventKind::OrderImported {
        order: stored.id,
        user: stored.user,
        status: OrderStatus::Shipped,
        total: stored.total,
    };
    assert_eq!((first.kind, first.at), (imported, stored.created_at));
}

/// A filter selects the events for which each of its conditions holds, in either direction and from
/// any position, up to the limit.
pub fn a_filter_selects_events(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob, grace) = (
        shop.customer("ada"),
        shop.customer("bob"),
        shop.staff("grace"),
    );
    let [mug, cup] = [100, 200].map(|price| shop.product(price, 7));
    let orders = [(ada, mug, 1), (bob, mug, 2), (ada, cup, 7)]
        .map(|(user, product, units)| shop.order(user, &[(product, units)]).id);
    shop.adjust(mug, 3).unwrap();
    let next = OrderAction::SetStatus(OrderStatus::Processing);
    shop.change_order(orders[0], next, Actor::Staff(grace))
        .unwrap();
    shop.change_order(orders[1], OrderAction::Delete, Actor::Customer(bob))
        .unwrap();
    let all = read(stores, EventFilter::default(), EventRange::Oldest);
    let mut filters = vec![EventFilter::default()];
    let mut with = |change: &dyn Fn(&mut EventFilter)| {
        let mut filter = EventFilter::default();
        change(&mut filter);
        filters.push(filter);
    };
    for user in [ada, bob, grace] {
        with(&|filter| filter.user = Some(user));
        with(&|filter| filter.actor = Some(user));
        with(&|filter| {
            filter.actor = Some(user);
            filter.names = EventName::matching("order.*");
        });
    }
    for product in [mug, cup] {
        with(&|filter| filter.product = Some(product));
    }
    for order in orders {
        with(&|filter| filter.order = Some(order));
        with(&|filter| {
            filter.order = Some(order);
            filter.names = vec![EventName::OrderStatus];
        });
    }
    for pattern in ["order.*", "order.placed", "stock.*", "account.registered"] {
        with(&|filter| filter.names = EventName::matching(pattern));
    }
    with(&|filter| filter.since = Some(at(50)));
    with(&|filter| filter.until = Some(at(50)));
    let seqs = || (1..=all.len()).filter_map(|seq| EventSeq::new(i64::try_from(seq).ok()?));
    let ranges = seqs().flat_map(|seq| [EventRange::After(seq), EventRange::Before(seq)]);
    let ranges: Vec<_> = [EventRange::Oldest, EventRange::Newest]
        .into_iter()
        .chain(ranges.step_by(3))
        .collect();
    for filter in filters {
        for range in &ranges {
            let matching =
                |one: &&LoggedEvent| range.contains(one.seq) && filter.matches(&one.event);
            let mut expected: Vec<_> = all.iter().filter(matching).cloned().collect();
            if !range.is_ascending() {
                expected.reverse();
            }
            let query = EventQuery {
                filter: filter.clone(),
                range: *range,
                limit: 2,
            };
            let found = retry_busy(|| stores.events.read(&query));
            expected.truncate(2);
            assert_eq!(found, expected, "{query:?}");
        }
        let found = read(stores, filter.clone(), EventRange::Oldest);
        let expected = all.iter().filter(|one| filter.matches(&one.event));
        assert_eq!(found, expected.cloned().collect::<Vec<_>>(), "{filter:?}");
    }
}

const WRITERS: usize = 6;
const ROUNDS: usize = 8;

/// Positions have no gap and each order has one first event, whatever runs at once and is refused.
pub fn the_feed_has_no_gaps(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 30);
    let users = shop.customers(WRITERS);
    let orders = race(WRITERS, |at| write(shop, users[at], product)).concat();
    let events = log(stores);
    let placed: Vec<_> = events
        .iter()
        .filter(|event| event.kind.name() == EventName::OrderPlaced)
        .filter_map(|event| event.kind.order())
        .collect();
    let distinct: BTreeSet<_> = placed.iter().copied().collect();
    assert_eq!(placed.len(), orders.len());
    assert_eq!(distinct, orders.into_iter().collect());
    // The changes of one order follow its placing.
    for order in distinct {
        let of_order = events.iter().filter(|one| one.kind.order() == Some(order));
        let names: Vec<_> = of_order.map(|one| one.kind.name()).collect();
        assert_eq!(names, [EventName::OrderPlaced, EventName::OrderStatus]);
    }
}

/// Places and cancels orders; returns them.
fn write(
    shop: TestShop<'_>,
    user: UserId,
    product: tradepost_domain::kernel::ProductId,
) -> Vec<tradepost_domain::kernel::OrderId> {
    let mut orders = Vec::new();
    for _ in 0..ROUNDS {
        shop.add(user, product, 1).unwrap();
        let order = shop.place(user).unwrap().id;
        shop.change_order(order, OrderAction::Delete, Actor::Customer(user))
            .unwrap();
        shop.adjust(product, -1_000).unwrap_err();
        orders.push(order);
    }
    orders
}

/// A reader that continues after the last event that it has sees each event once, in order, while
/// others write.
pub fn a_late_commit_is_not_missed(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 30);
    let users = shop.customers(WRITERS);
    let done = AtomicBool::new(false);
    let (read, all) = thread::scope(|scope| {
        let reader = scope.spawn(|| follow(stores, &done));
        race(WRITERS, |at| write(shop, users[at], product));
        done.store(true, Ordering::SeqCst);
        (reader.join().unwrap(), log(stores))
    });
    assert_eq!(read, all);
}

/// Reads the feed until the writers are done and it has ended.
fn follow(stores: &Stores, done: &AtomicBool) -> Vec<Event> {
    let mut events = Vec::<Event>::new();
    loop {
        // Read before the feed, so that nothing is committed in between.
        let is_last = done.load(Ordering::SeqCst);
        let position = i64::try_from(events.len()).unwrap();
        let range = EventSeq::new(position).map_or(EventRange::Oldest, EventRange::After);
        let new = read(stores, EventFilter::default(), range);
        for (expected, one) in (position + 1..).zip(&new) {
            assert_eq!(one.seq.get(), expected);
        }
        if new.is_empty() && is_last {
            return events;
        }
        events.extend(new.into_iter().map(|one| one.event));
    }
}

/// The identity of the log stays the same.
pub fn a_feed_has_one_identity(stores: &Stores) {
    let feed = || retry_busy(|| stores.events.feed_id());
    let first = feed();
    TestShop::new(stores).customer("ada");
    assert_eq!(feed(), first);
}
