//! Client networks: the unit by which requests of one client are counted.

use std::net::{IpAddr, Ipv6Addr};

/// Prefix length of the smallest network that providers assign to one IPv6 customer.
const SUBNET: u8 = 64;
/// Prefix length of the largest network that providers assign to one customer's site (RFC 6177).
const SITE: u8 = 48;

/// Client network: an IPv4 address, or the /64 network that one customer's IPv6 addresses share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientNetwork {
    address: IpAddr,
    /// Prefix length in bits.
    prefix: u8,
}

impl ClientNetwork {
    /// The network of an address. An IPv4-mapped IPv6 address counts as IPv4.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self {
                address: address.into(),
                prefix: 32,
            },
            IpAddr::V6(address) => Self::masked(address, SUBNET),
        }
    }

    fn masked(address: Ipv6Addr, prefix: u8) -> Self {
        let mask = u128::MAX << (128 - u32::from(prefix));
        Self {
            address: Ipv6Addr::from(u128::from(address) & mask).into(),
            prefix,
        }
    }

    /// The /48 network around an IPv6 network: one customer may have all 65,536 networks of it.
    /// `None` for IPv4.
    #[must_use]
    pub fn site(self) -> Option<Self> {
        match self.address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(Self::masked(address, SITE)),
        }
    }

    /// Whether this is a [`ClientNetwork::site`].
    #[must_use]
    pub fn is_site(self) -> bool {
        self.prefix == SITE
    }

    /// The address, or the first one of the network.
    #[must_use]
    pub fn address(self) -> IpAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_its_client_network() {
        for (address, network, site) in [
            ("192.0.2.7", "192.0.2.7", None),
            ("::ffff:192.0.2.7", "192.0.2.7", None),
            (
                "2001:db8:1:2:3:4:5:6",
                "2001:db8:1:2::",
                Some("2001:db8:1::"),
            ),
            ("2001:db8:1:2::", "2001:db8:1:2::", Some("2001:db8:1::")),
            (
                "2001:db8:1:ffff::",
                "2001:db8:1:ffff::",
                Some("2001:db8:1::"),
            ),
            ("2001:db8:2::", "2001:db8:2::", Some("2001:db8:2::")),
            ("::1", "::", Some("::")),
        ] {
            let place = ClientNetwork::new(address.parse().unwrap());
            assert_eq!(place.address().to_string(), network);
            let around = place.site().map(|site| site.address().to_string());
            assert_eq!(around.as_deref(), site, "{address}");
        }
    }

    #[test]
    fn a_site_is_not_its_first_network() {
        let network = ClientNetwork::new("2001:db8:1::1".parse().unwrap());
        let site = network.site().unwrap();
        assert_eq!(site.address(), network.address());
        assert_ne!(site, network);
        assert!(site.is_site() && !network.is_site());
    }
}
