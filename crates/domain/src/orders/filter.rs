//! Filter and sort fields of order lists.

use crate::kernel::{Actor, List, Refusal, SortField, SortValue, UserId};
use crate::orders::{Order, OrderStatus};
use chrono::{DateTime, Utc};

/// Filter of an order list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Orders of this customer; `None` for all customers.
    pub user: Option<UserId>,
    /// Deleted orders instead of the others.
    pub archived: bool,
    /// Orders in this status.
    pub status: Option<OrderStatus>,
    /// Placed at this time or later, to the microsecond.
    pub created_after: Option<DateTime<Utc>>,
    /// Placed at this time or earlier, to the microsecond.
    pub created_before: Option<DateTime<Utc>>,
}

impl OrderFilter {
    /// The filter restricted to this actor: staff see all orders or those of one user, and deleted
    /// ones. Other users see their own, and these filters are ignored.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`].
    pub fn seen_by(self, actor: Actor) -> Result<Self, Refusal> {
        let own = actor.customer()?;
        if actor.is_staff() {
            return Ok(self);
        }
        Ok(Self {
            user: Some(own),
            archived: false,
            ..self
        })
    }

    /// Whether an order passes the filter.
    #[must_use]
    pub fn matches(&self, order: &Order) -> bool {
        let at = order.created_at.timestamp_micros();
        let after = self.created_after.map(|after| after.timestamp_micros());
        let before = self.created_before.map(|before| before.timestamp_micros());
        order.archived == self.archived
            && self.user.is_none_or(|user| order.user == user)
            && self.status.is_none_or(|status| order.status == status)
            && after.is_none_or(|after| at >= after)
            && before.is_none_or(|before| at <= before)
    }
}

/// Sort fields of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// The id, which is the order of placing.
    Id,
    /// Time of placing.
    CreatedAt,
    /// The total.
    Total,
    /// The word of the status.
    Status,
}

impl SortField for OrderField {
    type Row = Order;
    const ALL: &'static [Self] = &[Self::Id, Self::CreatedAt, Self::Total, Self::Status];
    const ID: Self = Self::Id;

    fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::CreatedAt => "created_at",
            Self::Total => "total_price",
            Self::Status => "status",
        }
    }

    fn value(self, order: &Order) -> SortValue {
        match self {
            Self::Id => SortValue::Number(order.id.get()),
            Self::CreatedAt => SortValue::Number(order.created_at.timestamp_micros()),
            Self::Total => SortValue::Number(order.total.minor()),
            Self::Status => SortValue::Text(order.status.as_str().to_owned()),
        }
    }
}

/// A list of orders.
pub type OrderList = List<OrderFilter, OrderField>;
