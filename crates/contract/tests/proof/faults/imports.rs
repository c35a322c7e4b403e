use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use std::sync::Arc;
use tradepost_domain::{ImportRepository, ImportShop, Imported, Money, ProductId, UserId};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn forgets_who_is_staff(store: &Store, command: Arc<ImportShop>) -> Imported {
    let mut command = ImportShop::clone(&command);
    for credentials in &mut command.users {
        credentials.account.is_staff = false;
    }
    store.import(Arc::new(command))
}

pub(crate) fn forgets_the_orders(store: &Store, command: Arc<ImportShop>) -> Imported {
    let mut command = ImportShop::clone(&command);
    command.orders.clear();
    store.import(Arc::new(command))
}

/// As if each total were the sum of the lines.
pub(crate) fn drops_the_adjustments(store: &Store, command: Arc<ImportShop>) -> Imported {
    let mut command = ImportShop::clone(&command);
    for order in &mut command.orders {
        order.total = order.total.minus(order.adjustment).unwrap();
        order.adjustment = Money::zero(order.total.currency());
    }
    store.import(Arc::new(command))
}

/// From 1, as if each row were new.
pub(crate) fn gives_ids_of_its_own(store: &Store, command: Arc<ImportShop>) -> Imported {
    let mut command = ImportShop::clone(&command);
    command.carts.clear();
    command.orders.clear();
    for (id, product) in (1..).zip(&mut command.products) {
        product.id = ProductId::new(id).unwrap();
    }
    for (id, credentials) in (101..).zip(&mut command.users) {
        credentials.account.id = UserId::new(id).unwrap();
    }
    store.import(Arc::new(command))
}

pub(crate) fn writes_what_it_can(store: &Store, command: Arc<ImportShop>) -> Imported {
    let answer = store.import(Arc::clone(&command))?;
    if answer.is_err() {
        let users = command.users.clone();
        let carts = Vec::new();
        drop(store.import(Arc::new(ImportShop {
            users,
            carts,
            ..ImportShop::default()
        }))?);
    }
    Ok(answer)
}

/// Says that it is done, although somebody was faster.
pub(crate) fn ignores_who_was_faster(store: &Store, command: Arc<ImportShop>) -> Imported {
    super::a_moment();
    drop(store.import(command)?);
    Ok(Ok(()))
}

pub(crate) const ROWS: &[Row] = &[
    (
        "takes over customers instead of staff",
        Behaviour {
            import: forgets_who_is_staff,
            ..HONEST
        },
        &["a_shop_is_taken_over_as_it_was"],
    ),
    (
        "takes over what is on hand and not what was sold",
        Behaviour {
            import: forgets_the_orders,
            ..HONEST
        },
        &["what_was_sold_is_in_the_ledger"],
    ),
    (
        "drops tax and shipping from totals",
        Behaviour {
            import: drops_the_adjustments,
            ..HONEST
        },
        &["an_adjusted_total_is_kept"],
    ),
    (
        "gives what it takes over other ids",
        Behaviour {
            import: gives_ids_of_its_own,
            ..HONEST
        },
        &["later_ids_go_on_from_there"],
    ),
    (
        "takes over a part",
        Behaviour {
            import: writes_what_it_can,
            ..HONEST
        },
        &["a_refused_import_writes_nothing"],
    ),
    (
        "says that a shop was taken over which was not",
        Behaviour {
            import: ignores_who_was_faster,
            ..HONEST
        },
        &["an_import_races_a_registration"],
    ),
];
