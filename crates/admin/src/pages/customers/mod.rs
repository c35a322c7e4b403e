//! Customers and staff: list, roles, activation, passwords, sessions, and the history of a user.

mod edit;
mod list;
mod show;

use super::sign_in::PASSWORD_COST;
use crate::routes::AdminRoute;
use actix_web::web;
use tradepost_domain::kernel::Access::Staff;
use tradepost_domain::kernel::UserId;

#[rustfmt::skip]
pub(crate) static ROUTES: &[AdminRoute] = &[
    AdminRoute::get("/admin/customers/", Staff, || web::to(list::show)),
    AdminRoute::get("/admin/customers/{id}/", Staff, || web::to(show::show)),
    AdminRoute::post("/admin/customers/{id}/activate/", Staff, || web::to(edit::activate)),
    AdminRoute::post("/admin/customers/{id}/deactivate/", Staff, || web::to(edit::deactivate)),
    AdminRoute::post("/admin/customers/{id}/make-staff/", Staff, || web::to(edit::make_staff)),
    AdminRoute::post("/admin/customers/{id}/make-customer/", Staff, || web::to(edit::make_customer)),
    AdminRoute::post("/admin/customers/{id}/sign-out/", Staff, || web::to(edit::sign_out)),
    AdminRoute::post("/admin/customers/{id}/password/", Staff, || web::to(edit::set_password)).cost(PASSWORD_COST),
];

/// The path of a user within the admin interface.
fn path(user: UserId) -> String {
    format!("/customers/{}/", user.get())
}
