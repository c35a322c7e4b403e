#![no_main]

use libfuzzer_sys::fuzz_target;
use tradepost_domain::catalog::{Price};
use tradepost_domain::kernel::{Currency, Money};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for code in ["JPY", "USD", "KWD", "CLF"] {
        let currency = Currency::from_code(code).unwrap();
        if let Ok(money) = Money::parse(text, currency) {
            assert_eq!(Money::parse(&money.to_string(), currency), Ok(money));
            if let Ok(price) = Price::new(money) {
                assert!((1..10_i64.pow(10)).contains(&price.money().minor()));
            }
        }
    }
});
