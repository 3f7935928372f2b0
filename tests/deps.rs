//! The option `--deps`: sources of dependencies that are on the disk are read like the project's own, and nothing is told in them.

use assert_cmd::Command;
use sessionlint_testkit::package::write;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

const CRATE: [(&str, &str); 3] = [
    ("Cargo.toml", include_str!("../fixtures/deps/vendor/ledger/Cargo.toml")),
    ("src/lib.rs", include_str!("../fixtures/deps/vendor/ledger/src/lib.rs")),
    ("src/change.rs", include_str!("../fixtures/deps/vendor/ledger/src/change.rs")),
];

const USER: &str = "use ledger::{Book, Error};\n\n\
    pub async fn never_posted(book: &Book) -> Result<(), Error> {\n    \
        let mut work = book.begin().await?;\n    \
        work.add(1).await?;\n    \
        Ok(())\n\
    }\n\n\
    pub async fn posted(book: &Book) -> Result<(), Error> {\n    \
        let mut work = book.begin().await?;\n    \
        work.add(1).await?;\n    \
        work.commit().await\n\
    }\n";

const FOUND: &str = "src/lib.rs:6:5: deny[uncommitted-transaction] transaction `work`";

/// The crate below a folder, in a version.
fn published(place: &Path, folder: &str, version: &str) {
    for (name, text) in CRATE {
        write(&place.join(folder), name, &text.replace("1.2.0", version).replace("[workspace]", ""));
    }
}

fn locked(version: &str, source: Option<&str>) -> String {
    let source = source.map(|source| format!("source = \"{source}\"\n")).unwrap_or_default();
    format!(
        "version = 4\n\n[[package]]\nname = \"ledger\"\nversion = \"{version}\"\n{source}dependencies = [\n \"sqlx\",\n]\n\n\
         [[package]]\nname = \"plain\"\nversion = \"1.0.0\"\n\n\
         [[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\n \"ledger\",\n \"plain\",\n]\n\n\
         [[package]]\nname = \"sqlx\"\nversion = \"0.8.6\"\n"
    )
}

/// A package that only knows the crate, and one without sessions.
fn project(lock: Option<&str>) -> TempDir {
    let directory = TempDir::new().unwrap();
    let manifest =
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n\n[dependencies]\nledger = \"1.2\"\nplain = \"1\"\n";
    write(directory.path(), "shop/Cargo.toml", manifest);
    write(directory.path(), "shop/src/lib.rs", USER);
    if let Some(lock) = lock {
        write(directory.path(), "shop/Cargo.lock", lock);
    }
    write(
        directory.path(),
        "home/registry/src/somewhere/plain-1.0.0/Cargo.toml",
        "[package]\nname = \"plain\"\nversion = \"1.0.0\"\n",
    );
    write(
        directory.path(),
        "home/registry/src/somewhere/plain-1.0.0/src/lib.rs",
        "pub fn add(a: i64, b: i64) -> i64 { a + b }\n",
    );
    directory
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let home = directory.join("home");
    command.current_dir(directory.join("shop")).env("CARGO_HOME", home).arg("check");
    let format: &[&str] = if arguments.contains(&"--format") { &[] } else { &["--format", "concise"] };
    command.arg("--no-cache").args(format).args(arguments).output().unwrap()
}

fn found(directory: &Path, arguments: &[&str]) -> String {
    String::from_utf8(run(directory, arguments).stdout).unwrap()
}

fn told(directory: &Path, arguments: &[&str]) -> String {
    String::from_utf8(run(directory, arguments).stderr).unwrap()
}

#[test]
fn without_the_option_it_is_a_gap_that_is_told() {
    let here = project(Some(&locked("1.2.0", None)));
    published(&here.path().join("home/registry/src/somewhere"), "ledger-1.2.0", "1.2.0");
    let output = run(here.path(), &["--verbose"]);
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stdout).as_ref()), (Some(0), ""));
    let said = String::from_utf8(output.stderr).unwrap();
    let note = "2 functions may have sessions that come through `ledger`, which is not read; `--deps` reads its sources where \
                they are on the disk";
    assert!(said.contains(note), "{said}");
    let gap = "gap src/lib.rs:4:25: `begin` may belong to a session that comes through `ledger`, which leads to sqlx and is not read";
    assert!(said.contains(gap), "{said}");
    assert!(!said.contains("known library"), "{said}");
    let json: serde_json::Value = serde_json::from_str(&found(here.path(), &["--format", "json"])).unwrap();
    assert_eq!(json["summary"]["gaps"], 2);
}

#[test]
fn a_version_that_is_locked_is_read_from_the_registrys_sources() {
    let here = project(Some(&locked("1.2.0", Some("registry+https://example.org/index"))));
    let registry = here.path().join("home/registry/src/somewhere");
    for version in ["1.2.0", "1.3.0"] {
        published(&registry, &format!("ledger-{version}"), version);
    }
    let output = run(here.path(), &["--deps"]);
    let found = String::from_utf8(output.stdout).unwrap();
    assert!(found.starts_with(FOUND) && found.lines().count() == 1, "{found}");
    assert_eq!(output.status.code(), Some(1));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("not read"));
    let counted = self::found(here.path(), &["--deps", "--statistics"]);
    assert!(counted.contains("     2  files of ledger 1.2.0 read\n"), "{counted}");
    assert!(!counted.contains("plain"), "what has no sessions is not read: {counted}");
    let json = self::found(here.path(), &["--deps", "--statistics", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["dependencies"], serde_json::json!([{ "package": "ledger", "version": "1.2.0", "files": 2 }]));
}

#[test]
fn without_a_lock_file_the_newest_allowed_version_is_read() {
    let here = project(None);
    let registry = here.path().join("home/registry/src/somewhere");
    for version in ["1.2.0", "1.10.1", "2.0.0"] {
        published(&registry, &format!("ledger-{version}"), version);
    }
    assert!(found(here.path(), &["--deps"]).starts_with(FOUND));
    assert!(found(here.path(), &["--deps", "--statistics"]).contains("ledger 1.10.1 read"));
}

#[test]
fn vendored_sources_come_first_and_nothing_is_told_in_them() {
    let here = project(Some(&locked("1.2.0", Some("registry+https://example.org/index"))));
    published(&here.path().join("home/registry/src/somewhere"), "ledger-1.2.0", "1.2.0");
    published(&here.path().join("shop/third-party"), "ledger", "1.2.0");
    write(here.path(), "shop/third-party/ledger/src/more.rs", "//! More.\n");
    write(here.path(), "shop/.cargo/config.toml", "[source.ours]\ndirectory = \"third-party\"\n");
    let said = found(here.path(), &["--deps"]);
    assert!(said.starts_with(FOUND) && said.lines().count() == 1, "{said}");
    assert!(found(here.path(), &["--deps", "--statistics"]).contains("     3  files of ledger 1.2.0 read"));
    // Who names it asks for it.
    assert!(found(here.path(), &["--deps", "third-party/ledger"]).contains("third-party/ledger/src/lib.rs"));
}

#[test]
fn checkouts_of_repositories_and_patches_are_read() {
    let revision = "0123abcdef0123abcdef";
    let source = format!("git+https://example.org/team/money.git?branch=main#{revision}");
    let here = project(Some(&locked("1.2.0", Some(&source))));
    assert_eq!(found(here.path(), &["--deps"]), "");
    assert!(told(here.path(), &["--deps"]).contains("its sources are not on this disk (`cargo fetch` brings them)"));
    let checkout = here.path().join("home/git/checkouts/money-89ab").join(&revision[..7]);
    published(&checkout, "crates/ledger", "1.2.0");
    assert!(found(here.path(), &["--deps"]).starts_with(FOUND));

    let here = project(Some(&locked("1.2.0", None)));
    published(here.path(), "patched", "1.2.0");
    let manifest = std::fs::read_to_string(here.path().join("shop/Cargo.toml")).unwrap();
    let patched = format!("{manifest}\n[patch.crates-io]\nledger = {{ path = \"../patched\" }}\n");
    write(here.path(), "shop/Cargo.toml", &patched);
    assert!(found(here.path(), &["--deps"]).starts_with(FOUND));
}

#[test]
fn the_configuration_can_ask_for_it() {
    let here = project(Some(&locked("1.2.0", None)));
    published(&here.path().join("home/registry/src/somewhere"), "ledger-1.2.0", "1.2.0");
    write(here.path(), "shop/rules.toml", "deps = true\n");
    assert!(found(here.path(), &[]).starts_with(FOUND));
    assert_eq!(found(here.path(), &["--config", "deps = false"]), "");
    assert!(found(here.path(), &["--show-settings"]).contains("\ndeps = true\n"));
    write(here.path(), "shop/rules.toml", "deps = 3\n");
    assert_eq!(run(here.path(), &[]).status.code(), Some(2));
}

#[test]
fn results_are_kept_apart_and_for_as_long_as_the_sources_say_the_same() {
    let here = project(Some(&locked("1.2.0", None)));
    let registry = here.path().join("home/registry/src/somewhere");
    published(&registry, "ledger-1.2.0", "1.2.0");
    let kept = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("sessionlint").unwrap();
        command.current_dir(here.path().join("shop")).env("CARGO_HOME", here.path().join("home"));
        command.env("SESSIONLINT_CACHE_DIR", here.path().join("kept"));
        let output = command.args(["check", "--format", "concise"]).args(arguments).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for _ in 0..2 {
        assert!(kept(&["--deps"]).0.starts_with(FOUND));
        let (found, said) = kept(&[]);
        assert!(found.is_empty() && said.contains("2 functions may have sessions"), "{found}{said}");
    }
    // Nothing is written any more.
    let source = CRATE[1].1.replace("INSERT INTO entries (amount) VALUES ($1)", "SELECT 1");
    write(&registry, "ledger-1.2.0/src/lib.rs", &source);
    assert_eq!(kept(&["--deps"]).0, "");
}

#[test]
fn a_derive_may_begin_what_a_dependency_begins() {
    let here = project(Some(&locked("1.2.0", None)));
    published(&here.path().join("home/registry/src/somewhere"), "ledger-1.2.0", "1.2.0");
    let rules =
        "[[derive]]\nname = \"Repository\"\nwrites = [\"keep_*\"]\nbegins = { begin_work = \"ledger::Work::begun\" }\n";
    write(here.path(), "shop/rules.toml", rules);
    let function = |name: &str, end: &str| {
        format!(
            "pub async fn {name}(entries: &Entries) -> Result<(), ledger::Error> {{\n    \
                 let mut work = entries.begin_work().await?;\n    \
                 entries.keep_first(&mut work).await?;\n    \
                 {end}\n\
             }}\n"
        )
    };
    let head = "#[derive(Repository)]\npub struct Entries {\n    pool: ledger::Pool,\n}\n";
    let text = format!("{head}{}{}", function("lost", "Ok(())"), function("kept", "work.commit().await"));
    write(here.path(), "shop/src/lib.rs", &text);
    let said = found(here.path(), &["--deps"]);
    assert!(said.starts_with("src/lib.rs:8:5: deny[uncommitted-transaction]") && said.lines().count() == 1, "{said}");
    assert_eq!(found(here.path(), &[]), "");
}
