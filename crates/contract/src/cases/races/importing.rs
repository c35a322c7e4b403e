use crate::cases::imports::{another_shop, import};
use crate::{Shop, race, settled};
use tradepost_domain::Stores;

/// Whoever registers while a shop is taken over comes before it, and then it is refused, or after
/// it, with an id beyond those that it brought.
pub fn an_import_races_a_registration(stores: &Stores) {
    let shop = Shop::new(stores);
    let answers = race(4, |at| match at {
        0 | 1 => (import(stores, another_shop()).is_ok(), None),
        at => (false, Some(shop.customer(&format!("customer{at}")))),
    });
    let taken_over = answers.iter().filter(|(done, _)| *done).count();
    assert!(taken_over <= 1);
    for (_, customer) in &answers {
        if let Some(customer) = customer {
            assert_eq!(customer.get() > 1_003, taken_over == 1, "{answers:?}");
        }
    }
    let key = "ada";
    let ada = settled(|| stores.accounts.credentials(key));
    assert_eq!(ada.is_some(), taken_over == 1);
}
