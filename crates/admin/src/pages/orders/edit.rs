//! Changes of one order: its status, cancelling and deleting.

use super::decisions::{allowed, decide, unchanged_since};
use super::show::Show;
use super::{find, path};
use crate::form::{Form, VERSION};
use crate::page::{Page, PageResult};
use askama::Template;
use tradepost_domain::kernel::Refusal;
use tradepost_domain::orders::{Order, OrderAction, OrderStatus};
use tradepost_http::kit::{ApiError, Code};

/// The page that asks before an order is cancelled or deleted.
#[derive(Template)]
#[template(path = "orders/confirm.html")]
struct Confirm<'a> {
    page: &'a Page,
    order: &'a Order,
    path: String,
    is_delete: bool,
}

/// The page about a change that another one came before.
#[derive(Template)]
#[template(path = "orders/conflict.html")]
struct Changed<'a> {
    page: &'a Page,
    order: &'a Order,
    path: String,
    /// The status that the page of the form showed.
    seen: Option<OrderStatus>,
    wanted: &'a str,
    has_steps: bool,
}

pub(super) async fn set_status(page: Page, mut form: Form) -> PageResult {
    let order = find(&page).await?;
    let Ok(status) = form.value("status").parse::<OrderStatus>() else {
        form.fail_all("Choose one of the offered statuses.".to_owned());
        let shown = Show::new(&page, &order, &form).await?;
        return page.invalid(&shown);
    };
    let seen = Some(unchanged_since(form.value(VERSION)));
    let id = order.id;
    let changed = page
        .command(move |shop, actor| shop.orders.set_status(actor, id, status, seen))
        .await;
    match changed {
        Ok(order) => page.redirect(
            &path(order.id),
            &format!("Order {} is {} now.", order.id, order.status),
        ),
        Err(error) => refused(&page, &mut form, error, status.as_str()).await,
    }
}

pub(super) async fn delete(page: Page, mut form: Form) -> PageResult {
    let order = find(&page).await?;
    let seen = Some(unchanged_since(form.value(VERSION)));
    let id = order.id;
    let deleted = page
        .command(move |shop, actor| shop.orders.delete(actor, id, seen))
        .await;
    match deleted {
        Ok(()) => page.redirect("/orders/", &format!("Order {id} was deleted.")),
        Err(error) => refused(&page, &mut form, error, "deleted").await,
    }
}

/// The page about a refused change: the status then and now, or the order with the reason above.
async fn refused(page: &Page, form: &mut Form, error: ApiError, wanted: &str) -> PageResult {
    let order = find(page).await?;
    let code = error.code();
    // A deleted order is not found by changes.
    if matches!(code, Code::PreconditionFailed | Code::NotFound) {
        let changed = Changed {
            page,
            order: &order,
            path: path(order.id),
            seen: OrderStatus::parse(form.value(VERSION)),
            wanted,
            has_steps: !allowed(page, &order).is_empty(),
        };
        return page.failed(Code::PreconditionFailed, &changed);
    }
    form.refused(error)?;
    let shown = Show::new(page, &order, form).await?;
    page.failed(code, &shown)
}

pub(super) async fn confirm_cancel(page: Page) -> PageResult {
    confirm(&page, OrderAction::SetStatus(OrderStatus::Cancelled)).await
}

pub(super) async fn confirm_delete(page: Page) -> PageResult {
    confirm(&page, OrderAction::Delete).await
}

async fn confirm(page: &Page, action: OrderAction) -> PageResult {
    let order = find(page).await?;
    let reason = match decide(page, &order, action) {
        Ok(()) if order.status == OrderStatus::Cancelled => {
            Some("This order is cancelled already.".to_owned())
        }
        Ok(()) => None,
        Err(Refusal::NotFound) => Some("This order is deleted.".to_owned()),
        Err(refusal) => Some(refusal.to_string()),
    };
    if let Some(reason) = reason {
        let mut form = Form::default();
        form.fail_all(reason);
        let shown = Show::new(page, &order, &form).await?;
        return page.failed(Code::InvalidTransition, &shown);
    }
    page.show(&Confirm {
        page,
        order: &order,
        path: path(order.id),
        is_delete: action == OrderAction::Delete,
    })
}
