//! What a customer can fill the database with under idempotency keys.

use super::super::{Database, bulk};
use super::keys::NewKey;
use chrono::DateTime;
use std::sync::Arc;
use tradepost_contract::Shop;
use tradepost_domain::{
    CartAction, CartItem, CartRepository, ChangeCart, IdempotencyKey, KeyScope, Keyed,
    MOST_ADDITIONS, ProductId, Quantity, Refusal, Render, Stores, Written,
};

pub(crate) fn additions_are_kept_up_to_a_bound(database: &Arc<Database>) {
    let stores = Stores::of(database.clone());
    let shop = Shop::new(&stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let scope = |path: &str, key: usize| KeyScope {
        path: path.to_owned(),
        key: IdempotencyKey::new(&key.to_string()).unwrap(),
    };
    let fill = |keys: std::ops::Range<usize>| {
        let scopes: Vec<KeyScope> = keys.map(|key| scope("/cart/", key)).collect();
        let filled = database.write(move |conn| {
            let key = |scope| NewKey {
                user: ada,
                scope,
                fingerprint: "{}",
                answer: "kept".to_owned(),
                at: DateTime::UNIX_EPOCH,
            };
            let keys: Vec<NewKey<'_>> = scopes.iter().map(key).collect();
            Ok(bulk::keys(conn, &keys)?)
        });
        filled.unwrap();
    };
    // There is room for one more.
    fill(1..MOST_ADDITIONS);
    let add = |user, path, key| {
        let command = ChangeCart {
            user,
            action: CartAction::Add {
                product: ProductId::new(1).unwrap(),
                quantity: Quantity::new(1).unwrap(),
            },
            seen: None,
            key: Some(Keyed {
                scope: scope(path, key),
                fingerprint: "{}".to_owned(),
                render: Render(|_: &CartItem| String::new()),
            }),
            at: DateTime::UNIX_EPOCH,
        };
        CartRepository::change(&**database, command).unwrap()
    };
    let too_many = Err(Refusal::TooManyKeys);
    assert_ne!(add(ada, "/cart/", MOST_ADDITIONS), too_many);
    fill(MOST_ADDITIONS + 1..MOST_ADDITIONS + 2);
    assert_eq!(add(ada, "/cart/", MOST_ADDITIONS), too_many);
    let before = Ok(Written::Before("kept".to_owned()));
    assert_eq!(add(ada, "/cart/", 7), before);
    // Whoever has room hears that there is no such product.
    assert_ne!(add(bob, "/cart/", MOST_ADDITIONS), too_many);
    assert_ne!(add(ada, "/other/", MOST_ADDITIONS), too_many);
}
