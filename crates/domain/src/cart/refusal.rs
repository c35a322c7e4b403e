use crate::cart::MAX_CART_ITEMS;
use crate::kernel::ContextRefusal;

/// Refusals of carts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CartRefusal {
    /// The cart has the maximum number of lines.
    #[error("A cart holds at most {limit} lines.")]
    Full {
        /// Maximum number of lines.
        limit: usize,
    },
    /// The cart is empty.
    #[error("The cart is empty.")]
    Empty,
}

impl ContextRefusal for CartRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "cart_full",
            Self::Empty => "empty_cart",
        }
    }

    fn samples() -> Vec<Self> {
        let limit = MAX_CART_ITEMS;
        vec![Self::Full { limit }, Self::Empty]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assert_sampled;

    #[test]
    fn every_refusal_has_a_sample() {
        assert_sampled!(CartRefusal: CartRefusal::Full { .. }, CartRefusal::Empty);
    }
}
