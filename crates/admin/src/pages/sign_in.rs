//! Sign-in and sign-out.

use crate::cookies::{Cookies, Name};
use crate::form::Form;
use crate::page::{self, Page, PageResult, see_other};
use crate::routes::AdminRoute;
use crate::secrets::session_digest;
use actix_web::web;
use askama::Template;
use tradepost_domain::identity::{Account, IdentityRefusal};
use tradepost_domain::kernel::{Access, Refusal};
use tradepost_http::kit::{ApiError, Code, pairs, sign_in};

/// Checking a password occupies a core for a quarter of a second.
pub(crate) const PASSWORD_COST: u32 = 10;

#[rustfmt::skip]
pub(crate) static ROUTES: &[AdminRoute] = &[
    AdminRoute::get("/admin/sign-in/", Access::Public, || web::to(show)),
    AdminRoute::post("/admin/sign-in/", Access::Public, || web::to(submit)).cost(PASSWORD_COST),
    AdminRoute::post("/admin/sign-out/", Access::Staff, || web::to(sign_out)),
];

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    page: &'a Page,
    form: &'a Form,
}

async fn show(page: Page) -> PageResult {
    let query = pairs(page.call.query_string());
    let mut form = Form::default();
    if let Some((_, next)) = query.iter().find(|(name, _)| name == "next") {
        form.set("next", next);
    }
    page.show(&SignIn {
        page: &page,
        form: &form,
    })
}

async fn submit(page: Page, mut form: Form) -> PageResult {
    let username = form.value("username").trim().to_owned();
    let password = form.value("password").to_owned();
    // A password is never sent back.
    form.set("password", "");
    if username.is_empty() || password.is_empty() {
        form.fail_all("Enter your username and your password.".to_owned());
        return again(&page, &form, Code::Invalid);
    }
    let account = match sign_in(&page.call, username, password).await {
        Ok(account) => account,
        Err(ApiError::Refused(Refusal::Identity(refusal))) => {
            return refused(&page, form, &refusal);
        }
        Err(error) => return Err(error),
    };
    if !account.is_staff {
        let sentence = "This account is a customer's. Only staff can use the admin interface.";
        form.fail_all(sentence.to_owned());
        return again(&page, &form, Code::Forbidden);
    }
    let mut response = see_other(&format!("{}{}", page.base(), next(form.value("next"))))?;
    begin(&page, &account, &mut response).await?;
    Ok(response)
}

/// Begins a session, whose secret the response sets in a cookie; returns the secret.
pub(crate) async fn begin(
    page: &Page,
    account: &Account,
    response: &mut actix_web::HttpResponse,
) -> Result<String, ApiError> {
    let secret = page::secret()?;
    let (digest, account) = (session_digest(&secret), account.clone());
    page.command(move |shop, _| shop.staff_sessions.begin(&account, digest))
        .await?;
    let headers = response.headers_mut();
    Cookies::of(&page.call).set(headers, Name::Session, &secret, None)?;
    Ok(secret)
}

/// The sentence about an attempt that the login throttling rejected.
pub(crate) fn too_many(seconds: u64) -> String {
    format!("There were too many attempts. Try again in {seconds} seconds.")
}

fn refused(page: &Page, mut form: Form, refusal: &IdentityRefusal) -> PageResult {
    if let IdentityRefusal::TooManyAttempts { seconds } = refusal {
        form.fail_all(too_many(*seconds));
        let template = SignIn { page, form: &form };
        return page.retry_later(Code::TooManyAttempts, *seconds, &template);
    }
    form.fail_all(
        "The username or the password is wrong, or the account is deactivated.".to_owned(),
    );
    again(page, &form, Code::InvalidCredentials)
}

fn again(page: &Page, form: &Form, code: Code) -> PageResult {
    page.failed(code, &SignIn { page, form })
}

/// The path after the sign-in. It is below the admin interface, so that a link cannot lead away from
/// it.
fn next(wanted: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    let is_local = wanted.starts_with('/') && !wanted.starts_with("//");
    if is_local && wanted.bytes().all(plain) {
        wanted
    } else {
        "/"
    }
}

async fn sign_out(page: Page, _: Form) -> PageResult {
    let digest = session_digest(page.secret());
    page.command(move |shop, _| shop.staff_sessions.end(digest))
        .await?;
    let mut response = see_other(&format!("{}/sign-in/", page.base()))?;
    Cookies::of(&page.call).remove(response.headers_mut(), Name::Session)?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_next_page_is_one_of_the_admin_interface() {
        for (wanted, path) in [
            (
                "/products/?q=tea%20mug&sort=name",
                "/products/?q=tea%20mug&sort=name",
            ),
            ("/", "/"),
            ("", "/"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/a\r\nSet-Cookie: x", "/"),
            ("javascript:alert(1)", "/"),
        ] {
            assert_eq!(next(wanted), path, "{wanted:?}");
        }
    }
}
