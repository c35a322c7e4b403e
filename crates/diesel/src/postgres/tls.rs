//! TLS to PostgreSQL: trusted authorities, remote hosts without verification, and errors as
//! sentences that name the setting.

use super::connect::parameters;
use crate::{DatabaseUrl, OpenError};
use percent_encoding::percent_decode_str;
use std::fmt;
use std::net::IpAddr;

/// An environment variable; libpq reads parameters that a URL lacks from there.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The environment of this process.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How libpq protects a connection (`sslmode`), weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SslMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl SslMode {
    /// None for a text that libpq refuses.
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    /// The protection that an attacker between the two hosts does not meet.
    fn exposure(self) -> Option<&'static str> {
        match self {
            Self::Disable => Some("nothing is encrypted"),
            Self::Allow | Self::Prefer => {
                Some("a connection that cannot be encrypted goes on in the clear")
            }
            Self::Require => {
                Some("the connection is encrypted, but the server's certificate is not verified")
            }
            Self::VerifyCa => Some("the host name in the server's certificate is not verified"),
            Self::VerifyFull => None,
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        })
    }
}

/// The parameters of a connection as libpq finds them: the last of a name in the URL, or else its
/// environment variable.
struct Connection<'a> {
    url: &'a str,
    environment: Environment<'a>,
}

impl<'a> Connection<'a> {
    fn new(url: &'a str) -> Self {
        let environment = &environment;
        Self { url, environment }
    }

    /// A parameter, percent-decoded.
    fn parameter(&self, name: &str, variable: &str) -> Option<String> {
        let given = parameters(self.url).filter_map(|(given, value)| {
            // As JDBC writes it, which libpq understands too.
            let (given, value) = match (given, value) {
                ("ssl", "true") => ("sslmode", "require"),
                other => other,
            };
            (given == name).then(|| decoded(value))
        });
        given.last().or_else(|| (self.environment)(variable))
    }

    fn root_certificates(&self) -> Option<String> {
        self.parameter("sslrootcert", "PGSSLROOTCERT")
    }

    /// The mode, or the text that is none.
    fn mode(&self) -> Result<SslMode, String> {
        let trusts_system = || self.root_certificates().as_deref() == Some("system");
        match self.parameter("sslmode", "PGSSLMODE") {
            Some(text) => SslMode::parse(&text).ok_or(text),
            None if trusts_system() => Ok(SslMode::VerifyFull),
            None => Ok(SslMode::Prefer),
        }
    }

    /// The hosts that are connected to; an empty one is the default socket.
    fn hosts(&self) -> Vec<String> {
        let addresses = self.parameter("hostaddr", "PGHOSTADDR");
        let names = || {
            let in_parameters = self.parameter("host", "");
            let in_authority = || Some(authority(self.url)).filter(|hosts| !hosts.is_empty());
            in_parameters
                .or_else(in_authority)
                .or_else(|| (self.environment)("PGHOST"))
        };
        let hosts = addresses.or_else(names).unwrap_or_default();
        hosts.split(',').map(str::to_owned).collect()
    }

    fn remote_host(&self) -> Option<String> {
        self.hosts().into_iter().find(|host| is_remote(host))
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The hosts before the path of a URL, separated by commas and without ports, as libpq reads them:
/// user and password end at the first `@`.
fn authority(url: &str) -> String {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let before = rest.split('/').next().unwrap_or_default();
    let hosts = before.split_once('@').map_or(before, |(_, hosts)| hosts);
    let hosts = hosts.split('?').next().unwrap_or_default();
    let names = hosts.split(',').map(|host| {
        let name = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next(),
            None => host.split(':').next(),
        };
        decoded(name.unwrap_or_default())
    });
    names.collect::<Vec<_>>().join(",")
}

/// Whether a host is another machine: no socket, and no loopback address.
fn is_remote(host: &str) -> bool {
    let is_socket = host.is_empty() || host.starts_with(['/', '@']);
    let is_loopback = host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback());
    !is_socket && !is_loopback
}

/// A warning about a remote host whose certificate and name are not verified.
pub(crate) fn warning(url: &DatabaseUrl) -> Option<String> {
    warning_of(&Connection::new(&url.secret()))
}

fn warning_of(connection: &Connection<'_>) -> Option<String> {
    let host = connection.remote_host()?;
    let mode = connection.mode().ok()?;
    let exposure = mode.exposure()?;
    Some(format!(
        "--database leads to {host} with sslmode={mode}: {exposure}, and others in the network \
         between can read and change what is sent. Set sslmode=verify-full, with sslrootcert=FILE \
         if the authority of the certificate is not one of the system's."
    ))
}

/// Why no connection could be made, with advice if TLS is the reason.
pub(super) fn open_error(database: &str, url: &str, reason: String) -> OpenError {
    if reason.contains("SSL support is not compiled in") {
        return OpenError::NotBuiltIn { name: "tls" };
    }
    match advice(&Connection::new(url), &reason) {
        Some(advice) => OpenError::Tls {
            database: database.to_owned(),
            reason,
            advice,
        },
        None => OpenError::unusable(database, &reason),
    }
}

fn advice(connection: &Connection<'_>, reason: &str) -> Option<String> {
    let mode = connection.mode().unwrap_or(SslMode::Prefer);
    let roots = connection.root_certificates().unwrap_or_default();
    let says = |text: &str| reason.contains(text);
    Some(if says("invalid sslmode value") {
        "sslmode is one of disable, allow, prefer, require, verify-ca and verify-full".to_owned()
    } else if says("does not match host name") {
        format!(
            "sslmode={mode} takes a certificate for the host that --database names alone: name \
             the host as the certificate does, or give the server a certificate for this name"
        )
    } else if says("certificate verify failed") || says("signature failure") {
        // The second is that of an authority with the trusted one's name and another key.
        format!(
            "sslmode={mode} takes a certificate alone that is valid today and was issued by an \
             authority in sslrootcert ({roots}): renew the certificate, or name the file with its \
             authority in sslrootcert"
        )
    } else if says("root certificate file") {
        format!(
            "sslmode={mode} needs certificates of authorities in the file of sslrootcert; without \
             sslrootcert they are the system's, which the package ca-certificates has"
        )
    } else if says("does not support SSL") {
        format!(
            "sslmode={mode} demands encryption, and the server, or a proxy before it, refuses it: \
             set ssl = on there"
        )
    } else if says("channel binding") || says("SCRAM-SHA-256-PLUS") {
        "channel_binding=require demands TLS from this program to the server itself, without a \
         proxy that ends it, and a password under scram-sha-256"
            .to_owned()
    } else if says("no encryption") && matches!(mode, SslMode::Disable | SslMode::Allow) {
        format!(
            "sslmode={mode} connects in the clear, and the server takes encrypted connections \
             alone: set sslmode=verify-full"
        )
    } else if says("SSL error") || says("SSL SYSCALL error") || says("weak sslmode") {
        format!("It is sslmode={mode} and the parameters beside it that ask for this")
    } else {
        return None;
    })
}

#[cfg(feature = "tls")]
pub(super) use trust::{init, with_system_store};

/// Nothing to initialise without TLS.
#[cfg(not(feature = "tls"))]
pub(super) fn init() {}

/// Nothing to trust without TLS.
#[cfg(not(feature = "tls"))]
pub(super) fn with_system_store(url: String) -> String {
    url
}

#[cfg(feature = "tls")]
mod trust {
    use super::{Connection, SslMode};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use std::path::Path;

    /// Initialises OpenSSL without its exit handler, which would free what threads still use that
    /// run while the process ends.
    pub(crate) fn init() {
        openssl_sys::init();
    }

    /// Adds the system's certificates of authorities to a URL that verifies its server and names
    /// none, or `system`: the OpenSSL in this binary looks for them elsewhere.
    pub(crate) fn with_system_store(url: String) -> String {
        let store = openssl_probe::probe().cert_file;
        let added = store.and_then(|store| roots(&Connection::new(&url), &store));
        match added {
            Some(added) => {
                let separator = if url.contains('?') { '&' } else { '?' };
                format!("{url}{separator}{added}")
            }
            None => url,
        }
    }

    /// The parameters to add. The last of a name counts.
    pub(super) fn roots(connection: &Connection<'_>, store: &Path) -> Option<String> {
        let mode = connection.mode().ok()?;
        let wants_store = match connection.root_certificates().as_deref() {
            None => matches!(mode, SslMode::VerifyCa | SslMode::VerifyFull),
            // libpq refuses weaker modes.
            Some("system") => mode == SslMode::VerifyFull,
            Some(_) => false,
        };
        let store = utf8_percent_encode(store.to_str()?, NON_ALPHANUMERIC);
        wants_store.then(|| format!("sslmode={mode}&sslrootcert={store}"))
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
