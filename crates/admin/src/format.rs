//! Text of money, counts and times, for people.

use crate::zone::ShopZone;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt;
use tradepost_domain::kernel::Money;

/// An amount with separators of thousands and its currency: `1,234.50 USD`.
pub(crate) fn money(amount: Money) -> String {
    format!("{} {}", amount_text(amount), amount.currency().code())
}

/// An amount with separators of thousands, without its currency.
pub(crate) fn amount_text(amount: Money) -> String {
    grouped(&amount.to_string())
}

/// A count with separators of thousands.
pub(crate) fn count(number: impl Into<i128>) -> String {
    grouped(&number.into().to_string())
}

/// A decimal text with a comma between each three digits of its whole part.
fn grouped(text: &str) -> String {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut grouped = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

/// A time in the shop's time zone, for a `<time>` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownTime {
    /// RFC 3339, in UTC.
    pub(crate) machine: String,
    /// For people: `2026-11-27 14:03`, with the abbreviation of the zone.
    pub(crate) text: String,
}

impl ShownTime {
    pub(crate) fn new(at: DateTime<Utc>, zone: &ShopZone) -> Self {
        Self {
            machine: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            text: format!(
                "{} {}",
                zone.local(at).format("%Y-%m-%d %H:%M"),
                zone.abbreviation(at)
            ),
        }
    }
}

impl fmt::Display for ShownTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        for (text, shown) in [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-1234567.5", "-1,234,567.5"),
            ("123456.00", "123,456.00"),
        ] {
            assert_eq!(grouped(text), shown);
        }
    }

    #[test]
    fn times_are_shown_in_the_zone_of_the_shop() {
        let at = DateTime::from_timestamp(1_784_000_000, 0).unwrap();
        let shown = ShownTime::new(at, &"Europe/Berlin".parse().unwrap());
        assert_eq!(shown.machine, "2026-07-14T03:33:20Z");
        assert_eq!(shown.text, "2026-07-14 05:33 CEST");
    }
}
