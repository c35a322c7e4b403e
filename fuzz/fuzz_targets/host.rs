#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradepost_http::fuzzing::host(data));
