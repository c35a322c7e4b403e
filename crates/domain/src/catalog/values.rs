//! Price of a product.

use crate::kernel::{Currency, FieldError, Money};

/// Unit price: greater than zero, at most [`Price::DIGITS`] digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(Money);

impl Price {
    /// Maximum digits of a price, those after the decimal point included.
    ///
    /// Enough for currencies of small units (IRR, IDR, LBP), and few enough for the total of a full
    /// cart: 100 lines of 9,999 units at 12 digits are below 10^18 minor units, and fit in 64 bits.
    pub const DIGITS: u32 = 12;

    /// # Errors
    /// [`FieldError::NotPositive`] and [`FieldError::TooManyDigits`].
    pub fn new(money: Money) -> Result<Self, FieldError> {
        if money.minor() <= 0 {
            Err(FieldError::NotPositive)
        } else if money.minor() >= 10_i64.pow(Self::DIGITS) {
            Err(FieldError::TooManyDigits)
        } else {
            Ok(Self(money))
        }
    }

    /// Parses a decimal number: [`Money::parse`] and [`Price::new`].
    ///
    /// # Errors
    /// Those of the two.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, FieldError> {
        Self::new(Money::parse(text, currency)?)
    }

    /// The amount.
    #[must_use]
    pub fn money(self) -> Money {
        self.0
    }
}
