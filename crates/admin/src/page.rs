//! The context of a page: the caller, the services, and the responses of a handler. Templates get it
//! as `page`.

use crate::admit::Visitor;
use crate::cookies::{Cookies, Name};
use crate::form::Form;
use crate::format::{self, ShownTime};
use crate::secrets::{csrf_token, new_secret};
use crate::{Shared, flash};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, RETRY_AFTER,
};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use std::borrow::Borrow;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use tradepost_domain::Services;
use tradepost_domain::identity::Account;
use tradepost_domain::kernel::{Actor, Currency, Error, Money};
use tradepost_http::kit::{ApiError, Code, Rendered, RequestContext};

/// The result of a handler. An error becomes an error page.
pub(crate) type PageResult = Result<HttpResponse, ApiError>;

/// The context of a page.
pub(crate) struct Page {
    pub(crate) call: RequestContext,
    pub(crate) shared: Arc<Shared>,
    visitor: Rc<Visitor>,
    frame: Frame,
}

/// The parts of a page around its content, for `base.html`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    /// The path of the admin interface, without a slash at its end.
    pub(crate) base: String,
    /// The paths of the stylesheet and of the script.
    pub(crate) style: String,
    pub(crate) script: String,
    /// Whether the navigation is shown.
    pub(crate) is_staff: bool,
    /// The name of the signed-in user.
    pub(crate) username: Option<String>,
    /// The CSRF token of forms.
    pub(crate) csrf: String,
    /// A sentence about the form that was sent before.
    pub(crate) flash: Option<String>,
    /// The path within the admin interface.
    pub(crate) path: String,
}

impl Frame {
    pub(crate) fn new(shared: &Shared, path: &str) -> Self {
        Self {
            base: format!("{}/admin", shared.public_path),
            style: shared.assets.style_path(&shared.public_path),
            script: shared.assets.script_path(&shared.public_path),
            path: path.strip_prefix("/admin").unwrap_or(path).to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn frame(&self) -> &Self {
        self
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Whether the page is in a section of the navigation; `/` is the dashboard alone.
    pub(crate) fn is_in(&self, section: &str) -> bool {
        match section {
            "/" => matches!(self.path.as_str(), "/" | ""),
            section => self.path.starts_with(section),
        }
    }
}

impl FromRequest for Page {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let context = RequestContext::from_request(request, payload).into_inner();
        ready(context.and_then(|call| Self::new(request, call)))
    }
}

impl Page {
    fn new(request: &HttpRequest, call: RequestContext) -> Result<Self, ApiError> {
        let shared = request.app_data::<Arc<Shared>>().cloned();
        let visitor = request.extensions().get::<Rc<Visitor>>().cloned();
        let both = shared.zip(visitor);
        let (shared, visitor) =
            both.ok_or_else(|| ApiError::Defect("a page was not admitted".to_owned()))?;
        let flash = Cookies::of(&call).get(request.headers(), Name::Flash);
        let flash = flash.and_then(|cookie| flash::decode(cookie, &visitor.secret));
        let frame = Frame {
            is_staff: visitor.account.is_some(),
            username: (visitor.account.as_ref()).map(|account| account.username.to_string()),
            csrf: csrf_token(&visitor.secret),
            flash,
            ..Frame::new(&shared, request.path())
        };
        Ok(Self {
            call,
            shared,
            visitor,
            frame,
        })
    }

    /// The signed-in staff user.
    #[allow(dead_code, reason = "a part for pages that need it")]
    pub(crate) fn account(&self) -> Option<&Account> {
        self.visitor.account.as_ref()
    }

    /// The secret of the session.
    pub(crate) fn secret(&self) -> &str {
        &self.visitor.secret
    }

    /// The time of the shop's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.shared.config.clock.now()
    }
}

/// Services.
impl Page {
    /// Runs a use case that reads a bounded number of rows by their keys.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.call.query(job).await
    }

    /// Runs a use case that reads a list.
    pub(crate) async fn read_list<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.call.read_list(job).await
    }

    /// Runs a use case that writes.
    pub(crate) async fn command<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Services, Actor) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.call.command(job).await
    }

    /// The id in the path; a segment that does not parse is 404.
    pub(crate) fn id<Id>(&self, parse: fn(&str) -> Option<Id>) -> Result<Id, ApiError> {
        self.call.id(parse)
    }
}

/// Values for templates.
impl Page {
    /// The parts of the page around its content.
    pub(crate) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The path of the admin interface, without a slash at its end: links begin with it.
    pub(crate) fn base(&self) -> &str {
        &self.frame.base
    }

    /// The CSRF token, which every form has in a hidden field.
    pub(crate) fn csrf(&self) -> &str {
        &self.frame.csrf
    }

    /// The currency of every price.
    pub(crate) fn currency(&self) -> Currency {
        self.call.currency()
    }

    /// An amount with its currency.
    pub(crate) fn money(&self, amount: impl Borrow<Money>) -> String {
        format::money(*amount.borrow())
    }

    /// A count or a number of units, with separators of thousands.
    pub(crate) fn count(&self, number: impl Borrow<i64>) -> String {
        format::count(*number.borrow())
    }

    /// A time, for the partial `time`.
    pub(crate) fn time(&self, at: impl Borrow<DateTime<Utc>>) -> ShownTime {
        ShownTime::new(*at.borrow(), &self.shared.config.time_zone)
    }
}

/// Responses.
impl Page {
    /// 200 with a page.
    pub(crate) fn show(&self, template: &impl Template) -> PageResult {
        self.response(StatusCode::OK, template)
    }

    /// A form again, with the errors of its fields.
    pub(crate) fn invalid(&self, template: &impl Template) -> PageResult {
        self.failed(Code::Invalid, template)
    }

    /// A page that reports a failure: it has the status of this code.
    pub(crate) fn failed(&self, code: Code, template: &impl Template) -> PageResult {
        self.failed_with(code.status(), code, template)
    }

    /// 410 with a page: the address has served its purpose.
    pub(crate) fn gone(&self, template: &impl Template) -> PageResult {
        self.failed_with(StatusCode::GONE, Code::NotFound, template)
    }

    fn failed_with(&self, status: StatusCode, code: Code, template: &impl Template) -> PageResult {
        let mut response = self.response(status, template)?;
        response.extensions_mut().insert(Rendered(code));
        Ok(response)
    }

    /// [`Page::failed`], for a request that may be sent again after so many seconds.
    pub(crate) fn retry_later(
        &self,
        code: Code,
        seconds: u64,
        template: &impl Template,
    ) -> PageResult {
        let mut response = self.failed(code, template)?;
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
        Ok(response)
    }

    /// A redirect to a path within the admin interface, after a form was accepted. The next page
    /// shows the message.
    pub(crate) fn redirect(&self, path: &str, message: &str) -> PageResult {
        let mut response = see_other(&format!("{}{path}", self.base()))?;
        self.set_flash(&mut response, message, self.secret())?;
        Ok(response)
    }

    /// Sets the message of the next page, which the session with this secret shows.
    pub(crate) fn set_flash(
        &self,
        response: &mut HttpResponse,
        message: &str,
        secret: &str,
    ) -> Result<(), ApiError> {
        let value = flash::encode(message, secret);
        let headers = response.headers_mut();
        Cookies::of(&self.call).set(headers, Name::Flash, &value, Some(60))
    }

    fn response(&self, status: StatusCode, template: &impl Template) -> PageResult {
        let body = template.render().map_err(defect)?;
        let mut response = HttpResponse::build(status).body(body);
        let headers = response.headers_mut();
        set_headers(headers);
        let cookies = Cookies::of(&self.call);
        if self.visitor.is_new {
            cookies.set(headers, Name::Browser, self.secret(), None)?;
        }
        let sent = self.call.request().headers();
        if cookies.get(sent, Name::Flash).is_some() {
            cookies.remove(headers, Name::Flash)?;
        }
        Ok(response)
    }
}

/// 303 to a local path.
pub(crate) fn see_other(path: &str) -> PageResult {
    let mut response = HttpResponse::new(StatusCode::SEE_OTHER);
    let location = HeaderValue::try_from(path).map_err(defect)?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Headers of every page: it loads only assets of this server, sends forms only to it, runs no
/// inline script, and is shown in no frame.
pub(crate) fn set_headers(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
        img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "same-origin"),
        (OPENER, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The page about a form whose CSRF token is wrong or has expired. It shows the text that was typed,
/// except passwords.
#[derive(Template)]
#[template(path = "forged.html")]
struct Forged<'a> {
    page: Frame,
    typed: Vec<&'a (String, String)>,
}

pub(crate) fn forged(shared: &Shared, context: &RequestContext, form: &Form) -> HttpResponse {
    let is_shown = |pair: &&(String, String)| {
        !pair.1.is_empty()
            && !["password", "token", "version"]
                .iter()
                .any(|word| pair.0.contains(word))
    };
    let page = Forged {
        page: Frame::new(shared, context.request().path()),
        typed: form.pairs().filter(is_shown).collect(),
    };
    let code = Code::Forbidden;
    // Templates write into memory, which cannot fail.
    let mut response = HttpResponse::build(code.status()).body(page.render().unwrap_or_default());
    set_headers(response.headers_mut());
    response.extensions_mut().insert(Rendered(code));
    response
}

/// A secret for a new session.
pub(crate) fn secret() -> Result<String, ApiError> {
    new_secret().map_err(defect)
}

pub(crate) fn defect(error: impl std::fmt::Display) -> ApiError {
    ApiError::Defect(error.to_string())
}
