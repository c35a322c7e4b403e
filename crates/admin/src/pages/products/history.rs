//! The history of a product: its events, newest first.

use super::edit::{find, path};
use crate::events::{self, EventRow};
use crate::list::{ListQuery, Pager, ROWS};
use crate::page::{Page, PageResult};
use askama::Template;
use tradepost_domain::catalog::Product;
use tradepost_domain::kernel::EventSeq;

#[derive(Template)]
#[template(path = "products/history.html")]
struct History<'a> {
    page: &'a Page,
    product: &'a Product,
    /// The path of the product.
    path: String,
    events: &'a [EventRow],
    pager: Pager,
}

pub(super) async fn show(page: Page) -> PageResult {
    let product = find(&page).await?;
    let query = ListQuery::read(page.call.query_string());
    let before = query.value("before").parse().ok().and_then(EventSeq::new);
    let id = product.id;
    // One event more than a page shows, to know whether there are more.
    let limit = ROWS.saturating_add(1);
    let mut found = page
        .read_list(move |shop, actor| {
            let events = shop.events.product_history(actor, id, before, limit)?;
            events::rows(shop, events)
        })
        .await?;
    let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let has_more = found.len() > rows;
    found.truncate(rows);
    let last = found
        .last()
        .filter(|_| has_more)
        .map(|event| event.seq.to_string());
    page.show(&History {
        page: &page,
        product: &product,
        path: path(&product),
        events: &found,
        pager: Pager {
            previous: before.map(|_| query.with(&[("before", "")])),
            next: last.map(|seq| query.with(&[("before", &seq)])),
        },
    })
}
