//! The page of a user.

use crate::events::{self, EventRow};
use crate::form::Form;
use crate::page::{Page, PageResult};
use askama::Template;
use tradepost_domain::events::{EventFilter, EventQuery, EventRange};
use tradepost_domain::identity::Account;
use tradepost_domain::kernel::{CursorRequest, Keyset, UserId};
use tradepost_domain::orders::{Order, OrderFilter};
use tradepost_http::kit::ApiError;

/// Rows of each list.
const ROWS: u32 = 10;

#[derive(Template)]
#[template(path = "customers/show.html")]
pub(super) struct User<'a> {
    page: &'a Page,
    path: String,
    account: Account,
    /// Whether it is the signed-in user.
    is_own: bool,
    orders: Vec<Order>,
    /// Events about the user.
    history: Vec<EventRow>,
    /// Events by the user, about anything.
    actions: Vec<EventRow>,
    form: &'a Form,
}

pub(super) async fn show(page: Page) -> PageResult {
    let form = Form::default();
    let user = page.id(UserId::parse)?;
    let view = view(&page, user, &form).await?;
    page.show(&view)
}

/// The page of a user, with the form that was sent.
pub(super) async fn view<'a>(
    page: &'a Page,
    user: UserId,
    form: &'a Form,
) -> Result<User<'a>, ApiError> {
    let (account, orders, history, actions) = page
        .read_list(move |shop, actor| {
            let account = shop.accounts.user(actor, user)?;
            let filter = OrderFilter {
                user: Some(user),
                ..OrderFilter::default()
            };
            let latest = CursorRequest::first(ROWS);
            let orders = shop
                .orders
                .cursor_page(actor, filter, Keyset::default(), &latest)?;
            let events = |filter| {
                let query = EventQuery {
                    filter,
                    range: EventRange::Newest,
                    limit: ROWS,
                };
                events::rows(shop, shop.events.audit(actor, &query)?)
            };
            let about = EventFilter {
                user: Some(user),
                ..EventFilter::default()
            };
            let by = EventFilter {
                actor: Some(user),
                ..EventFilter::default()
            };
            Ok((account, orders.items, events(about)?, events(by)?))
        })
        .await?;
    Ok(User {
        page,
        path: super::path(user),
        is_own: page.account().is_some_and(|own| own.id == account.id),
        account,
        orders,
        history,
        actions,
        form,
    })
}
