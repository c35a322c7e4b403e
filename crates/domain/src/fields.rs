//! What can be wrong with a field of a request, and the list of all that is wrong.

use std::fmt;

/// Why a field was refused. Its text is a sentence for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The field has to be there.
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
        /// What was expected, with its article.
        expected: &'static str,
    },
    /// Neither true nor false.
    #[error("Expected true or false.")]
    NotABoolean,
    /// A key that this API does not take, where ignoring it would change the order.
    #[error("This is not a field here: {instead}.")]
    UseInstead {
        /// What to send in its place, as the end of a sentence.
        instead: &'static str,
    },
    /// Too many characters.
    #[error("At most {max} characters are allowed.")]
    TooLong {
        /// The most characters allowed.
        max: usize,
    },
    /// Too few characters.
    #[error("At least {min} characters are needed.")]
    TooShort {
        /// The fewest characters allowed.
        min: usize,
    },
    /// NUL or another control character that no text has.
    #[error("Control characters are not allowed.")]
    ControlCharacter,
    /// Not a whole number.
    #[error("A whole number is required.")]
    NotAnInteger,
    /// Outside its range.
    #[error("Must be from {min} to {max}.")]
    OutOfRange {
        /// The least allowed.
        min: i64,
        /// The most allowed.
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
    /// More money than can be written down.
    #[error("The amount is too large.")]
    AmountTooLarge,
    /// A price with too many digits.
    #[error("At most {} digits are allowed.", crate::Price::DIGITS)]
    TooManyDigits,
    /// A price of nothing, or less.
    #[error("Must be greater than 0.")]
    NotPositive,
    /// A price in another currency than the shop's.
    #[error("The shop's currency is {0}.")]
    OtherCurrency(crate::Currency),
    /// One of a fixed set is due.
    #[error("Must be one of: {}.", .allowed.join(", "))]
    NotOneOf {
        /// The set.
        allowed: Vec<&'static str>,
    },
    /// Less than nothing.
    #[error("May not be negative.")]
    Negative,
    /// Something was named that was named before.
    #[error("Each may be named once.")]
    Repeated,
    /// Too many words.
    #[error("At most {max} words are allowed.")]
    TooManyWords {
        /// The most words allowed.
        max: usize,
    },
    /// Not a time with its zone.
    #[error("Enter a time as in RFC 3339, such as 2026-01-31T12:00:00Z.")]
    NotATime,
    /// An order in which a list cannot be read by cursor.
    #[error("With a cursor, lists are ordered by one of: {}.", .allowed.join(", "))]
    NotByOneField {
        /// The fields.
        allowed: Vec<&'static str>,
    },
    /// A cursor that was not given out for this list.
    #[error("This is no cursor of this list in this order.")]
    NotACursor,
    /// A page's number beside a cursor.
    #[error("A list is read by page or by cursor, not by both.")]
    PageAndCursor,
    /// The product is not there, or no longer sold.
    #[error("There is no such product.")]
    UnknownProduct,
    /// A cart line cannot become a line of another product.
    #[error("The product of a cart line cannot be changed.")]
    OtherProduct,
    /// The line would hold more than a line may.
    #[error("A cart line holds at most {max} units; this one has {held}.")]
    LineTooLarge {
        /// The most units.
        max: u32,
        /// What the line holds now.
        held: u32,
    },
    /// Something else has this value already.
    #[error("This is already taken.")]
    Taken,
    /// A username that looks like one of another account.
    #[error("This looks too much like a name that is already taken.")]
    TooSimilar,
    /// The stock would be more than can be counted.
    #[error("The stock would be more than {max}.")]
    StockTooLarge {
        /// The most units on hand.
        max: i64,
    },
    /// A character that an idempotency key may not have.
    #[error("Only visible ASCII characters are allowed.")]
    NotVisibleAscii,
    /// Letters that a username may not have.
    #[error("Only letters, digits and @ . + - _ are allowed.")]
    NotAUsername,
    /// Not an e-mail address.
    #[error("Enter an e-mail address.")]
    NotAnEmail,
    /// On the list of common passwords.
    #[error("This password is too common.")]
    CommonPassword,
    /// The password is the username.
    #[error("The password may not be the username.")]
    PasswordIsUsername,
    /// Another password than the current one.
    #[error("This is not the current password.")]
    WrongPassword,
}

/// The name of a field as clients know it; [`NON_FIELD`] for the request as a whole.
pub type FieldName = &'static str;

/// The name under which problems of the whole request are listed.
pub const NON_FIELD: FieldName = "non_field_errors";

/// All that is wrong with a request, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(FieldName, Problem)>);

impl FieldErrors {
    /// A list with one entry.
    #[must_use]
    pub fn of(field: FieldName, problem: Problem) -> Self {
        Self(vec![(field, problem)])
    }

    /// Adds an entry.
    pub fn push(&mut self, field: FieldName, problem: Problem) {
        self.0.push((field, problem));
    }

    /// Keeps a good value; notes what is wrong with a bad one.
    pub fn keep<T>(&mut self, field: FieldName, value: Result<T, Problem>) -> Option<T> {
        value.map_err(|problem| self.push(field, problem)).ok()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = (FieldName, &Problem)> {
        self.0.iter().map(|(field, problem)| (*field, problem))
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (field, problem)) in self.0.iter().enumerate() {
            let space = if at == 0 { "" } else { " " };
            write!(f, "{space}{field}: {problem}")?;
        }
        Ok(())
    }
}
