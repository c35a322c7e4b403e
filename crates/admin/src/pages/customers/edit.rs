//! Changes of a user: activation, role, password, and the end of sessions.

use super::{path, show};
use crate::form::Form;
use crate::page::{Page, PageResult, see_other};
use tradepost_domain::identity::{Password, SignInPriority, UserChange};
use tradepost_domain::kernel::{Refusal, UserId};
use tradepost_http::kit::ApiError;

pub(super) async fn activate(page: Page, form: Form) -> PageResult {
    let change = UserChange {
        is_active: Some(true),
        is_staff: None,
    };
    switch(page, form, change, "may sign in again").await
}

pub(super) async fn deactivate(page: Page, form: Form) -> PageResult {
    let change = UserChange {
        is_active: Some(false),
        is_staff: None,
    };
    switch(page, form, change, "was deactivated and signed out").await
}

pub(super) async fn make_staff(page: Page, form: Form) -> PageResult {
    let change = UserChange {
        is_active: None,
        is_staff: Some(true),
    };
    switch(page, form, change, "is staff now").await
}

pub(super) async fn make_customer(page: Page, form: Form) -> PageResult {
    let change = UserChange {
        is_active: None,
        is_staff: Some(false),
    };
    switch(page, form, change, "is a customer now").await
}

async fn switch(page: Page, form: Form, change: UserChange, sentence: &str) -> PageResult {
    let user = page.id(UserId::parse)?;
    let switched = page
        .command(move |shop, actor| shop.accounts.switch(actor, user, change))
        .await;
    match switched {
        Ok(account) => {
            page.call.invalidate_sessions(user);
            if is_own(&page, user) && !(account.is_active && account.is_staff) {
                return to_sign_in(&page);
            }
            page.redirect(&path(user), &format!("“{}” {sentence}.", account.username))
        }
        Err(error) => refused(&page, user, form, error).await,
    }
}

/// The page of the user again, with a refusal.
async fn refused(page: &Page, user: UserId, mut form: Form, error: ApiError) -> PageResult {
    let code = error.code();
    form.refused(error)?;
    page.failed(code, &show::view(page, user, &form).await?)
}

fn is_own(page: &Page, user: UserId) -> bool {
    page.account().is_some_and(|own| own.id == user)
}

/// The session has ended with the change, and its flash message with it.
fn to_sign_in(page: &Page) -> PageResult {
    see_other(&format!("{}/sign-in/", page.base()))
}

pub(super) async fn sign_out(page: Page, form: Form) -> PageResult {
    let user = page.id(UserId::parse)?;
    let ended = page
        .command(move |shop, actor| shop.accounts.end_sessions(actor, user))
        .await;
    match ended {
        Ok(account) => {
            page.call.invalidate_sessions(user);
            if is_own(&page, user) {
                return to_sign_in(&page);
            }
            let sentence = format!("“{}” was signed out everywhere.", account.username);
            page.redirect(&path(user), &sentence)
        }
        Err(error) => refused(&page, user, form, error).await,
    }
}

pub(super) async fn set_password(page: Page, mut form: Form) -> PageResult {
    let user = page.id(UserId::parse)?;
    let account = page
        .query(move |shop, actor| shop.accounts.user(actor, user))
        .await?;
    if is_own(&page, user) {
        // Refused before the work of hashing; the rule decides it again.
        return Err(Refusal::Forbidden.into());
    }
    let password = form.read("password", |text| {
        Password::new(text, Some(&account.username))
    });
    if form.value("password") != form.value("password_again") {
        form.fail("password_again", "The two passwords differ.");
    }
    // Passwords are never sent back.
    form.set("password", "");
    form.set("password_again", "");
    let Some(password) = password.filter(|_| !form.has_errors()) else {
        return page.invalid(&show::view(&page, user, &form).await?);
    };
    // Two jobs: hashing is slow, and holds no connection.
    let prepared = page
        .call
        .run_password(SignInPriority::Staff, move |shop, actor| {
            shop.accounts.prepare_reset(actor, user, &password)
        })
        .await?;
    let reset = page
        .command(move |shop, _| shop.accounts.reset_user(prepared))
        .await;
    match reset {
        Ok(account) => {
            page.call.invalidate_sessions(user);
            let sentence = format!(
                "“{}” has another password, and was signed out everywhere.",
                account.username
            );
            page.redirect(&path(user), &sentence)
        }
        Err(error) => refused(&page, user, form, error).await,
    }
}
