//! The events that writes hand on, with the ids that the store assigned.

use crate::MemoryStore;
use std::cell::Cell;
use std::sync::Arc;
use tradepost_contract::{TestShop, at, draft, hash, money, place, retry_busy, usd};
use tradepost_domain::Stores;
use tradepost_domain::cart::CartAction;
use tradepost_domain::catalog::{Price, ProductChange};
use tradepost_domain::decision::{AccountAttribute, EventKind, ProductAttribute};
use tradepost_domain::events::{EventQuery, MAX_EVENTS};
use tradepost_domain::identity::{
    ChangeEmail, ChangePassword, Credentials, Email, UpdateUser, UserChange,
};
use tradepost_domain::import::ImportShop;
use tradepost_domain::inventory::{Reason, StockDelta};
use tradepost_domain::kernel::{Actor, Money, OrderId, Quantity, UserId};
use tradepost_domain::orders::{Order, OrderAction, OrderItem, OrderStatus};
use tradepost_domain::testing::{account, product};

struct Recorded {
    stores: Stores,
    read: Cell<usize>,
}

impl Recorded {
    fn new() -> Self {
        let stores = Stores::from(MemoryStore::new(usd()));
        let read = Cell::new(0);
        Self { stores, read }
    }

    fn shop(&self) -> TestShop<'_> {
        TestShop::new(&self.stores)
    }

    /// The events since the last call: kind and actor.
    fn events(&self) -> Vec<(EventKind, Option<UserId>)> {
        let query = EventQuery {
            limit: MAX_EVENTS,
            ..EventQuery::default()
        };
        let events = self.stores.events.read(&query).unwrap();
        let read = self.read.replace(events.len());
        let new = events.into_iter().skip(read).map(|one| one.event);
        new.map(|one| (one.kind, one.actor)).collect()
    }
}

#[test]
fn writes_of_products_and_stock_hand_on_their_events() {
    let recorded = Recorded::new();
    let shop = recorded.shop();
    let product = shop.create(draft("Mug", 100, 5)).unwrap().id;
    assert_eq!(
        recorded.events(),
        [(EventKind::ProductCreated { product }, None)]
    );
    shop.adjust(product, -2).unwrap();
    let adjusted = |delta, reason| EventKind::StockAdjusted {
        product,
        delta: StockDelta::new(delta).unwrap(),
        reason,
    };
    let sold = adjusted(-2, Reason::Adjustment);
    assert_eq!(recorded.events(), [(sold, None)]);
    let price = Price::new(money(250)).unwrap();
    let change = ProductChange {
        price: Some(price),
        stock: tradepost_domain::inventory::StockLevel::new(9),
        archived: Some(true),
        ..ProductChange::default()
    };
    shop.change(product, change).unwrap();
    let attributes = vec![ProductAttribute::Price {
        from: money(100),
        to: money(250),
    }];
    let changed = EventKind::ProductChanged {
        product,
        attributes,
    };
    let archived = EventKind::ProductArchived { product };
    let expected = [
        (changed, None),
        (adjusted(6, Reason::Set), None),
        (archived, None),
    ];
    assert_eq!(recorded.events(), expected);
    shop.archive(product, false).unwrap();
    let restored = EventKind::ProductRestored { product };
    assert_eq!(recorded.events(), [(restored, None)]);
    // Neither a command that changes nothing nor a refused one has an event.
    shop.archive(product, false).unwrap();
    shop.adjust(product, -100).unwrap_err();
    assert_eq!(recorded.events(), []);
}

#[test]
fn writes_of_orders_hand_on_their_events_and_carts_have_none() {
    let recorded = Recorded::new();
    let shop = recorded.shop();
    let (ada, bob, boss) = (
        shop.customer("ada"),
        shop.customer("bob"),
        shop.staff("boss"),
    );
    let product = shop.product(100, 5);
    recorded.events();
    shop.add(ada, product, 2).unwrap();
    shop.act(ada, CartAction::Empty).unwrap();
    shop.add(ada, product, 1).unwrap();
    shop.add(bob, product, 1).unwrap();
    assert_eq!(recorded.events(), []);
    let placements = shop.place_all(&[place(ada), place(ada), place(bob)]);
    let order = |at: usize| placements[at].as_ref().unwrap().id;
    let placed = |order, user| {
        let total = money(100);
        (EventKind::OrderPlaced { order, user, total }, Some(user))
    };
    assert_eq!(
        recorded.events(),
        [placed(order(0), ada), placed(order(2), bob)]
    );
    let status = |order, user, to| EventKind::OrderStatus {
        order,
        user,
        from: OrderStatus::Pending,
        to,
        total: money(100),
    };
    let process = OrderAction::SetStatus(OrderStatus::Processing);
    shop.change_order(order(0), process, Actor::Staff(boss))
        .unwrap();
    let processing = status(order(0), ada, OrderStatus::Processing);
    assert_eq!(recorded.events(), [(processing, Some(boss))]);
    shop.change_order(order(2), OrderAction::Delete, Actor::Customer(bob))
        .unwrap();
    let cancelled = status(order(2), bob, OrderStatus::Cancelled);
    assert_eq!(recorded.events(), [(cancelled, Some(bob))]);
    shop.change_order(order(0), process, Actor::Staff(boss))
        .unwrap();
    assert_eq!(recorded.events(), []);
}

#[test]
fn writes_of_accounts_hand_on_their_events() {
    let recorded = Recorded::new();
    let shop = recorded.shop();
    let ada = shop.customer("ada");
    let boss = shop.staff("boss");
    let registered = |user| EventKind::AccountRegistered { user };
    let expected = [(registered(ada), Some(ada)), (registered(boss), None)];
    assert_eq!(recorded.events(), expected);
    let accounts = &recorded.stores.accounts;
    let email = ChangeEmail {
        user: ada,
        verified: 0,
        email: Email::new("ada@example.org").unwrap(),
        at: at(1),
    };
    retry_busy(|| accounts.change_email(email.clone())).unwrap();
    let password = ChangePassword {
        user: ada,
        verified: None,
        new: hash("new"),
        at: at(1),
    };
    retry_busy(|| accounts.change_password(password.clone())).unwrap();
    let changed = |attribute| EventKind::AccountChanged {
        user: ada,
        attribute,
    };
    let expected = [
        (changed(AccountAttribute::Email), Some(ada)),
        (changed(AccountAttribute::Password), None),
    ];
    assert_eq!(recorded.events(), expected);
    let off = UpdateUser {
        by: Some(boss),
        user: ada,
        change: UserChange {
            is_active: Some(false),
            is_staff: None,
        },
        at: at(1),
    };
    for expected in [
        vec![(
            EventKind::AccountSwitched {
                user: ada,
                is_active: false,
                is_staff: false,
            },
            Some(boss),
        )],
        Vec::new(),
    ] {
        retry_busy(|| accounts.switch(off)).unwrap();
        assert_eq!(recorded.events(), expected);
    }
}

#[test]
fn an_import_has_one_event_for_each_row() {
    let recorded = Recorded::new();
    let (ada, mug) = (account(1, true, false), product(1, 100, 5));
    let (user, total) = (ada.id, money(200));
    let order = |id| Order {
        id: OrderId::new(id).unwrap(),
        user,
        status: OrderStatus::Delivered,
        total,
        adjustment: Money::zero(usd()),
        lines: vec![OrderItem {
            product: mug.id,
            name: mug.name.clone(),
            unit_price: mug.price.money(),
            quantity: Quantity::new(2).unwrap(),
        }],
        archived: false,
        created_at: at(1),
        updated_at: at(2),
    };
    let command = ImportShop {
        orders: vec![order(4), order(7)],
        users: vec![Credentials {
            account: ada,
            password: hash("ada"),
        }],
        products: vec![mug.clone()],
        carts: Vec::new(),
    };
    recorded
        .stores
        .imports
        .import(Arc::new(command))
        .unwrap()
        .unwrap();
    let kinds = recorded.events().into_iter().map(|(kind, _)| kind);
    let imported = [4, 7].map(|id| EventKind::OrderImported {
        order: OrderId::new(id).unwrap(),
        user,
        status: OrderStatus::Delivered,
        total,
    });
    let product = mug.id;
    let [fourth, seventh] = imported;
    let expected = [
        EventKind::AccountRegistered { user },
        EventKind::ProductCreated { product },
        fourth,
        seventh,
    ];
    assert_eq!(kinds.collect::<Vec<_>>(), expected);
}
