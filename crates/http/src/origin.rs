//! Where a request came from, and which address of this server it was sent to.
//!
//! What a proxy says about it (`X-Forwarded-For`, `-Proto`, `-Host`) is believed only if the
//! connection is from a trusted proxy: anybody can write these headers.

use actix_web::dev::RequestHead;
use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The ends of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// Whether the client came over TLS, which ends at the proxy.
    https: bool,
    /// The host that the client asked for, with its port if it named one.
    host: &'a str,
    /// The client's address; `None` if nobody can tell.
    pub(crate) client: Option<IpAddr>,
}

impl<'a> Origin<'a> {
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

    /// Whether the host is one of these (in lower case; `None` for any), and is a host at all.
    pub(crate) fn is_for(&self, hosts: Option<&[String]>) -> bool {
        let Some(name) = host_name(self.host) else {
            return false;
        };
        hosts.is_none_or(|hosts| hosts.iter().any(|host| host.eq_ignore_ascii_case(name)))
    }

    /// The host as it may be logged: a client may send anything of any length.
    pub(crate) fn shown_host(&self) -> String {
        self.host.chars().take(100).collect()
    }

    /// Scheme and host, for absolute links.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.host)
    }
}

/// Whether a proxy forwarded the request and no trusted one says for which client: its address is
/// not known then, and the peer's is not the client's.
pub(crate) fn is_via_untrusted_proxy(head: &RequestHead, trusted: &[IpNet]) -> bool {
    let peer = head.peer_addr.map(|peer| peer.ip().to_canonical());
    let known = peer.is_some_and(|peer| trusted.iter().any(|net| net.contains(&peer)));
    let named = known && head.headers().contains_key(&FORWARDED_FOR);
    !named && head.headers().keys().any(is_forwarding)
}

/// Whether a header is one that proxies add, of a standard (`Forwarded`, `Via`, `CDN-Loop`) or of a
/// product: `X-Forwarded-*`, `X-Real-IP`, `CF-Connecting-IP`, `True-Client-IP`,
/// `X-Cluster-Client-IP`, `X-Envoy-External-Address`, `X-Azure-ClientIP`, `X-Original-Forwarded-For`
/// and so on. No monitoring system sends one of its own accord.
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

/// The `Host`, which is no list: somebody else on the way may have taken another one of two. Empty
/// if there is none; `None` if there are several.
fn one_host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST);
    let host = hosts.next().map_or(Ok(""), |host| host.to_str());
    host.ok().filter(|_| hosts.next().is_none())
}

/// The last entry of a list that each proxy adds to: what the trusted peer itself says. Whatever
/// stands before it came from whoever is in front of that peer.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get_all(name).last()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

/// The nearest address that is not a trusted proxy's own: the peer's if no proxy says anything,
/// nobody's if one says what is no address.
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

/// An address, as proxies write it: some add the port.
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

/// The name in `name`, `name:port`, `[v6]` or `[v6]:port`; `None` if it is none of them.
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
    // A number with a sign would be one as well.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = digits && port.parse::<u16>().is_ok();
    (named && numbered).then_some(name)
}

/// A host as it stands in a setting, in the form that requests are compared with.
pub(crate) fn setting(host: &str) -> String {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .to_ascii_lowercase()
}

/// The address under which clients reach the shop, when it is not what they ask for: `https://`
/// or `http://`, a host, and a path if the shop does not live at its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// Not an address under which a shop can be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an http or https URL without query is needed, such as https://shop.example.org")]
pub struct NotAPublicUrl;

impl PublicUrl {
    /// Reads the address; slashes at its end make no difference.
    ///
    /// # Errors
    /// [`NotAPublicUrl`].
    pub fn parse(text: &str) -> Result<Self, NotAPublicUrl> {
        let url: Uri = text.parse().map_err(|_| NotAPublicUrl)?;
        let web = matches!(url.scheme_str(), Some("http" | "https"));
        let host = url.authority().and_then(|a| host_name(a.as_str()));
        // It stands in links and in pages, as it is.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
        let path = url.path().bytes().all(plain);
        if web && host.is_some() && path && url.query().is_none() && !text.contains('#') {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(NotAPublicUrl)
        }
    }

    /// The address, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, without the port: one that requests may ask for.
    #[must_use]
    pub fn host(&self) -> &str {
        host_name(self.parts().0).unwrap_or_default()
    }

    /// The path below which the shop lives, without a slash at its end; empty at the root.
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
#[path = "origin_tests.rs"]
mod tests;
