use super::a_moment;
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_domain::{
    Cart, CartAction, CartItem, CartRepository, ChangeCart, Outcome, StoreError, UserId, Written,
};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn loses_adds(store: &Store, command: ChangeCart) -> Outcome<Written<Option<CartItem>>> {
    let items = store.cart(command.user)?.items;
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

pub(crate) fn tidies(store: &Store, user: UserId) -> Result<Cart, StoreError> {
    let cart = store.cart(user)?;
    for item in cart.items.iter().filter(|item| !item.issues().is_empty()) {
        let command = ChangeCart {
            seen: None,
            user,
            action: CartAction::Remove { line: item.line.id },
            key: None,
            at: tradepost_contract::at(0),
        };
        CartRepository::change(store, command)?.unwrap();
    }
    store.cart(user)
}

pub(crate) fn overwrites(store: &Store, command: ChangeCart) -> Outcome<Written<Option<CartItem>>> {
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
            cart: tidies,
            ..HONEST
        },
        &[
            "reading_a_cart_changes_nothing",
            "a_cart_shows_its_products_as_they_are",
        ],
    ),
    (
        "changes a cart line that was edited since",
        Behaviour {
            change_cart: overwrites,
            ..HONEST
        },
        &["a_cart_line_is_edited_as_it_was_seen"],
    ),
];
