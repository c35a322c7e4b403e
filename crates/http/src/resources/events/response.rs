use crate::resources::prelude::*;
use crate::respond::json::{Amount, Id, Time, Units, words};
use chrono::DateTime;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serializer;
use serde_json::Map;
use std::borrow::Cow;
use tradepost_domain::catalog::Measure;
use tradepost_domain::decision::{AccountAttribute, Event, EventKind, EventName, ProductAttribute};
use tradepost_domain::events::{Feed, FeedId, LoggedEvent};
use tradepost_domain::inventory::{Reason, StockLevel};
use tradepost_domain::kernel::{Currency, EventSeq, Money, OrderId, ProductId, UserId};
use tradepost_domain::orders::OrderStatus;

words! {
    /// The name of an event.
    EventTypeWord as "EventType", "What happened.": EventName::ALL.map(EventName::as_str)
}

words! {
    /// The word for an [`AccountAttribute`].
    AccountAttributeWord as "AccountAttribute", "What its user changed.":
        [AccountAttribute::Email, AccountAttribute::Password].map(AccountAttribute::as_str)
}

/// The feed from a position.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventFeed")]
pub(super) struct FeedResponse {
    /// In the order of the log.
    results: Vec<EventResponse>,
    /// The position of the last event of the log, whether or not it is among the results.
    #[schemars(with = "Units")]
    last: i64,
}

/// The events of an order or a product.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventHistory")]
pub(super) struct HistoryResponse {
    results: Vec<EventResponse>,
}

/// An event.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Event")]
struct EventResponse {
    /// Unlike that of every other event, also of other shops.
    #[schemars(regex(pattern = r"^evt_[a-z0-9]+_[0-9]+$"))]
    id: String,
    /// The position in the log, from 1, without gaps.
    #[schemars(with = "Id")]
    seq: i64,
    #[serde(rename = "type")]
    #[schemars(with = "EventTypeWord")]
    name: &'static str,
    timestamp: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Id")]
    order_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Id")]
    product_id: Option<i64>,
    /// The customer of the order, or the user of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Id")]
    user: Option<i64>,
    /// The user who did it; null for the shop itself. Only staff see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Id>")]
    actor: Option<Option<i64>>,
    data: EventData,
}

/// More about an event; which of these are there depends on its type.
#[derive(Default, Serialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "EventData")]
struct EventData {
    /// The status that an order came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OrderStatusRef")]
    status: Option<&'static str>,
    /// The status before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OrderStatusRef")]
    from: Option<&'static str>,
    /// The status afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OrderStatusRef")]
    to: Option<&'static str>,
    /// The amount to be paid for an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    total_price: Option<Amount>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    currency: Option<&'static str>,
    /// The changed fields of a product.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<String>")]
    fields: Option<Vec<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PriceChange")]
    price: Option<PriceChange>,
    #[serde(flatten)]
    measures: MeasureChangesResponse,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ThresholdChange")]
    low_stock_threshold: Option<ThresholdChange>,
    /// The change of stock in units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64")]
    delta: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "MovementReasonRef")]
    reason: Option<&'static str>,
    /// On hand afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Units")]
    stock: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AccountAttributeWord")]
    attribute: Option<&'static str>,
    /// Whether the user may sign in from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    is_active: Option<bool>,
    /// Whether the user is staff from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    is_staff: Option<bool>,
}

/// A price before and afterwards.
#[derive(Serialize, JsonSchema)]
struct PriceChange {
    from: Amount,
    to: Amount,
}

/// The changed measures of a product, as fields of the data.
#[derive(Default)]
struct MeasureChangesResponse(Vec<(Measure, MeasureChange)>);

/// A measure before and afterwards.
#[derive(Serialize, JsonSchema)]
struct MeasureChange {
    #[schemars(with = "Units")]
    from: i64,
    #[schemars(with = "Units")]
    to: i64,
}

impl Serialize for MeasureChangesResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let changes = self.0.iter();
        serializer.collect_map(changes.map(|(measure, change)| (measure.name(), change)))
    }
}

/// The schema of each change is named after its measure, such as `WeightChange`.
impl JsonSchema for MeasureChangesResponse {
    fn schema_name() -> Cow<'static, str> {
        "MeasureChanges".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        for measure in Measure::ALL {
            let mut schema = MeasureChange::json_schema(generator);
            let about = format!("A {} before and afterwards.", measure.word());
            schema.insert("description".to_owned(), about.into());
            let name = format!("{}Change", measure.title());
            let reference = format!("#/components/schemas/{name}");
            generator.definitions_mut().insert(name, schema.to_value());
            properties.insert(measure.name().to_owned(), json!({"$ref": reference}));
        }
        json_schema!({"type": "object", "properties": properties})
    }
}

/// A threshold of low stock before and afterwards; null for the shop's own number.
#[derive(Serialize, JsonSchema)]
struct ThresholdChange {
    #[schemars(with = "Option<Units>")]
    from: Option<i64>,
    #[schemars(with = "Option<Units>")]
    to: Option<i64>,
}

/// References to schemas of other resources.
macro_rules! references {
    ($($name:ident = $path:literal: $words:expr;)+) => {$(
        struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $path.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "enum": $words})
            }

            fn inline_schema() -> bool {
                true
            }
        }
    )+};
}

references! {
    OrderStatusRef = "OrderStatus": OrderStatus::ALL.map(OrderStatus::as_str);
    MovementReasonRef = "MovementReason": Reason::ALL.map(Reason::as_str);
}

impl FeedResponse {
    pub(super) fn from_feed(feed: &Feed) -> Self {
        let event = |logged| EventResponse::new(&feed.id, logged, true);
        Self {
            results: feed.events.iter().map(event).collect(),
            last: feed.last,
        }
    }
}

impl HistoryResponse {
    pub(super) fn new(feed: &FeedId, events: &[LoggedEvent], shows_actor: bool) -> Self {
        let event = |logged| EventResponse::new(feed, logged, shows_actor);
        Self {
            results: events.iter().map(event).collect(),
        }
    }
}

impl EventResponse {
    fn new(feed: &FeedId, logged: &LoggedEvent, shows_actor: bool) -> Self {
        let LoggedEvent { seq, event } = logged;
        let kind = &event.kind;
        Self {
            id: format!("evt_{feed}_{seq}"),
            seq: seq.get(),
            name: kind.name().as_str(),
            timestamp: Time(event.at),
            order_id: kind.order().map(OrderId::get),
            product_id: kind.product().map(ProductId::get),
            user: kind.user().map(UserId::get),
            actor: shows_actor.then_some(event.actor.map(UserId::get)),
            data: EventData::of(kind),
        }
    }
}

impl EventData {
    fn of(kind: &EventKind) -> Self {
        match kind {
            EventKind::OrderPlaced { total, .. } => Self::priced(*total),
            EventKind::OrderImported { status, total, .. } => Self {
                status: Some(status.as_str()),
                ..Self::priced(*total)
            },
            EventKind::OrderStatus {
                from, to, total, ..
            } => Self {
                from: Some(from.as_str()),
                to: Some(to.as_str()),
                ..Self::priced(*total)
            },
            EventKind::ProductChanged { attributes, .. } => Self::changed(attributes),
            EventKind::StockAdjusted { delta, reason, .. } => Self {
                delta: Some(delta.units()),
                reason: Some(reason.as_str()),
                ..Self::default()
            },
            EventKind::StockOut { .. } => Self {
                stock: Some(0),
                ..Self::default()
            },
            EventKind::StockLow { level, .. } | EventKind::StockBack { level, .. } => Self {
                stock: Some(level.units()),
                ..Self::default()
            },
            EventKind::AccountChanged { attribute, .. } => Self {
                attribute: Some(attribute.as_str()),
                ..Self::default()
            },
            EventKind::AccountSwitched {
                is_active,
                is_staff,
                ..
            } => Self {
                is_active: Some(*is_active),
                is_staff: Some(*is_staff),
                ..Self::default()
            },
            EventKind::ProductCreated { .. }
            | EventKind::ProductArchived { .. }
            | EventKind::ProductRestored { .. }
            | EventKind::AccountRegistered { .. }
            | EventKind::KeyRotated => Self::default(),
        }
    }

    fn priced(total: Money) -> Self {
        Self {
            total_price: Some(Amount(total)),
            currency: Some(total.currency().code()),
            ..Self::default()
        }
    }

    fn changed(attributes: &[ProductAttribute]) -> Self {
        let mut data = Self::default();
        let mut fields = Vec::with_capacity(attributes.len());
        for attribute in attributes {
            fields.push(match attribute {
                ProductAttribute::Price { from, to } => {
                    data.price = Some(PriceChange {
                        from: Amount(*from),
                        to: Amount(*to),
                    });
                    "price"
                }
                ProductAttribute::Measure { measure, from, to } => {
                    let (from, to) = (*from, *to);
                    data.measures.0.push((*measure, MeasureChange { from, to }));
                    measure.name()
                }
                ProductAttribute::LowStock { from, to } => {
                    data.low_stock_threshold = Some(ThresholdChange {
                        from: from.map(StockLevel::units),
                        to: to.map(StockLevel::units),
                    });
                    "low_stock_threshold"
                }
                ProductAttribute::Sku | ProductAttribute::Name | ProductAttribute::Description => {
                    attribute.name()
                }
            });
        }
        data.fields = Some(fields);
        data
    }
}

impl Example for FeedResponse {
    fn example(_: &str) -> Option<Value> {
        let feed = Feed {
            id: FeedId::new("9f2c51aa")?,
            events: vec![example()?],
            last: 57,
        };
        to_json(&Self::from_feed(&feed))
    }
}

impl Example for HistoryResponse {
    fn example(_: &str) -> Option<Value> {
        let feed = FeedId::new("9f2c51aa")?;
        to_json(&Self::new(&feed, &[example()?], true))
    }
}

fn example() -> Option<LoggedEvent> {
    let kind = EventKind::OrderStatus {
        order: OrderId::new(1)?,
        user: UserId::new(2)?,
        from: OrderStatus::Pending,
        to: OrderStatus::Processing,
        total: Money::from_minor(2_800, Currency::from_code("USD")?),
    };
    Some(LoggedEvent {
        seq: EventSeq::new(42)?,
        event: Event {
            kind,
            actor: UserId::new(1),
            at: DateTime::from_timestamp_micros(1_795_368_777_626_240)?,
        },
    })
}
