//! The total of an order: its lines, and tax, shipping and discounts as one adjustment.

use crate::kind::Kind;
use crate::orders::{Orders, Parts};
use crate::rows::{self, Charges};
use tradepost_domain::kernel::{FieldError, Money};

impl Orders<'_, '_> {
    /// The total, and the adjustment beyond the lines; `None` if a problem was reported.
    pub(crate) fn total(
        &mut self,
        row: &rows::Order,
        key: &str,
        parts: &Parts,
    ) -> Option<(Money, Money)> {
        let zero = Money::zero(self.context.options.currency);
        let mut lines = parts.lines.iter();
        let sum = lines.try_fold(zero, |sum, line| sum.plus(line.total()?));
        let Ok(sum) = sum else {
            // The domain reports it, with the order's id.
            return Some((row.total.unwrap_or(zero), zero));
        };
        let keep = self.context.options.keep_totals;
        let Some(total) = row.total else {
            let Some(charges) = charges(row.charges, zero) else {
                return self.too_large(key);
            };
            if charges.minor() == 0 {
                return Some((sum, zero));
            }
            if keep {
                self.notes.added.push(key);
                return match sum.plus(charges) {
                    Ok(total) => Some((total, charges)),
                    Err(_) => self.too_large(key),
                };
            }
            let model = self.context.plan.name(Kind::Order);
            let sentence = "It has no total, but tax, shipping or a discount.";
            let hint = format!(
                "--keep-totals adds them to the lines; --field {model}.tax= and the like leave \
                 them out."
            );
            let value = Some(charges.to_string());
            self.context
                .say(Kind::Order, key, "total", value, (sentence, &hint));
            return None;
        };
        let Ok(difference) = total.minus(sum) else {
            return self.too_large(key);
        };
        if difference.minor() == 0 {
            return Some((total, zero));
        }
        if keep || explains(row.charges, parts.left_out, difference) {
            self.notes.adjusted.push(key);
            return Some((total, difference));
        }
        if !parts.incomplete {
            let value = format!("{total}, and the lines add up to {sum}");
            let (sentence, hint) = self.differs(row, parts, total);
            self.context
                .say(Kind::Order, key, "total", Some(value), (sentence, &hint));
        }
        None
    }

    /// The problem of a total that is not the sum of the lines, and its remedy.
    fn differs(&self, row: &rows::Order, parts: &Parts, total: Money) -> (&'static str, String) {
        let keep = "--keep-totals keeps it, with the difference as an adjustment.";
        let plan = self.context.plan;
        let zero = Money::zero(total.currency());
        let mut prices = parts.lines.iter().map(|line| line.unit_price);
        let once = prices.try_fold(zero, |sum, price| sum.plus(price).ok());
        let rest = once.and_then(|once| total.minus(once).ok());
        let is_sum = rest.is_some_and(|rest| explains(row.charges, parts.left_out, rest));
        let has_price = !plan.column_is_missing(Kind::OrderItem, "price");
        if is_sum
            && has_price
            && let Some(lines) = plan.model(Kind::OrderItem)
        {
            let price = plan.column(Kind::OrderItem, "price");
            let hint = format!(
                "--field {lines}.price= --field {lines}.total={price} says that a price is that of \
                 the whole line. Otherwise, {keep}"
            );
            return ("It is the sum of the prices, without the quantities.", hint);
        }
        ("It is not the sum of the lines.", keep.to_owned())
    }

    fn too_large(&mut self, key: &str) -> Option<(Money, Money)> {
        let sentence = FieldError::AmountTooLarge.to_string();
        self.context
            .say(Kind::Order, key, "total", None, (&sentence, ""));
        None
    }
}

/// Tax and shipping less the discount.
fn charges(charges: Charges, zero: Money) -> Option<Money> {
    let plus = charges
        .tax
        .unwrap_or(zero)
        .plus(charges.shipping.unwrap_or(zero))
        .ok()?;
    plus.minus(charges.discount.unwrap_or(zero)).ok()
}

/// Whether a difference is the sum of some of tax, shipping, discount and left-out lines: taxes may
/// be included in the prices.
fn explains(charges: Charges, left_out: Option<Money>, difference: Money) -> bool {
    let zero = Money::zero(difference.currency());
    let discount = charges.discount.and_then(|amount| zero.minus(amount).ok());
    let parts = [charges.tax, charges.shipping, discount, left_out];
    let mut sums = vec![zero];
    for part in parts.into_iter().flatten() {
        let more: Vec<_> = sums.iter().filter_map(|sum| sum.plus(part).ok()).collect();
        sums.extend(more);
    }
    sums.contains(&difference)
}
