//! Slices of changes of carts: each change sees the effects of the earlier ones.

use crate::cart::rules::{check_stock, decide_beside_new};
use crate::cart::{CartAction, CartItem, CartItemDetail, CartOutcome, ChangeCart};
use crate::catalog::Product;
use crate::decision::{Changes, Decision, KeyedCommand, Settled, StoredKeys, decide_keyed_slice};
use crate::kernel::{Idempotent, MAX_STORED_RESPONSE_BYTES, ProductId, Quantity, Refusal, UserId};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};

impl KeyedCommand for ChangeCart {
    type Outcome = Option<CartItemDetail>;
    type Response = CartItemDetail;

    const QUOTA: u64 = MAX_STORED_RESPONSE_BYTES;

    fn key(&self) -> Option<(UserId, &Idempotent<CartItemDetail>)> {
        Some((self.user, self.key.as_ref()?))
    }

    fn at(&self) -> DateTime<Utc> {
        self.at
    }

    fn response(outcome: &Option<CartItemDetail>) -> Option<&CartItemDetail> {
        outcome.as_ref()
    }
}

/// The state that a slice of changes needs, loaded under the locks of the users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CartsState {
    /// The lines of each cart, in the order in which they were added.
    pub carts: BTreeMap<UserId, Vec<CartItem>>,
    /// The products that [`ChangeCart::product`] names.
    pub products: BTreeMap<ProductId, Product>,
    /// Stored responses under the keys of the commands.
    pub keys: StoredKeys,
}

/// The carts after the earlier commands of a slice.
struct WorkingCarts {
    carts: BTreeMap<UserId, Vec<CartItem>>,
    /// Positions of the new lines among the new rows of the slice.
    new: BTreeMap<(UserId, ProductId), usize>,
    /// Users of a deferred command: their later commands are deferred as well.
    deferred: BTreeSet<UserId>,
}

impl WorkingCarts {
    fn new_lines(&self, user: UserId) -> usize {
        let of_user = |(owner, _): &&(UserId, ProductId)| *owner == user;
        self.new.keys().filter(of_user).count()
    }

    /// The carts after this decision.
    fn update(&mut self, user: UserId, rows: usize, decision: &Decision<CartOutcome>) {
        let lines = self.carts.entry(user).or_default();
        let changes = &decision.changes;
        for (new, row) in changes.new_cart_items.iter().zip(rows..) {
            self.new.insert((user, new.product), row);
        }
        for item in &changes.cart_items {
            if let Some(line) = lines.iter_mut().find(|line| line.id == item.id) {
                *line = *item;
            }
        }
        for item in &changes.deleted_cart_items {
            lines.retain(|line| line.id != item.id);
        }
    }
}

/// Decides a slice of changes of carts, by the rules of [`decide_cart`](crate::cart::decide_cart): one decision for all, with
/// one outcome for each command, in order.
///
/// Emptying a cart to which an earlier command of the slice adds a line is deferred with
/// [`Refusal::LockConflict`], as the new row has no id yet; so are the later commands of its user.
///
/// ```
/// use tradepost_domain::cart::{CartsState, decide_carts};
///
/// // A slice of no commands changes nothing.
/// let decision = decide_carts(&[], CartsState::default());
/// assert!(decision.outcome.is_empty());
/// ```
#[must_use]
pub fn decide_carts(
    commands: &[ChangeCart],
    state: CartsState,
) -> Decision<Vec<Settled<CartOutcome>>> {
    let CartsState {
        carts,
        products,
        keys,
    } = state;
    let mut working = WorkingCarts {
        carts,
        new: BTreeMap::new(),
        deferred: BTreeSet::new(),
    };
    decide_keyed_slice(commands, &keys, |command, changes| {
        decide_next(command, &products, &mut working, changes)
    })
}

fn decide_next(
    command: &ChangeCart,
    products: &BTreeMap<ProductId, Product>,
    working: &mut WorkingCarts,
    changes: &mut Changes,
) -> Result<Decision<CartOutcome>, Refusal> {
    let user = command.user;
    let new_lines = working.new_lines(user);
    let empties_new = command.action == CartAction::Empty && new_lines > 0;
    if empties_new || working.deferred.contains(&user) {
        working.deferred.insert(user);
        return Err(Refusal::LockConflict);
    }
    let lines = working.carts.get(&user).map_or(&[][..], Vec::as_slice);
    let product = command.product(lines).and_then(|id| products.get(&id));
    if let CartAction::Add {
        product: id,
        quantity,
    } = command.action
        && let Some(row) = working.new.get(&(user, id))
    {
        return add_to_new(command, *row, quantity, product, changes);
    }
    let mut decision = decide_beside_new(command, lines, new_lines, product)?;
    let rows = changes.new_cart_items.len();
    if let CartOutcome::New { row, .. } = &mut decision.outcome {
        *row = rows;
    }
    working.update(user, rows, &decision);
    Ok(decision)
}

/// Adds units to a line that an earlier command of the slice creates.
fn add_to_new(
    command: &ChangeCart,
    row: usize,
    quantity: Quantity,
    product: Option<&Product>,
    changes: &mut Changes,
) -> Result<Decision<CartOutcome>, Refusal> {
    let (Some(product), Some(new)) = (product, changes.new_cart_items.get_mut(row)) else {
        return Err(Refusal::LockConflict);
    };
    let together = new.quantity.plus(quantity);
    let together = together.map_err(|problem| Refusal::field("quantity", problem))?;
    check_stock(product, together)?;
    new.quantity = together;
    new.updated_at = command.at;
    Ok(Decision::of(CartOutcome::New {
        row,
        quantity: together,
        updated_at: command.at,
        product: product.clone(),
    }))
}

#[cfg(test)]
#[path = "slice_tests.rs"]
mod tests;
