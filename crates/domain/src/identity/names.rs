//! Usernames and e-mail addresses: validation, normalisation and uniqueness.
//!
//! New usernames follow the PRECIS profile UsernameCasePreserved (RFC 8265, 3.4) within the
//! alphabet that Django allows. Usernames that predate this rule, and imported ones, stay valid:
//! see [`Username::existing`].

use crate::kernel::text::{fold_case, line};
use crate::kernel::{FieldError, Refusal, ValidationErrors};
use precis_profiles::UsernameCasePreserved;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

/// The text without leading and trailing white space and invisible characters. Characters that
/// Unicode classes as letters stay, as existing usernames can end with an invisible one (U+3164).
#[must_use]
pub fn trim_invisible(text: &str) -> &str {
    text.trim_matches(|character: char| {
        character.is_whitespace() || (is_ignorable(character) && !character.is_alphanumeric())
    })
}

/// The Unicode property `Default_Ignorable_Code_Point` (Unicode 16.0): invisible characters, among
/// them every bidirectional control.
fn is_ignorable(character: char) -> bool {
    matches!(
        u32::from(character),
        0xad | 0x34f
            | 0x61c
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x200b..=0x200f
            | 0x202a..=0x202e
            | 0x2060..=0x206f
            | 0x3164
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xfff0..=0xfff8
            | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff
    )
}

/// Folds case (Unicode) and compatibility characters (NFKC): spellings that differ in these alone
/// become equal.
fn fold_compatible(text: &str) -> String {
    fold_case(&text.nfkc().collect::<String>())
}

/// A username, for signing in. Unique regardless of case: see [`Username::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Username(String);

impl Username {
    /// Maximum length in characters.
    pub const MAX: usize = 150;

    /// Validates a username for a new account. Full-width and half-width letters become ordinary
    /// ones, and the name is normalised to NFC; its case is preserved.
    ///
    /// # Errors
    /// The [`FieldError`] with the text. [`FieldError::NotAUsername`] for characters that RFC 8264 does
    /// not allow in identifiers (invisible ones, ligatures, mathematical letters), and for a mix of
    /// directions that RFC 5893 does not allow.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let text = trim_invisible(text);
        if text.is_empty() {
            return Err(FieldError::Blank);
        }
        if text.chars().any(char::is_control) {
            return Err(FieldError::ControlCharacter);
        }
        // Bounds the work on a long text: no four characters compose to less than one.
        if text.chars().nth(Self::MAX * 4).is_some() {
            return Err(FieldError::TooLong { max: Self::MAX });
        }
        let name = UsernameCasePreserved::enforce(text).map_err(|_| FieldError::NotAUsername)?;
        Self::existing(&name)
    }

    /// Validates the username of an existing or imported account, by the rules under which it was
    /// accepted.
    ///
    /// # Errors
    /// The [`FieldError`] with the text.
    pub fn existing(text: &str) -> Result<Self, FieldError> {
        let text = line(text, Self::MAX)?;
        let allowed = |character: char| character.is_alphanumeric() || "@.+-_".contains(character);
        if text.chars().all(allowed) {
            Ok(Self(text))
        } else {
            Err(FieldError::NotAUsername)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Unique key: the case-folded username.
    #[must_use]
    pub fn key(&self) -> String {
        fold_case(&self.0)
    }

    /// Confusable skeleton (UTS 39), regardless of case: names that look alike have the same
    /// skeleton. `I`, `i`, `l` and `1` are equal, as a username is shown in the case that its user
    /// chose.
    #[must_use]
    pub fn skeleton(&self) -> String {
        // First in the displayed case, as capitals look like other letters than small ones do; then
        // again for the small letters of prototypes that are capitals.
        let shown: String = self.0.nfkc().collect();
        let folded = fold_case(&skeleton(&shown).collect::<String>());
        skeleton(&folded)
            .map(|character| if character == 'i' { 'l' } else { character })
            .collect()
    }

    /// The [`Email::key`] of this username, if it is an e-mail address.
    #[must_use]
    pub fn as_email_key(&self) -> Option<String> {
        self.0.contains('@').then(|| fold_compatible(&self.0))
    }
}

impl FromStr for Username {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::new(text)
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A username as typed at sign-in. Any text is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginName {
    exact: String,
    compatible: String,
}

impl LoginName {
    /// Parses the typed text; never fails.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = trim_invisible(text);
        Self {
            exact: fold_case(text),
            compatible: fold_compatible(text),
        }
    }

    /// The candidate values of [`Username::key`] in lookup order: first the key of an existing
    /// username, then that of a new one.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let other = Some(&*self.compatible).filter(|key| *key != self.exact);
        std::iter::once(&*self.exact).chain(other)
    }

    /// The throttling key of the account: equal for every spelling that finds the same account, so
    /// that another spelling cannot bypass the limit.
    #[must_use]
    pub fn attempt_key(&self) -> String {
        // Folded again, as folded letters may compose to others.
        fold_compatible(&self.compatible)
    }
}

impl From<&Username> for LoginName {
    fn from(username: &Username) -> Self {
        Self::new(username.as_str())
    }
}

/// An e-mail address. Unique regardless of case: see [`Email::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Email(String);

impl Email {
    /// Maximum length in characters.
    pub const MAX: usize = 254;

    /// Validates a new address; normalises it to NFC (RFC 6532, 3.1).
    ///
    /// # Errors
    /// The [`FieldError`] with the text: also for invisible characters and bidirectional controls.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        let text = trim_invisible(text);
        let address = Self::existing(&text.nfc().collect::<String>())?;
        if address.0.chars().any(is_ignorable) {
            return Err(FieldError::NotAnEmail);
        }
        Ok(address)
    }

    /// Validates the address of an existing or imported account. Rejects only texts that cannot be
    /// an address (RFC 5321: 254 characters in all, 64 before the at sign); whether mail arrives is
    /// not checked.
    ///
    /// # Errors
    /// The [`FieldError`] with the text.
    pub fn existing(text: &str) -> Result<Self, FieldError> {
        let text = line(text, Self::MAX)?;
        let plausible = text.rsplit_once('@').is_some_and(|(local, domain)| {
            let labels = domain.split('.').count();
            let filled = domain.split('.').all(|label| {
                let inside = |c: char| c.is_alphanumeric() || c == '-';
                !label.is_empty() && label.chars().all(inside)
            });
            !local.is_empty()
                && local.len() <= 64
                && !local
                    .chars()
                    .any(|c| c.is_whitespace() || "@,;:<>()[]\\\"".contains(c))
                && labels >= 2
                && filled
        });
        if plausible {
            Ok(Self(text))
        } else {
            Err(FieldError::NotAnEmail)
        }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Unique key: the address in NFKC, case-folded.
    #[must_use]
    pub fn key(&self) -> String {
        fold_compatible(&self.0)
    }

    /// The values of [`Username::key`] of usernames that equal this address.
    #[must_use]
    pub fn as_username_keys(&self) -> [String; 2] {
        [self.key(), fold_case(&self.0)]
    }
}

impl FromStr for Email {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        Self::new(text)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Conflicts of requested names with those of other accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NameConflicts {
    /// Another account has a username with the same [`Username::key`].
    pub username: bool,
    /// Another account has a username with the same [`Username::skeleton`].
    pub similar_username: bool,
    /// Another account has the username as its e-mail address ([`Username::as_email_key`]).
    pub username_is_email: bool,
    /// Another account has the same [`Email::key`].
    pub email: bool,
    /// Another account has the address as its username ([`Email::as_username_keys`]).
    pub email_is_username: bool,
}

/// Decides whether the requested names are free. An account may have its own address as its
/// username.
///
/// # Errors
/// [`Refusal::Invalid`] naming the fields.
pub fn decide_names(conflicts: NameConflicts) -> Result<(), Refusal> {
    let mut errors = ValidationErrors::default();
    if conflicts.username || conflicts.username_is_email {
        errors.push("username", FieldError::Taken);
    } else if conflicts.similar_username {
        errors.push("username", FieldError::TooSimilar);
    }
    if conflicts.email || conflicts.email_is_username {
        errors.push("email", FieldError::Taken);
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Invalid(errors))
    }
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
