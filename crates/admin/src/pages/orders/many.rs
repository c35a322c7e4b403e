//! A change of status of many orders at once: those that were ticked in the list.

use super::Names;
use super::decisions::unchanged_since;
use crate::form::Form;
use crate::list::ListQuery;
use crate::page::{Page, PageResult};
use askama::Template;
use std::collections::BTreeMap;
use tradepost_domain::kernel::{Error, OrderId, Refusal};
use tradepost_domain::orders::{Order, OrderAction, OrderStatus};
use tradepost_http::kit::{ApiError, Code};

/// Maximum number of orders of one change, which is one transaction.
const MOST: usize = 500;

/// A ticked row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ticked {
    id: OrderId,
    /// The status that the list showed.
    version: String,
}

/// The page that asks before orders are cancelled, or says why none can be changed.
#[derive(Template)]
#[template(path = "orders/many.html")]
struct Many<'a> {
    page: &'a Page,
    form: &'a Form,
    ticked: &'a [Ticked],
    back: &'a str,
}

/// The page about a change that was refused for some of the orders.
#[derive(Template)]
#[template(path = "orders/changed.html")]
struct Changed<'a> {
    page: &'a Page,
    status: OrderStatus,
    changed: usize,
    refused: usize,
    rows: Vec<Row>,
    back: &'a str,
}

struct Row {
    id: i64,
    customer: String,
    /// Why the order was not changed.
    refusal: Option<String>,
}

pub(super) async fn change(page: Page, mut form: Form) -> PageResult {
    let back = ListQuery::read(form.value("back").trim_start_matches('?')).with(&[]);
    let ticked = read(&mut form);
    let status = form.value("transition").parse::<OrderStatus>().ok();
    if status.is_none() {
        form.fail_all("Choose a status for the ticked orders.".to_owned());
    }
    let is_asked = status == Some(OrderStatus::Cancelled) && !form.is_checked("confirmed");
    let many = Many {
        page: &page,
        form: &form,
        ticked: &ticked,
        back: &back,
    };
    let Some(status) = status.filter(|_| !form.has_errors()) else {
        return page.invalid(&many);
    };
    if is_asked {
        return page.show(&many);
    }
    let change = |one: &Ticked| {
        let seen = Some(unchanged_since(&one.version));
        (one.id, OrderAction::SetStatus(status), seen)
    };
    let changes: Vec<_> = ticked.iter().map(change).collect();
    let outcomes = page
        .command(move |shop, actor| shop.orders.change_all(actor, changes))
        .await?;
    report(&page, status, &ticked, outcomes, &back).await
}

/// The ticked rows; each order once.
fn read(form: &mut Form) -> Vec<Ticked> {
    let mut ticked = BTreeMap::new();
    let mut is_readable = true;
    for value in form.values("order") {
        let parts = value.split_once('.');
        match parts.and_then(|(id, version)| Some((OrderId::parse(id)?, version.to_owned()))) {
            Some((id, version)) => {
                ticked.entry(id).or_insert(version);
            }
            None => is_readable = false,
        }
    }
    if !is_readable {
        form.fail_all("The ticked rows cannot be read. Open the list again.".to_owned());
    } else if ticked.is_empty() {
        form.fail_all("Tick at least one order.".to_owned());
    } else if ticked.len() > MOST {
        form.fail_all(format!("At most {MOST} orders can be changed at once."));
    }
    let one = |(id, version)| Ticked { id, version };
    ticked.into_iter().map(one).collect()
}

/// Says how many orders were changed, and which were not and why.
async fn report(
    page: &Page,
    status: OrderStatus,
    ticked: &[Ticked],
    outcomes: Vec<Result<Order, Error>>,
    back: &str,
) -> PageResult {
    let outcomes = outcomes.into_iter().map(|one| one.map_err(ApiError::from));
    let outcomes: Vec<_> = ticked.iter().zip(outcomes).collect();
    let errors = outcomes.iter().filter_map(|(_, one)| one.as_ref().err());
    let refused = errors.clone().count();
    let code = errors.map(ApiError::code).next();
    let changed = outcomes.len().saturating_sub(refused);
    let orders = match changed {
        1 => "1 order".to_owned(),
        number => format!("{number} orders"),
    };
    let Some(code) = code else {
        let sentence = format!("{orders} changed to {status}.");
        return page.redirect(&format!("/orders/{back}"), &sentence);
    };
    let ids: Vec<OrderId> = ticked.iter().map(|one| one.id).collect();
    let (now, names) = now(page, ids).await?;
    let row = |(one, outcome): &(&Ticked, Result<Order, ApiError>)| {
        let now = now.get(&one.id);
        Row {
            id: one.id.get(),
            customer: now.map_or_else(String::new, |now| names.name(now.user)),
            refusal: outcome.as_ref().err().map(|error| reason(error, now)),
        }
    };
    let report = Changed {
        page,
        status,
        changed,
        refused,
        rows: outcomes.iter().map(row).collect(),
        back,
    };
    if changed > 0 {
        page.show(&report)
    } else {
        // An order that does not exist is no page that does not exist.
        let is_missing = code == Code::NotFound;
        let code = if is_missing {
            Code::InvalidTransition
        } else {
            code
        };
        page.failed(code, &report)
    }
}

/// The ticked orders and the names of their customers, after the change.
async fn now(
    page: &Page,
    ids: Vec<OrderId>,
) -> Result<(BTreeMap<OrderId, Order>, Names), ApiError> {
    page.query(move |shop, actor| {
        let mut now = BTreeMap::new();
        for id in ids {
            match shop.orders.order(actor, id, true) {
                Ok(order) => {
                    now.insert(id, order);
                }
                Err(Error::Refused(Refusal::NotFound)) => {}
                Err(error) => return Err(error),
            }
        }
        let names = Names::read(shop, now.values().map(|order| order.user))?;
        Ok((now, names))
    })
    .await
}

fn reason(error: &ApiError, now: Option<&Order>) -> String {
    match (error, now) {
        (ApiError::Refused(Refusal::PreconditionFailed), Some(now)) => {
            format!(
                "It was changed after you opened the list: it is {} now.",
                now.status
            )
        }
        (ApiError::Refused(Refusal::NotFound), Some(_)) => "It was deleted.".to_owned(),
        (ApiError::Refused(Refusal::NotFound), None) => "No order has this number.".to_owned(),
        (error, _) => error.to_string(),
    }
}
