//! The packing slip of an order, for printing. It has no prices unless they are asked for: a parcel
//! may be a present.

use super::{Line, Names, find, lines, products};
use crate::list::ListQuery;
use crate::page::{Page, PageResult};
use askama::Template;
use tradepost_domain::orders::Order;

#[derive(Template)]
#[template(path = "orders/slip.html")]
struct Slip<'a> {
    page: &'a Page,
    order: &'a Order,
    customer: String,
    lines: Vec<Line>,
    units: i64,
    has_prices: bool,
}

pub(super) async fn show(page: Page) -> PageResult {
    let order = find(&page).await?;
    let shown = order.clone();
    let (products, customer) = page
        .query(move |shop, _| {
            let names = Names::read(shop, [shown.user])?;
            Ok((products(shop, &shown)?, names.name(shown.user)))
        })
        .await?;
    page.show(&Slip {
        page: &page,
        order: &order,
        customer,
        lines: lines(&order, &products)?,
        units: order.lines.iter().map(|line| line.quantity.units()).sum(),
        has_prices: ListQuery::read(page.call.query_string()).is_set("prices"),
    })
}
