//! Users, for staff.

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Fields, boolean};
use crate::pages::PageShape;
use crate::query::{self, Listing};
use crate::shapes::AccountShape;
use tradepost_domain::{Refusal, SwitchUser, UserFilter, UserId, UserSearch};

pub(crate) async fn list(call: Call) -> Answer {
    let listing = Listing::read(call.query_string(), call.page_size())?;
    let search = search(call.query_string())?;
    let (filter, request) = (UserFilter { search }, listing.page);
    let page = call
        .query(move |shop, actor| shop.accounts.users(actor, filter, request))
        .await?;
    let results = page.items.iter().map(AccountShape::of).collect();
    answer::ok(&PageShape::new(&call.own_url(), &listing, &page, results))
}

/// What to search for; nothing is no search.
fn search(query: &str) -> Result<Option<UserSearch>, ApiError> {
    let pairs = query::pairs(query);
    let wanted = pairs.iter().rfind(|(name, _)| name == "search");
    let wanted = wanted.filter(|(_, text)| !text.trim().is_empty());
    let search = wanted.map(|(_, text)| UserSearch::new(text)).transpose();
    Ok(search.map_err(|problem| Refusal::field("search", problem))?)
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
        user: call.id(UserId::parse)?,
        is_active: fields.optional("is_active", boolean),
        is_staff: fields.optional("is_staff", boolean),
    };
    let command = fields.complete(Some(command))?;
    let account = call
        .command(move |shop, actor| shop.accounts.switch(actor, command))
        .await?;
    answer::ok(&AccountShape::of(&account))
}
