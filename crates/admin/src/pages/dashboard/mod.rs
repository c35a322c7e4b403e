//! The dashboard: sales, waiting orders, products low in stock, latest orders and events, and the
//! ledger audit. It reads sums that are kept and bounded numbers of rows.

mod ledger;
mod sales;

use crate::events::{self, EventRow};
use crate::form::Form;
use crate::ledger_checks::LedgerFailure;
use crate::page::{Page, PageResult};
use crate::routes::AdminRoute;
use actix_web::web;
use askama::Template;
use ledger::ShownCheck;
use sales::{Chart, DAYS, Period, Sales};
use std::collections::BTreeMap;
use std::sync::Arc;
use tradepost_domain::Services;
use tradepost_domain::catalog::Product;
use tradepost_domain::events::{EventQuery, EventRange};
use tradepost_domain::inventory::LedgerCheck;
use tradepost_domain::kernel::Access::Staff;
use tradepost_domain::kernel::{Actor, CursorRequest, Error, Keyset, StoreErrorKind, UserId};
use tradepost_domain::orders::{Order, OrderFilter, OrderStatus};
use tradepost_domain::reports::SalesBucket;
use tradepost_http::kit::ApiError;

/// An audit reads the whole ledger.
const CHECK_COST: u32 = 20;

/// Rows of each list.
const ROWS: u32 = 8;

#[rustfmt::skip]
pub(crate) static ROUTES: &[AdminRoute] = &[
    AdminRoute::get("/admin/", Staff, || web::to(show)),
    AdminRoute::post("/admin/check-ledger/", Staff, || web::to(check_ledger)).cost(CHECK_COST),
];

#[derive(Template)]
#[template(path = "dashboard/show.html")]
struct Dashboard<'a> {
    page: &'a Page,
    sales: &'a Sales,
    days: u64,
    charts: [Chart; 2],
    waiting: Vec<(&'static str, i64)>,
    low: &'a [Product],
    orders: Vec<OrderRow<'a>>,
    events: &'a [EventRow],
    checks: Vec<ShownCheck>,
    failure: Option<LedgerFailure>,
    is_checking: bool,
}

struct OrderRow<'a> {
    order: &'a Order,
    customer: &'a str,
}

/// The parts that are read from the store.
struct Found {
    buckets: Vec<SalesBucket>,
    statuses: Vec<(OrderStatus, u64)>,
    low: Vec<Product>,
    orders: Vec<Order>,
    names: BTreeMap<UserId, String>,
    events: Vec<EventRow>,
    checks: Vec<LedgerCheck>,
}

impl Found {
    fn order_rows(&self) -> Vec<OrderRow<'_>> {
        let row = |order| self.order_row(order);
        self.orders.iter().map(row).collect()
    }

    fn order_row<'a>(&'a self, order: &'a Order) -> OrderRow<'a> {
        let name = self.names.get(&order.user);
        OrderRow {
            order,
            customer: name.map_or("unknown", String::as_str),
        }
    }
}

async fn show(page: Page) -> PageResult {
    let now = page.now();
    let period = Period::until(now, &page.shared.config.time_zone);
    let since = period.start().unwrap_or(now);
    let found = page
        .read_list(move |shop, actor| {
            // The bucket of this moment starts before the end.
            let until = now + tradepost_domain::reports::SALES_BUCKET;
            let buckets = shop.reports.sales(actor, since, until)?;
            read(shop, actor, buckets)
        })
        .await?;
    let sales = period.sales(&found.buckets, page.currency());
    let is_waiting = |status: &OrderStatus| !status.next().is_empty();
    let count = |status: OrderStatus| {
        let known = found.statuses.iter().find(|(other, _)| *other == status);
        let number = known.map_or(0, |(_, orders)| *orders);
        (status.as_str(), i64::try_from(number).unwrap_or(i64::MAX))
    };
    page.show(&Dashboard {
        page: &page,
        charts: sales.charts(),
        sales: &sales,
        days: DAYS,
        waiting: (OrderStatus::ALL.into_iter())
            .filter(is_waiting)
            .map(count)
            .collect(),
        low: &found.low,
        orders: found.order_rows(),
        events: &found.events,
        checks: found.checks.iter().map(ShownCheck::new).collect(),
        failure: page.shared.ledger_checks.failure(),
        is_checking: page.shared.ledger_checks.is_running(),
    })
}

fn read(shop: &Services, actor: Actor, buckets: Vec<SalesBucket>) -> Result<Found, Error> {
    let latest = CursorRequest::first(ROWS);
    let orders =
        shop.orders
            .cursor_page(actor, OrderFilter::default(), Keyset::default(), &latest)?;
    let mut users: Vec<UserId> = orders.items.iter().map(|order| order.user).collect();
    users.sort_unstable();
    users.dedup();
    let accounts = shop.accounts.find_all(&users)?.into_iter();
    let logged = shop.events.audit(
        actor,
        &EventQuery {
            range: EventRange::Newest,
            limit: ROWS,
            ..EventQuery::default()
        },
    )?;
    Ok(Found {
        buckets,
        statuses: shop.reports.orders_by_status(actor)?,
        low: shop.reports.low_stock(actor, ROWS)?,
        orders: orders.items,
        names: accounts
            .map(|account| (account.id, account.username.to_string()))
            .collect(),
        events: events::rows(shop, logged)?,
        checks: shop.reports.ledger_checks(actor)?,
    })
}

/// Audits the ledger, within the deadline of the request. The result is kept for the dashboard also
/// if it comes later.
async fn check_ledger(page: Page, _: Form) -> PageResult {
    let checks = Arc::clone(&page.shared.ledger_checks);
    let Some(running) = checks.begin(page.now()) else {
        return page.redirect("/", "A check of the ledger is running already.");
    };
    let checked = page
        .read_list(move |shop, actor| {
            let audit = shop.reports.audit_ledger(actor);
            running.finish(&audit);
            audit.map(drop)
        })
        .await;
    match checked {
        Ok(()) => page.redirect("/", "The ledger was checked."),
        Err(ApiError::Overdue | ApiError::ListOverdue) => unfinished(&page),
        Err(ApiError::Store(error)) if *error.kind() == StoreErrorKind::DeadlineExceeded => {
            unfinished(&page)
        }
        Err(error) => Err(error),
    }
}

fn unfinished(page: &Page) -> PageResult {
    let sentence = "The check did not end in time. If it ends, its result is shown here.";
    page.redirect("/", sentence)
}
