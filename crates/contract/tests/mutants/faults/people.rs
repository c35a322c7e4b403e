use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_contract::hash;
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Email, PasswordHash, Register,
    UpdateUser, UserFilter, Username,
};
use tradepost_domain::kernel::{
    Error, FieldError, Page, PageRequest, Refusal, StoreError, UserId, UserSearch,
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
];
