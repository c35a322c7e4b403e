use tradepost_contract::hash;
use tradepost_domain::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Email, Outcome, Page, PageRequest,
    PasswordHash, Register, StoreError, SwitchUser, UserFilter, UserId, UserSearch, Username,
};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn names_everybody_asked_for(
    store: &Store,
    users: &[UserId],
) -> Result<Vec<Account>, StoreError> {
    let one = |user: &UserId| store.find_all(&[*user]);
    let found: Vec<_> = users.iter().map(one).collect::<Result<_, _>>()?;
    Ok(found.concat())
}

pub(crate) fn shares_names(store: &Store, command: Register) -> Outcome<Account> {
    let registered = store.register(command.clone())?;
    if registered.is_ok() {
        return Ok(registered);
    }
    let username = Username::new(&format!("{}2", command.username)).unwrap();
    store.register(Register {
        username,
        email: None,
        ..command
    })
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

pub(crate) fn checks_nothing(store: &Store, command: ChangePassword) -> Outcome<Account> {
    store.change_password(ChangePassword {
        verified: None,
        ..command
    })
}

/// Staff of the shadows stand in for the last one.
pub(crate) fn lets_the_last_go(store: &Store, command: SwitchUser) -> Outcome<Account> {
    let switched = store.switch(command)?;
    if switched.is_ok() {
        return Ok(switched);
    }
    let stand_in = Register {
        username: Username::new(&format!("stand-in{}", command.user)).unwrap(),
        email: None,
        password: hash("stand-in"),
        is_staff: true,
        at: tradepost_contract::at(0),
    };
    drop(store.register(stand_in)?);
    store.switch(command)
}

/// As one that hands the search to LIKE.
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

/// Of two that are the same but for a letter, each is its own.
pub(crate) fn shares_addresses(store: &Store, command: ChangeEmail) -> Outcome<Account> {
    let changed = store.change_email(command.clone())?;
    if changed.is_ok() {
        return Ok(changed);
    }
    let email = Email::new(&format!("x{}.{}", command.user, command.email)).unwrap();
    store.change_email(ChangeEmail { email, ..command })
}
