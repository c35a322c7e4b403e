use crate::addresses::{Address, AddressId, ChangeAddress};
use crate::kernel::{Execution, Page, PageRequest, Refusal, StoreError, UserId};

/// Result of a change of an address book: the address afterwards, or `None` if it is deleted.
pub type AddressResult = Result<Execution<Option<Address>>, Refusal>;

/// Address repository.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// let store = Stores::from(MemoryStore::new(usd()));
/// assert_eq!(store.addresses.list(user(1), page(1, 10))?.count, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(any(test, feature = "test-support"), mockall::automock)]
pub trait AddressRepository: Send + Sync {
    /// A page of a customer's addresses, newest first.
    ///
    /// MUST list the addresses of this customer alone (`addresses_are_of_one_customer`).
    ///
    /// # Errors
    /// If the store fails.
    fn list(&self, user: UserId, page: PageRequest) -> Result<Page<Address>, StoreError>;

    /// A customer's address. `None` if it does not exist, or belongs to another customer.
    ///
    /// # Errors
    /// If the store fails.
    fn find(&self, user: UserId, address: AddressId) -> Result<Option<Address>, StoreError>;

    /// Changes address books as [`decide_address`](crate::addresses::decide_address) allows, and
    /// under a new key [`check_replay_quota`](crate::kernel::check_replay_quota) before it: one
    /// result for each command, in order, each of which sees the earlier ones. A refused command
    /// MUST NOT affect the others (`a_refused_address_does_not_affect_its_neighbours`).
    ///
    /// MUST count the addresses under the lock of the customer (`the_last_place_for_an_address`)
    /// and keep concurrent edits of different fields (`edits_of_an_address_do_not_overwrite_each_other`);
    /// MUST delete the row (`a_deleted_address_is_gone`), honour the precondition
    /// (`an_address_edit_checks_its_precondition`), and execute a command that is sent twice under
    /// one key once (`one_key_is_one_address`).
    ///
    /// # Errors
    /// If the store fails: then no command was executed, unless the kind is
    /// [`OutcomeUnknown`](crate::kernel::StoreErrorKind::OutcomeUnknown).
    fn change(&self, commands: &[ChangeAddress]) -> Result<Vec<AddressResult>, StoreError>;
}
