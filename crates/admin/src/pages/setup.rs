//! First run: the page behind the one-time setup link, which creates the first staff user.

use crate::form::Form;
use crate::page::{Page, PageResult, see_other};
use crate::pages::sign_in::{PASSWORD_COST, begin};
use crate::routes::AdminRoute;
use crate::setup::SetupError;
use actix_web::web;
use askama::Template;
use tradepost_domain::identity::{Email, NewUser, Password, SignInPriority, Username};
use tradepost_domain::kernel::{Access, Refusal};
use tradepost_http::kit::{ApiError, Code, pairs};

#[rustfmt::skip]
pub(crate) static ROUTES: &[AdminRoute] = &[
    AdminRoute::get("/admin/setup/", Access::Public, || web::to(show)),
    AdminRoute::post("/admin/setup/", Access::Public, || web::to(submit)).cost(PASSWORD_COST),
];

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage<'a> {
    page: &'a Page,
    form: &'a Form,
}

#[derive(Template)]
#[template(path = "setup_closed.html")]
struct Closed<'a> {
    page: &'a Page,
    why: &'static str,
}

async fn show(page: Page) -> PageResult {
    let query = pairs(page.call.query_string());
    let mut form = Form::default();
    if let Some((_, token)) = query.iter().find(|(name, _)| name == "token") {
        form.set("token", token);
    }
    if let Some(closed) = closed(&page, form.value("token")).await {
        return closed;
    }
    page.show(&SetupPage {
        page: &page,
        form: &form,
    })
}

async fn submit(page: Page, mut form: Form) -> PageResult {
    if let Some(closed) = closed(&page, form.value("token")).await {
        return closed;
    }
    let Some(user) = new_user(&mut form) else {
        return again(&page, &form);
    };
    let from = page.call.client_network();
    let priority = SignInPriority::Normal;
    let hash = move |shop: &tradepost_domain::Services, _| {
        // Registrations are limited, and this one reveals which names are taken too.
        shop.attempts.register(from, || shop.accounts.hash(user))
    };
    let hashed = page.call.run_password(priority, hash).await?;
    let created = page
        .command(move |shop, _| shop.accounts.create_first_staff(hashed))
        .await;
    let account = match created {
        Ok(account) => account,
        Err(ApiError::Refused(Refusal::Forbidden)) => return used(&page),
        Err(error) => {
            form.refused(error)?;
            return again(&page, &form);
        }
    };
    page.shared.setup.close();
    let mut response = see_other(&format!("{}/", page.base()))?;
    begin(&page, &account, &mut response).await?;
    Ok(response)
}

/// The page that says why a link does not work, if it does not.
async fn closed(page: &Page, token: &str) -> Option<PageResult> {
    if !page.call.is_from(&page.shared.config.setup_allow) {
        let why = "The setup link works only in a browser on the machine that runs the shop.";
        return Some(close(page, Code::Forbidden, why));
    }
    match page.query(|shop, _| shop.accounts.has_staff()).await {
        Ok(true) => return Some(used(page)),
        Ok(false) => {}
        Err(error) => return Some(Err(error)),
    }
    let why = match page.shared.setup.check(token, page.now()) {
        Ok(()) => return None,
        Err(SetupError::Expired) => "This setup link is older than 30 minutes.",
        Err(SetupError::Unknown) => "This is not the current setup link.",
    };
    Some(close(page, Code::Forbidden, why))
}

fn used(page: &Page) -> PageResult {
    let why = "This shop has a staff user already, so its setup is complete.";
    page.gone(&Closed { page, why })
}

fn close(page: &Page, code: Code, why: &'static str) -> PageResult {
    page.failed(code, &Closed { page, why })
}

fn again(page: &Page, form: &Form) -> PageResult {
    page.invalid(&SetupPage { page, form })
}

/// The user of the form, unless a field has an error. Passwords are never sent back.
fn new_user(form: &mut Form) -> Option<NewUser> {
    let username = form.read("username", Username::new);
    let email = form.optional("email", Email::new);
    let password = form.read("password", |text| Password::new(text, username.as_ref()));
    if form.value("password") != form.value("password_again") {
        form.fail("password_again", "The two passwords differ.");
    }
    form.set("password", "");
    form.set("password_again", "");
    if form.has_errors() {
        return None;
    }
    Some(NewUser {
        username: username?,
        email: email?,
        password: password?,
    })
}
