//! The welcome page, for browsers at the root of the server.

use crate::page::{Page, PageResult};
use crate::routes::AdminRoute;
use actix_web::web;
use askama::Template;
use tradepost_domain::kernel::Access;

pub(crate) static ROUTES: &[AdminRoute] = &[AdminRoute::get("/", Access::Public, || web::to(show))];

#[derive(Template)]
#[template(path = "welcome.html")]
struct Welcome<'a> {
    page: &'a Page,
    public_path: &'a str,
    has_staff: bool,
}

async fn show(page: Page) -> PageResult {
    let has_staff = page.query(|shop, _| shop.accounts.has_staff()).await?;
    page.show(&Welcome {
        page: &page,
        public_path: page.call.public_path(),
        has_staff,
    })
}
