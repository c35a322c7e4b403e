//! The pages that create and edit a product, and archive and restore it.

use super::form::{change, draft, snapshot, unchanged_since};
use crate::form::{Form, VERSION};
use crate::page::{Page, PageResult};
use crate::version::Conflict;
use askama::Template;
use tradepost_domain::catalog::{Product, ProductChange};
use tradepost_domain::kernel::{Execution, ProductId, Refusal};
use tradepost_http::kit::ApiError;

#[derive(Template)]
#[template(path = "products/new.html")]
struct New<'a> {
    page: &'a Page,
    form: &'a Form,
}

#[derive(Template)]
#[template(path = "products/edit.html")]
struct Edit<'a> {
    page: &'a Page,
    path: String,
    product: &'a Product,
    form: &'a Form,
}

pub(super) async fn new(page: Page) -> PageResult {
    page.show(&New {
        page: &page,
        form: &Form::fresh()?,
    })
}

pub(super) async fn create(page: Page, mut form: Form) -> PageResult {
    if let Some(draft) = draft(&mut form, page.currency()) {
        let key = form.idempotent("/admin/products/new/", path);
        let created = page
            .command(move |shop, actor| shop.catalogue.create(actor, draft, key))
            .await;
        match created {
            Ok(Execution::Executed(product)) => {
                return page.redirect(&path(&product), &format!("“{}” was created.", product.name));
            }
            // The form was sent twice.
            Ok(Execution::Replayed(path)) => {
                return page.redirect(&path, "The product was created.");
            }
            Err(error) => form.refused(error)?,
        }
    }
    page.invalid(&New {
        page: &page,
        form: &form,
    })
}

/// The product in the path, archived or not.
pub(super) async fn find(page: &Page) -> Result<Product, ApiError> {
    let id = page.id(ProductId::parse)?;
    page.query(move |shop, actor| shop.catalogue.product(actor, id, true))
        .await
}

/// The path of a product within the admin interface.
pub(super) fn path(product: &Product) -> String {
    format!("/products/{}/", product.id.get())
}

pub(super) async fn show(page: Page) -> PageResult {
    let product = find(&page).await?;
    let form = Form::filled(&snapshot(&product));
    page.show(&Edit {
        page: &page,
        path: path(&product),
        product: &product,
        form: &form,
    })
}

pub(super) async fn update(page: Page, mut form: Form) -> PageResult {
    let product = find(&page).await?;
    let now = snapshot(&product);
    if form.resume(&now) {
        return page.show(&Edit {
            page: &page,
            path: path(&product),
            product: &product,
            form: &form,
        });
    }
    if let Some(change) = change(&mut form, page.currency()) {
        let seen = Some(unchanged_since(form.value(VERSION)));
        let id = product.id;
        let changed = page
            .command(move |shop, actor| shop.catalogue.change(actor, id, change, seen))
            .await;
        match changed {
            Ok(product) => {
                return page.redirect(&path(&product), &format!("“{}” was saved.", product.name));
            }
            Err(ApiError::Refused(Refusal::PreconditionFailed)) => {
                return conflict(&page, &form).await;
            }
            Err(error) => form.refused(error)?,
        }
    }
    page.invalid(&Edit {
        page: &page,
        path: path(&product),
        product: &product,
        form: &form,
    })
}

/// The page about an edit that another one came before.
async fn conflict(page: &Page, form: &Form) -> PageResult {
    let product = find(page).await?;
    let action = path(&product);
    Conflict::new(
        page,
        product.name.as_str(),
        &action,
        form,
        &snapshot(&product),
    )
    .show()
}

pub(super) async fn archive(page: Page, _: Form) -> PageResult {
    set_archived(&page, true, "was archived. Customers no longer see it").await
}

pub(super) async fn restore(page: Page, _: Form) -> PageResult {
    set_archived(&page, false, "was restored. Customers see it again").await
}

async fn set_archived(page: &Page, archived: bool, sentence: &str) -> PageResult {
    let id = page.id(ProductId::parse)?;
    let change = ProductChange {
        archived: Some(archived),
        ..ProductChange::default()
    };
    let product = page
        .command(move |shop, actor| shop.catalogue.change(actor, id, change, None))
        .await?;
    page.redirect(&path(&product), &format!("“{}” {sentence}.", product.name))
}
