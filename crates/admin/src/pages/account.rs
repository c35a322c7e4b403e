//! The own account of a staff user: signing out everywhere.

use crate::cookies::{Cookies, Name};
use crate::form::Form;
use crate::page::{Page, PageResult, see_other};
use crate::routes::AdminRoute;
use crate::secrets::session_digest;
use actix_web::web;
use askama::Template;
use tradepost_domain::identity::Account;
use tradepost_domain::kernel::{Access::Staff, Refusal};

#[rustfmt::skip]
pub(crate) static ROUTES: &[AdminRoute] = &[
    AdminRoute::get("/admin/account/", Staff, || web::to(show)),
    AdminRoute::post("/admin/account/sign-out-everywhere/", Staff, || web::to(sign_out)),
];

#[derive(Template)]
#[template(path = "account.html")]
struct OwnAccount<'a> {
    page: &'a Page,
    account: &'a Account,
}

async fn show(page: Page) -> PageResult {
    let account = page.account().ok_or(Refusal::Unauthenticated)?;
    page.show(&OwnAccount {
        page: &page,
        account,
    })
}

/// Ends all sessions and tokens of the user, this session included.
async fn sign_out(page: Page, _: Form) -> PageResult {
    let digest = session_digest(page.secret());
    let account = page
        .command(move |shop, actor| {
            let account = shop.accounts.end_own_sessions(actor)?;
            shop.staff_sessions.end(digest)?;
            Ok(account)
        })
        .await?;
    page.call.invalidate_sessions(account.id);
    let mut response = see_other(&format!("{}/sign-in/", page.base()))?;
    Cookies::of(&page.call).remove(response.headers_mut(), Name::Session)?;
    Ok(response)
}
