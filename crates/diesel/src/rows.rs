//! Rows, and their conversion to values of the domain. An invalid row is reported with table,
//! column and id.

use chrono::{DateTime, Utc};
use diesel::{Insertable, Queryable};
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::{Price, Product};
use tradepost_domain::identity::{
    Account, Email, PasswordHash, RefreshDigest, RefreshToken, Username,
};
use tradepost_domain::inventory::{Movement, NewMovement, Reason, StockDelta, StockLevel};
use tradepost_domain::kernel::{
    CartItemId, Currency, Description, IdempotencyKey, IdempotencyScope, Money, MovementId, Note,
    OrderId, ProductId, ProductName, Quantity, Sku, StoreError, StoredResponse, UserId,
};
use tradepost_domain::orders::{Order, OrderItem, OrderStatus, ProductSnapshot};

/// Origin of a value, for the error report.
#[derive(Clone, Copy)]
struct Source {
    table: &'static str,
    row: i64,
}

impl Source {
    fn good<T>(self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| StoreError::corrupt(self.table, column, self.row))
    }

    fn at(self, column: &'static str, micros: i64) -> Result<DateTime<Utc>, StoreError> {
        self.good(column, DateTime::from_timestamp_micros(micros))
    }
}

/// The stored form of a time: microseconds since 1970 in UTC.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

#[derive(Queryable)]
pub(crate) struct ProductRow {
    id: i64,
    sku: Option<String>,
    name: String,
    description: String,
    price: i64,
    archived: bool,
    created_at: i64,
    updated_at: i64,
    on_hand: i64,
}

impl ProductRow {
    pub(crate) fn product(self, currency: Currency) -> Result<Product, StoreError> {
        let from = Source {
            table: "products",
            row: self.id,
        };
        let sku = match self.sku {
            Some(sku) => Some(from.good("sku", Sku::new(&sku).ok())?),
            None => None,
        };
        Ok(Product {
            id: from.good("id", ProductId::new(self.id))?,
            sku,
            name: from.good("name", ProductName::new(&self.name).ok())?,
            description: from.good("description", Description::new(&self.description).ok())?,
            price: from.good(
                "price",
                Price::new(Money::from_minor(self.price, currency)).ok(),
            )?,
            stock: Source {
                table: "stock",
                ..from
            }
            .good("on_hand", StockLevel::new(self.on_hand))?,
            archived: self.archived,
            created_at: from.at("created_at", self.created_at)?,
            updated_at: from.at("updated_at", self.updated_at)?,
        })
    }
}

/// Columns of a product that placing an order needs.
#[derive(Queryable)]
pub(crate) struct ProductSnapshotRow {
    id: i64,
    name: String,
    price: i64,
    archived: bool,
    on_hand: i64,
}

impl ProductSnapshotRow {
    pub(crate) fn offer(
        self,
        currency: Currency,
    ) -> Result<(ProductId, ProductSnapshot), StoreError> {
        let from = Source {
            table: "products",
            row: self.id,
        };
        let offer = ProductSnapshot {
            name: from.good("name", ProductName::new(&self.name).ok())?,
            price: Money::from_minor(self.price, currency),
            stock: Source {
                table: "stock",
                ..from
            }
            .good("on_hand", StockLevel::new(self.on_hand))?,
            archived: self.archived,
        };
        Ok((from.good("id", ProductId::new(self.id))?, offer))
    }
}

#[derive(Queryable)]
pub(crate) struct CartItemRow {
    id: i64,
    user_id: i64,
    product_id: i64,
    quantity: i64,
    created_at: i64,
    updated_at: i64,
}

impl CartItemRow {
    pub(crate) fn line(self) -> Result<CartItem, StoreError> {
        let from = Source {
            table: "cart_items",
            row: self.id,
        };
        Ok(CartItem {
            id: from.good("id", CartItemId::new(self.id))?,
            user: from.good("user_id", UserId::new(self.user_id))?,
            product: from.good("product_id", ProductId::new(self.product_id))?,
            quantity: from.good("quantity", Quantity::new(self.quantity).ok())?,
            created_at: from.at("created_at", self.created_at)?,
            updated_at: from.at("updated_at", self.updated_at)?,
        })
    }
}

#[derive(Queryable)]
pub(crate) struct OrderRow {
    id: i64,
    user_id: i64,
    status: String,
    total: i64,
    adjustment: i64,
    archived: bool,
    created_at: i64,
    updated_at: i64,
}

impl OrderRow {
    /// The order, without its lines.
    pub(crate) fn order(self, currency: Currency) -> Result<Order, StoreError> {
        let from = Source {
            table: "orders",
            row: self.id,
        };
        Ok(Order {
            id: from.good("id", OrderId::new(self.id))?,
            user: from.good("user_id", UserId::new(self.user_id))?,
            status: from.good("status", OrderStatus::parse(&self.status))?,
            total: Money::from_minor(self.total, currency),
            adjustment: Money::from_minor(self.adjustment, currency),
            lines: Vec::new(),
            archived: self.archived,
            created_at: from.at("created_at", self.created_at)?,
            updated_at: from.at("updated_at", self.updated_at)?,
        })
    }
}

#[derive(Queryable)]
pub(crate) struct OrderLineRow {
    pub(crate) order_id: i64,
    product_id: i64,
    name: String,
    unit_price: i64,
    quantity: i64,
}

impl OrderLineRow {
    pub(crate) fn line(self, currency: Currency) -> Result<OrderItem, StoreError> {
        let from = Source {
            table: "order_lines",
            row: self.order_id,
        };
        Ok(OrderItem {
            product: from.good("product_id", ProductId::new(self.product_id))?,
            name: from.good("name", ProductName::new(&self.name).ok())?,
            unit_price: Money::from_minor(self.unit_price, currency),
            quantity: from.good("quantity", Quantity::new(self.quantity).ok())?,
        })
    }
}

#[derive(Queryable)]
pub(crate) struct MovementRow {
    id: i64,
    product_id: i64,
    order_id: Option<i64>,
    delta: i64,
    reason: String,
    note: Option<String>,
    actor_id: Option<i64>,
    created_at: i64,
}

impl MovementRow {
    pub(crate) fn movement(self) -> Result<Movement, StoreError> {
        let from = Source {
            table: "stock_movements",
            row: self.id,
        };
        let note = match self.note {
            Some(note) => Some(from.good("note", Note::new(&note).ok())?),
            None => None,
        };
        let entry = NewMovement {
            product: from.good("product_id", ProductId::new(self.product_id))?,
            order: self.order_id.and_then(OrderId::new),
            delta: from.good("delta", StockDelta::new(self.delta))?,
            reason: from.good("reason", Reason::parse(&self.reason))?,
            note,
            actor: self.actor_id.and_then(UserId::new),
            at: from.at("created_at", self.created_at)?,
        };
        Ok(Movement {
            id: from.good("id", MovementId::new(self.id))?,
            entry,
        })
    }
}

#[derive(Queryable)]
pub(crate) struct KeyRow {
    user_id: i64,
    path: String,
    key: String,
    fingerprint: String,
    answer: String,
    created_at: i64,
}

impl KeyRow {
    pub(crate) fn record(self) -> Result<((UserId, IdempotencyScope), StoredResponse), StoreError> {
        let from = Source {
            table: "idempotency_keys",
            row: self.user_id,
        };
        let user = from.good("user_id", UserId::new(self.user_id))?;
        let key = from.good("key", IdempotencyKey::new(&self.key).ok())?;
        let record = StoredResponse {
            fingerprint: self.fingerprint,
            answer: self.answer,
            at: from.at("created_at", self.created_at)?,
        };
        let path = self.path;
        Ok(((user, IdempotencyScope { path, key }), record))
    }
}

#[derive(Queryable)]
pub(crate) struct AccountRow {
    id: i64,
    username: String,
    email: Option<String>,
    is_staff: bool,
    is_active: bool,
    session_epoch: i64,
    created_at: i64,
}

impl AccountRow {
    pub(crate) fn account(self) -> Result<Account, StoreError> {
        let from = Source {
            table: "users",
            row: self.id,
        };
        let email = match self.email {
            Some(email) => Some(from.good("email", Email::existing(&email).ok())?),
            None => None,
        };
        Ok(Account {
            id: from.good("id", UserId::new(self.id))?,
            username: from.good("username", Username::existing(&self.username).ok())?,
            email,
            is_staff: self.is_staff,
            is_active: self.is_active,
            session_epoch: self.session_epoch,
            created_at: from.at("created_at", self.created_at)?,
        })
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = crate::schema::refresh_tokens)]
pub(crate) struct RefreshRow {
    digest: String,
    family: String,
    user_id: i64,
    session_epoch: i64,
    signed_in_at: i64,
    issued_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
}

impl RefreshRow {
    pub(crate) fn of(token: &RefreshToken) -> Self {
        Self {
            digest: token.digest.to_string(),
            family: token.family.to_string(),
            user_id: token.user.get(),
            session_epoch: token.session_epoch,
            signed_in_at: micros(token.signed_in_at),
            issued_at: micros(token.issued_at),
            expires_at: micros(token.expires_at),
            used_at: token.used_at.map(micros),
        }
    }

    pub(crate) fn token(self) -> Result<RefreshToken, StoreError> {
        let from = Source {
            table: "refresh_tokens",
            row: self.user_id,
        };
        let used_at = self.used_at.map(|at| from.at("used_at", at)).transpose()?;
        Ok(RefreshToken {
            digest: from.good("digest", RefreshDigest::parse(&self.digest))?,
            family: from.good("family", RefreshDigest::parse(&self.family))?,
            user: from.good("user_id", UserId::new(self.user_id))?,
            session_epoch: self.session_epoch,
            signed_in_at: from.at("signed_in_at", self.signed_in_at)?,
            issued_at: from.at("issued_at", self.issued_at)?,
            expires_at: from.at("expires_at", self.expires_at)?,
            used_at,
        })
    }
}

/// A hash from its stored form.
pub(crate) fn hash(text: String) -> PasswordHash {
    PasswordHash::new(text)
}
