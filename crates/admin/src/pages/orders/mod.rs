//! Orders: list, changes of status, packing slip and export.

mod decisions;
mod edit;
mod export;
mod list;
mod many;
mod selection;
mod show;
mod slip;

use crate::page::{Page, defect};
use crate::routes::AdminRoute;
use actix_web::web;
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::Services;
use tradepost_domain::catalog::Product;
use tradepost_domain::kernel::Access::Staff;
use tradepost_domain::kernel::{Error, Money, OrderId, ProductId, Sku, UserId};
use tradepost_domain::orders::{Order, OrderItem};
use tradepost_http::kit::ApiError;

/// Units of the rate limit that an export takes: it reads many pages of a list.
const EXPORT_COST: u32 = 10;

#[rustfmt::skip]
pub(crate) static ROUTES: &[AdminRoute] = &[
    AdminRoute::get("/admin/orders/", Staff, || web::to(list::show)),
    AdminRoute::get("/admin/orders/export/", Staff, || web::to(export::download)).cost(EXPORT_COST),
    AdminRoute::post("/admin/orders/change/", Staff, || web::to(many::change)),
    AdminRoute::get("/admin/orders/{id}/", Staff, || web::to(show::show)),
    AdminRoute::post("/admin/orders/{id}/", Staff, || web::to(edit::set_status)),
    AdminRoute::get("/admin/orders/{id}/cancel/", Staff, || web::to(edit::confirm_cancel)),
    AdminRoute::get("/admin/orders/{id}/delete/", Staff, || web::to(edit::confirm_delete)),
    AdminRoute::post("/admin/orders/{id}/delete/", Staff, || web::to(edit::delete)),
    AdminRoute::get("/admin/orders/{id}/packing-slip/", Staff, || web::to(slip::show)),
];

/// The path of an order within the admin interface.
fn path(id: OrderId) -> String {
    format!("/orders/{}/", id.get())
}

/// The order in the path, deleted or not.
async fn find(page: &Page) -> Result<Order, ApiError> {
    let id = page.id(OrderId::parse)?;
    page.query(move |shop, actor| shop.orders.order(actor, id, true))
        .await
}

/// The names of users.
#[derive(Debug, Default)]
struct Names(BTreeMap<UserId, String>);

/// A user to link to.
#[derive(Debug, Clone)]
struct Person {
    id: i64,
    name: String,
}

impl Names {
    fn read(shop: &Services, users: impl IntoIterator<Item = UserId>) -> Result<Self, Error> {
        let users: BTreeSet<UserId> = users.into_iter().collect();
        let users: Vec<UserId> = users.into_iter().collect();
        let accounts = shop.accounts.find_all(&users)?.into_iter();
        let named = accounts.map(|account| (account.id, account.username.to_string()));
        Ok(Self(named.collect()))
    }

    fn name(&self, user: UserId) -> String {
        let found = self.0.get(&user).cloned();
        found.unwrap_or_else(|| format!("user {user}"))
    }

    fn person(&self, user: UserId) -> Person {
        Person {
            id: user.get(),
            name: self.name(user),
        }
    }
}

/// A line of an order, with the current SKU of its product.
struct Line {
    item: OrderItem,
    sku: String,
    total: Money,
}

fn lines(order: &Order, products: &[Product]) -> Result<Vec<Line>, ApiError> {
    let sku = |id: ProductId| {
        let product = products.iter().find(|product| product.id == id);
        let sku = product.and_then(|product| product.sku.as_ref());
        sku.map_or("", Sku::as_str).to_owned()
    };
    let line = |item: &OrderItem| {
        Ok(Line {
            item: item.clone(),
            sku: sku(item.product),
            total: item.total().map_err(defect)?,
        })
    };
    order.lines.iter().map(line).collect()
}

/// The products of the lines of an order, archived or not.
fn products(shop: &Services, order: &Order) -> Result<Vec<Product>, Error> {
    let ids: Vec<ProductId> = order.lines.iter().map(|line| line.product).collect();
    shop.catalogue.find_all(&ids)
}
