//! Commands with idempotency keys, and their responses.

use crate::{Shop, at, draft, place, settled, units};
use std::fmt::Debug;
use tradepost_domain::{
    AdjustStock, Adjusted, CartAction, CartItem, ChangeCart, CreateProduct, IdempotencyKey,
    KeyScope, Keyed, Order, PlaceOrder, Product, ProductId, Refusal, Render, StockDelta, UserId,
    Written,
};

/// Encodes the response to store: the complete outcome. Its quotes and backslashes must be stored
/// unchanged.
pub(crate) fn render<T: Debug>(outcome: &T) -> String {
    format!("{outcome:?} \"\\ é\u{1f375}\n")
}

/// An idempotency key for this path, with a fingerprint.
pub(crate) fn key<T: Debug>(path: &str, key: &str, fingerprint: &str) -> Keyed<T> {
    Keyed {
        scope: KeyScope {
            path: path.to_owned(),
            key: IdempotencyKey::new(key).unwrap(),
        },
        fingerprint: fingerprint.to_owned(),
        render: Render(render),
    }
}

/// The response that a client gets, executed or replayed.
pub(crate) fn answer<T: Debug>(written: Written<T>) -> String {
    match written {
        Written::Now(outcome) => render(&outcome),
        Written::Before(answer) => answer,
    }
}

/// The outcome of a command that was executed, not replayed.
#[track_caller]
pub(crate) fn now<T: Debug>(written: Result<Written<T>, Refusal>) -> T {
    match written {
        Ok(Written::Now(outcome)) => outcome,
        other => panic!("it is to happen now: {other:?}"),
    }
}

/// The command that orders a user's cart with a key.
pub(crate) fn placing(user: UserId, key: Keyed<Order>) -> PlaceOrder {
    PlaceOrder {
        key: Some(key),
        ..place(user)
    }
}

impl Shop<'_> {
    pub(crate) fn create_under(
        &self,
        key: Keyed<Product>,
        by: Option<UserId>,
        name: &str,
    ) -> Result<Written<Product>, Refusal> {
        let command = CreateProduct {
            draft: draft(name, 100, 5),
            key: Some(key),
            by,
            at: at(70),
        };
        settled(|| self.stores.products.create(command.clone()))
    }

    pub(crate) fn adjust_under(
        &self,
        key: Keyed<Adjusted>,
        by: UserId,
        product: ProductId,
        delta: i64,
    ) -> Result<Written<Adjusted>, Refusal> {
        let command = AdjustStock {
            product,
            delta: StockDelta::new(delta).unwrap(),
            note: None,
            key: Some(key),
            by: Some(by),
            at: at(80),
        };
        settled(|| self.stores.products.adjust_stock(command.clone()))
    }

    pub(crate) fn add_under(
        &self,
        key: Keyed<CartItem>,
        user: UserId,
        product: ProductId,
        quantity: i64,
    ) -> Result<Written<CartItem>, Refusal> {
        let quantity = units(quantity);
        let command = ChangeCart {
            seen: None,
            user,
            action: CartAction::Add { product, quantity },
            key: Some(key),
            at: at(90),
        };
        let written = settled(|| self.stores.carts.change(command.clone()))?;
        Ok(written.map(|item| item.unwrap()))
    }
}
