//! One setting: its name, its value, and its validation.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// An invalid setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value:?}, but {allowed}.")]
pub(crate) struct WrongSetting {
    setting: String,
    value: String,
    allowed: String,
}

/// A setting with its raw value.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    name: Name<'a>,
    value: &'a str,
}

#[derive(Clone, Copy)]
enum Name<'a> {
    /// A command-line option, without its dashes, which has an environment variable as well.
    Option(&'a str),
    /// A setting that exists only as an environment variable.
    Variable(&'a str),
}

impl<'a> Setting<'a> {
    /// The setting of this option, such as `page-size`.
    pub(crate) fn new(option: &'a str, value: &'a str) -> Self {
        let name = Name::Option(option);
        Self { name, value }
    }

    /// A setting that exists only as an environment variable.
    pub(crate) fn variable(name: &'a str, value: &'a str) -> Self {
        let name = Name::Variable(name);
        Self { name, value }
    }

    /// The raw value.
    pub(crate) fn value(self) -> &'a str {
        self.value
    }

    /// The error for an invalid value; `allowed` begins with "has to be" or the like.
    pub(crate) fn wrong(self, allowed: impl Display) -> WrongSetting {
        WrongSetting {
            setting: self.name.to_string(),
            value: without_secrets(self.value),
            allowed: allowed.to_string(),
        }
    }

    /// An integer in a range.
    pub(crate) fn number<N: FromStr + PartialOrd + Display>(
        self,
        range: RangeInclusive<N>,
    ) -> Result<N, WrongSetting> {
        // `parse` also accepts a sign, which is not allowed here.
        let plain = self.value.bytes().all(|byte| byte.is_ascii_digit());
        let number = self.value.parse().ok();
        number
            .filter(|number| plain && range.contains(number))
            .ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                self.wrong(format_args!(
                    "has to be a whole number from {least} to {most}"
                ))
            })
    }

    /// A comma-separated list. `entries` describes the allowed entries in the error.
    pub(crate) fn list<T>(
        self,
        entries: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, WrongSetting> {
        let values = self.value.split(',').map(|entry| read(entry.trim()));
        values.collect::<Option<_>>().ok_or_else(|| {
            self.wrong(format_args!(
                "has to be a list of {entries}, separated by commas"
            ))
        })
    }
}

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Option("database") => f.write_str("--database (TRADEPOST_DATABASE_URL)"),
            Self::Option(option) => {
                let variable = option.to_uppercase().replace('-', "_");
                write!(f, "--{option} (TRADEPOST_{variable})")
            }
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// A value for display, redacted: the URL of a database can contain a password.
fn without_secrets(value: &str) -> String {
    if !value.contains('@') && !value.contains("password") {
        return value.to_owned();
    }
    let shown = value.split_once('?').map_or(value, |(shown, _)| shown);
    let scheme = shown.split_once("//").map_or("", |(scheme, _)| scheme);
    let host = shown.rsplit_once('@').map_or("", |(_, host)| host);
    format!("{scheme}//...{host}")
}
