use crate::kernel::{ContextRefusal, Detail, DetailValue, ProductId};

/// Refusals of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogRefusal {
    /// The cart has products that are no longer sold.
    #[error("A product in the cart is no longer sold.")]
    ProductUnavailable(Vec<ProductId>),
}

impl ContextRefusal for CatalogRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::ProductUnavailable(_) => "product_unavailable",
        }
    }

    fn details(&self) -> Vec<Detail> {
        match self {
            Self::ProductUnavailable(products) => {
                let products = DetailValue::Products(products.clone());
                vec![
                    Detail::new("products", products).described("The ids of those no longer sold."),
                ]
            }
        }
    }

    fn samples() -> Vec<Self> {
        let product = ProductId::new(12);
        vec![Self::ProductUnavailable(product.into_iter().collect())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assert_sampled;

    #[test]
    fn every_refusal_has_a_sample() {
        assert_sampled!(CatalogRefusal: CatalogRefusal::ProductUnavailable(_));
    }
}
