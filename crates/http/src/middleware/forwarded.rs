//! Forwarded request information: scheme, host and client IP.
//!
//! `X-Forwarded-For`, `-Proto` and `-Host` are trusted only if the connection comes from a trusted
//! proxy: any client can write these headers.

use actix_web::dev::RequestHead;
use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Scheme, host and client address of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForwardedInfo<'a> {
    /// Whether the client used TLS, which is terminated at the proxy.
    https: bool,
    /// The host of the request, with its port if the client named one.
    host: &'a str,
    /// The client IP; `None` if it is unknown.
    pub(crate) client: Option<IpAddr>,
}

impl<'a> ForwardedInfo<'a> {
    pub(crate) fn of(head: &'a RequestHead, trusted: &[IpNet]) -> Self {
        let headers = head.headers();
        let peer = head.peer_addr.map(|peer| peer.ip().to_canonical());
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        let asked = one_host(headers);
        let host = |forwarded: Option<&'a str>| match (asked, head.uri.authority()) {
            (Some(asked), authority) => {
                forwarded.unwrap_or_else(|| authority.map_or(asked, |known| known.as_str()))
            }
            (None, _) => "",
        };
        if !peer.as_ref().is_some_and(is_trusted) {
            return Self {
                https: false,
                host: host(None),
                client: peer,
            };
        }
        Self {
            https: last(headers, &FORWARDED_PROTO)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
            host: host(last(headers, &FORWARDED_HOST)),
            client: forwarded_for(headers, is_trusted, peer),
        }
    }

    /// Whether the host is valid and one of these (in lower case; `None` for any).
    pub(crate) fn is_for(&self, hosts: Option<&[String]>) -> bool {
        let Some(name) = host_name(self.host) else {
            return false;
        };
        hosts.is_none_or(|hosts| hosts.iter().any(|host| host.eq_ignore_ascii_case(name)))
    }

    /// The host as it may be logged: clients may send any text of any length.
    pub(crate) fn shown_host(&self) -> String {
        self.host.chars().take(100).collect()
    }

    /// Scheme and host, for absolute links.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }
}

/// Whether a proxy forwarded the request and no trusted proxy vouches for the client IP: the client
/// IP is unknown then, and the peer is not the client.
pub(crate) fn is_via_untrusted_proxy(head: &RequestHead, trusted: &[IpNet]) -> bool {
    let peer = head.peer_addr.map(|peer| peer.ip().to_canonical());
    let known = peer.is_some_and(|peer| trusted.iter().any(|net| net.contains(&peer)));
    let named = known && head.headers().contains_key(&FORWARDED_FOR);
    !named && head.headers().keys().any(is_forwarding)
}

/// Whether a header is one that proxies add, of a standard (`Forwarded`, `Via`, `CDN-Loop`) or of a
/// product: `X-Forwarded-*`, `X-Real-IP`, `CF-Connecting-IP`, `True-Client-IP`,
/// `X-Cluster-Client-IP`, `X-Envoy-External-Address`, `X-Azure-ClientIP`,
/// `X-Original-Forwarded-For` and so on. No monitoring system sends one on its own.
fn is_forwarding(name: &HeaderName) -> bool {
    const NAMES: [&str; 3] = ["via", "cdn-loop", "x-varnish"];
    const STARTS: [&str; 5] = ["cf-", "x-envoy-", "x-amz-cf-", "x-azure-", "x-original-"];
    const PARTS: [&str; 9] = [
        "forwarded",
        "client-ip",
        "clientip",
        "connecting-ip",
        "real-ip",
        "remote-ip",
        "remote-addr",
        "user-ip",
        "proxied",
    ];
    let name = name.as_str();
    NAMES.contains(&name)
        || STARTS.iter().any(|start| name.starts_with(start))
        || PARTS.iter().any(|part| name.contains(part))
}

/// The `Host` header, which is no list: of several, a proxy may have read another one than this
/// server would. Empty without the header; `None` if there are several.
fn one_host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST);
    let host = hosts.next().map_or(Ok(""), |host| host.to_str());
    host.ok().filter(|_| hosts.next().is_none())
}

/// The last entry of a list that each proxy appends to: the one that the trusted peer wrote. The
/// entries before it came from the client of that peer, and are not trusted.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get_all(name).last()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

/// Right-most untrusted entry of `X-Forwarded-For`; the peer address without the header; `None` if
/// an entry does not parse.
fn forwarded_for(
    headers: &HeaderMap,
    is_trusted: impl Fn(&IpAddr) -> bool,
    peer: Option<IpAddr>,
) -> Option<IpAddr> {
    let lists: Vec<&[u8]> = headers
        .get_all(&FORWARDED_FOR)
        .map(HeaderValue::as_bytes)
        .collect();
    let mut nearest = peer;
    for entry in lists.iter().rev().flat_map(|list| list.rsplit(is_comma)) {
        let address = address(entry)?;
        nearest = Some(address);
        if !is_trusted(&address) {
            break;
        }
    }
    nearest
}

fn is_comma(byte: &u8) -> bool {
    *byte == b','
}

/// Parses an address as proxies write it: some append the port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare.parse().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// The name in `name`, `name:port`, `[v6]` or `[v6]:port`; `None` for any other text.
fn host_name(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (
                address,
                rest.strip_prefix(':').or(rest.is_empty().then_some("0")),
            )
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("0")),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
    let named = !name.is_empty() && name.bytes().all(plain);
    let port = port?;
    // `parse` alone would accept a number with a sign.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = digits && port.parse::<u16>().is_ok();
    (named && numbered).then_some(name)
}

/// A host from a setting, in the form that the hosts of requests are compared with.
pub(crate) fn setting(host: &str) -> String {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .to_ascii_lowercase()
}

/// Public base URL of the API, when it differs from the one that requests name: `https://` or
/// `http://`, a host, and a path if the API is not at the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// The error of [`PublicUrl::parse`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an http or https URL without query is needed, such as https://shop.example.org")]
pub struct NotAPublicUrl;

impl PublicUrl {
    /// Parses the URL; trailing slashes are ignored.
    ///
    /// # Errors
    /// [`NotAPublicUrl`].
    pub fn parse(text: &str) -> Result<Self, NotAPublicUrl> {
        let url: Uri = text.parse().map_err(|_| NotAPublicUrl)?;
        let web = matches!(url.scheme_str(), Some("http" | "https"));
        let host = url.authority().and_then(|a| host_name(a.as_str()));
        // It is used in links and in pages without escaping.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
        let path = url.path().bytes().all(plain);
        if web && host.is_some() && path && url.query().is_none() && !text.contains('#') {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(NotAPublicUrl)
        }
    }

    /// The URL, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, without the port, which requests may name.
    #[must_use]
    pub fn host(&self) -> &str {
        host_name(self.parts().0).unwrap_or_default()
    }

    /// Its path, without a trailing slash; empty at the root.
    #[must_use]
    pub fn path(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        rest.split_at(rest.find('/').unwrap_or(rest.len()))
    }
}

#[cfg(test)]
#[path = "forwarded_tests.rs"]
mod tests;
