use super::response::{FeedResponse, HistoryResponse};
use crate::error::ApiError;
use crate::extract::parameter::{id_type, whole};
use crate::extract::query::Query;
use crate::resources::prelude::*;
use std::time::{Duration, Instant};
use tradepost_domain::decision::EventName;
use tradepost_domain::events::{Feed, FeedQuery, MAX_EVENTS};
use tradepost_domain::kernel::{EventSeq, FieldError, OrderId, ProductId};

/// Number of events, unless the request names one.
const DEFAULT_LIMIT: u32 = 100;

/// Maximum time that a request waits, in seconds: less than the timeouts of usual proxies.
const MAX_WAIT: u32 = 25;

/// A position; 0, which is before the first event, is `None`.
const AFTER: QueryParameter<Option<EventSeq>> = QueryParameter::new(
    "AfterEvent",
    "after",
    "The events after this position: the `seq` of the last event that you have, or 0.",
    ParameterType {
        schema: || json!({"type": "integer", "format": "int64", "minimum": 0}),
        parse: |text, ()| {
            let number = whole(text).ok_or(FieldError::NotAnInteger)?;
            let number = i64::try_from(number).map_err(|_| FieldError::OutOfRange {
                min: 0,
                max: i64::MAX,
            })?;
            Ok(EventSeq::new(number))
        },
    },
);
const TYPES: QueryParameter<Vec<EventName>> = QueryParameter::new(
    "EventTypes",
    "types",
    "Only these types, with commas between them. `order.*` stands for every type that begins so.",
    ParameterType {
        schema: || json!({"type": "string", "pattern": r"^([a-z]+\.([a-z]+|\*)(,[a-z]+\.([a-z]+|\*))*)?$", "examples": ["order.*"]}),
        parse: |text, ()| types(text),
    },
);
const LIMIT: QueryParameter<u32> = QueryParameter::new(
    "EventLimit",
    "limit",
    "At most this many events; 100 without it.",
    ParameterType {
        schema: || json!({"type": "integer", "minimum": 1, "maximum": MAX_EVENTS, "examples": [DEFAULT_LIMIT]}),
        parse: |text, ()| number(text, 1, MAX_EVENTS),
    },
);
const WAIT: QueryParameter<u32> = QueryParameter::new(
    "EventWait",
    "wait",
    "If there is no event, wait for one for so many seconds.",
    ParameterType {
        schema: || json!({"type": "integer", "minimum": 0, "maximum": MAX_WAIT, "examples": [0]}),
        parse: |text, ()| number(text, 0, MAX_WAIT),
    },
);
const BEFORE: QueryParameter<EventSeq> = QueryParameter::new(
    "BeforeEvent",
    "before",
    "The events before this position: the `seq` of the last one of the previous answer.",
    id_type!(EventSeq),
);

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get("/api/events/", Staff, || web::to(feed)).cost(Cost::List)
        .describe(Tag::EVENTS, "listEvents", "Read the log of events from a position, or wait for the next one")
        .parameters(&[&AFTER.parameter, &TYPES.parameter, &LIMIT.parameter, &WAIT.parameter]).ok::<FeedResponse>()
        .errors(&[Code::FeedRewound, Code::ListTimeout]),
    Endpoint::get("/api/orders/{id}/history/", Customer, || web::to(of_order)).cost(Cost::List)
        .describe(Tag::EVENTS, "getOrderHistory", "List the events of an order, oldest first; staff see the actors")
        .ok::<HistoryResponse>().errors(&[Code::ListTimeout]),
    Endpoint::get("/api/products/{id}/history/", Staff, || web::to(of_product)).cost(Cost::List)
        .describe(Tag::EVENTS, "getProductHistory", "List the events of a product, newest first")
        .parameters(&[&BEFORE.parameter, &LIMIT.parameter]).ok::<HistoryResponse>().errors(&[Code::ListTimeout]),
];

async fn feed(call: RequestContext) -> HttpResult {
    let mut query = Query::read(call.query_string());
    let after = query.optional(&AFTER, ()).flatten();
    let names = query.optional(&TYPES, ()).unwrap_or_default();
    let limit = limit(&mut query);
    let wait = query.optional(&WAIT, ());
    query.finish()?;
    let asked = FeedQuery {
        after,
        names,
        limit,
    };
    let until = Instant::now() + Duration::from_secs(u64::from(wait.unwrap_or(0)));
    responses::ok(&FeedResponse::from_feed(&next(&call, asked, until).await?))
}

/// The next events, or none after this time.
async fn next(call: &RequestContext, asked: FeedQuery, until: Instant) -> Result<Feed, ApiError> {
    let first = asked.clone();
    let mut feed = call
        .read_list(move |shop, actor| shop.events.feed(actor, &first))
        .await?;
    if !feed.events.is_empty() || until <= Instant::now() {
        return Ok(feed);
    }
    let waiting = call.event_waits().enter()?;
    while feed.events.is_empty() && Instant::now() < until && !call.is_stopping() {
        waiting.until_next().await;
        if call.last_event().await? > feed.last {
            let again = asked.clone();
            feed = call
                .read_list_now(move |shop, actor| shop.events.feed(actor, &again))
                .await?;
            // The caller may have lost their role while they waited, and by one of these events.
            call.check_staff().await?;
        }
    }
    Ok(feed)
}

async fn of_order(call: RequestContext) -> HttpResult {
    let id = call.id(OrderId::parse)?;
    let staff = call.actor.is_staff();
    let (feed, events) = call
        .read_list(move |shop, actor| {
            let events = shop.events.order_history(actor, id)?;
            Ok((shop.events.feed_id()?, events))
        })
        .await?;
    responses::ok(&HistoryResponse::new(&feed, &events, staff))
}

async fn of_product(call: RequestContext) -> HttpResult {
    let id = call.id(ProductId::parse)?;
    let mut query = Query::read(call.query_string());
    let before = query.optional(&BEFORE, ());
    let limit = limit(&mut query);
    query.finish()?;
    let (feed, events) = call
        .read_list(move |shop, actor| {
            let events = shop.events.product_history(actor, id, before, limit)?;
            Ok((shop.events.feed_id()?, events))
        })
        .await?;
    responses::ok(&HistoryResponse::new(&feed, &events, true))
}

fn limit(query: &mut Query) -> u32 {
    query.optional(&LIMIT, ()).unwrap_or(DEFAULT_LIMIT)
}

fn number(text: &str, min: u32, max: u32) -> Result<u32, FieldError> {
    let number = whole(text).ok_or(FieldError::NotAnInteger)?;
    let number = u32::try_from(number).ok();
    number
        .filter(|number| (min..=max).contains(number))
        .ok_or(FieldError::OutOfRange {
            min: i64::from(min),
            max: i64::from(max),
        })
}

/// The names that patterns select.
fn types(text: &str) -> Result<Vec<EventName>, FieldError> {
    let mut names = Vec::new();
    for pattern in text.split(',') {
        let selected = EventName::matching(pattern.trim());
        if selected.is_empty() {
            let allowed = EventName::ALL.map(EventName::as_str).to_vec();
            return Err(FieldError::NotOneOf { allowed });
        }
        names.extend(selected);
    }
    Ok(names)
}
