#![no_main]

use libfuzzer_sys::fuzz_target;
use tradepost_import_django::{Options, read};
use tradepost_domain::import::{ExistingData, decide_import};
use tradepost_domain::kernel::{Currency};

fuzz_target!(|data: &[u8]| {
    let currency = Currency::from_code("USD").unwrap();
    let mut options = Options::new(currency, Default::default());
    options.last_user = 7;
    if let Ok(dump) = read(data, &options) {
        let shop = &dump.shop;
        let rows = shop.users.len() + shop.products.len() + shop.orders.len();
        assert!(rows > 0 || !dump.wrong.is_empty(), "nothing, and nothing is wrong");
        if let Err(refusal) = decide_import(shop, &ExistingData::default(), currency) {
            let said = dump.explain(&refusal);
            assert!(!said.is_empty() || !dump.wrong.is_empty(), "refused without a reason");
        }
    }
});
