//! Admission: runs before each handler. Checks the origin of the request, the session and the role
//! of the user, and the CSRF token of a form.

use crate::cookies::{Cookies, Name};
use crate::form::Form;
use crate::routes::AdminRoute;
use crate::secrets::{csrf_token, is_equal, is_secret, new_secret, session_digest};
use crate::upload::{Upload, is_multipart};
use crate::{Shared, page};
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, ORIGIN};
use actix_web::{HttpMessage, HttpResponse};
use std::rc::Rc;
use tradepost_domain::identity::Account;
use tradepost_domain::kernel::{Access, Actor, Refusal};
use tradepost_http::kit::{Admission, ApiError, RequestContext, charge, encode, read_form};

/// The name of the field with the CSRF token.
pub(crate) const CSRF: &str = "csrf";

/// The largest form in bytes: 256 KiB. A description of 10,000 characters may take half of it, as a
/// browser sends each byte of a letter outside of ASCII as three.
const MAX_FORM: usize = 256 * 1024;

/// The body that a route reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// No body.
    None,
    /// A urlencoded form, which is read before the handler runs.
    Form,
    /// A multipart form with a file, of which the token is read before the handler runs.
    Upload,
}

/// The browser behind a request.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// The account of a signed-in staff user.
    pub(crate) account: Option<Account>,
    /// The secret of its session, or of a browser that is not signed in.
    pub(crate) secret: String,
    /// Whether the response has to set the secret in a cookie.
    pub(crate) is_new: bool,
}

/// Admits a request to a route.
///
/// # Errors
/// [`Refusal::Forbidden`] for another role, origin or CSRF token; those of the services.
pub(crate) async fn admit(
    shared: &Shared,
    route: &AdminRoute,
    context: RequestContext,
    payload: &mut Payload,
) -> Result<Admission, ApiError> {
    if let Err(forged) = check_origin(&context) {
        charge(&context, None, route.cost)?;
        return Err(forged);
    }
    let visitor = match route.access() {
        Access::Public => {
            charge(&context, None, route.cost)?;
            browser(&context)?
        }
        Access::Customer | Access::Staff => match signed_in(&context, route).await? {
            Some(visitor) => visitor,
            None => return Ok(Admission::Answer(to_sign_in(shared, &context)?)),
        },
    };
    let request = context.request();
    if route.body == Body::Upload && is_multipart(request) {
        let (upload, token) = Upload::begin(request, payload.take()).await?;
        if !is_equal(&token, &csrf_token(&visitor.secret)) {
            let nothing = Form::default();
            return Ok(Admission::Answer(page::forged(shared, &context, &nothing)));
        }
        request.extensions_mut().insert(upload);
    } else if route.body != Body::None {
        let pairs = read_form(context.request(), payload.take(), MAX_FORM).await?;
        let form = Form::sent(pairs);
        if !is_equal(form.value(CSRF), &csrf_token(&visitor.secret)) {
            return Ok(Admission::Answer(page::forged(shared, &context, &form)));
        }
        if route.body == Body::Upload {
            return Err(ApiError::UnsupportedMediaType);
        }
        context.request().extensions_mut().insert(form);
    }
    let actor = visitor
        .account
        .as_ref()
        .map_or(Actor::Anonymous, Account::actor);
    context.request().extensions_mut().insert(Rc::new(visitor));
    Ok(Admission::Enter(actor))
}

/// Rejects requests of other sites: browsers name the origin of every request that may change
/// something or whose response a script could read.
fn check_origin(context: &RequestContext) -> Result<(), ApiError> {
    let headers = context.request().headers();
    let is_own = |origin: &str| {
        let host = |url: &str| url.split_once("://").map(|(_, rest)| rest.to_owned());
        let public = context.base();
        let public = public.split('/').take(3).collect::<Vec<_>>().join("/");
        let host_of = host(origin);
        host_of.is_some() && (host_of == host(&context.own_origin()) || host_of == host(&public))
    };
    let origin = headers.get_all(ORIGIN);
    let is_foreign = origin
        .into_iter()
        .any(|origin| !origin.to_str().is_ok_and(is_own));
    let is_navigation = context.request().method() == Method::GET
        && fetch_header(headers, "sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    let site = fetch_header(headers, "sec-fetch-site");
    let is_same = site.is_none_or(|site| matches!(site, "same-origin" | "none"));
    if is_foreign || !(is_same || is_navigation) {
        return Err(Refusal::Forbidden.into());
    }
    Ok(())
}

fn fetch_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The secret in a cookie.
fn secret(context: &RequestContext, name: Name) -> Option<String> {
    let value = Cookies::of(context).get(context.request().headers(), name);
    value.filter(|value| is_secret(value)).map(str::to_owned)
}

/// A browser that is not signed in, or whose session does not matter here.
fn browser(context: &RequestContext) -> Result<Visitor, ApiError> {
    let known = secret(context, Name::Browser);
    let is_new = known.is_none();
    let secret = match known {
        Some(secret) => secret,
        None => new_secret().map_err(|error| ApiError::Defect(error.to_string()))?,
    };
    Ok(Visitor {
        account: None,
        secret,
        is_new,
    })
}

/// The signed-in staff user; `None` if there is no valid session.
async fn signed_in(
    context: &RequestContext,
    route: &AdminRoute,
) -> Result<Option<Visitor>, ApiError> {
    let Some(secret) = secret(context, Name::Session) else {
        charge(context, None, route.cost)?;
        return Ok(None);
    };
    let digest = session_digest(&secret);
    let found = context
        .query(move |shop, _| shop.staff_sessions.authenticate(digest))
        .await;
    match found {
        Ok(signed_in) => {
            charge(context, Some(signed_in.account.id), route.cost)?;
            Ok(Some(Visitor {
                account: Some(signed_in.account),
                secret,
                is_new: false,
            }))
        }
        Err(error) => {
            charge(context, None, route.cost)?;
            match error {
                ApiError::Refused(Refusal::InvalidToken) => Ok(None),
                error => Err(error),
            }
        }
    }
}

/// The redirect of an anonymous request to the sign-in page, which leads back to a page.
fn to_sign_in(shared: &Shared, context: &RequestContext) -> Result<HttpResponse, ApiError> {
    let request = context.request();
    let mut target = format!("{}/admin/sign-in/", shared.public_path);
    if request.method() == Method::GET {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/admin/", |path| path.as_str());
        if let Some(path) = path.strip_prefix("/admin/").filter(|path| !path.is_empty()) {
            target.push_str("?next=");
            encode(&format!("/{path}"), &mut target);
        }
    }
    let mut response = page::see_other(&target)?;
    let cookies = Cookies::of(context);
    if cookies.get(request.headers(), Name::Session).is_some() {
        cookies.remove(response.headers_mut(), Name::Session)?;
    }
    Ok(response)
}
