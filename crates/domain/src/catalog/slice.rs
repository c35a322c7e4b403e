//! Slices of new products and of changes: each command sees the effects of the earlier ones.

use crate::catalog::{ChangeProduct, CreateProduct, Product, decide_change, decide_creation};
use crate::decision::{
    Created, Decision, KeyedCommand, Settled, StoredKeys, decide_keyed_slice, decide_slice,
};
use crate::identity::Account;
use crate::kernel::{
    Currency, FieldError, Idempotent, MAX_STORED_RESPONSE_BYTES_OF_STAFF, ProductId, Refusal,
    Refusals, Sku, UserId,
};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

impl KeyedCommand for CreateProduct {
    type Outcome = Product;
    type Response = Product;

    const QUOTA: u64 = MAX_STORED_RESPONSE_BYTES_OF_STAFF;

    fn key(&self) -> Option<(UserId, &Idempotent<Product>)> {
        self.by.zip(self.key.as_ref())
    }

    fn at(&self) -> DateTime<Utc> {
        self.at
    }

    fn response(outcome: &Product) -> Option<&Product> {
        Some(outcome)
    }
}

/// The state that a slice of new products or of changes needs, loaded under lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogState {
    /// The accounts of the acting users.
    pub acting: BTreeMap<UserId, Account>,
    /// The products to change.
    pub products: BTreeMap<ProductId, Product>,
    /// The products that have the skus of the commands.
    pub skus: BTreeMap<String, ProductId>,
    /// Stored responses under the keys of the commands.
    pub keys: StoredKeys,
}

/// Decides a slice of new products, by the rules of [`decide_creation`]: one decision for all, with
/// one outcome for each command, in order.
///
/// ```
/// # use tradepost_domain::testing::usd;
/// use tradepost_domain::catalog::{CatalogState, decide_creations};
///
/// // A slice of no commands changes nothing.
/// let decision = decide_creations(&[], &CatalogState::default(), usd());
/// assert!(decision.outcome.is_empty());
/// ```
#[must_use]
pub fn decide_creations(
    commands: &[CreateProduct],
    state: &CatalogState,
    currency: Currency,
) -> Decision<Vec<Settled<Created<Product>>>> {
    let mut new = BTreeSet::<String>::new();
    decide_keyed_slice(commands, &state.keys, |command, _| {
        let acting = command.by.and_then(|by| state.acting.get(&by));
        let sku = command.draft.sku.as_ref().map(Sku::as_str);
        let holder = sku.and_then(|sku| state.skus.get(sku)).copied();
        let decision = decide_creation(command, acting, holder, currency)?;
        if sku.is_some_and(|sku| !new.insert(sku.to_owned())) {
            return Err(Refusal::field("sku", FieldError::Taken));
        }
        Ok(decision)
    })
}

/// Decides a slice of changes of products, by the rules of [`decide_change`]: one decision for all,
/// with one outcome for each command, in order.
///
/// A change that takes a sku which an earlier one of the slice gives up is deferred with
/// [`Refusal::LockConflict`], as a database checks that skus are unique row by row; so are the later
/// changes of its product.
///
/// ```
/// # use tradepost_domain::testing::usd;
/// use tradepost_domain::catalog::{CatalogState, decide_changes};
///
/// // A slice of no commands changes nothing.
/// let decision = decide_changes(&[], CatalogState::default(), usd());
/// assert!(decision.outcome.is_empty());
/// ```
#[must_use]
pub fn decide_changes(
    commands: &[ChangeProduct],
    state: CatalogState,
    currency: Currency,
) -> Decision<Vec<Result<Product, Refusal>>> {
    let CatalogState {
        acting,
        mut products,
        mut skus,
        ..
    } = state;
    let mut released = BTreeSet::<String>::new();
    let mut deferred = BTreeSet::<ProductId>::new();
    decide_slice(commands, |command, _| {
        let sku = command.change.sku.as_ref().and_then(Option::as_ref);
        let sku = sku.map(Sku::as_str);
        if deferred.contains(&command.product) || sku.is_some_and(|sku| released.contains(sku)) {
            deferred.insert(command.product);
            return Err(Refusal::LockConflict);
        }
        let acting = command.by.and_then(|by| acting.get(&by));
        let holder = sku.and_then(|sku| skus.get(sku)).copied();
        let before = products.get(&command.product);
        let decision = decide_change(command, acting, before, holder, currency)?;
        let after = &decision.outcome;
        let given_up = before.and_then(|before| before.sku.clone());
        if given_up != after.sku {
            released.extend(given_up.map(|sku| sku.as_str().to_owned()));
            let taken = after.sku.as_ref();
            skus.extend(taken.map(|sku| (sku.as_str().to_owned(), after.id)));
        }
        products.insert(after.id, after.clone());
        Ok(decision)
    })
}

/// Decides a slice of changes of products as a whole: all of them, or none.
///
/// # Errors
/// The refusals of [`decide_changes`], if a command is refused. A slice in which one change takes
/// a sku that another one gives up is always refused with [`Refusal::LockConflict`].
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// use tradepost_domain::catalog::{CatalogState, ChangeProduct, decide_changes_together};
///
/// let archive = |id| ChangeProduct {
///     product: product_id(id),
///     change: ProductChange { archived: Some(true), ..ProductChange::default() },
///     seen: None,
///     by: None,
///     at: at(60),
/// };
/// let state = CatalogState {
///     products: [(product_id(1), product(1, 1_250, 7))].into(),
///     ..CatalogState::default()
/// };
/// // The second product is unknown, so the first one is not archived either.
/// let refused = decide_changes_together(&[archive(1), archive(2)], state, usd());
/// assert_eq!(refused.unwrap_err(), [None, Some(Refusal::NotFound)]);
/// ```
pub fn decide_changes_together(
    commands: &[ChangeProduct],
    state: CatalogState,
    currency: Currency,
) -> Result<Decision<Vec<Product>>, Refusals> {
    decide_changes(commands, state, currency).all_or_none()
}

#[cfg(test)]
#[path = "slice_tests.rs"]
mod tests;
