use crate::kernel::{ContextRefusal, Currency, Detail, DetailValue, Money};
use crate::orders::{OrderQuota, OrderStatus};

/// Refusals of orders.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    /// The cart's total is not the one that the customer agreed to.
    #[error("The total is {current} by now.")]
    TotalChanged {
        /// The current total.
        current: Money,
    },
    /// The order's total overflows.
    #[error("The total is too large.")]
    TotalTooLarge,
    /// The order's status does not allow this transition.
    #[error("An order that is {from} cannot become {to}.")]
    InvalidTransition {
        /// The current status.
        from: OrderStatus,
        /// The requested status.
        to: OrderStatus,
        /// The statuses open to this actor.
        allowed: Vec<OrderStatus>,
    },
    /// Only a pending order can be deleted.
    #[error("An order that is {status} cannot be deleted.")]
    NotPending {
        /// The current status.
        status: OrderStatus,
    },
    /// The customer placed the maximum number of orders within an hour (see the [quota](OrderQuota)).
    #[error(
        "You placed {limit} orders within an hour, the most there may be. Try again in {seconds} seconds."
    )]
    TooMany {
        /// Maximum number of orders within an hour.
        limit: u32,
        /// Time to wait, rounded up.
        seconds: u64,
    },
    /// The customer has the maximum number of open orders (see the [quota](OrderQuota)).
    #[error("You have {limit} open orders, the most there may be. Cancel one, or try again later.")]
    TooManyOpen {
        /// Maximum number of open orders.
        limit: u32,
        /// Time to wait.
        seconds: u64,
    },
}

impl ContextRefusal for OrderRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::TotalChanged { .. } => "total_changed",
            Self::TotalTooLarge => "total_too_large",
            Self::InvalidTransition { .. } => "invalid_transition",
            Self::NotPending { .. } => "order_not_pending",
            Self::TooMany { .. } | Self::TooManyOpen { .. } => "too_many_orders",
        }
    }

    fn details(&self) -> Vec<Detail> {
        match self {
            Self::TotalChanged { current } => vec![
                Detail::new("total_price", DetailValue::Money(*current))
                    .described("The total now."),
                Detail::new("currency", DetailValue::Currency(current.currency())),
            ],
            Self::InvalidTransition { from, to, allowed } => vec![
                Detail::new("from", DetailValue::Status(*from)),
                Detail::new("to", DetailValue::Status(*to)),
                Detail::new("allowed", DetailValue::Statuses(allowed.clone()))
                    .described("What this user could choose instead."),
            ],
            Self::TotalTooLarge
            | Self::NotPending { .. }
            | Self::TooMany { .. }
            | Self::TooManyOpen { .. } => Vec::new(),
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { seconds, .. } | Self::TooManyOpen { seconds, .. } => Some(*seconds),
            _ => None,
        }
    }

    fn samples() -> Vec<Self> {
        let total = Currency::from_code("USD").map(|usd| Money::from_minor(2_970, usd));
        let (from, quota, seconds) = (OrderStatus::Pending, OrderQuota::default(), 60);
        let samples = [
            Self::TotalTooLarge,
            Self::InvalidTransition {
                from,
                to: OrderStatus::Delivered,
                allowed: from.next().to_vec(),
            },
            Self::NotPending {
                status: OrderStatus::Processing,
            },
            Self::TooMany {
                limit: quota.hourly,
                seconds,
            },
            Self::TooManyOpen {
                limit: quota.open,
                seconds,
            },
        ];
        let total = total.map(|current| Self::TotalChanged { current });
        total.into_iter().chain(samples).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assert_sampled;

    #[test]
    fn every_refusal_has_a_sample() {
        assert_sampled!(OrderRefusal:
            OrderRefusal::TotalChanged { .. },
            OrderRefusal::TotalTooLarge,
            OrderRefusal::InvalidTransition { .. },
            OrderRefusal::NotPending { .. },
            OrderRefusal::TooMany { .. },
            OrderRefusal::TooManyOpen { .. },
        );
    }
}
