//! User administration by staff.

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::fields::Fields;
use crate::pages::{PageShape, read_page};
use crate::query::Query;
use crate::shapes::AccountShape;
use tradepost_domain::{Problem, SwitchUser, UserFilter, UserId, UserSearch};

pub(crate) async fn list(call: Call) -> Answer {
    let mut query = Query::read(call.query_string());
    let search = query.optional("search", search).flatten();
    let mut listing = query.listing(call.page_size())?;
    let filter = UserFilter { search };
    let read = async |request| {
        let filter = filter.clone();
        call.read_list(move |shop, actor| shop.accounts.users(actor, filter, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let results = page.items.iter().map(AccountShape::of).collect();
    answer::ok(&PageShape::new(&call.own_url(), &listing, &page, results))
}

/// The search text; a blank one is no search.
fn search(text: &str) -> Result<Option<UserSearch>, Problem> {
    let wanted = !text.trim().is_empty();
    wanted.then(|| UserSearch::new(text)).transpose()
}

pub(crate) async fn show(call: Call) -> Answer {
    let id = call.id(UserId::parse)?;
    let account = call
        .query(move |shop, actor| shop.accounts.user(actor, id))
        .await?;
    answer::ok(&AccountShape::of(&account))
}

pub(crate) async fn switch(call: Call, mut fields: Fields) -> Answer {
    let command = SwitchUser {
        by: None,
        user: call.id(UserId::parse)?,
        is_active: fields.boolean("is_active"),
        is_staff: fields.boolean("is_staff"),
    };
    let command = fields.complete(Some(command))?;
    let account = call
        .command(move |shop, actor| shop.accounts.switch(actor, command))
        .await?;
    call.forget_sessions(account.id);
    answer::ok(&AccountShape::of(&account))
}
