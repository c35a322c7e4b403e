//! Slices of adjustments of stock: each adjustment sees the effects of the earlier ones.

use crate::catalog::Product;
use crate::decision::{Decision, KeyedCommand, Settled, StoredKeys, decide_keyed_slice};
use crate::identity::Account;
use crate::inventory::{AdjustStock, Adjusted, Adjustment, decide_adjustment};
use crate::kernel::{Idempotent, MAX_STORED_RESPONSE_BYTES_OF_STAFF, ProductId, UserId};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

impl KeyedCommand for AdjustStock {
    type Outcome = Adjusted;
    type Response = Adjusted;

    const QUOTA: u64 = MAX_STORED_RESPONSE_BYTES_OF_STAFF;

    fn key(&self) -> Option<(UserId, &Idempotent<Adjusted>)> {
        self.by.zip(self.key.as_ref())
    }

    fn at(&self) -> DateTime<Utc> {
        self.at
    }

    fn response(outcome: &Adjusted) -> Option<&Adjusted> {
        Some(outcome)
    }
}

/// The state that a slice of adjustments needs, loaded under lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StockState {
    /// The accounts of the acting users.
    pub acting: BTreeMap<UserId, Account>,
    /// The products.
    pub products: BTreeMap<ProductId, Product>,
    /// Stored responses under the keys of the commands.
    pub keys: StoredKeys,
}

/// Decides a slice of adjustments of stock, by the rules of [`decide_adjustment`]: one decision for
/// all, with one outcome for each command, in order.
///
/// ```
/// use tradepost_domain::inventory::{StockState, decide_adjustments};
///
/// // A slice of no commands changes nothing.
/// let decision = decide_adjustments(&[], StockState::default());
/// assert!(decision.outcome.is_empty());
/// ```
#[must_use]
pub fn decide_adjustments(
    commands: &[AdjustStock],
    state: StockState,
) -> Decision<Vec<Settled<Adjustment>>> {
    let StockState {
        acting,
        mut products,
        keys,
    } = state;
    decide_keyed_slice(commands, &keys, |command, _| {
        let acting = command.by.and_then(|by| acting.get(&by));
        let decision = decide_adjustment(command, acting, products.get(&command.product))?;
        if let Some(product) = products.get_mut(&command.product) {
            product.stock = decision.outcome.level;
        }
        Ok(decision)
    })
}

#[cfg(test)]
#[path = "slice_tests.rs"]
mod tests;
