use crate::cart::{Cart, CartItemDetail, ChangeCart};
use crate::kernel::StoreError;
use crate::kernel::{Error, Execution, UserId};
use std::collections::HashMap;

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

    /// Changes a cart as [`decide_cart`](crate::cart::decide_cart) allows, and under a new key
    /// [`check_replay_quota`](crate::kernel::check_replay_quota) before it; returns the line afterwards, or `None`
    /// if it is gone. The other commands with keys do the same
    /// (`stored_responses_are_bounded_in_bytes`).
    ///
    /// MUST serialise changes of one cart, so that parallel adds add up
    /// (`parallel_adds_lose_nothing`) and no line is ordered and changed at once
    /// (`a_cart_that_changes_while_it_is_ordered`), honour the precondition
    /// (`a_cart_line_edit_checks_its_precondition`), and execute a command that is sent twice under one
    /// key once (`one_key_is_one_addition`).
    ///
    /// # Errors
    /// If the store fails.
    fn change(&self, command: ChangeCart) -> Result<Execution<Option<CartItemDetail>>, Error>;
}
