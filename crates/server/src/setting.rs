//! One setting: its name, its value, and what it may be.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A setting that cannot be what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value:?}, but {allowed}.")]
pub(crate) struct WrongSetting {
    setting: String,
    value: String,
    allowed: String,
}

/// A setting with the value that it was given.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    name: Name<'a>,
    value: &'a str,
}

#[derive(Clone, Copy)]
enum Name<'a> {
    /// An option, without its dashes, and the variable that goes with it.
    Option(&'a str),
    /// A variable alone.
    Variable(&'a str),
}

impl<'a> Setting<'a> {
    /// The setting with this option, such as `page-size`.
    pub(crate) fn new(option: &'a str, value: &'a str) -> Self {
        let name = Name::Option(option);
        Self { name, value }
    }

    /// A setting that is a variable of the environment and no more.
    pub(crate) fn variable(name: &'a str, value: &'a str) -> Self {
        let name = Name::Variable(name);
        Self { name, value }
    }

    /// What it was set to.
    pub(crate) fn value(self) -> &'a str {
        self.value
    }

    /// What is said about a value that is not allowed; `allowed` begins with "has to be" or so.
    pub(crate) fn wrong(self, allowed: impl Display) -> WrongSetting {
        WrongSetting {
            setting: self.name.to_string(),
            value: without_secrets(self.value),
            allowed: allowed.to_string(),
        }
    }

    /// A whole number in a range.
    pub(crate) fn number<N: FromStr + PartialOrd + Display>(
        self,
        range: RangeInclusive<N>,
    ) -> Result<N, WrongSetting> {
        // `parse` takes a sign as well, which nobody means.
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

    /// A list whose entries stand between commas. `entries` says what they have to be.
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

/// A value as it may be shown: the URL of a database can have a password in it.
fn without_secrets(value: &str) -> String {
    if !value.contains('@') && !value.contains("password") {
        return value.to_owned();
    }
    let shown = value.split_once('?').map_or(value, |(shown, _)| shown);
    let scheme = shown.split_once("//").map_or("", |(scheme, _)| scheme);
    let host = shown.rsplit_once('@').map_or("", |(_, host)| host);
    format!("{scheme}//...{host}")
}
