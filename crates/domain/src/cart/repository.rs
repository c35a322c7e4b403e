use crate::cart::{Cart, CartItemDetail, ChangeCart};
use crate::kernel::{Error, Execution, Outcomes, StoreError, UserId, single};
use std::collections::HashMap;

/// Result of a change of a cart: the line afterwards, or `None` if it is gone.
pub type CartChange = Execution<Option<CartItemDetail>>;

/// Cart repository.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert!(store.carts.carts(&[user(1)])?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait CartRepository: Send + Sync {
    /// The carts of these customers, with the current products; empty carts are left out.
    ///
    /// MUST give each customer their own lines (`carts_are_read_together`), and change nothing
    /// (`reading_a_cart_changes_nothing`).
    ///
    /// # Errors
    /// If the store fails.
    fn carts(&self, users: &[UserId]) -> Result<HashMap<UserId, Cart>, StoreError>;

    /// Changes carts as [`decide_carts`](crate::cart::decide_carts) allows, and under a new key
    /// [`check_replay_quota`](crate::kernel::check_replay_quota) before it: one result for each
    /// command, in order, with the line afterwards, or `None` if it is gone. The other commands with
    /// keys do the same (`stored_responses_are_bounded_in_bytes`).
    ///
    /// MUST commit all changes of the slice together, and return only after the commit; MUST keep a
    /// refused command from affecting its neighbours
    /// (`a_refused_cart_change_does_not_affect_its_neighbours`), and let each command see the
    /// earlier ones of its user (`cart_changes_of_a_slice_see_each_other`); MUST serialise changes of one cart, so that parallel adds add up
    /// (`parallel_adds_lose_nothing`) and no line is ordered and changed at once
    /// (`a_cart_that_changes_while_it_is_ordered`), honour the precondition
    /// (`a_cart_line_edit_checks_its_precondition`), and execute a command that is sent twice under one
    /// key once (`one_key_is_one_addition`), also within a slice
    /// (`a_key_repeated_in_a_slice_is_one_addition`).
    ///
    /// # Errors
    /// If the store fails: then no command of the slice was executed, unless the kind is
    /// [`OutcomeUnknown`](crate::kernel::StoreErrorKind::OutcomeUnknown).
    fn change_all(&self, commands: &[ChangeCart]) -> Outcomes<CartChange>;

    /// Changes a cart: a slice of one.
    ///
    /// # Errors
    /// The refusal, or the failure of the store.
    fn change(&self, command: ChangeCart) -> Result<CartChange, Error> {
        single(self.change_all(&[command]))
    }
}
