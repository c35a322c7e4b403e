//! The stock of a product: its ledger, and the form that adjusts it.

use super::edit::{find, path};
use super::form::whole;
use crate::events::usernames;
use crate::form::Form;
use crate::list::{ListQuery, Pager, ROWS};
use crate::page::{Page, PageResult};
use askama::Template;
use tradepost_domain::catalog::Product;
use tradepost_domain::inventory::{Movement, StockDelta};
use tradepost_domain::kernel::{Execution, Note, PageRequest, UserId};
use tradepost_http::kit::ApiError;

#[derive(Template)]
#[template(path = "products/stock.html")]
struct Stock<'a> {
    page: &'a Page,
    /// The path of the product.
    path: String,
    product: &'a Product,
    movements: Vec<Row>,
    pager: Pager,
    form: &'a Form,
}

/// A movement of the ledger.
struct Row {
    movement: Movement,
    /// Id and name of the acting user; `None` for the shop itself.
    actor: Option<(i64, String)>,
}

pub(super) async fn show(page: Page) -> PageResult {
    let product = find(&page).await?;
    let form = Form::fresh()?;
    let stock = ledger(&page, &product, &form).await?;
    page.show(&stock)
}

async fn ledger<'a>(
    page: &'a Page,
    product: &'a Product,
    form: &'a Form,
) -> Result<Stock<'a>, ApiError> {
    let query = ListQuery::read(page.call.query_string());
    let number = query.value("page").parse().unwrap_or(1);
    let first = PageRequest::new(1, ROWS);
    let request = PageRequest::new(number, ROWS).or(first);
    let request = request.ok_or_else(|| ApiError::Defect("a page of rows".to_owned()))?;
    let id = product.id;
    let found = page
        .read_list(move |shop, actor| {
            let found = shop.inventory.movements(actor, id, request)?;
            let actors = found.items.iter().filter_map(|one| one.entry.actor);
            let names = usernames(shop, actors)?;
            Ok((found, names))
        })
        .await?;
    let (found, names) = found;
    let has_next = found.has_next(request);
    let row = |movement: Movement| {
        let name = |user: UserId| {
            let name = names.get(&user).cloned();
            (user.get(), name.unwrap_or_else(|| user.to_string()))
        };
        let actor = movement.entry.actor.map(name);
        Row { movement, actor }
    };
    let link = |number: u64| query.with(&[("page", &number.to_string())]);
    let number = request.number();
    let pager = Pager {
        previous: (number > 1).then(|| link(number - 1)),
        next: has_next.then(|| link(number.saturating_add(1))),
    };
    Ok(Stock {
        page,
        path: path(product),
        product,
        movements: found.items.into_iter().map(row).collect(),
        pager,
        form,
    })
}

pub(super) async fn adjust(page: Page, mut form: Form) -> PageResult {
    let product = find(&page).await?;
    let delta = form.read("delta", |text| StockDelta::requested(whole(text)?));
    let note = form.optional("note", Note::new);
    if let Some((delta, note)) = delta.zip(note) {
        let id = product.id;
        let own = format!("/admin{}stock/", path(&product));
        let key = form.idempotent(&own, |_| String::new());
        let adjusted = page
            .command(move |shop, actor| shop.inventory.adjust_stock(actor, id, delta, note, key))
            .await;
        let path = format!("{}stock/", path(&product));
        match adjusted {
            // The form was sent twice.
            Ok(Execution::Replayed(_)) => return page.redirect(&path, "The stock was adjusted."),
            Ok(Execution::Executed(adjusted)) => {
                let units = page.count(adjusted.level.units());
                return page.redirect(&path, &format!("The stock is {units} now."));
            }
            Err(error) => form.refused(error)?,
        }
    }
    let stock = ledger(&page, &product, &form).await?;
    page.invalid(&stock)
}
