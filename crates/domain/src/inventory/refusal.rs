use crate::inventory::StockLevel;
use crate::kernel::{ContextRefusal, Detail, DetailValue, ProductId, Quantity};

/// Refusals of stock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryRefusal {
    /// The request exceeds the stock; every short product is listed.
    #[error("There is not enough stock.")]
    InsufficientStock(Vec<Shortage>),
    /// Setting stock without a precondition, which this shop requires.
    #[error(
        "Setting stock needs the ETag of the product that you read, in If-Match. To change it by an amount, post to its stock."
    )]
    PreconditionRequired,
}

/// A product whose stock is insufficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// The product.
    pub product: ProductId,
    /// Units on hand.
    pub available: StockLevel,
    /// Units that the whole line would hold, or that would be taken.
    pub requested: i64,
}

impl InventoryRefusal {
    /// Insufficient stock of one product.
    #[must_use]
    pub fn short(product: ProductId, available: StockLevel, wanted: Quantity) -> Self {
        Self::InsufficientStock(vec![Shortage {
            product,
            available,
            requested: wanted.units(),
        }])
    }
}

impl ContextRefusal for InventoryRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::InsufficientStock(_) => "insufficient_stock",
            Self::PreconditionRequired => "precondition_required",
        }
    }

    fn details(&self) -> Vec<Detail> {
        match self {
            Self::InsufficientStock(shortages) => {
                let shortages = DetailValue::Shortages(shortages.clone());
                vec![Detail::new("lines", shortages)]
            }
            Self::PreconditionRequired => Vec::new(),
        }
    }

    fn samples() -> Vec<Self> {
        let shortage = ProductId::new(12)
            .zip(StockLevel::new(1))
            .map(|(product, available)| Shortage {
                product,
                available,
                requested: 2,
            });
        vec![
            Self::InsufficientStock(shortage.into_iter().collect()),
            Self::PreconditionRequired,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assert_sampled;

    #[test]
    fn every_refusal_has_a_sample() {
        assert_sampled!(InventoryRefusal:
            InventoryRefusal::InsufficientStock(_),
            InventoryRefusal::PreconditionRequired,
        );
    }
}
