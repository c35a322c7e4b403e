//! A shop with the demo's products, and its staff at a browser.

use crate::browser::{Browser, Options};
use crate::place::{Place, QUICK, Serving, answer, token};

/// A served shop with the staff user ada.
pub(crate) struct Shop {
    pub(crate) server: Serving,
    _place: Place,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let place = Place::new();
        place.make_staff(&QUICK).well();
        // On a busy machine a request may take longer than the default timeout.
        let patient = ["--demo", "--throttle", "off", "--request-timeout", "60"];
        let server = place.serve(&[&QUICK[..], &patient].concat());
        Self {
            server,
            _place: place,
        }
    }

    /// A browser without a session.
    pub(crate) fn browser(&self) -> Browser {
        Browser::open(&self.server.address)
    }

    /// A browser in which ada is signed in.
    pub(crate) fn staff(&self, options: Options) -> Browser {
        let browser = Browser::with(&self.server.address, options);
        browser.go("/admin/sign-in/");
        browser.sign_in("ada", "correct horse");
        browser.see("Dashboard");
        browser
    }

    /// Registers a customer; returns a token.
    pub(crate) fn customer(&self, username: &str) -> String {
        let body = format!(
            "{{\"username\": \"{username}\", \"email\": \"{username}@example.org\", \
             \"password\": \"a quiet harbour\"}}"
        );
        let (status, text) = answer(self.send("POST", "/api/register/", "", &body));
        assert_eq!(status, 201, "{text}");
        let body = format!("{{\"username\": \"{username}\", \"password\": \"a quiet harbour\"}}");
        token(self.send("POST", "/api-token-auth/", "", &body)).unwrap()
    }

    /// Orders some units of each of these products.
    pub(crate) fn order(&self, token: &str, lines: &[(u64, u64)]) {
        let token = format!("Authorization: Bearer {token}\r\n");
        for (product, quantity) in lines {
            let body = format!("{{\"product_id\": {product}, \"quantity\": {quantity}}}");
            let (status, text) = answer(self.send("POST", "/api/cart/", &token, &body));
            assert_eq!(status, 201, "{text}");
        }
        let (status, text) = answer(self.send("POST", "/api/orders/", &token, ""));
        assert_eq!(status, 201, "{text}");
    }

    /// Changes the status of an order through these states.
    pub(crate) fn advance(&self, order: u64, states: &[&str]) {
        let token = self.server.sign_in("correct horse").unwrap();
        let token = format!("Authorization: Bearer {token}\r\n");
        for state in states {
            let body = format!("{{\"status\": \"{state}\"}}");
            let path = format!("/api/orders/{order}/");
            let (status, text) = answer(self.send("PATCH", &path, &token, &body));
            assert_eq!(status, 200, "{text}");
        }
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> std::net::TcpStream {
        let headers = format!("Content-Type: application/json\r\n{headers}");
        self.server.send(method, path, &headers, body)
    }
}

impl Browser {
    /// Fills and sends the open form of the sign-in.
    #[track_caller]
    pub(crate) fn sign_in(&self, username: &str, password: &str) {
        self.fill("Username", username);
        self.fill("Password", password);
        self.press("Sign in");
    }
}
