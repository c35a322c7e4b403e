//! Roles that change during a write that depends on them.

use super::*;
use std::sync::atomic::AtomicUsize;
use tradepost_contract::{at, draft, retry_busy};
use tradepost_domain::catalog::{ChangeProduct, CreateProduct, ProductChange};
use tradepost_domain::identity::{UpdateUser, UserChange};
use tradepost_domain::inventory::{AdjustStock, StockDelta};
use tradepost_domain::kernel::{Actor, Error};
use tradepost_domain::orders::{ChangeOrder, OrderAction, OrderStatus};

/// Starts a write while its acting user is being demoted; returns the outcome of the write, after
/// the demotion is committed.
fn while_demoted<T: Send + 'static>(
    name: &str,
    user: UserId,
    write: impl Fn() -> Result<T, Error> + Send + 'static,
) -> Result<T, Refusal> {
    let mut demoting = other(name);
    demoting.batch_execute("BEGIN").unwrap();
    locks::roles(&mut demoting, user).unwrap();
    let demote = format!("UPDATE users SET is_staff = FALSE WHERE id = {user}");
    demoting.batch_execute(&demote).unwrap();
    let attempts = Arc::new(AtomicUsize::new(0));
    let writing = {
        let attempts = attempts.clone();
        thread::spawn(move || {
            retry_busy(|| {
                attempts.fetch_add(1, Ordering::SeqCst);
                write()
            })
        })
    };
    // The second attempt follows the conflict of the first. A write that does not lock the role
    // ends without having seen the change.
    while attempts.load(Ordering::SeqCst) < 2 && !writing.is_finished() {
        sleep(Duration::from_millis(5));
    }
    demoting.batch_execute("COMMIT").unwrap();
    writing.join().unwrap()
}

fn is_waited(name: &str) -> bool {
    let waiting = format!(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = '{name}' AND wait_event_type = 'Lock'"
    );
    sql(name, &waiting) != "0"
}

#[test]
fn a_write_of_staff_is_decided_by_the_role_at_its_commit() {
    let (database, name) = database();
    let stores = Stores::new(database);
    let shop = TestShop::new(&stores);
    shop.staff("boss");
    let product = shop.product(100, 5);
    let order = shop.order(shop.customer("ada"), &[(product, 1)]);

    let (user, of) = (shop.staff("creator"), stores.clone());
    let create = CreateProduct {
        draft: draft("A thing", 100, 5),
        key: None,
        by: Some(user),
        at: at(0),
    };
    let write = move || of.products.create(create.clone());
    assert_eq!(while_demoted(&name, user, write), Err(Refusal::Forbidden));

    let (user, of) = (shop.staff("editor"), stores.clone());
    let change = ChangeProduct {
        product,
        change: ProductChange {
            archived: Some(true),
            ..ProductChange::default()
        },
        seen: None,
        by: Some(user),
        at: at(0),
    };
    let write = move || of.products.change(change.clone());
    assert_eq!(while_demoted(&name, user, write), Err(Refusal::Forbidden));

    let (user, of) = (shop.staff("keeper"), stores.clone());
    let adjust = AdjustStock {
        product,
        delta: StockDelta::new(3).unwrap(),
        note: None,
        key: None,
        by: Some(user),
        at: at(0),
    };
    let write = move || of.inventory.adjust_stock(adjust.clone());
    assert_eq!(while_demoted(&name, user, write), Err(Refusal::Forbidden));

    let (user, of) = (shop.staff("clerk"), stores.clone());
    let cancel = ChangeOrder {
        order: order.id,
        action: OrderAction::SetStatus(OrderStatus::Cancelled),
        seen: None,
        by: Actor::Staff(user),
        at: at(0),
    };
    let write = move || of.orders.change(cancel.clone());
    assert_eq!(while_demoted(&name, user, write), Err(Refusal::NotFound));

    assert_eq!(shop.found_order(order.id), order);
    assert_eq!(
        (shop.stock(product), shop.found(product).archived),
        (4, false)
    );
    assert_books(&stores);
}

/// Otherwise a flood of writes by one account would keep the others from being demoted.
#[test]
fn a_demotion_does_not_wait_for_other_staff_users() {
    let (database, name) = database();
    let stores = Stores::new(database);
    let shop = TestShop::new(&stores);
    let (busy, mallory) = (shop.staff("busy"), shop.staff("mallory"));
    let mut writing = other(&name);
    writing.batch_execute("BEGIN").unwrap();
    locks::try_acting_users(&mut writing, &[busy].into()).unwrap();
    locks::users(&mut writing, &[busy]).unwrap();
    assert!(!stores.accounts.switch(demotion(mallory)).unwrap().is_staff);
}

/// Otherwise a flood of writes by one account would keep that account from being demoted.
#[test]
fn a_demotion_is_not_starved_by_shared_locks() {
    let (_, name) = database();
    let stores = Stores::new(Arc::new(open(&SERVER.0.url(&name))));
    let shop = TestShop::new(&stores);
    shop.staff("boss");
    let mallory = shop.staff("mallory");
    let mut writing = other(&name);
    writing.batch_execute("BEGIN").unwrap();
    locks::try_acting_users(&mut writing, &[mallory].into()).unwrap();
    let demoting = {
        let stores = stores.clone();
        thread::spawn(move || stores.accounts.switch(demotion(mallory)).unwrap())
    };
    while !is_waited(&name) && !demoting.is_finished() {
        sleep(Duration::from_millis(5));
    }
    let behind = format!("SELECT pg_try_advisory_xact_lock_shared(-{mallory})");
    assert_eq!(sql(&name, &behind), "f", "a later write comes first");
    writing.batch_execute("COMMIT").unwrap();
    assert!(!demoting.join().unwrap().is_staff);
}

fn demotion(user: UserId) -> UpdateUser {
    UpdateUser {
        by: None,
        user,
        change: UserChange {
            is_active: None,
            is_staff: Some(false),
        },
        at: tradepost_contract::at(0),
    }
}
