//! Accounts.

mod attempts;
mod known_networks;
pub(crate) mod lists;
mod refresh_tokens;
mod staff_sessions;
pub(super) mod usernames;

pub(super) use refresh_tokens::write as write_tokens;

use super::prelude::{self, *};
use crate::rows::{AccountRow, CredentialsRow, NewUserRow, UserChanges};
use crate::schema::users;
use std::collections::BTreeMap;
use tradepost_domain::decision::AccountUpdate;
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Credentials, EndSessions, NewAccount,
    PasswordHash, Refresh, RefreshDigest, RefreshToken, Register, ResetUser, UpdateUser, UserField,
    UserFilter, decide_email, decide_end_of_sessions, decide_first_staff, decide_password,
    decide_registration, decide_user_reset, decide_user_update,
};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Error, Keyset, Page, PageRequest, Refusal, UserId,
};

/// The accounts of these acting users of a slice, by which the permissions are decided. Their roles
/// are locked, and cannot change until the commit.
pub(super) fn accounts(
    conn: &mut Conn,
    users: &[i64],
) -> Result<BTreeMap<UserId, Account>, Failure> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = users::table
        .filter(id_in(users::id, users))
        .select(AccountRow::as_select())
        .load(conn)?;
    let accounts = all(rows, AccountRow::account)?.into_iter();
    Ok(accounts.map(|account| (account.id, account)).collect())
}

fn account(conn: &mut Conn, user: UserId) -> Result<Option<Account>, Failure> {
    let row = users::table
        .find(user.get())
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(AccountRow::account).transpose()?)
}

/// Inserts accounts; returns their ids.
pub(super) fn insert(conn: &mut Conn, new: &[NewAccount]) -> Result<Vec<UserId>, Failure> {
    let insert = |new: &NewAccount| {
        let row = NewUserRow::from(new);
        let insert = diesel::insert_into(users::table).values(row);
        let id: i64 = insert.returning(users::id).get_result(conn)?;
        Ok(UserId::new(id).ok_or_else(|| StoreError::corrupt("users", "id", id))?)
    };
    new.iter().map(insert).collect()
}

/// Updates accounts, and deletes the refresh tokens of sessions that end with it.
pub(super) fn update(conn: &mut Conn, updates: &[AccountUpdate]) -> Result<(), Failure> {
    for update in updates {
        diesel::update(users::table.find(update.after.id.get()))
            .set(UserChanges::from(update))
            .execute(conn)?;
        if update.ends_sessions() {
            refresh_tokens::end_sessions(conn, &update.after)?;
        }
    }
    Ok(())
}

/// The bare column, as in the partial index on active staff.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn active_staff() -> _ {
    users::table.filter(users::is_staff.and(users::is_active))
}

fn has_staff(conn: &mut Conn) -> Result<bool, Failure> {
    Ok(diesel::select(exists(active_staff())).get_result(conn)?)
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
        lists::page(self, &filter, page)
    }

    fn cursor_page(
        &self,
        filter: &UserFilter,
        keyset: Keyset<UserField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Account>, StoreError> {
        lists::cursor_page(self, filter, keyset, span)
    }

    fn register(&self, command: Register) -> Result<Account, Error> {
        self.command(move |conn| {
            let conflicts = usernames::conflicts(conn, &command.username, command.email.as_ref())?;
            apply(conn, decide_registration(&command, conflicts)?)
        })
    }

    fn register_first_staff(&self, command: Register) -> Result<Account, Error> {
        self.command(move |conn| {
            locks::staff_or_abort(conn)?;
            let has_staff = has_staff(conn)?;
            let conflicts = usernames::conflicts(conn, &command.username, command.email.as_ref())?;
            apply(conn, decide_first_staff(&command, conflicts, has_staff)?)
        })
    }

    fn change_email(&self, command: ChangeEmail) -> Result<Account, Error> {
        self.command(move |conn| {
            locks::users(conn, &[command.user])?;
            let conflicts = usernames::email_conflicts(conn, command.user, &command.email)?;
            let before = account(conn, command.user)?;
            apply(conn, decide_email(&command, before.as_ref(), conflicts)?)
        })
    }

    fn change_password(&self, command: ChangePassword) -> Result<Account, Error> {
        self.command(move |conn| {
            locks::users(conn, &[command.user])?;
            let before = account(conn, command.user)?;
            apply(conn, decide_password(&command, before.as_ref())?)
        })
    }

    fn end_sessions(&self, command: EndSessions) -> Result<Account, Error> {
        self.command(move |conn| {
            locks::users(conn, &[command.user])?;
            let before = account(conn, command.user)?;
            apply(conn, decide_end_of_sessions(&command, before.as_ref())?)
        })
    }

    fn reset_user(&self, command: ResetUser) -> Result<Account, Error> {
        self.command(move |conn| {
            locks::users(conn, &[command.by, command.user])?;
            let (before, acting) = (account(conn, command.user)?, account(conn, command.by)?);
            apply(
                conn,
                decide_user_reset(&command, before.as_ref(), acting.as_ref())?,
            )
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

    fn switch(&self, command: UpdateUser) -> Result<Account, Error> {
        self.command(move |conn| {
            locks::roles(conn, command.user)?;
            let before = account(conn, command.user)?;
            let acting = command
                .by
                .map(|by| account(conn, by))
                .transpose()?
                .flatten();
            let others = active_staff().filter(users::id.ne(command.user.get()));
            let others = row_count(others.count().get_result(conn)?);
            let (before, acting) = (before.as_ref(), acting.as_ref());
            apply(conn, decide_user_update(&command, before, acting, others)?)
        })
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        self.read(has_staff)
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        self.write(move |conn| refresh_tokens::begin_family(conn, &token))
    }

    fn refresh(&self, command: Refresh) -> Result<Account, Error> {
        if !self.read(|conn| refresh_tokens::is_known(conn, &command))? {
            return Err(Refusal::InvalidToken.into());
        }
        // A refusal is an outcome, which is committed: it may end the family.
        Ok(self.write(move |conn| refresh_tokens::refresh(conn, &command))??)
    }

    fn end_family(&self, family: RefreshDigest) -> Result<(), StoreError> {
        if !self.read(|conn| refresh_tokens::lives(conn, family))? {
            return Ok(());
        }
        self.write(move |conn| refresh_tokens::end_family(conn, family))
    }
}
