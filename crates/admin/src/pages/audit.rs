//! The audit: the event log, filtered by person, thing, kind and time.

use crate::events::{self, EventRow};
use crate::form::Form;
use crate::list::{ListQuery, Pager, ROWS};
use crate::page::{Page, PageResult};
use crate::routes::AdminRoute;
use actix_web::web;
use askama::Template;
use chrono::Days;
use tradepost_domain::decision::EventName;
use tradepost_domain::events::{EventFilter, EventQuery, EventRange};
use tradepost_domain::kernel::Access::Staff;
use tradepost_domain::kernel::{Error, EventSeq, FieldName, OrderId, ProductId, Refusal, UserId};
use tradepost_http::kit::{ApiError, Code, pairs};

pub(crate) static ROUTES: &[AdminRoute] =
    &[AdminRoute::get("/admin/audit/", Staff, || web::to(show))];

/// The parameters of the filter.
const FILTER: [&str; 7] = ["actor", "user", "order", "product", "kind", "from", "to"];

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage<'a> {
    page: &'a Page,
    form: &'a Form,
    kinds: &'a [(&'static str, &'static str)],
    is_filtered: bool,
    events: &'a [EventRow],
    pager: Pager,
}

async fn show(page: Page) -> PageResult {
    let text = page.call.query_string();
    let (query, mut form) = (ListQuery::read(text), Form::sent(pairs(text)));
    let filter = filter(&page, &mut form).await?;
    let kinds = kinds();
    let mut view = AuditPage {
        page: &page,
        form: &form,
        kinds: &kinds,
        is_filtered: FILTER.iter().any(|name| query.is_set(name)),
        events: &[],
        pager: Pager::default(),
    };
    let filter = match filter {
        Ok(filter) => filter,
        Err(code) => return page.failed(code, &view),
    };
    let range = range(&query);
    let asked = EventQuery {
        filter,
        range,
        // One event more than a page shows, to know whether there are more.
        limit: ROWS.saturating_add(1),
    };
    let mut rows = page
        .read_list(move |shop, actor| {
            let events = shop.events.audit(actor, &asked)?;
            events::rows(shop, events)
        })
        .await?;
    view.pager = pager(&query, range, &mut rows);
    view.events = &rows;
    page.show(&view)
}

/// The part of the log that a page shows.
fn range(query: &ListQuery) -> EventRange {
    let seq = |name| query.value(name).parse().ok().and_then(EventSeq::new);
    match (seq("before"), seq("after")) {
        (Some(before), _) => EventRange::Before(before),
        (None, Some(after)) => EventRange::After(after),
        (None, None) => EventRange::Newest,
    }
}

/// Cuts the rows to a page, brings the newest first, and links its neighbours.
fn pager(query: &ListQuery, range: EventRange, rows: &mut Vec<EventRow>) -> Pager {
    let size = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = rows.len() > size;
    rows.truncate(size);
    if range.is_ascending() {
        rows.reverse();
    }
    let link = |name: &str, row: Option<&EventRow>| {
        let seq = row?.seq.to_string();
        let other = if name == "after" { "before" } else { "after" };
        Some(query.with(&[(other, ""), (name, &seq)]))
    };
    let newest = || query.with(&[("before", ""), ("after", "")]);
    let (newer, older) = match range {
        EventRange::Oldest | EventRange::After(_) => (has_more, true),
        EventRange::Before(_) => (true, has_more),
        EventRange::Newest => (false, has_more),
    };
    Pager {
        previous: newer.then(|| link("after", rows.first()).unwrap_or_else(newest)),
        next: older.then(|| link("before", rows.last()).unwrap_or_else(newest)),
    }
}

/// The choices of the kind: each subject, and each name.
fn kinds() -> Vec<(&'static str, &'static str)> {
    let subjects = [
        ("", "All events"),
        ("order.*", "All of orders"),
        ("product.*", "All of products"),
        ("stock.*", "All of stock"),
        ("account.*", "All of accounts"),
    ];
    let names = EventName::ALL
        .into_iter()
        .map(|name| (name.as_str(), name.as_str()));
    subjects.into_iter().chain(names).collect()
}

/// The filter of the form, or the code of its first error.
async fn filter(page: &Page, form: &mut Form) -> Result<Result<EventFilter, Code>, ApiError> {
    let names = EventName::matching(form.value("kind").trim());
    if names.is_empty() && !form.value("kind").trim().is_empty() {
        form.fail("kind", "There is no such kind of event.");
    }
    let order = number(form, "order", OrderId::parse);
    let product = number(form, "product", ProductId::parse);
    let (from, to) = (form.date("from"), form.date("to"));
    if form.has_errors() {
        return Ok(Err(Code::Invalid));
    }
    let actor = person(page, form, "actor").await?;
    let user = person(page, form, "user").await?;
    if form.has_errors() {
        return Ok(Err(Code::NotFound));
    }
    let zone = &page.shared.config.time_zone;
    let next = to.and_then(|day| day.checked_add_days(Days::new(1)));
    Ok(Ok(EventFilter {
        names,
        actor,
        order,
        product,
        user,
        since: from.map(|day| zone.start_of(day)),
        until: next.map(|day| zone.start_of(day)),
    }))
}

/// The id in a field.
fn number<Id>(form: &mut Form, name: FieldName, parse: fn(&str) -> Option<Id>) -> Option<Id> {
    let text = form.value(name).trim().trim_start_matches('#');
    if text.is_empty() {
        return None;
    }
    let id = parse(text);
    if id.is_none() {
        form.fail(name, "Enter a number.");
    }
    id
}

/// The user whose id or name is in a field.
async fn person(page: &Page, form: &mut Form, name: FieldName) -> Result<Option<UserId>, ApiError> {
    let text = form.value(name).trim().to_owned();
    if text.is_empty() {
        return Ok(None);
    }
    let found = page
        .query(move |shop, actor| {
            if let Some(id) = UserId::parse(&text) {
                match shop.accounts.user(actor, id) {
                    Err(Error::Refused(Refusal::NotFound)) => {}
                    found => return found.map(|account| Some(account.id)),
                }
            }
            let found = shop.accounts.by_username(&text)?;
            Ok(found.map(|account| account.id))
        })
        .await?;
    if found.is_none() {
        form.fail(name, "No user has this name or number.");
    }
    Ok(found)
}
