//! Lists of accounts.

use super::super::lists::{Range, seek_id};
use super::prelude::*;
use crate::rows::AccountRow;
use crate::schema::users;
use diesel::dsl::IntoBoxed;
use tradepost_domain::identity::{Account, UserField, UserFilter};
use tradepost_domain::kernel::{CursorPage, CursorRequest, Keyset, Page, PageRequest};

type Chosen<'a> = IntoBoxed<'a, users::table, Db>;

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

fn chosen<'a>(filter: &UserFilter) -> Chosen<'a> {
    let query = users::table.into_boxed();
    // Folded keys have no capitals, so SQLite's case-insensitive LIKE makes no difference.
    let Some(pattern) = (filter.search.as_ref()).map(|search| containing(&search.key())) else {
        return query;
    };
    let in_name = users::username_key.like(pattern.clone()).escape('\\');
    let in_email = users::email_key.like(pattern).escape('\\');
    query.filter(in_name.nullable().or(in_email))
}

pub(super) fn page(
    database: &Database,
    filter: &UserFilter,
    page: PageRequest,
) -> Result<Page<Account>, StoreError> {
    database.snapshot(|conn| {
        let count = chosen(filter).count().get_result(conn)?;
        let rows = chosen(filter)
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

pub(super) fn cursor_page(
    database: &Database,
    filter: &UserFilter,
    keyset: Keyset<UserField>,
    span: &CursorRequest,
) -> Result<CursorPage<Account>, StoreError> {
    let descending = keyset.is_descending() != span.backwards;
    let range = Range { span, descending };
    database.read(|conn| {
        let (rows, _) = match keyset.field() {
            UserField::Id => seek_id(|| chosen(filter), range, users::id),
        };
        let rows = rows
            .limit(i64::from(span.fetch_limit()))
            .select(AccountRow::as_select())
            .load::<AccountRow>(conn)?;
        let items = all(rows, AccountRow::account)?;
        Ok(CursorPage::new(items, keyset, span))
    })
}
