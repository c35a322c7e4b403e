use super::own_account::{self, ChangeOwnUser, ChangePassword};
use crate::extract::query::Query;
use crate::resources::accounts::AccountResponse;
use crate::resources::prelude::*;
use crate::respond::pages::{PageResponse, read_page};
use tradepost_domain::identity::{UserChange, UserFilter};
use tradepost_domain::kernel::{UserId, UserSearch};

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get("/api/users/", Staff, || web::to(list)).cost(Cost::List)
        .describe(Tag::USERS, "listUsers", "List accounts, newest first")
        .parameters(&[&SEARCH.parameter]).page::<AccountResponse>(),
    Endpoint::get("/api/users/me/", Customer, || web::to(own_account::show))
        .describe(Tag::ACCOUNTS, "getOwnUser", "Show the own account")
        .ok::<AccountResponse>(),
    Endpoint::patch("/api/users/me/", Customer, || web::to(own_account::change))
        .bypass_session_cache().cost(Cost::Password)
        .describe(Tag::ACCOUNTS, "updateOwnUser", "Change the own account; another e-mail address needs the current password")
        .request::<ChangeOwnUser>().ok::<AccountResponse>().errors(&[Code::TooManyAttempts]),
    Endpoint::post("/api/users/me/password/", Customer, || web::to(own_account::change_password))
        .bypass_session_cache().cost(Cost::Password)
        .describe(Tag::ACCOUNTS, "changeOwnPassword", "Change the own password; every session and token ends")
        .request::<ChangePassword>().errors(&[Code::TooManyAttempts]),
    Endpoint::get("/api/users/{id}/", Staff, || web::to(show))
        .describe(Tag::USERS, "getUser", "Show an account")
        .ok::<AccountResponse>(),
    Endpoint::patch("/api/users/{id}/", Staff, || web::to(update)).bypass_session_cache()
        .describe(Tag::USERS, "updateUser", "Switch an account on or off, make it staff or not")
        .request::<ChangeUser>().ok::<AccountResponse>().errors(&[Code::LastStaff]),
];

/// The search text; a blank one is no search.
const SEARCH: QueryParameter<Option<UserSearch>> = QueryParameter::new(
    "SearchUsers",
    "search",
    "Text in the username or in the e-mail address, whatever its case.",
    ParameterType {
        schema: || json!({"type": "string", "maxLength": UserSearch::MAX}),
        parse: |text, ()| {
            let wanted = !text.trim().is_empty();
            wanted.then(|| UserSearch::new(text)).transpose()
        },
    },
)
.causing(Work::UserSearch);

async fn list(call: RequestContext) -> HttpResult {
    let mut query = Query::read(call.query_string());
    let search = query.optional(&SEARCH, ()).flatten();
    let mut listing = query.listing(call.page_size())?;
    let filter = UserFilter { search };
    let read = async |request| {
        let filter = filter.clone();
        call.read_list(move |shop, actor| shop.accounts.users(actor, filter, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let accounts = page
        .items
        .iter()
        .map(AccountResponse::from_account)
        .collect();
    let url = call.own_url();
    responses::ok(&PageResponse::new(&url, &listing, &page, accounts))
}

async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(UserId::parse)?;
    let account = call
        .query(move |shop, actor| shop.accounts.user(actor, id))
        .await?;
    responses::ok(&AccountResponse::from_account(&account))
}

request! {
    struct ChangeUser as "UserChange", "What to switch.",
        {"is_active": false};

    is_active: flag(bool) "Whether they may sign in. Whoever is switched off loses every session.";
    is_staff: flag(bool) "Whether they are staff.";
}

async fn update(call: RequestContext, fields: Fields) -> HttpResult {
    let user = call.id(UserId::parse)?;
    let change = fields.parse(ChangeUser::read)?;
    let change = UserChange {
        is_active: change.is_active,
        is_staff: change.is_staff,
    };
    let account = call
        .command(move |shop, actor| shop.accounts.switch(actor, user, change))
        .await?;
    call.invalidate_sessions(account.id);
    responses::ok(&AccountResponse::from_account(&account))
}
