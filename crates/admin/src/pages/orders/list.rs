//! The list of orders.

use super::decisions::{allowed, tag};
use super::selection::Selection;
use super::{Names, Person, path};
use crate::form::Form;
use crate::list::{ListQuery, Pager, SortLink};
use crate::page::{Page, PageResult, see_other};
use askama::Template;
use tradepost_domain::orders::{Order, OrderField, OrderStatus};

#[derive(Template)]
#[template(path = "orders/list.html")]
struct List<'a> {
    page: &'a Page,
    query: &'a ListQuery,
    form: &'a Form,
    statuses: Vec<(&'static str, &'static str)>,
    rows: Vec<Row>,
    /// Statuses that at least one order of the page may get.
    choices: Vec<(&'static str, &'static str)>,
    headings: Vec<SortLink>,
    pager: Pager,
    /// The query string of the list, without a place in it.
    filter: String,
    is_filtered: bool,
}

struct Row {
    order: Order,
    customer: Person,
    units: i64,
    tag: &'static str,
    may_change: bool,
}

pub(super) async fn show(page: Page) -> PageResult {
    let mut selection = Selection::read(&page).await?;
    if let Some(id) = selection.order(&page).await? {
        return see_other(&format!("{}{}", page.base(), path(id)));
    }
    let (query, scope) = (&selection.query, selection.scope());
    let keyset = query.keyset::<OrderField>();
    let mut list = List {
        page: &page,
        query,
        form: &selection.form,
        statuses: words("Any status", OrderStatus::ALL),
        rows: Vec::new(),
        choices: Vec::new(),
        headings: [
            ("Order", OrderField::Id),
            ("Placed", OrderField::CreatedAt),
            ("Status", OrderField::Status),
            ("Total", OrderField::Total),
        ]
        .map(|(label, field)| {
            let class = if field == OrderField::Total {
                "number"
            } else {
                ""
            };
            query.sort_link(label, field, keyset).of_class(class)
        })
        .into(),
        pager: Pager::default(),
        filter: query.with(&[("cursor", "")]),
        is_filtered: ["status", "from", "to", "customer", "archived", "id"]
            .into_iter()
            .any(|name| query.is_set(name)),
    };
    let filter = match selection.filter.clone() {
        Ok(filter) => filter,
        Err(code) => return page.failed(code, &list),
    };
    let span = query.span(&scope, page.call.signer());
    let (found, names) = page
        .read_list(move |shop, actor| {
            let found = shop.orders.cursor_page(actor, filter, keyset, &span)?;
            let names = Names::read(shop, found.items.iter().map(|order| order.user))?;
            Ok((found, names))
        })
        .await?;
    list.pager = query.pager(&found, &scope, page.call.signer());
    let mut choices = Vec::new();
    for order in found.items {
        let statuses = allowed(&page, &order);
        list.rows.push(Row {
            customer: names.person(order.user),
            units: order.lines.iter().map(|line| line.quantity.units()).sum(),
            tag: tag(order.status),
            may_change: !statuses.is_empty(),
            order,
        });
        choices.extend(statuses);
    }
    choices.sort_unstable();
    choices.dedup();
    if !choices.is_empty() {
        list.choices = words("Choose a status", choices);
    }
    page.show(&list)
}

/// The options of a select, after an empty one with this text.
fn words(
    empty: &'static str,
    statuses: impl IntoIterator<Item = OrderStatus>,
) -> Vec<(&'static str, &'static str)> {
    let statuses = statuses.into_iter().map(OrderStatus::as_str);
    let words = statuses.map(|word| (word, word));
    std::iter::once(("", empty)).chain(words).collect()
}
