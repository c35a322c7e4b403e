use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use std::sync::Arc;
use tradepost_domain::import::{ImportRepository, ImportShop, Imported};
use tradepost_domain::kernel::{Money, ProductId, UserId};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn forgets_the_staff_role(store: &Store, command: Arc<ImportShop>) -> Imported {
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

/// Stores the sum of the lines as each total.
pub(crate) fn drops_the_adjustments(store: &Store, command: Arc<ImportShop>) -> Imported {
    let mut command = ImportShop::clone(&command);
    for order in &mut command.orders {
        order.total = order.total.minus(order.adjustment).unwrap();
        order.adjustment = Money::zero(order.total.currency());
    }
    store.import(Arc::new(command))
}

/// Assigns new ids from 1.
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

pub(crate) fn imports_partially(store: &Store, command: Arc<ImportShop>) -> Imported {
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

/// Reports success although a concurrent write won.
pub(crate) fn ignores_concurrent_writes(store: &Store, command: Arc<ImportShop>) -> Imported {
    super::a_moment();
    drop(store.import(command)?);
    Ok(Ok(()))
}

pub(crate) const ROWS: &[Row] = &[
    (
        "takes over customers instead of staff",
        Behaviour {
            import: forgets_the_staff_role,
            ..HONEST
        },
        &["an_import_keeps_ids_and_values"],
    ),
    (
        "takes over what is on hand and not what was sold",
        Behaviour {
            import: forgets_the_orders,
            ..HONEST
        },
        &["past_sales_are_in_the_ledger"],
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
        &["ids_continue_after_an_import"],
    ),
    (
        "takes over a part",
        Behaviour {
            import: imports_partially,
            ..HONEST
        },
        &["a_refused_import_writes_nothing"],
    ),
    (
        "says that a shop was taken over which was not",
        Behaviour {
            import: ignores_concurrent_writes,
            ..HONEST
        },
        &["an_import_races_a_registration"],
    ),
];
