//! Test support: forms of the admin interface, sent without a browser.

use crate::client::{Answer, Client};
use crate::shop::{PASSWORD, Shop};

/// The session of a staff user.
#[derive(Clone)]
pub(crate) struct Session {
    cookie: String,
    csrf: String,
}

impl Session {
    /// Signs ada in at the first server. The session is valid at all of them.
    pub(crate) fn begin(shop: &Shop) -> Self {
        let mut client = shop.anonymous();
        let page = client.get("/admin/sign-in/").unwrap();
        let browser = Self {
            cookie: format!(
                "tradepost_browser={}",
                page.cookie("tradepost_browser").unwrap()
            ),
            csrf: value(&page.body, "name=\"csrf\"").to_owned(),
        };
        let fields = [("username", "ada"), ("password", PASSWORD)];
        let entered = browser.send(&mut client, "/admin/sign-in/", &fields);
        assert_eq!(entered.status, 303, "{entered:?}");
        let secret = entered.cookie("tradepost_session").unwrap();
        let cookie = format!("tradepost_session={secret}");
        let headers = format!("Cookie: {cookie}\r\n");
        let page = client.ask("GET", "/admin/", &headers, "").unwrap();
        assert_eq!(page.status, 200, "{page:?}");
        let csrf = value(&page.body, "name=\"csrf\"").to_owned();
        Self { cookie, csrf }
    }

    /// Sends a form, with the CSRF token of the session.
    pub(crate) fn send<T: AsRef<str>>(
        &self,
        client: &mut Client,
        path: &str,
        fields: &[(T, T)],
    ) -> Answer {
        let mut body = format!("csrf={}", encoded(&self.csrf));
        for (name, value) in fields {
            let (name, value) = (encoded(name.as_ref()), encoded(value.as_ref()));
            body += &format!("&{name}={value}");
        }
        let cookie = &self.cookie;
        let headers =
            format!("Cookie: {cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        client.ask("POST", path, &headers, &body).unwrap()
    }
}

/// The `value` of the first input with this attribute.
#[track_caller]
pub(crate) fn value<'a>(page: &'a str, attribute: &str) -> &'a str {
    let (_, rest) = page.split_once(attribute).unwrap();
    let (_, rest) = rest.split_once("value=\"").unwrap();
    rest.split('"').next().unwrap()
}

/// The text in the encoding of a form's body.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
