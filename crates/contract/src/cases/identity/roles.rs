//! Authorisation under lock: writes that need a role or an active account check the account row
//! locked by the write, not the role in the session.

use crate::shop::happened_now;
use crate::{TestShop, at, draft, first_page, hash, place, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{ChangeProduct, CreateProduct, ProductChange, ProductList};
use tradepost_domain::identity::{ChangeEmail, Email, ResetUser, UpdateUser, UserChange};
use tradepost_domain::inventory::{AdjustStock, StockDelta};
use tradepost_domain::kernel::{Actor, Refusal, UserId};
use tradepost_domain::orders::{ChangeOrder, OrderAction, OrderStatus};

/// Former staff users, each with the refusal that their writes get.
fn former_staff(shop: &TestShop<'_>) -> [(UserId, Refusal); 2] {
    shop.staff("boss");
    let (demoted, deactivated) = (shop.staff("demoted"), shop.staff("deactivated"));
    switch(shop, None, demoted, None, Some(false)).unwrap();
    switch(shop, None, deactivated, Some(false), None).unwrap();
    [
        (demoted, Refusal::Forbidden),
        (deactivated, Refusal::InvalidToken),
    ]
}

fn switch(
    shop: &TestShop<'_>,
    by: Option<UserId>,
    user: UserId,
    is_active: Option<bool>,
    is_staff: Option<bool>,
) -> Result<(), Refusal> {
    let command = UpdateUser {
        by,
        user,
        change: UserChange {
            is_active,
            is_staff,
        },
        at: at(210),
    };
    retry_busy(|| shop.stores.accounts.switch(command)).map(drop)
}

/// Former staff cannot create a product.
pub fn a_product_is_created_by_current_staff(stores: &Stores) {
    let shop = TestShop::new(stores);
    let create = |by| {
        let command = CreateProduct {
            draft: draft("A thing", 100, 5),
            key: None,
            by: Some(by),
            at: at(0),
        };
        retry_busy(|| stores.products.create(command.clone())).map(happened_now)
    };
    for (user, refusal) in former_staff(&shop) {
        assert_eq!(create(user), Err(refusal));
    }
    let products = || retry_busy(|| stores.products.list(&ProductList::default(), first_page()));
    assert_eq!(products().count, 0);
    create(shop.staff("grace")).unwrap();
    assert_eq!(products().count, 1);
}

/// Former staff cannot change a product.
pub fn a_product_is_changed_by_current_staff(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 5);
    let before = shop.found(product);
    let change = |by| {
        let command = ChangeProduct {
            product,
            change: ProductChange {
                archived: Some(true),
                ..ProductChange::default()
            },
            seen: None,
            by: Some(by),
            at: at(50),
        };
        retry_busy(|| stores.products.change(command.clone()))
    };
    for (user, refusal) in former_staff(&shop) {
        assert_eq!(change(user), Err(refusal));
        assert_eq!(shop.found(product), before);
    }
    assert!(change(shop.staff("grace")).unwrap().archived);
}

/// Former staff cannot adjust stock.
pub fn stock_is_adjusted_by_current_staff(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 5);
    let adjust = |by| {
        let command = AdjustStock {
            product,
            delta: StockDelta::new(3).unwrap(),
            note: None,
            key: None,
            by: Some(by),
            at: at(60),
        };
        retry_busy(|| stores.inventory.adjust_stock(command.clone())).map(happened_now)
    };
    for (user, refusal) in former_staff(&shop) {
        assert_eq!(adjust(user), Err(refusal));
        assert_eq!(shop.stock(product), 5);
    }
    assert_eq!(adjust(shop.staff("grace")).unwrap().level.units(), 8);
}

/// Former staff can neither advance, cancel nor delete an order of another customer. A demoted user
/// gets `NotFound`, like any customer.
pub fn an_order_is_changed_by_current_staff(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 5);
    let order = shop.order(shop.customer("ada"), &[(product, 2)]);
    let actions = [
        OrderAction::SetStatus(OrderStatus::Processing),
        OrderAction::SetStatus(OrderStatus::Cancelled),
        OrderAction::Delete,
    ];
    for (user, refusal) in former_staff(&shop) {
        let refusal = match refusal {
            Refusal::Forbidden => Refusal::NotFound,
            other => other,
        };
        for action in actions {
            let refused = shop.change_order(order.id, action, Actor::Staff(user));
            assert_eq!(refused, Err(refusal.clone()), "{action:?}");
            assert_eq!(shop.found_order(order.id), order);
            assert_eq!(shop.stock(product), 3);
        }
    }
    let grace = Actor::Staff(shop.staff("grace"));
    shop.change_order(order.id, actions[0], grace).unwrap();
}

/// Former staff cannot change roles.
pub fn a_role_is_given_by_current_staff(stores: &Stores) {
    let shop = TestShop::new(stores);
    let accomplice = shop.customer("accomplice");
    for (user, refusal) in former_staff(&shop) {
        let promoted = switch(&shop, Some(user), accomplice, None, Some(true));
        assert_eq!(promoted, Err(refusal));
        assert!(!shop.account(accomplice).is_staff);
    }
    let grace = shop.staff("grace");
    switch(&shop, Some(grace), accomplice, None, Some(true)).unwrap();
    assert!(shop.account(accomplice).is_staff);
}

/// Former staff cannot reset users.
pub fn a_user_is_reset_by_current_staff(stores: &Stores) {
    let shop = TestShop::new(stores);
    let victim = shop.customer("victim");
    let before = shop.account(victim);
    let reset = |by| {
        let command = ResetUser {
            by,
            user: victim,
            password: Some(hash("known")),
            at: at(220),
        };
        retry_busy(|| stores.accounts.reset_user(command.clone()))
    };
    for (user, refusal) in former_staff(&shop) {
        assert_eq!(reset(user), Err(refusal));
        assert_eq!(shop.account(victim), before);
        let stored = retry_busy(|| stores.accounts.credentials("victim"));
        assert_ne!(stored.unwrap().password, hash("known"));
    }
    assert!(reset(shop.staff("grace")).is_ok());
    let stored = retry_busy(|| stores.accounts.credentials("victim"));
    assert_eq!(stored.unwrap().password, hash("known"));
}

/// A deactivated customer cannot place an order, and does not affect others in the batch.
pub fn a_deactivated_customer_places_no_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 5);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    shop.add(ada, product, 1).unwrap();
    shop.add(bob, product, 1).unwrap();
    switch(&shop, None, ada, Some(false), None).unwrap();
    let requests = [place(ada), place(bob)];
    let placements = retry_busy(|| stores.orders.place(&requests));
    assert_eq!(placements[0], Err(Refusal::InvalidToken));
    assert!(placements[1].is_ok());
    assert_eq!(shop.stock(product), 4);
    assert_eq!(shop.cart(ada), [(product, 1)]);
}

/// A deactivated customer cannot cancel an order, not even their own.
pub fn a_deactivated_customer_cancels_no_order(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, product) = (shop.customer("ada"), shop.product(100, 5));
    let order = shop.order(ada, &[(product, 2)]);
    switch(&shop, None, ada, Some(false), None).unwrap();
    for action in [
        OrderAction::SetStatus(OrderStatus::Cancelled),
        OrderAction::Delete,
    ] {
        let command = ChangeOrder {
            order: order.id,
            action,
            seen: None,
            by: Actor::Customer(ada),
            at: at(200),
        };
        let refused = retry_busy(|| stores.orders.change(command.clone()));
        assert_eq!(refused, Err(Refusal::InvalidToken), "{action:?}");
    }
    assert_eq!(shop.found_order(order.id), order);
    assert_eq!(shop.stock(product), 3);
}

/// The e-mail address of a deactivated account cannot be changed.
pub fn an_address_is_changed_by_an_active_account(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    switch(&shop, None, ada, Some(false), None).unwrap();
    let deactivated = retry_busy(|| stores.accounts.credentials("ada")).unwrap();
    let command = ChangeEmail {
        user: ada,
        verified: deactivated.account.session_epoch,
        email: Email::new("ada@example.com").unwrap(),
        at: at(210),
    };
    let refused = retry_busy(|| stores.accounts.change_email(command.clone()));
    assert_eq!(refused, Err(Refusal::InvalidToken));
    let stored = retry_busy(|| stores.accounts.credentials("ada")).unwrap();
    assert_eq!((stored.account.email, stored.password), (None, hash("ada")));
}
