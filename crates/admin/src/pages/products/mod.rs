//! Products: list, create, edit, archive and restore, many at once, stock, history, import and export.

mod bulk;
mod edit;
mod export;
mod form;
mod history;
mod import;
mod list;
mod preview;
mod stock;

use crate::routes::AdminRoute;
use actix_web::web;
use tradepost_domain::kernel::Access::Staff;

#[rustfmt::skip]
pub(crate) static ROUTES: &[AdminRoute] = &[
    AdminRoute::get("/admin/products/", Staff, || web::to(list::show)).cost(5),
    AdminRoute::get("/admin/products/new/", Staff, || web::to(edit::new)),
    AdminRoute::post("/admin/products/new/", Staff, || web::to(edit::create)),
    AdminRoute::post("/admin/products/bulk/", Staff, || web::to(bulk::show)),
    AdminRoute::post("/admin/products/bulk/save/", Staff, || web::to(bulk::save)).cost(5),
    AdminRoute::get("/admin/products/import/", Staff, || web::to(import::show)),
    AdminRoute::upload("/admin/products/import/", Staff, || web::to(import::review)).cost(10),
    AdminRoute::post("/admin/products/import/apply/", Staff, || web::to(import::apply)).cost(10),
    AdminRoute::get("/admin/products/export/", Staff, || web::to(export::download)).cost(10),
    AdminRoute::get("/admin/products/{id}/", Staff, || web::to(edit::show)),
    AdminRoute::post("/admin/products/{id}/", Staff, || web::to(edit::update)),
    AdminRoute::post("/admin/products/{id}/archive/", Staff, || web::to(edit::archive)),
    AdminRoute::post("/admin/products/{id}/restore/", Staff, || web::to(edit::restore)),
    AdminRoute::get("/admin/products/{id}/history/", Staff, || web::to(history::show)),
    AdminRoute::get("/admin/products/{id}/stock/", Staff, || web::to(stock::show)),
    AdminRoute::post("/admin/products/{id}/stock/", Staff, || web::to(stock::adjust)),
];
