//! Cookies (RFC 6265): reading them, and setting those of the admin interface.

use crate::page::defect;
use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use tradepost_http::kit::{ApiError, RequestContext};

/// The cookies of the admin interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// The secret of a session.
    Session,
    /// The secret of a browser that is not signed in.
    Browser,
    /// A flash message.
    Flash,
}

/// Reads and writes cookies. Behind TLS their names have the prefix `__Host-`: browsers then refuse
/// one that another host or a connection without TLS sets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    is_secure: bool,
}

impl Cookies {
    pub(crate) fn of(context: &RequestContext) -> Self {
        Self {
            is_secure: context.base().starts_with("https://"),
        }
    }

    fn name(self, name: Name) -> String {
        let prefix = if self.is_secure { "__Host-" } else { "" };
        let name = match name {
            Name::Session => "session",
            Name::Browser => "browser",
            Name::Flash => "flash",
        };
        format!("{prefix}tradepost_{name}")
    }

    /// The value of a cookie; `None` if it was not sent.
    pub(crate) fn get(self, headers: &HeaderMap, name: Name) -> Option<&str> {
        let wanted = self.name(name);
        let lines = headers
            .get_all(COOKIE)
            .filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';'));
        pairs.find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == wanted).then_some(value)
        })
    }

    /// Sets a cookie that scripts cannot read and that forms of other sites do not send. Without a
    /// maximum age in seconds it lasts as long as the browser runs.
    ///
    /// # Errors
    /// [`ApiError::Defect`] if the value has characters that a header cannot have.
    pub(crate) fn set(
        self,
        headers: &mut HeaderMap,
        name: Name,
        value: &str,
        max_age: Option<u32>,
    ) -> Result<(), ApiError> {
        let name = self.name(name);
        let mut cookie = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
        if self.is_secure {
            cookie.push_str("; Secure");
        }
        if let Some(seconds) = max_age {
            cookie.push_str(&format!("; Max-Age={seconds}"));
        }
        headers.append(SET_COOKIE, HeaderValue::try_from(cookie).map_err(defect)?);
        Ok(())
    }

    /// Removes a cookie.
    ///
    /// # Errors
    /// As [`Cookies::set`].
    pub(crate) fn remove(self, headers: &mut HeaderMap, name: Name) -> Result<(), ApiError> {
        self.set(headers, name, "", Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            HeaderValue::from_static("a=b; tradepost_session=one=1"),
        );
        headers.append(
            COOKIE,
            HeaderValue::from_static("__Host-tradepost_session=two"),
        );
        let get = |is_secure| Cookies { is_secure }.get(&headers, Name::Session);
        assert_eq!(get(false), Some("one=1"));
        assert_eq!(get(true), Some("two"));
        assert_eq!(
            Cookies { is_secure: false }.get(&headers, Name::Flash),
            None
        );
    }

    #[test]
    fn cookies_are_hidden_from_scripts_and_other_sites() {
        let set = |is_secure| {
            let mut headers = HeaderMap::new();
            let cookies = Cookies { is_secure };
            cookies.set(&mut headers, Name::Session, "x", None).unwrap();
            headers
                .get(SET_COOKIE)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            set(false),
            "tradepost_session=x; Path=/; HttpOnly; SameSite=Lax"
        );
        let secure = "__Host-tradepost_session=x; Path=/; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(set(true), secure);
    }
}
