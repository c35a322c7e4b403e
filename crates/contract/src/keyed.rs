//! Commands with idempotency keys, and their responses.

use crate::{TestShop, at, draft, place, retry_busy, units};
use std::fmt::Debug;
use tradepost_domain::cart::{CartAction, CartItemDetail, ChangeCart};
use tradepost_domain::catalog::{CreateProduct, Product};
use tradepost_domain::inventory::{AdjustStock, Adjusted, StockDelta};
use tradepost_domain::kernel::{
    Execution, IdempotencyKey, IdempotencyScope, Idempotent, ProductId, Refusal, ResponseEncoder,
    UserId,
};
use tradepost_domain::orders::{Order, PlaceOrder};

/// Encodes the response to store: the complete outcome. Its quotes and backslashes must be stored
/// unchanged.
pub(crate) fn render<T: Debug>(outcome: &T) -> String {
    format!("{outcome:?} \"\\ é\u{1f375}\n")
}

/// An idempotency key for this path, with a fingerprint.
pub(crate) fn key<T: Debug>(path: &str, key: &str, fingerprint: &str) -> Idempotent<T> {
    Idempotent {
        scope: IdempotencyScope {
            path: path.to_owned(),
            key: IdempotencyKey::new(key).unwrap(),
        },
        fingerprint: fingerprint.to_owned(),
        render: ResponseEncoder(render),
    }
}

/// The response that a client gets, executed or replayed.
pub(crate) fn answer<T: Debug>(written: Execution<T>) -> String {
    match written {
        Execution::Executed(outcome) => render(&outcome),
        Execution::Replayed(answer) => answer,
    }
}

/// The outcome of a command that was executed, not replayed.
#[track_caller]
pub(crate) fn now<T: Debug>(written: Result<Execution<T>, Refusal>) -> T {
    match written {
        Ok(Execution::Executed(outcome)) => outcome,
        other => panic!("it is to happen now: {other:?}"),
    }
}

/// The command that orders a user's cart with a key.
pub(crate) fn placing(user: UserId, key: Idempotent<Order>) -> PlaceOrder {
    PlaceOrder {
        key: Some(key),
        ..place(user)
    }
}

impl TestShop<'_> {
    pub(crate) fn create_under(
        &self,
        key: Idempotent<Product>,
        by: Option<UserId>,
        name: &str,
    ) -> Result<Execution<Product>, Refusal> {
        let command = CreateProduct {
            draft: draft(name, 100, 5),
            key: Some(key),
            by,
            at: at(70),
        };
        retry_busy(|| self.stores.products.create(command.clone()))
    }

    pub(crate) fn adjust_under(
        &self,
        key: Idempotent<Adjusted>,
        by: UserId,
        product: ProductId,
        delta: i64,
    ) -> Result<Execution<Adjusted>, Refusal> {
        let command = AdjustStock {
            product,
            delta: StockDelta::new(delta).unwrap(),
            note: None,
            key: Some(key),
            by: Some(by),
            at: at(80),
        };
        retry_busy(|| self.stores.inventory.adjust_stock(command.clone()))
    }

    pub(crate) fn add_under(
        &self,
        key: Idempotent<CartItemDetail>,
        user: UserId,
        product: ProductId,
        quantity: i64,
    ) -> Result<Execution<CartItemDetail>, Refusal> {
        let quantity = units(quantity);
        let command = ChangeCart {
            seen: None,
            user,
            action: CartAction::Add { product, quantity },
            key: Some(key),
            at: at(90),
        };
        let written = retry_busy(|| self.stores.carts.change(command.clone()))?;
        Ok(written.map(|item| item.unwrap()))
    }
}
