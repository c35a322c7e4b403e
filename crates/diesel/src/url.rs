//! Database URLs: the scheme chooses the backend.

use std::fmt;
use std::path::{Path, PathBuf};

/// URL of the shop's database.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://PATH` is relative, `sqlite:///PATH` absolute.
    Sqlite(PathBuf),
    /// `postgres://` or `postgresql://`, passed on unchanged.
    Postgres(String),
}

/// Why a URL is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// An unsupported scheme.
    #[error("its scheme has to be sqlite, postgres or postgresql")]
    Scheme,
    /// The URL names no file.
    #[error(
        "it names no file: sqlite://PATH is relative to the current folder, sqlite:///PATH is absolute"
    )]
    NoPath,
    /// Unescaped, a question mark in the password is parsed differently by different readers of the
    /// URL.
    #[error("a ? in its user name or password has to be written as %3F")]
    QuestionMark,
    /// An in-memory database is a separate one for each connection.
    #[error("a shop cannot be kept in memory: name a file, as in sqlite://data/tradepost.db")]
    InMemory,
}

impl DatabaseUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once(':').ok_or(UrlError::Scheme)?;
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => match rest.strip_prefix("//").unwrap_or(rest) {
                ":memory:" => Err(UrlError::InMemory),
                "" | "/" => Err(UrlError::NoPath),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            },
            "postgres" | "postgresql" if has_question_mark(rest) => Err(UrlError::QuestionMark),
            "postgres" | "postgresql" => Ok(Self::Postgres(format!("postgres:{rest}"))),
            _ => Err(UrlError::Scheme),
        }
    }

    /// The URL of an SQLite file.
    #[must_use]
    pub fn sqlite(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }

    /// The URL with its password, only for connecting.
    #[cfg(feature = "postgres")]
    pub(crate) fn secret(&self) -> String {
        match self {
            Self::Sqlite(_) => self.to_string(),
            Self::Postgres(url) => url.clone(),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// The URL without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a question mark is in the part that libpq parses as user and password: everything before
/// an `@` that comes before any slash.
fn has_question_mark(rest: &str) -> bool {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let host = rest.split('/').next().unwrap_or_default();
    host.rsplit_once('@')
        .is_some_and(|(user, _)| user.contains('?'))
}

/// Removes everything between the user's name and the host, and every parameter, as any of these
/// can be a password.
fn without_password(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(url, _)| url);
    match url.rsplit_once('@') {
        Some((before, host)) => {
            let (scheme, user) = before.split_once("//").unwrap_or(("postgres:", before));
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            format!("{scheme}//{user}@{host}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_urls_are_parsed_or_rejected() {
        let file = |path: &str| Ok(DatabaseUrl::Sqlite(PathBuf::from(path)));
        for (url, expected) in [
            ("sqlite://data/tradepost.db", file("data/tradepost.db")),
            ("sqlite:///var/lib/shop.db", file("/var/lib/shop.db")),
            ("sqlite:shop.db", file("shop.db")),
            ("SQLite://shop.db", file("shop.db")),
            ("sqlite://", Err(UrlError::NoPath)),
            ("sqlite://:memory:", Err(UrlError::InMemory)),
            ("sqlite::memory:", Err(UrlError::InMemory)),
            ("mysql://localhost/shop", Err(UrlError::Scheme)),
            ("postgres://u:pa?ss@h/db", Err(UrlError::QuestionMark)),
            ("postgresql:u?:pass@h", Err(UrlError::QuestionMark)),
            ("postgres://u:p@ss?@h/db", Err(UrlError::QuestionMark)),
            ("shop.db", Err(UrlError::Scheme)),
            ("", Err(UrlError::Scheme)),
        ] {
            assert_eq!(DatabaseUrl::parse(url), expected, "{url}");
        }
        assert_eq!(
            DatabaseUrl::parse("postgres://h/d"),
            DatabaseUrl::parse("postgresql://h/d")
        );
    }

    #[test]
    fn a_password_does_not_show() {
        for (url, shown) in [
            (
                "postgres://ada:secret@db:5432/shop",
                "postgres://ada@db:5432/shop",
            ),
            ("postgres://ada:se@cret@db/shop", "postgres://ada@db/shop"),
            ("postgres://ada:se%3Fcret@db/shop", "postgres://ada@db/shop"),
            (
                "postgres://db/shop?user=ada@east&password=secret",
                "postgres://db/shop",
            ),
            (
                "postgres://db/shop?user=ada&password=secret",
                "postgres://db/shop",
            ),
        ] {
            let url = DatabaseUrl::parse(url).unwrap();
            assert_eq!(
                (url.to_string(), format!("{url:?}")),
                (shown.to_owned(), shown.to_owned())
            );
        }
    }
}
