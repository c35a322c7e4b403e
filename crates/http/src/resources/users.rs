//! User administration by staff.

use crate::extract::fields::Fields;
use crate::extract::query::Query;
use crate::extract::request_context::RequestContext;
use crate::resources::json::AccountResponse;
use crate::respond::pages::{PageResponse, read_page};
use crate::respond::responses::{self, HttpResult};
use tradepost_domain::identity::{UpdateUser, UserFilter};
use tradepost_domain::kernel::{FieldError, UserId, UserSearch};

pub(crate) async fn list(call: RequestContext) -> HttpResult {
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
    let results = page.items.iter().map(AccountResponse::of).collect();
    responses::ok(&PageResponse::new(
        &call.own_url(),
        &listing,
        &page,
        results,
    ))
}

/// The search text; a blank one is no search.
fn search(text: &str) -> Result<Option<UserSearch>, FieldError> {
    let wanted = !text.trim().is_empty();
    wanted.then(|| UserSearch::new(text)).transpose()
}

pub(crate) async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(UserId::parse)?;
    let account = call
        .query(move |shop, actor| shop.accounts.user(actor, id))
        .await?;
    responses::ok(&AccountResponse::of(&account))
}

pub(crate) async fn switch(call: RequestContext, mut fields: Fields) -> HttpResult {
    let command = UpdateUser {
        by: None,
        user: call.id(UserId::parse)?,
        is_active: fields.boolean("is_active"),
        is_staff: fields.boolean("is_staff"),
    };
    let command = fields.complete(Some(command))?;
    let account = call
        .command(move |shop, actor| shop.accounts.switch(actor, command))
        .await?;
    call.invalidate_sessions(account.id);
    responses::ok(&AccountResponse::of(&account))
}
