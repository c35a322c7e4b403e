//! Order status: the state machine of an order.
//!
//! ```text
//! pending -> processing -> shipped -> delivered
//!    |            |
//!    +------------+-> cancelled
//! ```

use crate::kernel::FieldError;
use std::fmt;
use std::str::FromStr;

/// Status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderStatus {
    /// Placed; not yet processed.
    Pending,
    /// Being packed.
    Processing,
    /// On its way.
    Shipped,
    /// Arrived. Final.
    Delivered,
    /// Cancelled, its stock returned. Final.
    Cancelled,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Processing,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
    ];

    /// The statuses that can follow this one.
    #[must_use]
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Processing, Self::Cancelled],
            Self::Processing => &[Self::Shipped, Self::Cancelled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Cancelled => &[],
        }
    }

    /// The stored and displayed word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl FromStr for OrderStatus {
    type Err = FieldError;

    /// As [`OrderStatus::parse`]; the error lists the allowed words.
    fn from_str(word: &str) -> Result<Self, FieldError> {
        Self::parse(word).ok_or_else(|| FieldError::NotOneOf {
            allowed: Self::ALL.map(Self::as_str).to_vec(),
        })
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
