//! Events of the log as sentences, for histories and the audit.

use crate::format::{count, money};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use tradepost_domain::Services;
use tradepost_domain::decision::{AccountAttribute, EventKind, ProductAttribute};
use tradepost_domain::events::LoggedEvent;
use tradepost_domain::kernel::{Error, UserId};

/// An event, as a row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventRow {
    pub(crate) seq: i64,
    pub(crate) at: DateTime<Utc>,
    /// The stable name of its kind.
    pub(crate) name: &'static str,
    pub(crate) sentence: String,
    /// Id and name of the acting user; `None` for the shop itself.
    pub(crate) actor: Option<(i64, String)>,
}

/// The rows of events, with the names of their actors, which are read in one query.
///
/// # Errors
/// If the store fails.
pub(crate) fn rows(shop: &Services, events: Vec<LoggedEvent>) -> Result<Vec<EventRow>, Error> {
    let mut actors: Vec<UserId> = events
        .iter()
        .filter_map(|logged| logged.event.actor)
        .collect();
    actors.sort_unstable();
    actors.dedup();
    let accounts = shop.accounts.find_all(&actors)?;
    let names = accounts
        .into_iter()
        .map(|account| (account.id, account.username.to_string()));
    let names: BTreeMap<UserId, String> = names.collect();
    let row = |logged: LoggedEvent| EventRow {
        seq: logged.seq.get(),
        at: logged.event.at,
        name: logged.event.kind.name().as_str(),
        sentence: sentence(&logged.event.kind),
        actor: logged.event.actor.map(|user| {
            let name = names.get(&user).cloned();
            (user.get(), name.unwrap_or_else(|| user.get().to_string()))
        }),
    };
    Ok(events.into_iter().map(row).collect())
}

/// A sentence about an event, without its time and its actor.
pub(crate) fn sentence(kind: &EventKind) -> String {
    match kind {
        EventKind::OrderPlaced { order, total, .. } => {
            format!("Order {order} was placed for {}.", money(*total))
        }
        EventKind::OrderImported { order, status, .. } => {
            format!("Order {order} was imported as {}.", status.as_str())
        }
        EventKind::OrderStatus {
            order, from, to, ..
        } => format!(
            "Order {order} became {} after {}.",
            to.as_str(),
            from.as_str()
        ),
        EventKind::ProductCreated { product } => format!("Product {product} was created."),
        EventKind::ProductChanged {
            product,
            attributes,
        } => {
            let changes: Vec<_> = attributes.iter().map(change).collect();
            format!("Product {product} was changed: {}.", changes.join(", "))
        }
        EventKind::ProductArchived { product } => format!("Product {product} was archived."),
        EventKind::ProductRestored { product } => format!("Product {product} was restored."),
        EventKind::StockAdjusted { product, delta, .. } => {
            let sign = if delta.units() > 0 { "+" } else { "" };
            format!(
                "The stock of product {product} changed by {sign}{}.",
                count(delta.units())
            )
        }
        EventKind::StockOut { product } => format!("Product {product} is sold out."),
        EventKind::StockLow { product, level } => {
            format!(
                "Product {product} is low in stock: {} left.",
                count(level.units())
            )
        }
        EventKind::StockBack { product, level } => {
            format!(
                "Product {product} is back in stock: {}.",
                count(level.units())
            )
        }
        EventKind::AccountRegistered { user } => format!("Account {user} was registered."),
        EventKind::AccountChanged { user, attribute } => match attribute {
            AccountAttribute::Email => format!("Account {user} has another e-mail address."),
            AccountAttribute::Password => format!("Account {user} has another password."),
            AccountAttribute::Sessions => format!("Account {user} was signed out everywhere."),
        },
        EventKind::AccountSwitched {
            user,
            is_active,
            is_staff,
        } => {
            let role = if *is_staff { "staff" } else { "a customer" };
            let state = if *is_active { "active" } else { "deactivated" };
            format!("Account {user} is {role} and {state}.")
        }
        EventKind::KeyRotated => "Tokens are signed by a new key.".to_owned(),
    }
}

fn change(attribute: &ProductAttribute) -> String {
    match attribute {
        ProductAttribute::Sku => "SKU".to_owned(),
        ProductAttribute::Name => "name".to_owned(),
        ProductAttribute::Description => "description".to_owned(),
        ProductAttribute::Price { from, to } => {
            format!("price from {} to {}", money(*from), money(*to))
        }
        ProductAttribute::Weight { from, to } => {
            format!(
                "weight from {} g to {} g",
                count(from.grams()),
                count(to.grams())
            )
        }
    }
}
