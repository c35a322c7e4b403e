//! Numbers of access records as text. The formatting machinery of the standard library takes several
//! times as long, for each of the five numbers of a record.

use std::net::IpAddr;

/// The most digits of a `u64`.
const MOST: usize = 20;

/// Appends a number in decimal, with zeros in front up to this number of digits.
pub(super) fn push_padded(out: &mut String, number: u64, width: usize) {
    let mut digits = [b'0'; MOST];
    let mut left = number;
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        if left == 0 && count >= width.max(1) {
            break;
        }
        // The remainder is a single digit.
        *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
        count += 1;
    }
    let digits = digits.get(MOST - count..).unwrap_or_default();
    // Digits are ASCII.
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

/// Appends a number in decimal.
pub(super) fn push_number(out: &mut String, number: u64) {
    push_padded(out, number, 1);
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
    fn numbers_and_addresses_are_written_as_by_the_standard_library() {
        for number in [0, 1, 9, 10, 99, 100, 999_999, 1_000_000, u64::MAX] {
            for width in [0, 1, 6, 20] {
                let mut out = String::from("x");
                push_padded(&mut out, number, width);
                assert_eq!(out, format!("x{number:0width$}"));
            }
        }
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
