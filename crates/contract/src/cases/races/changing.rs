//! Races between staff commands, and races for unique values.

use crate::cases::edits;
use crate::{Placed, TestShop, at as moment, draft, first_page, hash, level, race, retry_busy};
use OrderStatus::{Cancelled, Processing, Shipped};
use std::sync::atomic::{AtomicUsize, Ordering};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{CatalogRefusal, ProductChange, ProductDraft, ProductList};
use tradepost_domain::identity::{
    ChangePassword, Email, IdentityRefusal, Register, UpdateUser, UserChange, Username,
};
use tradepost_domain::inventory::{InventoryRefusal, Movement, Reason};
use tradepost_domain::kernel::{Actor, FieldError, ProductId, Refusal, Sku, UserId};
use tradepost_domain::orders::{OrderAction, OrderList, OrderRefusal, OrderStatus};

const RACERS: usize = 8;

fn movements(shop: TestShop<'_>, product: ProductId, reason: Reason) -> usize {
    let movements = shop.movements(product);
    movements
        .iter()
        .filter(|movement| movement.entry.reason == reason)
        .count()
}

/// Stock of a product after each of its movements; asserts that none is negative.
fn levels(movements: &[Movement]) -> Vec<i64> {
    let mut level = 0;
    let mut after = |movement: &Movement| {
        level += movement.entry.delta.units();
        assert!(level >= 0, "the ledger goes below zero: {movements:?}");
        level
    };
    movements.iter().map(&mut after).collect()
}

fn buyers(shop: TestShop<'_>, product: ProductId) -> Vec<UserId> {
    let users = shop.customers(RACERS);
    for user in &users {
        shop.add(*user, product, 1).unwrap();
    }
    users
}

fn sold(placements: &[Placed]) -> i64 {
    i64::try_from(placements.iter().flatten().count()).unwrap()
}

/// Of several edits with the same precondition, one succeeds and the others are refused.
pub fn edits_do_not_overwrite_each_other(stores: &Stores) {
    let shop = TestShop::new(stores);
    let seen = shop.found(shop.product(100, 5));
    let answers = race(RACERS, |at| {
        edits::name(stores, &seen, &format!("Name {at}"))
    });
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(done, [Ok(shop.found(seen.id))]);
    assert!(
        refused
            .iter()
            .all(|answer| *answer == Err(Refusal::PreconditionFailed)),
        "{refused:?}"
    );
}

/// Concurrent cancellations by several actors return the stock once.
pub fn cancel_races_cancel(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), shop.staff("grace"));
    let product = shop.product(100, 5);
    let order = shop.order(ada, &[(product, 3)]);
    let answers = race(RACERS, |at| {
        let by = if at % 2 == 0 {
            Actor::Customer(ada)
        } else {
            Actor::Staff(staff)
        };
        shop.change_order(order.id, OrderAction::SetStatus(Cancelled), by)
    });
    for answer in answers {
        assert_eq!(answer.map(|order| order.status), Ok(Cancelled));
    }
    assert_eq!(shop.stock(product), 5);
    assert_eq!(movements(shop, product, Reason::Return), 1);
}

/// A deletion concurrent with cancellations returns the stock once.
pub fn delete_races_cancel(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), shop.staff("grace"));
    let product = shop.product(100, 5);
    let order = shop.order(ada, &[(product, 3)]);
    race(RACERS, |at| {
        if at % 2 == 0 {
            let deleted = shop.change_order(order.id, OrderAction::Delete, Actor::Customer(ada));
            let status = Cancelled;
            let late = [
                Refusal::NotFound,
                Refusal::Orders(OrderRefusal::NotPending { status }),
            ];
            assert!(deleted.is_ok() || late.contains(&deleted.unwrap_err()));
        } else {
            let action = OrderAction::SetStatus(Cancelled);
            let cancelled = shop.change_order(order.id, action, Actor::Staff(staff));
            assert!(cancelled.is_ok() || cancelled == Err(Refusal::NotFound));
        }
    });
    assert_eq!(shop.found_order(order.id).status, Cancelled);
    assert_eq!(shop.stock(product), 5);
    assert_eq!(movements(shop, product, Reason::Return), 1);
}

/// An order is either shipped or cancelled, and its stock agrees with its status.
pub fn cancel_races_shipping(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), Actor::Staff(shop.staff("grace")));
    for _ in 0..3 {
        let product = shop.product(100, 5);
        let order = shop.order(ada, &[(product, 3)]);
        let set = |status| shop.change_order(order.id, OrderAction::SetStatus(status), staff);
        set(Processing).unwrap();
        let wish = |at| if at % 2 == 0 { Cancelled } else { Shipped };
        let answers = race(RACERS, |at| set(wish(at)));
        let end = shop.found_order(order.id).status;
        for (at, answer) in answers.into_iter().enumerate() {
            if wish(at) == end {
                assert_eq!(answer.map(|order| order.status), Ok(end));
            } else {
                assert!(
                    matches!(
                        answer,
                        Err(Refusal::Orders(OrderRefusal::InvalidTransition { .. }))
                    ),
                    "{answer:?}"
                );
            }
        }
        let stock = if end == Cancelled { 5 } else { 2 };
        assert_eq!(shop.stock(product), stock);
    }
}

/// Deliveries concurrent with orders are all counted.
pub fn restocking_races_orders(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 4);
    let users = buyers(shop, product);
    let placements = race(2 * RACERS, |at| match users.get(at) {
        Some(user) => Some(shop.place(*user)),
        None => {
            shop.adjust(product, 2).unwrap();
            None
        }
    });
    let placements: Vec<_> = placements.into_iter().flatten().collect();
    for refusal in placements
        .iter()
        .filter_map(|placement| placement.as_ref().err())
    {
        assert!(
            matches!(
                refusal,
                Refusal::Inventory(InventoryRefusal::InsufficientStock(_))
            ),
            "{refusal:?}"
        );
    }
    assert!(sold(&placements) >= 4);
    assert_eq!(shop.stock(product), 4 + 16 - sold(&placements));
    levels(&shop.movements(product));
    assert_eq!(movements(shop, product, Reason::Adjustment), RACERS);
}

/// Of concurrent write-offs of the same units, one succeeds.
pub fn writing_off_races_writing_off(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 3);
    let answers = race(RACERS, |_| shop.adjust(product, -1));
    assert_eq!(answers.iter().flatten().count(), 3);
    for refusal in answers.into_iter().filter_map(Result::err) {
        assert!(
            matches!(
                refusal,
                Refusal::Inventory(InventoryRefusal::InsufficientStock(_))
            ),
            "{refusal:?}"
        );
    }
    assert_eq!(shop.stock(product), 0);
}

/// Setting stock writes exactly that level, with sales before and after it.
pub fn setting_stock_races_orders(stores: &Stores) {
    const SET_TO: i64 = 50;
    let shop = TestShop::new(stores);
    let product = shop.product(100, 100);
    let users = buyers(shop, product);
    let placements = race(RACERS + 2, |at| match users.get(at) {
        Some(user) => Some(shop.place(*user)),
        None => {
            assert_eq!(shop.set_stock(product, SET_TO).stock, level(SET_TO));
            None
        }
    });
    let placements: Vec<_> = placements.into_iter().flatten().collect();
    assert_eq!(
        placements.iter().flatten().count(),
        RACERS,
        "there was enough for all"
    );
    let movements = shop.movements(product);
    let levels = levels(&movements);
    let mut set = 0;
    for (movement, level) in movements.iter().zip(&levels) {
        if movement.entry.reason == Reason::Set {
            assert_eq!(*level, SET_TO, "{movements:?}");
            set += 1;
        }
    }
    assert!(
        (1..=2).contains(&set),
        "the second finds it set if nothing was sold in between"
    );
    assert_eq!(levels.last(), Some(&shop.stock(product)));
}

/// After a product is archived, no order takes it.
pub fn archiving_races_orders(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 100);
    let users = buyers(shop, product);
    let archived = AtomicUsize::new(0);
    let placements = race(RACERS + 2, |at| match users.get(at) {
        Some(user) => {
            let too_late = archived.load(Ordering::SeqCst) > 0;
            let placement = shop.place(*user);
            assert!(
                !(too_late && placement.is_ok()),
                "sold after it was archived"
            );
            Some(placement)
        }
        None => {
            let answer = shop.archive(product, true);
            assert!(
                answer.is_ok() || answer == Err(Refusal::NotFound),
                "{answer:?}"
            );
            archived.fetch_add(1, Ordering::SeqCst);
            None
        }
    });
    let placements: Vec<_> = placements.into_iter().flatten().collect();
    let unavailable = Refusal::Catalog(CatalogRefusal::ProductUnavailable(vec![product]));
    for refusal in placements
        .iter()
        .filter_map(|placement| placement.as_ref().err())
    {
        assert_eq!(*refusal, unavailable);
    }
    let product = shop.found(product);
    assert!(product.archived);
    assert_eq!(product.stock.units(), 100 - sold(&placements));
}

/// A SKU wanted concurrently, by new and existing products, goes to one of them.
pub fn one_sku_goes_to_one_product(stores: &Stores) {
    let shop = TestShop::new(stores);
    let old: Vec<_> = (0..RACERS / 2).map(|_| shop.product(100, 0)).collect();
    for sku in ["MUG", "CUP", "POT"] {
        let sku = Some(Sku::new(sku).unwrap());
        let answers = race(RACERS, |at| match old.get(at) {
            Some(product) => {
                let change = ProductChange {
                    sku: Some(sku.clone()),
                    ..ProductChange::default()
                };
                shop.change(*product, change)
            }
            None => shop.create(ProductDraft {
                sku: sku.clone(),
                ..draft("A thing", 100, 1)
            }),
        });
        let holders: Vec<_> = answers.iter().flatten().map(|product| product.id).collect();
        assert_eq!(holders.len(), 1);
        for refusal in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refusal, Refusal::field("sku", FieldError::Taken));
        }
        let page = retry_busy(|| stores.products.list(&ProductList::default(), first_page()));
        let with_it = page.items.iter().filter(|product| product.sku == sku);
        assert_eq!(
            with_it.map(|product| product.id).collect::<Vec<_>>(),
            holders
        );
    }
}

/// A username or address wanted concurrently, in any case, goes to one account.
pub fn one_username_goes_to_one_account(stores: &Stores) {
    let names = ["grace", "GRACE", "Grace", "gracE"];
    let by_name = race(RACERS, |at| {
        (names[at % 4].to_owned(), format!("g{at}@example.org"))
    });
    let addresses = [
        "ada@example.org",
        "ADA@example.org",
        "ada@EXAMPLE.org",
        "aDa@example.org",
    ];
    let by_email = race(RACERS, |at| {
        (format!("ada{at}"), addresses[at % 4].to_owned())
    });
    for (wishes, field) in [(by_name, "username"), (by_email, "email")] {
        let answers = race(RACERS, |at| {
            let (username, email) = &wishes[at];
            let command = Register {
                username: Username::new(username).unwrap(),
                email: Some(Email::new(email).unwrap()),
                password: hash(&at.to_string()),
                is_staff: false,
                at: moment(0),
            };
            retry_busy(|| stores.accounts.register(command.clone()))
        });
        assert_eq!(answers.iter().flatten().count(), 1, "{answers:?}");
        for refusal in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refusal, Refusal::field(field, FieldError::Taken));
        }
    }
    assert!(retry_busy(|| stores.accounts.credentials("grace")).is_some());
}

/// Of several password changes that verified the same current password, one succeeds.
pub fn one_checked_password_is_changed_once(stores: &Stores) {
    let shop = TestShop::new(stores);
    let user = shop.customer("ada");
    let before = shop.account(user);
    let answers = race(RACERS, |at| {
        let command = ChangePassword {
            user,
            verified: Some(before.session_epoch),
            new: hash(&format!("new{at}")),
            at: crate::at(210),
        };
        retry_busy(|| stores.accounts.change_password(command.clone()))
    });
    let winner = answers.iter().position(Result::is_ok).unwrap();
    assert_eq!(answers.iter().flatten().count(), 1);
    let stored = retry_busy(|| stores.accounts.credentials("ada")).unwrap();
    assert_eq!(stored.password, hash(&format!("new{winner}")));
    assert_eq!(stored.account.session_epoch, before.session_epoch + 1);
}

/// A user demoted or deactivated while promoting themselves and an accomplice is not staff
/// afterwards. Nor is an accomplice whom they promote after that.
pub fn a_demoted_user_cannot_undo_it(stores: &Stores) {
    let shop = TestShop::new(stores);
    let boss = shop.staff("boss");
    let switch = |by, user, is_active, is_staff| {
        let command = UpdateUser {
            by: Some(by),
            user,
            change: UserChange {
                is_active,
                is_staff,
            },
            at: crate::at(210),
        };
        retry_busy(|| stores.accounts.switch(command))
    };
    for round in 0..4 {
        let mallory = shop.staff(&format!("mallory{round}"));
        let accomplice = shop.customer(&format!("accomplice{round}"));
        let (off, on) = (Some(false), Some(true));
        race(RACERS, |at| match at {
            0 if round % 2 == 0 => switch(boss, mallory, None, off),
            0 => switch(boss, mallory, off, None),
            _ => switch(mallory, mallory, on, on),
        });
        let account = shop.account(mallory);
        assert!(!account.is_active || !account.is_staff, "{account:?}");
        let refusal = if account.is_active {
            Refusal::Forbidden
        } else {
            Refusal::InvalidToken
        };
        let promoted = switch(mallory, accomplice, None, on);
        assert_eq!(promoted, Err(refusal));
        assert!(!shop.account(accomplice).is_staff);
    }
}

/// Staff users who demote and deactivate each other concurrently leave exactly one of them.
pub fn the_last_staff_user_stays(stores: &Stores) {
    let shop = TestShop::new(stores);
    let switch = |user, is_active, is_staff| {
        let command = UpdateUser {
            by: None,
            user,
            change: UserChange {
                is_active,
                is_staff,
            },
            at: crate::at(210),
        };
        retry_busy(|| stores.accounts.switch(command))
    };
    let acts = |user: &UserId| {
        let account = shop.account(*user);
        account.is_active && account.is_staff
    };
    let mut last = None;
    for (round, members) in [2, RACERS, 2, 2].into_iter().enumerate() {
        let member = |at| shop.staff(&format!("staff{round}x{at}"));
        let staff: Vec<_> = (0..members).map(member).collect();
        // Demotes the staff user who remained in the previous round.
        if let Some(last) = last {
            switch(last, None, Some(false)).unwrap();
        }
        let answers = race(RACERS, |at| {
            let off = Some(false);
            let (is_active, is_staff) = if at % 3 == 0 {
                (off, None)
            } else {
                (None, off)
            };
            switch(staff[(at + 1) % members], is_active, is_staff)
        });
        for refusal in answers.into_iter().filter_map(Result::err) {
            assert_eq!(refusal, Refusal::Identity(IdentityRefusal::LastStaff));
        }
        assert!(retry_busy(|| stores.accounts.has_staff()));
        let left: Vec<_> = staff.into_iter().filter(acts).collect();
        assert_eq!(left.len(), 1);
        last = Some(left[0]);
    }
}

/// A list and its count come from one snapshot, under concurrent inserts.
pub fn lists_are_read_from_one_snapshot(stores: &Stores) {
    let shop = TestShop::new(stores);
    let product = shop.product(100, 1_000);
    let users = shop.customers(2);
    let writing = AtomicUsize::new(4);
    race(RACERS, |at| {
        if at < 4 {
            for _ in 0..6 {
                match users.get(at) {
                    Some(user) => drop(shop.order(*user, &[(product, 1)])),
                    None => drop(shop.product(100, 1)),
                }
            }
            writing.fetch_sub(1, Ordering::SeqCst);
            return;
        }
        while writing.load(Ordering::SeqCst) > 0 {
            let page = retry_busy(|| stores.products.list(&ProductList::default(), first_page()));
            assert_eq!(page.count, u64::try_from(page.items.len()).unwrap());
            let page = retry_busy(|| stores.orders.list(&OrderList::default(), first_page()));
            assert_eq!(page.count, u64::try_from(page.items.len()).unwrap());
            assert!(page.items.iter().all(|order| order.lines.len() == 1));
        }
    });
    let orders = retry_busy(|| stores.orders.list(&OrderList::default(), first_page())).count;
    assert_eq!((orders, shop.stock(product)), (12, 1_000 - 12));
}
