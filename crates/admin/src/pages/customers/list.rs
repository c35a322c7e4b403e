//! The list of users.

use crate::list::{ListQuery, Pager};
use crate::page::{Page, PageResult};
use askama::Template;
use tradepost_domain::identity::{Account, UserField, UserFilter};
use tradepost_domain::kernel::{Keyset, UserSearch};
use tradepost_http::kit::Scope;

#[derive(Template)]
#[template(path = "customers/list.html")]
struct List<'a> {
    page: &'a Page,
    query: &'a ListQuery,
    search_error: Option<String>,
    users: &'a [Account],
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
    let scope = Scope::new(&("admin users", text));
    let span = query.span(&scope, page.call.signer());
    let found = page
        .read_list(move |shop, actor| {
            let newest_first = Keyset::<UserField>::default();
            (shop.accounts).user_cursor_page(actor, &filter, newest_first, &span)
        })
        .await?;
    page.show(&List {
        page: &page,
        query: &query,
        search_error,
        users: &found.items,
        pager: query.pager(&found, &scope, page.call.signer()),
    })
}
