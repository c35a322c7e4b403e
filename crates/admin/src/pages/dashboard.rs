//! The dashboard: the start of the admin interface.

use crate::page::{Page, PageResult};
use crate::routes::AdminRoute;
use actix_web::web;
use askama::Template;
use tradepost_domain::kernel::Access;

pub(crate) static ROUTES: &[AdminRoute] =
    &[AdminRoute::get("/admin/", Access::Staff, || web::to(show))];

#[derive(Template)]
#[template(path = "dashboard.html")]
struct Dashboard<'a> {
    page: &'a Page,
}

async fn show(page: Page) -> PageResult {
    page.show(&Dashboard { page: &page })
}
