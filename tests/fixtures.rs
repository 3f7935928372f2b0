//! The fixtures say what must be found, line by line.

use sessionlint_protocols::{Profile, TestCode};
use sessionlint_testkit::{check, differences, summary_differences};
use std::path::Path;

#[test]
fn every_fixture_gives_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let outcome = check(&root, &["rust"], |_| {});
    let differences = differences(&outcome, &root);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(outcome.skipped.is_empty(), "{:?}", outcome.skipped);
}

#[test]
fn the_strict_profile_gives_what_its_fixtures_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let outcome = check(&root, &["strict"], |options| options.profile = Some(Profile::Strict));
    let differences = differences(&outcome, &root);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(outcome.skipped.is_empty(), "{:?}", outcome.skipped);
}

#[test]
fn test_code_gives_what_its_fixtures_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let outcome = check(&root, &["isolation"], |options| options.tests = Some(TestCode::Include));
    let differences = differences(&outcome, &root);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(outcome.skipped.is_empty(), "{:?}", outcome.skipped);
}

#[test]
fn sessions_through_dependencies_are_found_where_these_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let outcome = check(&root, &["deps"], |options| options.deps = true);
    let differences = differences(&outcome, &root);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(outcome.skipped.is_empty(), "{:?}", outcome.skipped);
}

#[test]
fn summaries_are_what_the_fixtures_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let outcome = check(&root, &["rust"], |options| options.describe = true);
    let differences = summary_differences(&outcome, &root);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
