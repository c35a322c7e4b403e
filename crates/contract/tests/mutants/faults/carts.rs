use super::a_moment;
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use std::collections::HashMap;
use tradepost_domain::cart::{Cart, CartAction, CartItemDetail, CartRepository, ChangeCart};
use tradepost_domain::kernel::{Error, Execution, StoreError, UserId};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn loses_adds(
    store: &Store,
    command: ChangeCart,
) -> Result<Execution<Option<CartItemDetail>>, Error> {
    let items = of(store, command.user)?.items;
    if let CartAction::Add { product, quantity } = command.action
        && let Some(item) = items.iter().find(|item| item.product.id == product)
        && let Ok(together) = item.line.quantity.plus(quantity)
    {
        a_moment();
        let action = CartAction::Set {
            line: item.line.id,
            quantity: Some(together),
            product: None,
        };
        return CartRepository::change(store, ChangeCart { action, ..command });
    }
    CartRepository::change(store, command)
}

fn of(store: &Store, user: UserId) -> Result<Cart, StoreError> {
    Ok(store.carts(&[user])?.remove(&user).unwrap_or_default())
}

pub(crate) fn tidies(store: &Store, users: &[UserId]) -> Result<HashMap<UserId, Cart>, StoreError> {
    for (user, cart) in store.carts(users)? {
        for item in cart.items.iter().filter(|item| !item.issues().is_empty()) {
            let command = ChangeCart {
                seen: None,
                user,
                action: CartAction::Remove { line: item.line.id },
                key: None,
                at: tradepost_contract::at(0),
            };
            CartRepository::change(store, command).unwrap();
        }
    }
    store.carts(users)
}

/// Gives the first user the lines of all users.
pub(crate) fn mixes_up(
    store: &Store,
    users: &[UserId],
) -> Result<HashMap<UserId, Cart>, StoreError> {
    let mut together = Cart::default();
    for user in users {
        together.items.extend(of(store, *user)?.items);
    }
    let carts = users.iter().take(1).map(|user| (*user, together.clone()));
    Ok(carts.filter(|(_, cart)| !cart.items.is_empty()).collect())
}

pub(crate) fn overwrites(
    store: &Store,
    command: ChangeCart,
) -> Result<Execution<Option<CartItemDetail>>, Error> {
    CartRepository::change(
        store,
        ChangeCart {
            seen: None,
            ..command
        },
    )
}

pub(crate) const ROWS: &[Row] = &[
    (
        "loses parallel adds",
        Behaviour {
            change_cart: loses_adds,
            ..HONEST
        },
        &["parallel_adds_lose_nothing"],
    ),
    (
        "tidies a cart that is read",
        Behaviour {
            carts: tidies,
            ..HONEST
        },
        &[
            "reading_a_cart_changes_nothing",
            "a_cart_shows_current_products",
        ],
    ),
    (
        "mixes up carts that are read together",
        Behaviour {
            carts: mixes_up,
            ..HONEST
        },
        &["carts_are_read_together"],
    ),
    (
        "changes a cart line that was edited since",
        Behaviour {
            change_cart: overwrites,
            ..HONEST
        },
        &["a_cart_line_edit_checks_its_precondition"],
    ),
];
