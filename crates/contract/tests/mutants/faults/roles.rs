//! Faults that trust the role in the session instead of the account row.

use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_domain::catalog::{ChangeProduct, CreateProduct, Product, ProductRepository};
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ResetUser, UpdateUser, UserChange, UserFilter,
};
use tradepost_domain::inventory::InventoryRepository;
use tradepost_domain::inventory::{AdjustStock, Adjusted};
use tradepost_domain::kernel::{Actor, Error, Execution, PageRequest, StoreError, UserId};
use tradepost_domain::orders::{ChangeOrder, Order, OrderRepository, PlaceOrder, Placement};
use tradepost_memory::MemoryStore as Store;

fn creates_for_former_staff(
    store: &Store,
    command: CreateProduct,
) -> Result<Execution<Product>, Error> {
    store.create(CreateProduct {
        by: None,
        ..command
    })
}

fn changes_for_former_staff(store: &Store, command: ChangeProduct) -> Result<Product, Error> {
    let command = ChangeProduct {
        by: None,
        ..command
    };
    ProductRepository::change(store, command)
}

fn adjusts_for_former_staff(
    store: &Store,
    command: AdjustStock,
) -> Result<Execution<Adjusted>, Error> {
    store.adjust_stock(AdjustStock {
        by: None,
        ..command
    })
}

/// Uses the role in the session as that of the account.
fn believes_the_role_of_the_session(store: &Store, command: ChangeOrder) -> Result<Order, Error> {
    let page = PageRequest::new(1, PageRequest::MAX_SIZE).unwrap();
    let accounts = AccountRepository::list(store, UserFilter::default(), page)?.items;
    let staff = accounts.iter().find(|one| one.is_active && one.is_staff);
    let by = match (command.by, staff) {
        (Actor::Staff(_), Some(staff)) => Actor::Staff(staff.id),
        (by, _) => by,
    };
    OrderRepository::change(store, ChangeOrder { by, ..command })
}

/// Runs a job while these accounts are active.
fn while_active<T>(store: &Store, users: &[UserId], job: impl FnOnce() -> T) -> T {
    let switch = |user: &UserId, is_active| {
        let command = UpdateUser {
            by: None,
            user: *user,
            change: UserChange {
                is_active: Some(is_active),
                is_staff: None,
            },
            at: tradepost_contract::at(0),
        };
        store.switch(command).unwrap();
    };
    let inactive = |user: &&UserId| {
        let account: Option<Account> = AccountRepository::find(store, **user).unwrap();
        account.is_some_and(|account| !account.is_active)
    };
    let inactive: Vec<_> = users.iter().filter(inactive).collect();
    inactive.iter().for_each(|user| switch(user, true));
    let done = job();
    inactive.iter().for_each(|user| switch(user, false));
    done
}

fn places_for_anyone(store: &Store, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
    let users: Vec<_> = requests.iter().map(|request| request.user).collect();
    while_active(store, &users, || store.place(requests))
}

fn cancels_for_anyone(store: &Store, command: ChangeOrder) -> Result<Order, Error> {
    let user = command.by.customer().unwrap();
    while_active(store, &[user], || OrderRepository::change(store, command))
}

fn changes_any_address(store: &Store, command: ChangeEmail) -> Result<Account, Error> {
    while_active(store, &[command.user], || {
        store.change_email(command.clone())
    })
}

/// Resets as another staff user.
fn resets_for_former_staff(store: &Store, command: ResetUser) -> Result<Account, Error> {
    let page = PageRequest::new(1, PageRequest::MAX_SIZE).unwrap();
    let accounts = AccountRepository::list(store, UserFilter::default(), page)?.items;
    let staff = accounts.iter().find(|one| one.is_active && one.is_staff);
    let by = staff.map_or(command.by, |staff| staff.id);
    store.reset_user(ResetUser { by, ..command })
}

pub(crate) const ROWS: &[Row] = &[
    (
        "lets former staff create products",
        Behaviour {
            create: creates_for_former_staff,
            ..HONEST
        },
        &["a_product_is_created_by_current_staff"],
    ),
    (
        "lets former staff change products",
        Behaviour {
            change_product: changes_for_former_staff,
            ..HONEST
        },
        &["a_product_is_changed_by_current_staff"],
    ),
    (
        "lets former staff adjust stock",
        Behaviour {
            adjust: adjusts_for_former_staff,
            ..HONEST
        },
        &["stock_is_adjusted_by_current_staff"],
    ),
    (
        "lets former staff change orders",
        Behaviour {
            change_order: believes_the_role_of_the_session,
            ..HONEST
        },
        &["an_order_is_changed_by_current_staff"],
    ),
    (
        "lets former staff give roles",
        Behaviour {
            switch: super::people::trusts_the_old_role,
            ..HONEST
        },
        &["a_role_is_given_by_current_staff"],
    ),
    (
        "lets former staff reset users",
        Behaviour {
            reset_user: resets_for_former_staff,
            ..HONEST
        },
        &["a_user_is_reset_by_current_staff"],
    ),
    (
        "places orders of deactivated customers",
        Behaviour {
            place: places_for_anyone,
            ..HONEST
        },
        &["a_deactivated_customer_places_no_order"],
    ),
    (
        "cancels orders for deactivated customers",
        Behaviour {
            change_order: cancels_for_anyone,
            ..HONEST
        },
        &["a_deactivated_customer_cancels_no_order"],
    ),
    (
        "changes the address of a deactivated account",
        Behaviour {
            change_email: changes_any_address,
            ..HONEST
        },
        &["an_address_is_changed_by_an_active_account"],
    ),
];
