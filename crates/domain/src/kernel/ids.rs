//! Identifiers: sequential integers from 1, one type for each kind of entity, so that a cart line's
//! id cannot be passed as a product's.

/// The number or text is no id: ids are positive integers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, thiserror::Error)]
#[error("an id is a positive integer")]
pub struct InvalidId;

/// Declares the ids of entities. A context may declare its own.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The id with this number; `None` unless it is positive.
            #[must_use]
            pub const fn new(number: i64) -> Option<Self> {
                if number > 0 { Some(Self(number)) } else { None }
            }

            /// Parses an id of a URL: decimal digits only, no sign, no spaces.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                if text.bytes().all(|byte| byte.is_ascii_digit()) {
                    text.parse().ok().and_then(Self::new)
                } else {
                    None
                }
            }

            /// The number, for storage and display.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::InvalidId;

            /// As [`Self::parse`].
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text).ok_or($crate::kernel::InvalidId)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $crate::kernel::InvalidId;

            fn try_from(number: i64) -> Result<Self, Self::Error> {
                Self::new(number).ok_or($crate::kernel::InvalidId)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A product.
    ProductId,
    /// A line in a cart.
    CartItemId,
    /// An order.
    OrderId,
    /// A user: customer or staff.
    UserId,
    /// An entry of the stock ledger.
    MovementId,
    /// An entry of the event log: its position, from 1 without gaps.
    EventSeq,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_positive_integer_in_plain_digits() {
        assert_eq!(ProductId::parse("7").map(ProductId::get), Some(7));
        assert_eq!(
            ProductId::parse("9223372036854775807").map(ProductId::get),
            Some(i64::MAX)
        );
        for text in [
            "",
            "0",
            "-1",
            "+1",
            " 1",
            "1.0",
            "abc",
            "9223372036854775808",
            "١",
        ] {
            assert_eq!(ProductId::parse(text), None, "{text:?}");
        }
    }
}
