//! The stock ledger of a product: its movements, and deliveries and write-offs by staff.

use crate::extract::fields::{Fields, integer, text};
use crate::extract::query::PageParams;
use crate::extract::request_context::RequestContext;
use crate::resources::json::{MovementResponse, stored};
use crate::respond::pages::{PageResponse, read_page};
use crate::respond::replay::{ReplayableResponse, keyed};
use crate::respond::responses::{self, HttpResult};
use tradepost_domain::inventory::StockDelta;
use tradepost_domain::kernel::{Note, ProductId};

pub(crate) async fn list(call: RequestContext) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let mut listing = PageParams::read(call.query_string(), call.page_size())?;
    let read = async |request| {
        call.read_list(move |shop, actor| shop.catalogue.movements(actor, id, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let results = page.items.iter().map(MovementResponse::of).collect();
    responses::ok(&PageResponse::new(
        &call.own_url(),
        &listing,
        &page,
        results,
    ))
}

pub(crate) async fn adjust(call: RequestContext, mut fields: Fields) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let key = call.idempotency_key(&mut fields);
    let delta = fields.required("delta", integer(StockDelta::requested));
    let note = fields.nullable("reason", text(Note::new)).flatten();
    let delta = fields.complete(delta)?;
    let command = ("adjustment", delta.units(), note.as_ref().map(Note::as_str));
    let path = format!("/api/products/{id}/stock/");
    let key = key.map(|key| keyed(key, &path, &command, stored::adjusted));
    let written = call
        .command(move |shop, actor| shop.catalogue.adjust_stock(actor, id, delta, note, key))
        .await?;
    responses::created(ReplayableResponse::of(written, stored::adjusted))
}
