//! Accounts.

mod attempts;
mod known_networks;
mod refresh_tokens;
pub(super) mod usernames;

use super::prelude::{self, *};
use crate::rows::{AccountRow, CredentialsRow, NewUser};
use crate::schema::users;
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Credentials, PasswordHash, Refresh,
    RefreshDigest, RefreshToken, Register, UpdateUser, UserFilter, decide_email, decide_names,
    decide_password, decide_user_update,
};
use tradepost_domain::kernel::{Page, PageRequest, Refusal, UserId, UserSearch};

fn credentials(conn: &mut Conn, user: UserId) -> Result<Option<Credentials>, Failure> {
    let row = users::table
        .find(user.get())
        .select(CredentialsRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(CredentialsRow::credentials).transpose()?)
}

/// The account of the acting user of a write, by which the permissions are decided. It cannot
/// change until the commit.
pub(super) fn acting(conn: &mut Conn, by: Option<UserId>) -> Result<Option<Account>, Failure> {
    let Some(user) = by else { return Ok(None) };
    locks::acting_user(conn, user)?;
    account(conn, user)
}

fn account(conn: &mut Conn, user: UserId) -> Result<Option<Account>, Failure> {
    let row = users::table
        .find(user.get())
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(AccountRow::account).transpose()?)
}

fn update(conn: &mut Conn, account: &Account) -> QueryResult<()> {
    diesel::update(users::table.find(account.id.get()))
        .set((
            users::is_staff.eq(account.is_staff),
            users::is_active.eq(account.is_active),
            users::session_epoch.eq(account.session_epoch),
        ))
        .execute(conn)
        .map(drop)
}

/// A LIKE pattern for texts that contain this one, with `%` and `_` escaped.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern + "%"
}

/// The bare column, as in the partial index on active staff.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn active_staff() -> _ {
    users::table.filter(users::is_staff.and(users::is_active))
}

impl AccountRepository for Database {
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.read(|conn| account(conn, user))
    }

    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError> {
        let ids: Vec<i64> = users.iter().map(|user| user.get()).collect();
        self.read(|conn| {
            let rows = users::table
                .filter(id_in(users::id, &ids))
                .select(AccountRow::as_select())
                .load::<AccountRow>(conn)?;
            all(rows, AccountRow::account)
        })
    }

    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError> {
        self.read(|conn| {
            let row = users::table
                .filter(users::username_key.eq(username_key))
                .select(CredentialsRow::as_select())
                .first(conn)
                .optional()?;
            Ok(row.map(CredentialsRow::credentials).transpose()?)
        })
    }

    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError> {
        let search = filter.search.as_ref().map(UserSearch::key);
        // Folded keys have no capitals, so SQLite's case-insensitive LIKE makes no difference.
        let pattern = search.as_deref().map(containing);
        self.snapshot(|conn| {
            let chosen = || {
                let mut chosen = users::table.into_boxed();
                if let Some(pattern) = &pattern {
                    let in_name = users::username_key.like(pattern.clone()).escape('\\');
                    let in_email = users::email_key.like(pattern.clone()).escape('\\');
                    chosen = chosen.filter(in_name.nullable().or(in_email));
                }
                chosen
            };
            let count = chosen().count().get_result(conn)?;
            let rows = chosen()
                .order(users::id.desc())
                .offset(offset(page))
                .limit(i64::from(page.size()))
                .select(AccountRow::as_select())
                .load::<AccountRow>(conn)?;
            Ok(Page {
                count: row_count(count),
                items: all(rows, AccountRow::account)?,
            })
        })
    }

    fn register(&self, command: Register) -> Outcome<Account> {
        self.write(move |conn| {
            let conflicts = usernames::conflicts(conn, &command.username, command.email.as_ref())?;
            if let Err(refusal) = decide_names(conflicts) {
                return Ok(Err(refusal));
            }
            let row = diesel::insert_into(users::table)
                .values(NewUser::from(&command))
                .returning(AccountRow::as_returning())
                .get_result::<AccountRow>(conn)?;
            Ok(Ok(row.account()?))
        })
    }

    fn change_email(&self, command: ChangeEmail) -> Outcome<Account> {
        self.write(move |conn| {
            locks::users(conn, &[command.user])?;
            let conflicts = usernames::email_conflicts(conn, command.user, &command.email)?;
            let before = account(conn, command.user)?;
            let after = decide_email(&command, before.as_ref(), conflicts);
            if let Ok(account) = &after {
                diesel::update(users::table.find(account.id.get()))
                    .set((
                        users::email.eq(command.email.as_str()),
                        users::email_key.eq(command.email.key()),
                    ))
                    .execute(conn)?;
            }
            Ok(after)
        })
    }

    fn change_password(&self, command: ChangePassword) -> Outcome<Account> {
        self.write(move |conn| {
            locks::users(conn, &[command.user])?;
            let before = credentials(conn, command.user)?;
            let Credentials { account, password } = match decide_password(&command, before.as_ref())
            {
                Ok(after) => after,
                Err(refusal) => return Ok(Err(refusal)),
            };
            update(conn, &account)?;
            diesel::update(users::table.find(account.id.get()))
                .set(users::password.eq(password.reveal()))
                .execute(conn)?;
            refresh_tokens::end_sessions(conn, &account)?;
            Ok(Ok(account))
        })
    }

    fn renew_hash(
        &self,
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Result<(), StoreError> {
        self.write(move |conn| {
            let unchanged = users::table
                .find(user.get())
                .filter(users::password.eq(old.reveal()));
            diesel::update(unchanged)
                .set(users::password.eq(new.reveal()))
                .execute(conn)?;
            Ok(())
        })
    }

    fn switch(&self, command: UpdateUser) -> Outcome<Account> {
        self.write(move |conn| {
            locks::roles(conn, command.user)?;
            let before = account(conn, command.user)?;
            let acting = command
                .by
                .map(|by| account(conn, by))
                .transpose()?
                .flatten();
            let others = active_staff().filter(users::id.ne(command.user.get()));
            let others = row_count(others.count().get_result(conn)?);
            let after = decide_user_update(&command, before.as_ref(), acting.as_ref(), others);
            if let Ok(account) = &after {
                update(conn, account)?;
                refresh_tokens::end_sessions(conn, account)?;
            }
            Ok(after)
        })
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        self.read(|conn| Ok(diesel::select(exists(active_staff())).get_result(conn)?))
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        self.write(move |conn| refresh_tokens::begin_family(conn, &token))
    }

    fn refresh(&self, command: Refresh) -> Outcome<Account> {
        if !self.read(|conn| refresh_tokens::is_known(conn, &command))? {
            return Ok(Err(Refusal::InvalidToken));
        }
        self.write(move |conn| refresh_tokens::refresh(conn, &command))
    }

    fn end_family(&self, family: RefreshDigest) -> Result<(), StoreError> {
        if !self.read(|conn| refresh_tokens::lives(conn, family))? {
            return Ok(());
        }
        self.write(move |conn| refresh_tokens::end_family(conn, family))
    }
}
