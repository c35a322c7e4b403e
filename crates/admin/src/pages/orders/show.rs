//! The page of an order.

use super::decisions::{allowed, decide, tag};
use super::{Line, Names, Person, find, lines, path, products};
use crate::form::Form;
use crate::page::{Page, PageResult, defect};
use askama::Template;
use chrono::{DateTime, Utc};
use tradepost_domain::decision::EventKind;
use tradepost_domain::events::LoggedEvent;
use tradepost_domain::kernel::Money;
use tradepost_domain::orders::{Order, OrderAction, OrderStatus};
use tradepost_http::kit::ApiError;

#[derive(Template)]
#[template(path = "orders/show.html")]
pub(super) struct Show<'a> {
    page: &'a Page,
    form: &'a Form,
    order: &'a Order,
    path: String,
    tag: &'static str,
    customer: Person,
    lines: Vec<Line>,
    subtotal: Money,
    /// The statuses that need no further question.
    steps: Vec<OrderStatus>,
    may_cancel: bool,
    may_delete: bool,
    history: Vec<Entry>,
}

/// An entry of the history.
struct Entry {
    at: DateTime<Utc>,
    /// `None` for the shop itself.
    who: Option<Person>,
    label: &'static str,
    from: Option<OrderStatus>,
    to: Option<OrderStatus>,
}

impl<'a> Show<'a> {
    pub(super) async fn new(
        page: &'a Page,
        order: &'a Order,
        form: &'a Form,
    ) -> Result<Self, ApiError> {
        let shown = order.clone();
        let (products, history, names) = page
            .query(move |shop, actor| {
                let history = shop.events.order_history(actor, shown.id)?;
                let actors = history.iter().filter_map(|entry| entry.event.actor);
                let names = Names::read(shop, actors.chain([shown.user]))?;
                Ok((products(shop, &shown)?, history, names))
            })
            .await?;
        let mut steps = allowed(page, order);
        let may_cancel = steps.contains(&OrderStatus::Cancelled);
        steps.retain(|status| *status != OrderStatus::Cancelled);
        Ok(Self {
            page,
            form,
            order,
            path: path(order.id),
            tag: tag(order.status),
            customer: names.person(order.user),
            lines: lines(order, &products)?,
            subtotal: order.subtotal().map_err(defect)?,
            steps,
            may_cancel,
            may_delete: decide(page, order, OrderAction::Delete).is_ok(),
            history: history.iter().map(|entry| told(entry, &names)).collect(),
        })
    }
}

fn told(entry: &LoggedEvent, names: &Names) -> Entry {
    let (label, from, to) = match &entry.event.kind {
        EventKind::OrderPlaced { .. } => ("Placed", None, Some(OrderStatus::Pending)),
        EventKind::OrderImported { status, .. } => ("Imported", None, Some(*status)),
        EventKind::OrderStatus { from, to, .. } => ("Status changed", Some(*from), Some(*to)),
        other => (other.name().as_str(), None, None),
    };
    Entry {
        at: entry.event.at,
        who: entry.event.actor.map(|actor| names.person(actor)),
        label,
        from,
        to,
    }
}

pub(super) async fn show(page: Page) -> PageResult {
    let order = find(&page).await?;
    let form = Form::default();
    let shown = Show::new(&page, &order, &form).await?;
    page.show(&shown)
}
