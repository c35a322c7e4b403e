//! The own account of a staff user: another password, and signing out everywhere.

use super::sign_in::{self, PASSWORD_COST};
use crate::cookies::{Cookies, Name};
use crate::form::Form;
use crate::page::{Page, PageResult, see_other};
use crate::routes::AdminRoute;
use crate::secrets::session_digest;
use actix_web::web;
use askama::Template;
use tradepost_domain::identity::{Account, IdentityRefusal, Password};
use tradepost_domain::kernel::{Access::Staff, Refusal};
use tradepost_http::kit::{ApiError, Code, change_own_password};

#[rustfmt::skip]
pub(crate) static ROUTES: &[AdminRoute] = &[
    AdminRoute::get("/admin/account/", Staff, || web::to(show)),
    AdminRoute::get("/admin/account/password/", Staff, || web::to(show_password)),
    AdminRoute::post("/admin/account/password/", Staff, || web::to(change_password)).cost(PASSWORD_COST),
    AdminRoute::post("/admin/account/sign-out-everywhere/", Staff, || web::to(sign_out)),
];

#[derive(Template)]
#[template(path = "account/show.html")]
struct OwnAccount<'a> {
    page: &'a Page,
    account: &'a Account,
}

#[derive(Template)]
#[template(path = "account/password.html")]
struct OwnPassword<'a> {
    page: &'a Page,
    form: &'a Form,
}

fn own(page: &Page) -> Result<&Account, Refusal> {
    page.account().ok_or(Refusal::Unauthenticated)
}

async fn show(page: Page) -> PageResult {
    page.show(&OwnAccount {
        page: &page,
        account: own(&page)?,
    })
}

async fn show_password(page: Page) -> PageResult {
    page.show(&OwnPassword {
        page: &page,
        form: &Form::default(),
    })
}

/// Changes the password, which ends every session and token of the user, and begins a new session
/// in this browser.
async fn change_password(page: Page, mut form: Form) -> PageResult {
    let own = own(&page)?;
    let current = form.value("current_password").to_owned();
    if current.is_empty() {
        form.fail("current_password", "Enter your current password.");
    }
    let new = form.read("password", |text| Password::new(text, Some(&own.username)));
    if form.value("password") != form.value("password_again") {
        form.fail("password_again", "The two passwords differ.");
    }
    // Passwords are never sent back.
    for name in ["current_password", "password", "password_again"] {
        form.set(name, "");
    }
    let Some(new) = new.filter(|_| !form.has_errors()) else {
        return again(&page, &form, Code::Invalid);
    };
    let account = match change_own_password(&page.call, own, current, new).await {
        Ok(account) => account,
        Err(ApiError::Refused(Refusal::Identity(IdentityRefusal::TooManyAttempts { seconds }))) => {
            form.fail_all(sign_in::too_many(seconds));
            let template = OwnPassword {
                page: &page,
                form: &form,
            };
            return page.retry_later(Code::TooManyAttempts, seconds, &template);
        }
        Err(error) => {
            let code = error.code();
            form.refused(error)?;
            return again(&page, &form, code);
        }
    };
    let mut response = see_other(&format!("{}/account/", page.base()))?;
    let secret = sign_in::begin(&page, &account, &mut response).await?;
    let sentence = "Your password was changed. All other sessions have ended.";
    page.set_flash(&mut response, sentence, &secret)?;
    Ok(response)
}

fn again(page: &Page, form: &Form, code: Code) -> PageResult {
    page.failed(code, &OwnPassword { page, form })
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
