//! The list of products.

use crate::list::{ListQuery, Pager, SortLink};
use crate::page::{Page, PageResult};
use askama::Template;
use tradepost_domain::catalog::{Product, ProductField, ProductFilter};
use tradepost_domain::kernel::Search;
use tradepost_http::kit::Scope;

#[derive(Template)]
#[template(path = "products/list.html")]
struct List<'a> {
    page: &'a Page,
    query: &'a ListQuery,
    search_error: Option<String>,
    products: &'a [Product],
    headings: Vec<SortLink>,
    pager: Pager,
}

pub(super) async fn show(page: Page) -> PageResult {
    let query = ListQuery::read(page.call.query_string());
    let search = Search::new(query.value("q"));
    let search_error = search.as_ref().err().map(ToString::to_string);
    let filter = ProductFilter {
        archived: query.is_set("archived"),
        search: search.unwrap_or_default(),
        in_stock: query.is_set("in_stock"),
        ..ProductFilter::default()
    };
    let keyset = query.keyset::<ProductField>();
    let scope = Scope::new(&(
        "admin products",
        query.value("sort"),
        query.value("q"),
        (filter.archived, filter.in_stock),
    ));
    let span = query.span(&scope, page.call.signer());
    let found = page
        .read_list(move |shop, actor| shop.catalogue.cursor_page(actor, filter, keyset, &span))
        .await?;
    let headings = [
        ("Name", ProductField::Name, ""),
        ("Price", ProductField::Price, "number"),
        ("Created", ProductField::CreatedAt, "wide"),
    ];
    let headings =
        headings.map(|(label, field, class)| query.sort_link(label, field, keyset).of_class(class));
    page.show(&List {
        page: &page,
        query: &query,
        search_error,
        products: &found.items,
        headings: headings.into(),
        pager: query.pager(&found, &scope, page.call.signer()),
    })
}
