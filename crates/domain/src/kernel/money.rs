//! Money: whole minor units of one ISO 4217 currency, with checked operations only. There are no
//! `+` and `*` operators and no floats, so that no amount can silently overflow or lose a unit.

use crate::kernel::{FieldError, Quantity};
use std::fmt;
use std::str::FromStr;

/// An ISO 4217 currency that has minor units, or is counted whole (JPY).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The currency with this three-letter code in capitals; `None` for an unknown code and for
    /// codes that are no means of payment (gold, testing codes).
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
    }

    /// The three-letter code, such as `USD`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal point: 0 for JPY, 2 for USD, 3 for KWD.
    #[must_use]
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

/// The text is not the code of a currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, thiserror::Error)]
#[error("this is not the ISO 4217 code of a currency")]
pub struct UnknownCurrency;

impl FromStr for Currency {
    type Err = UnknownCurrency;

    /// As [`Currency::from_code`].
    fn from_str(code: &str) -> Result<Self, UnknownCurrency> {
        Self::from_code(code).ok_or(UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why an operation on money failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result exceeds 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
    /// The amounts are of different currencies.
    #[error("{0} and {1} cannot be added")]
    CurrencyMismatch(Currency, Currency),
}

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// Maximum bytes of an amount's text: longer ones only cost time.
    pub const MAX_TEXT: usize = 40;

    /// An amount of so many minor units (cents, yen, fils).
    #[must_use]
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// An amount of zero.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// Minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency of the amount.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError`] for another currency and for a sum beyond 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let minor = self
            .minor
            .checked_add(other.minor)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self::from_minor(minor, self.currency))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError`] for another currency and for a difference beyond 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let minor = self.minor.checked_sub(other.minor);
        let minor = minor.ok_or(MoneyError::Overflow)?;
        Ok(Self::from_minor(minor, self.currency))
    }

    /// The price of so many units.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 64 bits.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let minor = self
            .minor
            .checked_mul(quantity.units())
            .ok_or(MoneyError::Overflow)?;
        Ok(Self::from_minor(minor, self.currency))
    }

    /// Parses a decimal number exactly: `19.99`, `-3`, `+.5`, `1.5e2`. More decimals than the
    /// currency has are rejected, never rounded, even when they are zeros.
    ///
    /// # Errors
    /// [`FieldError::NotADecimal`], [`FieldError::TooManyDecimals`] or [`FieldError::AmountTooLarge`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, FieldError> {
        let decimal = Decimal::parse(text)?;
        let decimals = currency.decimals();
        let shift = i64::from(decimals) + decimal.exponent;
        if shift < 0 {
            return Err(FieldError::TooManyDecimals { decimals });
        }
        let mut minor = decimal.digits;
        for _ in 0..shift {
            if minor == 0 {
                break;
            }
            minor = minor.checked_mul(10).ok_or(FieldError::AmountTooLarge)?;
        }
        Ok(Self::from_minor(minor, currency))
    }
}

/// `digits` times ten to the `exponent`.
struct Decimal {
    digits: i64,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Result<Self, FieldError> {
        let (negative, whole, fraction, exponent) =
            Self::parts(text).ok_or(FieldError::NotADecimal)?;
        let mut digits = 0_i64;
        for byte in whole.bytes().chain(fraction.bytes()) {
            let digit = i64::from(byte - b'0');
            digits = digits
                .checked_mul(10)
                .and_then(|digits| digits.checked_add(digit))
                .ok_or(FieldError::AmountTooLarge)?;
        }
        let digits = if negative { -digits } else { digits };
        Ok(Self { digits, exponent })
    }

    /// Sign, digits before the point, digits after it, and the power of ten of the last digit.
    fn parts(text: &str) -> Option<(bool, &str, &str, i64)> {
        if text.len() > Money::MAX_TEXT {
            return None;
        }
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Self::exponent(exponent)?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix(['+', '-']) {
            Some(rest) => (mantissa.starts_with('-'), rest),
            None => (false, mantissa),
        };
        // Digits are needed on one side of the point: `.5` and `5.` are numbers, `.` is not.
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, "")) => (Self::digits(whole)?, ""),
            Some(("", fraction)) => ("", Self::digits(fraction)?),
            Some((whole, fraction)) => (Self::digits(whole)?, Self::digits(fraction)?),
            None => (Self::digits(mantissa)?, ""),
        };
        let exponent = exponent - i64::try_from(fraction.len()).ok()?;
        Some((negative, whole, fraction, exponent))
    }

    fn digits(text: &str) -> Option<&str> {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then_some(text)
    }

    fn exponent(text: &str) -> Option<i64> {
        Self::digits(text.strip_prefix(['+', '-']).unwrap_or(text))?;
        text.parse::<i32>().ok().map(i64::from)
    }
}

impl fmt::Display for Money {
    /// The decimal text with all the currency's decimals, without its code: `19.90`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        let decimals = self.currency.decimals();
        let unit = 10_u64.pow(decimals);
        write!(f, "{sign}{}", magnitude / unit)?;
        if decimals > 0 {
            let width = usize::try_from(decimals).unwrap_or_default();
            write!(f, ".{:0width$}", magnitude % unit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    #[test]
    fn currencies_have_the_decimals_of_iso_4217() {
        for (code, decimals) in [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3)] {
            assert_eq!(currency(code).decimals(), decimals, "{code}");
        }
        for code in ["usd", "US", "XAU", "XXX", "ABC", ""] {
            assert_eq!(Currency::from_code(code), None, "{code}");
        }
    }

    #[test]
    fn decimal_text_is_read_exactly() {
        for (code, text, minor) in [
            ("USD", "19.99", 1_999),
            ("USD", "0.1", 10),
            ("USD", "7", 700),
            ("USD", "-0.01", -1),
            ("USD", "1e2", 10_000),
            ("USD", "1.5E+1", 1_500),
            ("USD", "150e-2", 150),
            ("USD", "0e999999999", 0),
            ("JPY", "500", 500),
            ("KWD", "1.234", 1_234),
            ("USD", "92233720368547758.07", i64::MAX),
            ("USD", "+5", 500),
            ("USD", ".5", 50),
            ("USD", "-.05", -5),
            ("USD", "5.", 500),
            ("JPY", "5.", 5),
            ("JPY", ".5e1", 5),
        ] {
            assert_eq!(
                Money::parse(text, currency(code)).map(Money::minor),
                Ok(minor),
                "{text}"
            );
        }
    }

    #[test]
    fn an_invalid_amount_is_refused() {
        for text in [
            "", " 1", "1 ", ".", "+", "+.", "-", "1,5", "NaN", "Infinity", "1e", "1e+", "0x1",
            "1_0", "--1", "+-1", "1.-5", "١",
        ] {
            assert_eq!(
                Money::parse(text, currency("USD")),
                Err(FieldError::NotADecimal),
                "{text:?}"
            );
        }
        for (code, text) in [
            ("USD", "1.001"),
            ("USD", "1.000"),
            ("JPY", "1.0"),
            ("USD", "1e-3"),
        ] {
            let decimals = currency(code).decimals();
            let refused = Err(FieldError::TooManyDecimals { decimals });
            assert_eq!(Money::parse(text, currency(code)), refused, "{text}");
        }
        for text in ["92233720368547758.08", "1e99", "1e2147483647"] {
            assert_eq!(
                Money::parse(text, currency("USD")),
                Err(FieldError::AmountTooLarge),
                "{text}"
            );
        }
        assert_eq!(
            Money::parse("1e2147483648", currency("USD")),
            Err(FieldError::NotADecimal)
        );
    }

    #[test]
    fn amounts_of_two_currencies_do_not_add() {
        let (usd, eur) = (currency("USD"), currency("EUR"));
        assert_eq!(
            Money::zero(usd).plus(Money::zero(eur)),
            Err(MoneyError::CurrencyMismatch(usd, eur))
        );
    }

    fn any_currency() -> impl Strategy<Value = Currency> {
        prop::sample::select(vec!["JPY", "USD", "EUR", "KWD", "CLF"]).prop_map(currency)
    }

    proptest! {
        #[test]
        fn text_and_back_loses_no_minor_unit(minor in any::<i64>(), currency in any_currency()) {
            // The lowest i64 has no positive counterpart to parse.
            prop_assume!(minor != i64::MIN);
            let money = Money::from_minor(minor, currency);
            prop_assert_eq!(Money::parse(&money.to_string(), currency), Ok(money));
        }

        #[test]
        fn sums_are_exact_or_refused(a in any::<i64>(), b in any::<i64>()) {
            let usd = currency("USD");
            let exact = i128::from(a) + i128::from(b);
            match Money::from_minor(a, usd).plus(Money::from_minor(b, usd)) {
                Ok(sum) => prop_assert_eq!(i128::from(sum.minor()), exact),
                Err(error) => {
                    prop_assert_eq!(error, MoneyError::Overflow);
                    prop_assert!(i64::try_from(exact).is_err());
                }
            }
        }

        #[test]
        fn products_are_exact_or_refused(minor in any::<i64>(), units in 1_i64..=9_999) {
            let exact = i128::from(minor) * i128::from(units);
            match Money::from_minor(minor, currency("USD")).times(Quantity::new(units).unwrap()) {
                Ok(product) => prop_assert_eq!(i128::from(product.minor()), exact),
                Err(error) => {
                    prop_assert_eq!(error, MoneyError::Overflow);
                    prop_assert!(i64::try_from(exact).is_err());
                }
            }
        }

        #[test]
        fn no_text_can_make_the_parser_panic(text in ".{0,60}") {
            let _ = Money::parse(&text, currency("USD"));
        }
    }
}
