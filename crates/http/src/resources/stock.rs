//! The stock ledger of a product: its movements, and deliveries and write-offs by staff.

use crate::extract::fields::{integer, text};
use crate::extract::query::PageParams;
use crate::extract::request::{integer_schema, text_schema};
use crate::resources::prelude::*;
use crate::respond::json::{Id, Time, Units, encode, words};
use crate::respond::pages::{PageResponse, read_page};
use crate::respond::replay::{ReplayableResponse, keyed};
use chrono::DateTime;
use tradepost_domain::inventory::{
    Adjusted, Movement, NewMovement, Reason, StockAdjustment, StockDelta, StockLevel,
};
use tradepost_domain::kernel::{MovementId, Note, OrderId, ProductId, UserId};

const STOCK: &str = "/api/products/{id}/stock/";

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(STOCK, Staff, || web::to(list)).cost(Cost::List)
        .describe(Tag::STOCK, "listStockMovements", "List the movements of a product's stock, newest first")
        .page::<MovementResponse>(),
    Endpoint::post(STOCK, Staff, || web::to(adjust)).bypass_session_cache()
        .describe(Tag::STOCK, "adjustStock", "Change stock relative to what is there")
        .request::<AdjustStock>().created::<MovementResponse>().idempotent()
        .errors(&[Code::InsufficientStock]),
];

async fn list(call: RequestContext) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let mut listing = PageParams::read(call.query_string(), call.page_size())?;
    let read = async |request| {
        call.read_list(move |shop, actor| shop.inventory.movements(actor, id, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let movements = page
        .items
        .iter()
        .map(MovementResponse::from_movement)
        .collect();
    let url = call.own_url();
    responses::ok(&PageResponse::new(&url, &listing, &page, movements))
}

request! {
    struct AdjustStock as "StockAdjustment", "A delivery or a loss.",
        {"delta": -3, "reason": "Broken in transit"};

    delta: required(StockDelta) "Units, other than 0; negative for a loss.";
    reason: nullable(Note) "Why; it comes back as `note`.";
}

async fn adjust(call: RequestContext, mut fields: Fields) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let key = call.idempotency_key(&mut fields);
    let adjustment = fields.parse(AdjustStock::read)?;
    let (delta, note) = (adjustment.delta, adjustment.reason.flatten());
    let command = ("adjustment", delta.units(), note.as_ref().map(Note::as_str));
    let path = STOCK.replace("{id}", &id.to_string());
    let key = key.map(|key| keyed(key, &path, &command, encoded));
    let shop = call.backend();
    let adjustment = StockAdjustment {
        product: id,
        delta,
        note,
    };
    let command = shop
        .services
        .inventory
        .adjusting(call.actor, adjustment, key)?;
    let written = call.execute(&shop.batchers.stock, command).await?;
    responses::created(ReplayableResponse::of(written, encoded))
}

field_type! { StockDelta =
    integer(Self::requested), integer_schema(-StockLevel::MAX, StockLevel::MAX)
}

field_type! { Note = text(Self::new), text_schema(Self::MAX) }

words! {
    /// The word for a [`Reason`].
    ReasonWord as "MovementReason", "Why stock changed.": Reason::ALL.map(Reason::as_str)
}

/// An entry of a product's ledger.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Movement")]
struct MovementResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    #[schemars(with = "Id")]
    product_id: i64,
    /// The order that took it or gave it back.
    #[schemars(with = "Option<Id>")]
    order_id: Option<i64>,
    /// Units; negative when stock goes out.
    delta: i64,
    #[schemars(with = "ReasonWord")]
    reason: &'static str,
    #[schemars(description = "Why, in the words of whoever adjusted.")]
    note: Option<&'a str>,
    /// The user who did it; null for the shop itself.
    #[schemars(with = "Option<Id>")]
    actor: Option<i64>,
    /// On hand afterwards: of a movement that was made just now.
    #[schemars(with = "Units")]
    #[serde(skip_serializing_if = "Option::is_none")]
    stock: Option<i64>,
    created_at: Time,
}

impl<'a> MovementResponse<'a> {
    fn from_movement(movement: &'a Movement) -> Self {
        let entry = &movement.entry;
        Self {
            id: movement.id.get(),
            product_id: entry.product.get(),
            order_id: entry.order.map(OrderId::get),
            delta: entry.delta.units(),
            reason: entry.reason.as_str(),
            note: entry.note.as_ref().map(Note::as_str),
            actor: entry.actor.map(UserId::get),
            stock: None,
            created_at: Time(entry.at),
        }
    }

    fn from_adjusted(adjusted: &'a Adjusted) -> Self {
        Self {
            stock: Some(adjusted.level.units()),
            ..Self::from_movement(&adjusted.movement)
        }
    }
}

/// The response to store under an idempotency key.
fn encoded(adjusted: &Adjusted) -> String {
    encode(&MovementResponse::from_adjusted(adjusted))
}

impl Example for MovementResponse<'_> {
    fn example(_: &str) -> Option<Value> {
        to_json(&MovementResponse::from_adjusted(&example()?))
    }

    fn list_example(_: &str) -> Option<Value> {
        to_json(&MovementResponse::from_movement(&example()?.movement))
    }
}

fn example() -> Option<Adjusted> {
    let entry = NewMovement {
        product: ProductId::new(12)?,
        order: None,
        delta: StockDelta::new(-3)?,
        reason: Reason::Adjustment,
        note: Note::new("Broken in transit").ok(),
        actor: UserId::new(1),
        at: DateTime::from_timestamp_micros(1_795_368_777_626_240)?,
    };
    let id = MovementId::new(15)?;
    Some(Adjusted {
        movement: Movement { id, entry },
        level: StockLevel::new(37)?,
    })
}
