//! Numbers of access records as text. The formatting machinery of the standard library takes several
//! times as long, for each of the five numbers of a record.

use std::net::IpAddr;
use tradepost_http::push_digits;

/// Appends a number in decimal.
pub(super) fn push_number(out: &mut String, number: u64) {
    push_digits(out, number, 1);
}

/// Appends an address as its `Display` does.
pub(super) fn push_address(out: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => {
            let mut dot = "";
            for octet in address.octets() {
                out.push_str(dot);
                push_number(out, octet.into());
                dot = ".";
            }
        }
        IpAddr::V6(address) => out.push_str(&address.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_by_the_standard_library() {
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "2001:db8::7:0",
        ] {
            let mut out = String::new();
            push_address(&mut out, address.parse().unwrap());
            assert_eq!(out, address);
        }
    }
}
