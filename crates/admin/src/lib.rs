//! Admin interface of the shop: server-rendered pages at `/admin/`, over the same services and the
//! same middleware as the API.
//!
//! # Where to look
//!
//! - `routes.rs` is the table of all routes: method, path, access and handler of each.
//! - `admit.rs` runs before each handler: session, role, origin and CSRF token.
//! - `page.rs` has `Page`, the context of a handler: the caller, the services, and the
//!   responses.
//! - `form.rs` keeps the text that was typed and its errors, `version.rs` detects concurrent edits,
//!   `upload.rs` receives files, `list.rs` has the links of lists, `format.rs` money and times.
//! - `pages/` has a module for each part of the interface, with its handlers and the structs of its
//!   templates; `templates/` has the templates, which are checked when this crate is compiled.
//!
//! # Rules
//!
//! - A page has no rule and no write of its own: it calls a service of [`tradepost_domain`], which
//!   decides.
//! - Every page works without scripts, and loads nothing but the assets of this crate.
//!
//! The README of this crate shows how to add a page.

mod admit;
mod assets;
mod config;
mod cookies;
mod csv;
mod error_page;
mod events;
mod flash;
mod form;
mod format;
mod ledger_checks;
mod list;
mod page;
mod pages;
mod routes;
mod secrets;
mod setup;
mod upload;
mod version;
mod zone;

use crate::assets::Assets;
use crate::ledger_checks::LedgerChecks;
use crate::setup::Setup;
use actix_web::http::header::HeaderMap;
use actix_web::web::ServiceConfig;
use std::sync::Arc;
use tradepost_http::Mount;
use tradepost_http::kit::Failure;

pub use crate::config::{AdminConfig, ProductFiles};
pub use crate::routes::{AdminRoute, table};
pub use crate::setup::SetupLink;
pub use crate::zone::{ShopZone, UnknownZone};

/// The admin interface, to be mounted beside the API.
pub struct Admin {
    shared: Arc<Shared>,
}

/// What all requests to the admin interface share.
pub(crate) struct Shared {
    pub(crate) config: AdminConfig,
    pub(crate) assets: Assets,
    pub(crate) setup: Setup,
    pub(crate) ledger_checks: Arc<LedgerChecks>,
    /// The path of the public URL; empty at the root.
    pub(crate) public_path: String,
}

impl Admin {
    /// The admin interface of a server at this path of its public URL, which is empty at the root.
    #[must_use]
    pub fn new(config: AdminConfig, public_path: &str) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                assets: Assets::new(),
                setup: Setup::default(),
                ledger_checks: Arc::default(),
                public_path: public_path.to_owned(),
            }),
        }
    }

    /// Makes the one-time link to the page that creates the first staff user. An earlier link ends.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn setup_link(&self) -> Result<SetupLink, getrandom::Error> {
        let secret = secrets::new_secret()?;
        self.shared
            .setup
            .open(&secret, self.shared.config.clock.now());
        Ok(SetupLink::new(&secret))
    }
}

impl Mount for Admin {
    fn patterns(&self) -> Vec<&'static str> {
        routes::patterns().collect()
    }

    fn configure(&self, first: usize, config: &mut ServiceConfig) {
        routes::configure(&self.shared, first, config);
    }

    fn serves(&self, path: &str) -> bool {
        path == "/admin" || path.starts_with("/admin/")
    }

    fn render(&self, failure: &Failure<'_>, headers: &mut HeaderMap) -> Vec<u8> {
        error_page::render(&self.shared, failure, headers)
    }
}

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
