use crate::cases::imports::{a_shop_of_many, import};
use crate::{TestShop, race, retry_busy};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tradepost_domain::Stores;

/// A registration concurrent with an import either commits before it, and the import is refused, or
/// after it, with an id above the imported ones.
pub fn an_import_races_a_registration(stores: &Stores) {
    // Far from the ids of a new shop, so that no id collides.
    const IDS: RangeInclusive<i64> = 10_001..=13_000;
    let shop = TestShop::new(stores);
    let other = Arc::new(a_shop_of_many(IDS));
    let answers = race(8, |at| match at {
        0 | 1 => (import(stores, Arc::clone(&other)).is_ok(), None),
        at => {
            // Long enough for the import to have begun, too short for it to have ended.
            let moments = u64::try_from(at).unwrap();
            thread::sleep(Duration::from_millis(moments * 3));
            (false, Some(shop.customer(&format!("late{at}"))))
        }
    });
    let taken_over = answers.iter().filter(|(done, _)| *done).count();
    assert!(taken_over <= 1);
    for customer in answers.iter().filter_map(|(_, customer)| *customer) {
        assert_eq!(customer.get() > *IDS.end(), taken_over == 1, "{answers:?}");
    }
    let first = retry_busy(|| stores.accounts.credentials("user10001"));
    assert_eq!(first.is_some(), taken_over == 1);
}
