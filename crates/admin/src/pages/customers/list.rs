//! The list of users.

use crate::list::{ListQuery, Pager, ROWS};
use crate::page::{Page, PageResult};
use askama::Template;
use tradepost_domain::identity::{Account, UserFilter};
use tradepost_domain::kernel::{PageRequest, Refusal, UserSearch};
use tradepost_http::kit::ApiError;

#[derive(Template)]
#[template(path = "customers/list.html")]
struct List<'a> {
    page: &'a Page,
    query: &'a ListQuery,
    search_error: Option<String>,
    users: &'a [Account],
    count: i64,
    pager: Pager,
}

pub(super) async fn show(page: Page) -> PageResult {
    let query = ListQuery::read(page.call.query_string());
    let text = query.value("q").trim();
    let search = (!text.is_empty())
        .then(|| UserSearch::new(text))
        .transpose();
    let search_error = search.as_ref().err().map(ToString::to_string);
    let filter = UserFilter {
        search: search.unwrap_or_default(),
    };
    let first = PageRequest::new(1, ROWS);
    let number = query.value("page").parse().unwrap_or(1);
    let request = PageRequest::new(number, ROWS).or(first);
    let request = request.ok_or_else(|| ApiError::Defect("a page of rows".to_owned()))?;
    let found = page
        .read_list(move |shop, actor| shop.accounts.users(actor, filter, request))
        .await;
    let found = match found {
        // A page that was there once: its rows are on an earlier one.
        Err(ApiError::Refused(Refusal::NotFound)) => {
            return crate::page::see_other(&format!(
                "{}/customers/{}",
                page.base(),
                query.with(&[("page", "")])
            ));
        }
        found => found?,
    };
    let link = |number: u64| query.with(&[("page", &number.to_string())]);
    let number = request.number();
    page.show(&List {
        page: &page,
        query: &query,
        search_error,
        users: &found.items,
        count: i64::try_from(found.count).unwrap_or(i64::MAX),
        pager: Pager {
            previous: (number > 1).then(|| link(number - 1)),
            next: found
                .has_next(request)
                .then(|| link(number.saturating_add(1))),
        },
    })
}
