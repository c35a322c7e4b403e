#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use tradepost_django::{DumpError, Options, read};
use tradepost_domain::Currency;

fuzz_target!(|data: &[u8]| {
    let options = Options {
        currency: Currency::from_code("USD").unwrap(),
        now: Default::default(),
        statuses: BTreeMap::new(),
        last_user: 7,
    };
    match read(data, &options) {
        Ok(dump) => {
            let shop = &dump.shop;
            let rows = shop.users.len() + shop.products.len() + shop.orders.len();
            assert!(rows > 0 || !shop.carts.is_empty());
        }
        Err(DumpError::Unreadable(error)) => panic!("bytes in memory can be read: {error}"),
        Err(_) => {}
    }
});
