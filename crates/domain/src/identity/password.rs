//! Passwords: validation and normalisation before hashing.

use crate::identity::{LoginName, Username};
use crate::kernel::{FieldError, fold_case};
use std::borrow::Cow;
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// The normalised form in which a password is hashed and compared, so that every keyboard gives the
/// same: the mappings of the PRECIS profile OpaqueString (RFC 8265, 4.2), which are NFC, and an
/// ordinary space for every other space character. It rejects nothing.
fn opaque(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let spaces = text.chars().map(|character| match character {
        // Zs, without the ordinary space.
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        other => other,
    });
    Cow::Owned(spaces.nfc().collect())
}

/// A valid, normalised password. It never appears in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Minimum length in characters.
    pub const MIN: usize = 8;
    /// Maximum length in characters.
    pub const MAX: usize = 128;

    /// Validates a new password: its length, the list of common passwords, and that it is not the
    /// username.
    ///
    /// # Errors
    /// The [`FieldError`] with it.
    pub fn new(text: &str, username: Option<&Username>) -> Result<Self, FieldError> {
        let text = opaque(text);
        let length = text.chars().count();
        let folded = fold_case(&text);
        if text.is_empty() {
            Err(FieldError::Blank)
        } else if text.contains('\0') {
            Err(FieldError::ControlCharacter)
        } else if length < Self::MIN {
            Err(FieldError::TooShort { min: Self::MIN })
        } else if length > Self::MAX {
            Err(FieldError::TooLong { max: Self::MAX })
        } else if username.is_some_and(|username| is_name(&text, username)) {
            Err(FieldError::PasswordIsUsername)
        } else if is_common(&folded) {
            Err(FieldError::CommonPassword)
        } else {
            Ok(Self(text.into_owned()))
        }
    }

    /// The plaintext, for hashing only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text is normalised as passwords are before hashing.
    #[must_use]
    pub fn is_normalised(text: &str) -> bool {
        opaque(text) == text
    }

    /// The forms of a typed password that the stored hash may be of: normalised, and as typed if
    /// that differs. Hashes that predate normalisation, and imported ones, are of the latter.
    pub fn hashed_forms(typed: &str) -> impl Iterator<Item = Cow<'_, str>> {
        let normalised = opaque(typed);
        let differs = normalised != typed;
        std::iter::once(normalised).chain(differs.then_some(Cow::Borrowed(typed)))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Whether a text is another spelling of a username.
fn is_name(text: &str, username: &Username) -> bool {
    LoginName::new(text).attempt_key() == LoginName::from(username).attempt_key()
}

/// Whether a case-folded password is on the list of common passwords: those of eight characters and
/// more among the 20,000 most frequent in known leaks, as collected by Royce Williams and used by
/// Django's password validation. The list is sorted.
fn is_common(folded: &str) -> bool {
    const COMMON: &str = include_str!("common_passwords.txt");
    static LIST: std::sync::LazyLock<Vec<&str>> =
        std::sync::LazyLock::new(|| COMMON.lines().collect());
    LIST.binary_search(&folded).is_ok()
}

/// A password hash. It never appears in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The hash with this text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Its text, for storage and verification.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}
