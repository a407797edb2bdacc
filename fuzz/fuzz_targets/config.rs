#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fitter_fuzz::config(data));
