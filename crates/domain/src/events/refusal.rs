use crate::kernel::{ContextRefusal, Detail, DetailValue};

/// Refusals of the event log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventRefusal {
    /// The reader is beyond the end of the log: the shop was restored from an older copy.
    #[error(
        "The log ends before the event that you read last: the shop was restored from an older copy. Compare your data with the shop, and continue after its last event."
    )]
    FeedRewound {
        /// Position of the last event; 0 for an empty log.
        last: i64,
    },
}

impl ContextRefusal for EventRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::FeedRewound { .. } => "feed_rewound",
        }
    }

    fn details(&self) -> Vec<Detail> {
        match self {
            Self::FeedRewound { last } => {
                vec![Detail::new("last", DetailValue::Number(*last))]
            }
        }
    }

    fn samples() -> Vec<Self> {
        vec![Self::FeedRewound { last: 57 }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assert_sampled;

    #[test]
    fn every_refusal_has_a_sample() {
        assert_sampled!(EventRefusal: EventRefusal::FeedRewound { .. });
    }
}
