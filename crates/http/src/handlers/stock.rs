//! The stock ledger of a product: its movements, and deliveries and write-offs by staff.

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::fields::{Fields, integer, text};
use crate::idempotency::{Told, keyed};
use crate::pages::{PageShape, read_page};
use crate::query::Listing;
use crate::shapes::{MovementShape, stored};
use tradepost_domain::{Note, ProductId, StockDelta};

pub(crate) async fn list(call: Call) -> Answer {
    let id = call.id(ProductId::parse)?;
    let mut listing = Listing::read(call.query_string(), call.page_size())?;
    let read = async |request| {
        call.read_list(move |shop, actor| shop.catalogue.movements(actor, id, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let results = page.items.iter().map(MovementShape::of).collect();
    answer::ok(&PageShape::new(&call.own_url(), &listing, &page, results))
}

pub(crate) async fn adjust(call: Call, mut fields: Fields) -> Answer {
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
    answer::told(Told::of(written, stored::adjusted))
}
