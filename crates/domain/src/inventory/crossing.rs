//! Stock crossings: a level of stock that reaches zero, falls to its threshold, or rises from zero.
//!
//! A store finds them in the levels after its movements, for every command alike. So no
//! rule needs the levels for this, and several movements of a product are one change.

use crate::decision::{Event, EventKind};
use crate::inventory::{NewMovement, Reason, StockLevel};
use crate::kernel::ProductId;
use std::collections::BTreeMap;

/// The threshold of low stock of a shop that has not set another one.
pub const DEFAULT_LOW_STOCK: StockLevel = StockLevel::of(5);

/// A level of stock after the movements of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockAfter {
    /// Units on hand.
    pub level: StockLevel,
    /// The threshold of low stock: the product's own, or else that of the shop.
    pub threshold: StockLevel,
}

/// The crossings of the movements of a decision, at most one for each product: an event, by the
/// actor and at the time of the product's last movement. `after` has the levels afterwards. The
/// opening of a product crosses nothing.
///
/// ```
/// # use tradepost_domain::testing::*;
/// use std::collections::BTreeMap;
/// use tradepost_domain::inventory::{NewMovement, Reason, StockAfter, StockDelta, crossings};
///
/// let product = product_id(1);
/// let sale = NewMovement {
///     product,
///     order: None,
///     delta: StockDelta::requested(-2)?,
///     reason: Reason::Sale,
///     note: None,
///     actor: None,
///     at: at(0),
/// };
/// let after = StockAfter { level: level(4), threshold: level(5) };
/// let events = crossings(&[sale], &BTreeMap::from([(product, after)]));
/// assert_eq!(events[0].kind.name().as_str(), "stock.low");
/// # Ok::<(), tradepost_domain::kernel::FieldError>(())
/// ```
#[must_use]
pub fn crossings(movements: &[NewMovement], after: &BTreeMap<ProductId, StockAfter>) -> Vec<Event> {
    let mut changes = BTreeMap::<ProductId, (i64, &NewMovement)>::new();
    let mut opened = Vec::new();
    for movement in movements {
        if movement.reason == Reason::Opening {
            opened.push(movement.product);
        }
        let change = changes.entry(movement.product).or_insert((0, movement));
        *change = (change.0.saturating_add(movement.delta.units()), movement);
    }
    let crossing = |(product, (delta, last)): (ProductId, (i64, &NewMovement))| {
        let StockAfter { level, threshold } = *after.get(&product)?;
        let before = level.units().saturating_sub(delta);
        let threshold = threshold.units();
        let kind = match (before, level.units()) {
            (1.., 0) => EventKind::StockOut { product },
            (0, 1..) => EventKind::StockBack { product, level },
            (before, 1..) if before > threshold && level.units() <= threshold => {
                EventKind::StockLow { product, level }
            }
            _ => return None,
        };
        Some(Event {
            kind,
            actor: last.actor,
            at: last.at,
        })
    };
    let existing = changes
        .into_iter()
        .filter(|(product, _)| !opened.contains(product));
    existing.filter_map(crossing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::StockDelta;
    use crate::testing::{at, level, product_id, user};

    fn movement(product: i64, delta: i64, reason: Reason) -> NewMovement {
        NewMovement {
            product: product_id(product),
            order: None,
            delta: StockDelta::new(delta).unwrap(),
            reason,
            note: None,
            actor: Some(user(9)),
            at: at(3),
        }
    }

    fn names(movements: &[NewMovement], after: &[(i64, i64, i64)]) -> Vec<(i64, String)> {
        let after = after.iter().map(|(product, units, threshold)| {
            let after = StockAfter {
                level: level(*units),
                threshold: level(*threshold),
            };
            (product_id(*product), after)
        });
        let events = crossings(movements, &after.collect());
        let named = |event: Event| {
            assert_eq!((event.actor, event.at), (Some(user(9)), at(3)));
            let product = event.kind.product().unwrap().get();
            (product, event.kind.name().as_str().to_owned())
        };
        events.into_iter().map(named).collect()
    }

    #[test]
    fn a_crossing_is_zero_or_the_threshold_passed_from_the_other_side() {
        for (before, after, threshold, expected) in [
            (1, 0, 5, Some("stock.out")),
            (100, 0, 5, Some("stock.out")),
            (0, 1, 5, Some("stock.back")),
            (0, 100, 5, Some("stock.back")),
            (6, 5, 5, Some("stock.low")),
            (100, 1, 5, Some("stock.low")),
            (5, 4, 5, None),
            (7, 6, 5, None),
            (4, 6, 5, None),
            (6, 5, 4, None),
            (6, 4, 4, Some("stock.low")),
            (2, 1, 0, None),
            (2, 0, 0, Some("stock.out")),
        ] {
            let sale = movement(1, after - before, Reason::Sale);
            let found = names(&[sale], &[(1, after, threshold)]);
            let found: Vec<_> = found.iter().map(|(_, name)| name.as_str()).collect();
            let expected: Vec<_> = expected.into_iter().collect();
            assert_eq!(found, expected, "{before} to {after} at {threshold}");
        }
    }

    #[test]
    fn movements_of_one_product_are_one_change() {
        let sales = [
            movement(2, -3, Reason::Sale),
            movement(1, -1, Reason::Sale),
            movement(2, -4, Reason::Sale),
        ];
        let found = names(&sales, &[(1, 8, 5), (2, 0, 5)]);
        assert_eq!(found, [(2, "stock.out".to_owned())]);
        // Sold and returned at once.
        let both = [
            movement(1, -5, Reason::Sale),
            movement(1, 5, Reason::Return),
        ];
        assert_eq!(names(&both, &[(1, 5, 5)]), []);
    }

    #[test]
    fn an_opening_crosses_nothing() {
        let opening = movement(1, 7, Reason::Opening);
        assert_eq!(names(&[opening], &[(1, 7, 5)]), []);
    }
}
