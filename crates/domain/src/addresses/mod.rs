//! Address books: the postal addresses of a customer, with rules, the repository port and the
//! service.

mod address;
mod countries;
mod repository;
mod service;

pub use address::{
    Address, AddressAction, AddressChange, AddressFields, AddressId, AddressLine, AddressUpdate,
    ChangeAddress, MAX_ADDRESSES, NewAddress, decide_address,
};
pub use countries::Country;
pub use repository::{AddressRepository, AddressResult};
pub use service::Addresses;

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockAddressRepository;

use crate::kernel::ContextRefusal;

/// Refusals of address books.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRefusal {
    /// The address book has the maximum number of addresses.
    #[error("An address book holds at most {limit} addresses.")]
    Full {
        /// Maximum number of addresses.
        limit: usize,
    },
}

impl ContextRefusal for AddressRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "address_book_full",
        }
    }

    fn samples() -> Vec<Self> {
        let limit = MAX_ADDRESSES;
        vec![Self::Full { limit }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::assert_sampled;

    #[test]
    fn every_refusal_has_a_sample() {
        assert_sampled!(AddressRefusal: AddressRefusal::Full { .. });
    }
}
