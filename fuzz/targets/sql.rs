#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sessionlint_testkit::targets::sql(text));
