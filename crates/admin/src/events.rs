//! Events of the log as sentences, for histories and the audit.

use crate::format::{count, money};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::Services;
use tradepost_domain::decision::{AccountAttribute, EventKind, ProductAttribute};
use tradepost_domain::events::LoggedEvent;
use tradepost_domain::inventory::{Reason, StockLevel};
use tradepost_domain::kernel::{Error, ProductId, UserId};

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
    /// The things that the event is about.
    pub(crate) links: Vec<EventLink>,
}

/// A link to a thing that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventLink {
    /// The path within the admin interface.
    pub(crate) path: String,
    /// The name of the thing.
    pub(crate) text: String,
}

/// The names of the users and products of events.
struct Names {
    users: BTreeMap<UserId, String>,
    products: BTreeMap<ProductId, String>,
}

impl Names {
    fn read(shop: &Services, events: &[LoggedEvent]) -> Result<Self, Error> {
        let kinds = || events.iter().map(|logged| &logged.event.kind);
        let actors = events.iter().filter_map(|logged| logged.event.actor);
        let users = kinds().filter_map(EventKind::user).chain(actors);
        let products: BTreeSet<ProductId> = kinds().filter_map(EventKind::product).collect();
        let products = shop.catalogue.find_all(&Vec::from_iter(products))?;
        let products = products.into_iter();
        Ok(Self {
            users: usernames(shop, users)?,
            products: products
                .map(|product| (product.id, product.name.to_string()))
                .collect(),
        })
    }

    fn user(&self, user: UserId) -> String {
        let name = self.users.get(&user).cloned();
        name.unwrap_or_else(|| user.get().to_string())
    }

    fn links(&self, kind: &EventKind) -> Vec<EventLink> {
        let mut links = Vec::new();
        let mut link = |section: &str, id: i64, text: String| {
            let path = format!("/{section}/{id}/");
            links.push(EventLink { path, text });
        };
        if let Some(order) = kind.order() {
            link("orders", order.get(), format!("order {order}"));
        }
        if let Some(product) = kind.product() {
            let name = self.products.get(&product).cloned();
            let name = name.unwrap_or_else(|| format!("product {product}"));
            link("products", product.get(), name);
        }
        if let Some(user) = kind.user() {
            link("customers", user.get(), self.user(user));
        }
        links
    }
}

/// The usernames of these users, in one query.
///
/// # Errors
/// If the store fails.
pub(crate) fn usernames(
    shop: &Services,
    users: impl Iterator<Item = UserId>,
) -> Result<BTreeMap<UserId, String>, Error> {
    let users: BTreeSet<UserId> = users.collect();
    let accounts = shop.accounts.find_all(&Vec::from_iter(users))?.into_iter();
    Ok(accounts
        .map(|account| (account.id, account.username.to_string()))
        .collect())
}

/// The rows of events, with the names of their actors and things, which are read in two queries.
///
/// # Errors
/// If the store fails.
pub(crate) fn rows(shop: &Services, events: Vec<LoggedEvent>) -> Result<Vec<EventRow>, Error> {
    let names = Names::read(shop, &events)?;
    let row = |logged: LoggedEvent| EventRow {
        seq: logged.seq.get(),
        at: logged.event.at,
        name: logged.event.kind.name().as_str(),
        sentence: sentence(&logged.event.kind, &names),
        actor: (logged.event.actor).map(|user| (user.get(), names.user(user))),
        links: names.links(&logged.event.kind),
    };
    Ok(events.into_iter().map(row).collect())
}

/// A sentence about an event, without its time and its actor.
fn sentence(kind: &EventKind, names: &Names) -> String {
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
            "Order {order} went from {} to {}.",
            from.as_str(),
            to.as_str()
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
        EventKind::StockAdjusted {
            product,
            delta,
            reason,
        } => {
            let sign = if delta.units() > 0 { "+" } else { "" };
            let how = match reason {
                Reason::Set => " when it was set to a number",
                _ => "",
            };
            format!(
                "The stock of product {product} changed by {sign}{}{how}.",
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
        EventKind::AccountRegistered { user } => {
            format!("Account “{}” was registered.", names.user(*user))
        }
        EventKind::AccountChanged { user, attribute } => {
            let happened = match attribute {
                AccountAttribute::Email => "has another e-mail address",
                AccountAttribute::Password => "has another password",
                AccountAttribute::Sessions => "was signed out everywhere",
            };
            format!("Account “{}” {happened}.", names.user(*user))
        }
        EventKind::AccountSwitched {
            user,
            is_active,
            is_staff,
        } => {
            let role = if *is_staff { "staff" } else { "a customer" };
            let state = if *is_active { "active" } else { "deactivated" };
            format!("Account “{}” is {role} and {state}.", names.user(*user))
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
        ProductAttribute::Measure { measure, from, to } => {
            let shown = |value: i64| format!("{} {}", count(value), measure.symbol());
            format!("{} from {} to {}", measure.word(), shown(*from), shown(*to))
        }
        ProductAttribute::LowStock { from, to } => {
            let units = |threshold: &Option<StockLevel>| match threshold {
                Some(level) => count(level.units()),
                None => "the shop's number".to_owned(),
            };
            format!(
                "threshold of low stock from {} to {}",
                units(from),
                units(to)
            )
        }
    }
}
