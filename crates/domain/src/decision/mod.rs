//! Decisions: the complete effect of a write, as a value.
//!
//! A `decide` function returns a [`Decision`]: the outcome for the caller, the rows to write, the
//! movements of the ledger, and the events. An adapter has one function that applies decisions, for
//! every command. So history, audit and an event feed hang on one place.
//!
//! New rows have no ids yet, as a database assigns them in the statement that inserts the rows.
//! [`Decision::complete`] takes the ids, and returns the new rows with the movements and events
//! that follow from them; [`Outcome::stored`] completes the outcome.

mod changes;
mod event;
mod outcome;
mod slice;

pub use changes::{AccountUpdate, Changes, NewIds, NewRows, ProductUpdate, UsedToken};
pub use event::{AccountAttribute, Event, EventKind, EventName, ProductAttribute};
pub use outcome::{Created, Outcome, StoredRows};
pub use slice::{
    Answers, KeyedCommand, KeyedResponse, Settled, StoredKeys, answer_slice, decide_keyed_slice,
    decide_slice,
};

use crate::inventory::NewMovement;

/// The effect of a command that the rules allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<T> {
    /// The outcome for the caller.
    pub outcome: T,
    /// The rows to write.
    pub changes: Changes,
    /// Movements of stock by changes of existing rows; those of new rows follow from these.
    pub movements: Vec<NewMovement>,
    /// Events about existing rows; those about new rows follow from these.
    pub events: Vec<Event>,
}

/// A decision whose new rows have their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed<T> {
    /// The outcome, to be completed by [`Outcome::stored`].
    pub outcome: T,
    /// The changes of existing rows.
    pub changes: Changes,
    /// The new rows.
    pub rows: NewRows,
    /// All movements. Their ids ascend in this order.
    pub movements: Vec<NewMovement>,
    /// All events.
    pub events: Vec<Event>,
}

impl<T> Decision<T> {
    /// A decision that writes nothing yet.
    #[must_use]
    pub fn of(outcome: T) -> Self {
        Self {
            outcome,
            changes: Changes::default(),
            movements: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Appends the decision of the next command of a slice; returns its outcome. A row that both
    /// update is written once, in its last state.
    pub fn append<U>(&mut self, next: Decision<U>) -> U {
        self.changes.append(next.changes);
        self.movements.extend(next.movements);
        self.events.extend(next.events);
        next.outcome
    }

    /// Completes the decision with the ids that the store assigned to its new rows, in their order.
    /// `None` if their numbers differ, which is a defect of the store.
    #[must_use]
    pub fn complete(self, ids: NewIds) -> Option<Completed<T>> {
        let Self {
            outcome,
            mut changes,
            mut movements,
            mut events,
        } = self;
        let mut rows = NewRows::default();
        for (new, id) in paired(&mut changes.new_products, ids.products)? {
            movements.extend(new.opening(id));
            events.push(new.event(id));
            rows.products.push(new.into_product(id));
        }
        for (new, id) in paired(&mut changes.new_cart_items, ids.cart_items)? {
            rows.cart_items.push(new.into_item(id));
        }
        for (new, id) in paired(&mut changes.new_orders, ids.orders)? {
            movements.extend(new.sale(id));
            events.push(new.event(id));
            rows.orders.push(new.into_order(id));
        }
        for (new, id) in paired(&mut changes.new_accounts, ids.accounts)? {
            events.push(new.event(id));
            rows.accounts.push(new.into_credentials(id));
        }
        Some(Completed {
            outcome,
            changes,
            rows,
            movements,
            events,
        })
    }
}

/// The new rows of a kind with their ids.
fn paired<New, Id>(new: &mut Vec<New>, ids: Vec<Id>) -> Option<impl Iterator<Item = (New, Id)>> {
    let new = std::mem::take(new);
    (new.len() == ids.len()).then(|| new.into_iter().zip(ids))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
