#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sessionlint_testkit::targets::lowering(text));
