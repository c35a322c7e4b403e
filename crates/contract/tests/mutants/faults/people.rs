use super::a_moment;
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use std::sync::Arc;
use tradepost_contract::{hash, page};
use tradepost_domain::Stores;
use tradepost_domain::addresses::{
    Address, AddressAction, AddressId, AddressRefusal, AddressRepository, AddressResult,
    AddressUpdate, ChangeAddress,
};
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Email, PasswordHash, Register,
    UpdateUser, UserFilter, Username,
};
use tradepost_domain::kernel::{
    Error, Execution, FieldError, Page, PageRequest, Refusal, StoreError, UserId, UserSearch,
};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn repeats_duplicate_ids(
    store: &Store,
    users: &[UserId],
) -> Result<Vec<Account>, StoreError> {
    let one = |user: &UserId| AccountRepository::find_all(store, &[*user]);
    let found: Vec<_> = users.iter().map(one).collect::<Result<_, _>>()?;
    Ok(found.concat())
}

pub(crate) fn shares_names(store: &Store, command: Register) -> Result<Account, Error> {
    let registered = store.register(command.clone());
    if registered.is_ok() {
        return registered;
    }
    let username = Username::new(&format!("{}2", command.username)).unwrap();
    store.register(Register {
        username,
        email: None,
        ..command
    })
}

/// Registers with another name if the first one is refused for this field error.
fn registers_despite(
    store: &Store,
    command: Register,
    problem: &FieldError,
) -> Result<Account, Error> {
    let registered = store.register(command.clone());
    let expected = Refusal::field("username", problem.clone());
    if !matches!(&registered, Err(Error::Refused(refusal)) if *refusal == expected) {
        return registered;
    }
    let username = Username::new(&format!("stand-in-{}", command.password.reveal())).unwrap();
    store.register(Register {
        username,
        ..command
    })
}

fn allows_names_that_look_alike(store: &Store, command: Register) -> Result<Account, Error> {
    registers_despite(store, command, &FieldError::TooSimilar)
}

fn allows_addresses_as_names(store: &Store, command: Register) -> Result<Account, Error> {
    if command.username.as_str().contains('@') {
        registers_despite(store, command, &FieldError::Taken)
    } else {
        store.register(command)
    }
}

pub(crate) fn renews_blindly(
    store: &Store,
    user: UserId,
    _: PasswordHash,
    new: PasswordHash,
) -> Result<(), StoreError> {
    let Some(account) = AccountRepository::find(store, user)? else {
        return Ok(());
    };
    let current = store
        .credentials(&account.username.key())?
        .unwrap()
        .password;
    store.renew_hash(user, current, new)
}

pub(crate) fn checks_nothing(store: &Store, command: ChangePassword) -> Result<Account, Error> {
    store.change_password(ChangePassword {
        verified: None,
        ..command
    })
}

/// Checks the role before the command instead of under its lock.
pub(crate) fn trusts_the_old_role(store: &Store, command: UpdateUser) -> Result<Account, Error> {
    store.switch(UpdateUser {
        by: None,
        ..command
    })
}

/// Adds hidden staff users that stand in for the last one.
pub(crate) fn lets_the_last_go(store: &Store, command: UpdateUser) -> Result<Account, Error> {
    let switched = store.switch(command);
    if switched.is_ok() {
        return switched;
    }
    let stand_in = Register {
        username: Username::new(&format!("stand-in{}", command.user)).unwrap(),
        email: None,
        password: hash("stand-in"),
        is_staff: true,
        at: tradepost_contract::at(0),
    };
    drop(store.register(stand_in));
    store.switch(command)
}

/// Passes the search text to LIKE without escaping.
pub(crate) fn knows_wildcards(
    store: &Store,
    filter: UserFilter,
    page: PageRequest,
) -> Result<Page<Account>, StoreError> {
    let pattern = filter.search.as_ref().map(|search| search.key());
    let search = pattern.and_then(|pattern| {
        let parts = pattern.split(['%', '_']).map(str::to_owned);
        UserSearch::new(&parts.max_by_key(String::len)?).ok()
    });
    AccountRepository::list(store, UserFilter { search }, page)
}

pub(crate) fn lists_oldest_first(
    store: &Store,
    filter: UserFilter,
    page: PageRequest,
) -> Result<Page<Account>, StoreError> {
    let mut listed = AccountRepository::list(store, filter, page)?;
    listed.items.reverse();
    Ok(listed)
}

/// Changes a taken address by a letter, so that two accounts share it.
pub(crate) fn shares_addresses(store: &Store, command: ChangeEmail) -> Result<Account, Error> {
    let changed = store.change_email(command.clone());
    if changed.is_ok() {
        return changed;
    }
    let email = Email::new(&format!("x{}.{}", command.user, command.email)).unwrap();
    store.change_email(ChangeEmail { email, ..command })
}

pub(crate) const ROWS: &[Row] = &[
    (
        "registers names that look alike",
        Behaviour {
            register: allows_names_that_look_alike,
            ..HONEST
        },
        &[
            "names_that_look_alike_are_refused",
            "one_of_the_names_that_look_alike_is_taken",
        ],
    ),
    (
        "registers the addresses of others as names",
        Behaviour {
            register: allows_addresses_as_names,
            ..HONEST
        },
        &[
            "a_username_is_no_address_of_another_account",
            "a_username_races_the_same_address",
        ],
    ),
    (
        "lets those switch users who were staff",
        Behaviour {
            switch: trusts_the_old_role,
            ..HONEST
        },
        &["a_demoted_user_cannot_undo_it"],
    ),
    (
        "finds an account as often as it is asked for",
        Behaviour {
            find_accounts: repeats_duplicate_ids,
            ..HONEST
        },
        &["accounts_are_found_together"],
    ),
    (
        "gives a username to two accounts",
        Behaviour {
            register: shares_names,
            ..HONEST
        },
        &[
            "one_username_goes_to_one_account",
            "taken_names_and_addresses_are_reported",
        ],
    ),
    (
        "renews a hash whatever it is by now",
        Behaviour {
            renew_hash: renews_blindly,
            ..HONEST
        },
        &["a_renewed_hash_does_not_undo_a_change"],
    ),
    (
        "changes a password that was not checked",
        Behaviour {
            change_password: checks_nothing,
            ..HONEST
        },
        &[
            "one_checked_password_is_changed_once",
            "a_password_that_was_not_checked_stays",
        ],
    ),
    (
        "lets the last staff go",
        Behaviour {
            switch: lets_the_last_go,
            ..HONEST
        },
        &["the_last_staff_user_stays", "a_shop_keeps_its_last_staff"],
    ),
    (
        "takes % and _ for more than they are",
        Behaviour {
            list_users: knows_wildcards,
            ..HONEST
        },
        &["users_are_found_by_part_of_a_name"],
    ),
    (
        "ignores the search of a cursor page of users",
        Behaviour {
            slice_users: |store, _, keyset, span| {
                AccountRepository::cursor_page(store, &UserFilter::default(), keyset, span)
            },
            ..HONEST
        },
        &["cursor_pages_list_every_account_once"],
    ),
    (
        "begins each cursor page of users with the last row of the one before",
        Behaviour {
            slice_users: |store, filter, keyset, span| {
                let mut span = span.clone();
                if let Some(edge) = &mut span.edge {
                    edge.inclusive = true;
                }
                AccountRepository::cursor_page(store, filter, keyset, &span)
            },
            ..HONEST
        },
        &["cursor_pages_list_every_account_once"],
    ),
    (
        "lists users oldest first",
        Behaviour {
            list_users: lists_oldest_first,
            ..HONEST
        },
        &["users_are_listed_newest_first"],
    ),
    (
        "gives an address to two accounts",
        Behaviour {
            change_email: shares_addresses,
            ..HONEST
        },
        &["one_address_goes_to_one_account", "an_address_is_changed"],
    ),
    (
        "lists the addresses of the first customer for all",
        address_fault(|stores| careless(stores, AddressFault::ListsOthers)),
        &["addresses_are_of_one_customer"],
    ),
    (
        "gives up a slice of address commands at the first refusal",
        address_fault(|stores| careless(stores, AddressFault::HarmsNeighbours)),
        &["a_refused_address_does_not_affect_its_neighbours"],
    ),
    (
        "makes room in a full address book",
        address_fault(|stores| careless(stores, AddressFault::MakesRoom)),
        &[
            "the_last_place_for_an_address",
            "an_address_book_holds_20_addresses",
        ],
    ),
    (
        "writes every field of an address that it read before",
        address_fault(|stores| careless(stores, AddressFault::LosesEdits)),
        &["edits_of_an_address_do_not_overwrite_each_other"],
    ),
    (
        "keeps deleted addresses",
        address_fault(|stores| careless(stores, AddressFault::KeepsDeleted)),
        &["a_deleted_address_is_gone"],
    ),
    (
        "edits addresses whatever the client saw",
        address_fault(|stores| careless(stores, AddressFault::IgnoresPreconditions)),
        &["an_address_edit_checks_its_precondition"],
    ),
    (
        "creates addresses without regard to keys",
        address_fault(|stores| careless(stores, AddressFault::ForgetsKeys)),
        &["one_key_is_one_address", "addresses_under_one_key_are_one"],
    ),
];

/// A fault of an address repository.
#[derive(Clone, Copy, PartialEq)]
enum AddressFault {
    ListsOthers,
    HarmsNeighbours,
    MakesRoom,
    LosesEdits,
    KeepsDeleted,
    IgnoresPreconditions,
    ForgetsKeys,
}

struct CarelessAddresses {
    inner: Arc<dyn AddressRepository>,
    fault: AddressFault,
}

const fn address_fault(replace: fn(Stores) -> Stores) -> Behaviour {
    Behaviour { replace, ..HONEST }
}

fn careless(stores: Stores, fault: AddressFault) -> Stores {
    let inner = stores.addresses.clone();
    let addresses = Arc::new(CarelessAddresses { inner, fault });
    Stores {
        addresses,
        ..stores
    }
}

impl CarelessAddresses {
    fn run(&self, command: ChangeAddress) -> Result<AddressResult, StoreError> {
        let run = |command| Ok(self.inner.change(&[command])?.remove(0));
        match (self.fault, &command.action) {
            (AddressFault::KeepsDeleted, AddressAction::Delete(_)) => {
                Ok(Ok(Execution::Executed(None)))
            }
            (AddressFault::LosesEdits, AddressAction::Update(id, update)) => {
                let before = self.inner.find(command.user, *id)?;
                a_moment();
                let read = before.map(|before| before.fields);
                let update = AddressUpdate {
                    name: update
                        .name
                        .clone()
                        .or(read.as_ref().map(|it| it.name.clone())),
                    line1: update
                        .line1
                        .clone()
                        .or(read.as_ref().map(|it| it.line1.clone())),
                    ..update.clone()
                };
                let action = AddressAction::Update(*id, update);
                run(ChangeAddress { action, ..command })
            }
            (AddressFault::MakesRoom, AddressAction::Create(_)) => {
                let result = run(command.clone())?;
                let full = Refusal::Addresses(AddressRefusal::Full { limit: 20 });
                if result != Err(full) {
                    return Ok(result);
                }
                let newest = self.inner.list(command.user, page(1, 1))?.items.remove(0);
                let action = AddressAction::Delete(newest.id);
                drop(run(ChangeAddress {
                    action,
                    key: None,
                    ..command.clone()
                }));
                run(command)
            }
            (AddressFault::IgnoresPreconditions, _) => run(ChangeAddress {
                seen: None,
                ..command
            }),
            (AddressFault::ForgetsKeys, _) => run(ChangeAddress {
                key: None,
                ..command
            }),
            _ => run(command),
        }
    }
}

impl AddressRepository for CarelessAddresses {
    fn list(&self, user: UserId, page: PageRequest) -> Result<Page<Address>, StoreError> {
        let first = UserId::new(1).unwrap();
        let user = if self.fault == AddressFault::ListsOthers {
            first
        } else {
            user
        };
        self.inner.list(user, page)
    }

    fn find(&self, user: UserId, address: AddressId) -> Result<Option<Address>, StoreError> {
        self.inner.find(user, address)
    }

    fn change(&self, commands: &[ChangeAddress]) -> Result<Vec<AddressResult>, StoreError> {
        let mut results: Vec<AddressResult> = Vec::new();
        for command in commands {
            let is_over = results.iter().any(Result::is_err);
            results.push(match self.fault {
                AddressFault::HarmsNeighbours if is_over => Err(Refusal::LockConflict),
                _ => self.run(command.clone())?,
            });
        }
        Ok(results)
    }
}
