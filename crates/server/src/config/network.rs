//! Parsers of the network settings: hosts, origins, networks and URLs.

use super::setting::{Setting, WrongSetting};
use std::net::{IpAddr, Ipv6Addr};
use tradepost_http::{IpNet, PublicUrl};

pub(super) fn public_url(setting: Setting<'_>) -> Result<PublicUrl, WrongSetting> {
    PublicUrl::parse(setting.value()).map_err(|wrong| setting.wrong(wrong))
}

pub(super) fn host_to_listen_on(setting: Setting<'_>) -> Result<String, WrongSetting> {
    let host = host_and_port(setting.value()).map(|(host, _)| host.to_owned());
    host.ok_or_else(|| setting.wrong("has to be HOST:PORT, such as 127.0.0.1:8000 or [::1]:8000"))
}

/// Parses `name:port`, `1.2.3.4:port` or `[v6]:port`; returns the host without brackets.
pub(super) fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let plain = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|_| plain)?;
    match host.strip_prefix('[') {
        Some(rest) => {
            let host = rest.strip_suffix(']')?;
            host.parse::<Ipv6Addr>().ok().map(|_| (host, port))
        }
        None => is_name(host).then_some((host, port)),
    }
}

/// Whether a text is a valid host name or IPv4 address.
fn is_name(host: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !host.is_empty() && host.bytes().all(inside)
}

pub(super) fn hosts(setting: Setting<'_>) -> Result<Vec<String>, WrongSetting> {
    setting.list("host names without ports, or *", |host| {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let v6 = bare.unwrap_or(host).parse::<Ipv6Addr>().is_ok();
        (host == "*" || v6 || is_name(host)).then(|| host.to_owned())
    })
}

/// Default allowed hosts: loopback names, the listen address, and the host of the public URL.
pub(super) fn default_hosts(listened_on: &str, public_url: Option<&PublicUrl>) -> Vec<String> {
    let mut hosts = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    hosts.push(listened_on.to_owned());
    hosts.extend(public_url.map(|url| url.host().to_owned()));
    hosts
}

pub(super) fn origins(setting: Setting<'_>) -> Result<Vec<String>, WrongSetting> {
    let entries = "origins such as https://shop.example.org, without a path, or *";
    setting.list(entries, |origin| {
        // Browsers send origins in lower case and compare them byte by byte.
        (origin == "*" || is_origin(origin)).then(|| origin.to_ascii_lowercase())
    })
}

/// Whether a text is an origin (RFC 6454): scheme, host and port. Native front ends have schemes of
/// their own, such as `capacitor://localhost`.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_host =
        !authority.contains('/') && PublicUrl::parse(&format!("http://{authority}")).is_ok();
    is_scheme && is_host
}

pub(super) fn networks(setting: Setting<'_>) -> Result<Vec<IpNet>, WrongSetting> {
    let entries = "IP addresses or networks such as 10.0.0.0/8";
    setting.list(entries, |network| {
        let address = || network.parse::<IpAddr>().map(IpNet::from);
        network.parse::<IpNet>().or_else(|_| address()).ok()
    })
}
