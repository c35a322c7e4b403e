//! Quantities: units of one product in a line.

use crate::kernel::FieldError;
use std::fmt;
use std::num::NonZeroU32;

/// A number of units of one product in a cart line or an order line: 1 to [`Quantity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(NonZeroU32);

impl Quantity {
    /// Maximum units of one line.
    pub const MAX: u32 = 9_999;
    /// One unit: the default of a request without a quantity.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// # Errors
    /// [`FieldError::OutOfRange`] below 1 and above [`Quantity::MAX`].
    pub fn new(units: i64) -> Result<Self, FieldError> {
        u32::try_from(units)
            .ok()
            .filter(|units| *units <= Self::MAX)
            .and_then(NonZeroU32::new)
            .map(Self)
            .ok_or(FieldError::OutOfRange {
                min: 1,
                max: i64::from(Self::MAX),
            })
    }

    /// Parses a requested quantity, where zero removes the line: the only place that decides so.
    ///
    /// # Errors
    /// [`FieldError::OutOfRange`] below 0 and above [`Quantity::MAX`].
    pub fn or_removal(units: i64) -> Result<Option<Self>, FieldError> {
        if units == 0 {
            return Ok(None);
        }
        Self::new(units)
            .map(Some)
            .map_err(|_| FieldError::OutOfRange {
                min: 0,
                max: i64::from(Self::MAX),
            })
    }

    /// The sum.
    ///
    /// # Errors
    /// [`FieldError::LineTooLarge`] above [`Quantity::MAX`].
    pub fn plus(self, more: Self) -> Result<Self, FieldError> {
        Self::new(self.units() + more.units()).map_err(|_| FieldError::LineTooLarge {
            max: Self::MAX,
            held: self.0.get(),
        })
    }

    /// The number of units.
    #[must_use]
    pub fn units(self) -> i64 {
        i64::from(self.0.get())
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_1_to_9999() {
        for units in [1, 2, 9_999] {
            assert_eq!(Quantity::new(units).unwrap().units(), units);
        }
        for units in [i64::MIN, -1, 0, 10_000, i64::MAX] {
            assert_eq!(
                Quantity::new(units),
                Err(FieldError::OutOfRange { min: 1, max: 9_999 })
            );
        }
    }

    #[test]
    fn zero_removes_the_line() {
        assert_eq!(Quantity::or_removal(0), Ok(None));
        assert_eq!(Quantity::or_removal(3), Ok(Some(Quantity::new(3).unwrap())));
        assert_eq!(
            Quantity::or_removal(-1),
            Err(FieldError::OutOfRange { min: 0, max: 9_999 })
        );
    }

    #[test]
    fn adding_up_stops_at_the_most_a_line_may_hold() {
        let most = Quantity::new(9_999).unwrap();
        assert_eq!(Quantity::new(9_998).unwrap().plus(Quantity::ONE), Ok(most));
        assert_eq!(
            most.plus(Quantity::ONE),
            Err(FieldError::LineTooLarge {
                max: 9_999,
                held: 9_999
            })
        );
    }
}
