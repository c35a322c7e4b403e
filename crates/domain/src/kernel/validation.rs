//! Validation errors: the possible errors of a request's field, and the list of all of a request's
//! errors.

use std::fmt;

/// Validation error of a field. Its text is a sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The field is missing.
    #[error("This field is required.")]
    Required,
    /// The field was `null`.
    #[error("This field may not be null.")]
    Null,
    /// The field was empty, or only white space.
    #[error("This field may not be blank.")]
    Blank,
    /// The field is of another JSON type.
    #[error("Expected {expected}.")]
    WrongType {
        /// The expected type, with its article.
        expected: &'static str,
    },
    /// Neither true nor false.
    #[error("Expected true or false.")]
    NotABoolean,
    /// A key that this API does not accept, where ignoring it would change the order.
    #[error("This is not a field here: {instead}.")]
    UseInstead {
        /// The replacement, as the end of a sentence.
        instead: &'static str,
    },
    /// Too many characters.
    #[error("At most {max} characters are allowed.")]
    TooLong {
        /// Maximum length in characters.
        max: usize,
    },
    /// Too few characters.
    #[error("At least {min} characters are needed.")]
    TooShort {
        /// Minimum length in characters.
        min: usize,
    },
    /// NUL or another control character that texts may not contain.
    #[error("Control characters are not allowed.")]
    ControlCharacter,
    /// Not a whole number.
    #[error("A whole number is required.")]
    NotAnInteger,
    /// Outside its range.
    #[error("Must be from {min} to {max}.")]
    OutOfRange {
        /// The minimum.
        min: i64,
        /// The maximum.
        max: i64,
    },
    /// Not a decimal number.
    #[error("A decimal number is required.")]
    NotADecimal,
    /// More decimals than the currency has.
    #[error("At most {decimals} decimals are allowed.")]
    TooManyDecimals {
        /// The decimals of the shop's currency.
        decimals: u32,
    },
    /// An amount beyond 64 bits of minor units.
    #[error("The amount is too large.")]
    AmountTooLarge,
    /// A price with too many digits.
    #[error("At most {} digits are allowed.", crate::catalog::Price::DIGITS)]
    TooManyDigits,
    /// A price of zero or less.
    #[error("Must be greater than 0.")]
    NotPositive,
    /// A price in another currency than the shop's.
    #[error("The shop's currency is {0}.")]
    OtherCurrency(crate::kernel::Currency),
    /// A value outside a fixed set.
    #[error("Must be one of: {}.", .allowed.join(", "))]
    NotOneOf {
        /// The set.
        allowed: Vec<&'static str>,
    },
    /// A negative value.
    #[error("May not be negative.")]
    Negative,
    /// A repeated value.
    #[error("Each may be named once.")]
    Repeated,
    /// Too many words.
    #[error("At most {max} words are allowed.")]
    TooManyWords {
        /// Maximum number of words.
        max: usize,
    },
    /// Not a time with a time zone (RFC 3339).
    #[error("Enter a time as in RFC 3339, such as 2026-01-31T12:00:00Z.")]
    NotATime,
    /// An ordering that cursor pagination does not support.
    #[error("With a cursor, lists are ordered by one of: {}.", .allowed.join(", "))]
    NotByOneField {
        /// The supported fields.
        allowed: Vec<&'static str>,
    },
    /// A cursor that was not issued for this list and ordering.
    #[error("This is no cursor of this list in this order.")]
    NotACursor,
    /// A page number beside a cursor.
    #[error("A list is read by page or by cursor, not by both.")]
    PageAndCursor,
    /// The product does not exist or is no longer sold.
    #[error("There is no such product.")]
    UnknownProduct,
    /// The product of a cart line cannot be changed.
    #[error("The product of a cart line cannot be changed.")]
    OtherProduct,
    /// The line would exceed the maximum quantity.
    #[error("A cart line holds at most {max} units; this one has {held}.")]
    LineTooLarge {
        /// Maximum number of units.
        max: u32,
        /// Current quantity of the line.
        held: u32,
    },
    /// The value belongs to another record.
    #[error("This is already taken.")]
    Taken,
    /// A username that is confusable with one of another account (UTS 39).
    #[error("This looks too much like a name that is already taken.")]
    TooSimilar,
    /// The stock would exceed its maximum.
    #[error("The stock would be more than {max}.")]
    StockTooLarge {
        /// Maximum number of units on hand.
        max: i64,
    },
    /// A character outside visible ASCII in an idempotency key.
    #[error("Only visible ASCII characters are allowed.")]
    NotVisibleAscii,
    /// Characters that a username may not have.
    #[error("Only letters, digits and @ . + - _ are allowed.")]
    NotAUsername,
    /// Not an e-mail address.
    #[error("Enter an e-mail address.")]
    NotAnEmail,
    /// The password is on the list of common passwords.
    #[error("This password is too common.")]
    CommonPassword,
    /// The password is the username.
    #[error("The password may not be the username.")]
    PasswordIsUsername,
    /// The value is not the current password.
    #[error("This is not the current password.")]
    WrongPassword,
}

/// The name of a field in the API; [`NON_FIELD`] for the request as a whole.
pub type FieldName = &'static str;

/// The name under which errors of the whole request are listed.
pub const NON_FIELD: FieldName = "non_field_errors";

/// Validation errors of a request, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValidationErrors(Vec<(FieldName, FieldError)>);

impl ValidationErrors {
    /// A list with one entry.
    #[must_use]
    pub fn new(field: FieldName, problem: FieldError) -> Self {
        Self(vec![(field, problem)])
    }

    /// Adds an entry.
    pub fn push(&mut self, field: FieldName, problem: FieldError) {
        self.0.push((field, problem));
    }

    /// Returns a valid value; records the error of an invalid one.
    pub fn keep<T>(&mut self, field: FieldName, value: Result<T, FieldError>) -> Option<T> {
        value.map_err(|problem| self.push(field, problem)).ok()
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = (FieldName, &FieldError)> {
        self.0.iter().map(|(field, problem)| (*field, problem))
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (field, problem)) in self.0.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{field}: {problem}")?;
        }
        Ok(())
    }
}
