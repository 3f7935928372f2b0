//! Transactions of the project's own: what is listed of them, and what rules.toml says about them.

use assert_cmd::Command;
use sessionlint_engine::{Engine, Options, Overlay};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MANIFEST: &str = "[package]\nname = \"ledger\"\nversion = \"0.1.0\"\n";

/// A transaction with what its `Drop` does, and one that is left open when `set` fails.
fn source(on_drop: &str) -> String {
    format!(
        "pub struct Change {{ done: bool }}\n\n\
         impl Change {{\n    \
             pub fn begun() -> Self {{ Self {{ done: false }} }}\n    \
             pub fn set(&mut self, key: &str) -> Result<(), Error> {{ check(key) }}\n    \
             pub fn commit(mut self) -> Result<(), Error> {{ self.done = true; Ok(()) }}\n    \
             pub fn cancel(mut self) {{ self.done = true; }}\n\
         }}\n\n\
         impl Drop for Change {{\n    \
             fn drop(&mut self) {{ {on_drop} }}\n\
         }}\n\n\
         pub fn lost(key: &str) -> Result<(), Error> {{\n    \
             let mut change = Change::begun();\n    \
             change.set(key)?;\n    \
             change.commit()\n\
         }}\n"
    )
}

const PANICS: &str = "if !self.done { panic!(\"neither committed nor cancelled\"); }";

fn package(on_drop: &str, rules: Option<&str>) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("src")).unwrap();
    fs::write(directory.path().join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(directory.path().join("src/lib.rs"), source(on_drop)).unwrap();
    if let Some(rules) = rules {
        fs::write(directory.path().join("rules.toml"), rules).unwrap();
    }
    directory
}

fn out(directory: &Path, arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let output = command.current_dir(directory).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The findings, one a line.
fn found(directory: &Path) -> String {
    out(directory, &["check", "--no-cache", "--format", "concise"])
}

#[test]
fn what_was_learned_is_listed_with_its_evidence() {
    let here = package(PANICS, None);
    let listed = out(here.path(), &["libraries", "--learned"]);
    let expected = "src/lib.rs:1: ledger::Change (class G) is ended by `commit` or `cancel`; dropping it panics (learned from \
                    `impl Drop for Change`)\n    src/lib.rs:11: `impl Drop for Change` panics\n";
    assert_eq!(listed, expected);
    // The same below a path, from elsewhere.
    let elsewhere = TempDir::new().unwrap();
    let path = here.path().to_str().unwrap();
    assert!(out(elsewhere.path(), &["libraries", "--learned", path]).contains("ledger::Change (class G)"));
    let nothing = out(elsewhere.path(), &["libraries", "--learned"]);
    assert_eq!(nothing, "no transaction type that this project defines itself was found\n");
}

#[test]
fn a_finding_says_what_it_was_learned_from() {
    let here = package(PANICS, None);
    assert!(found(here.path()).contains("deny[missing-rollback] transaction `change` is left open when `?`"));
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let output = command.current_dir(here.path()).args(["check", "--no-cache"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("library that sessionlint knows"), "it found what it was asked for: {said}");
    let pretty = out(here.path(), &["check", "--no-cache"]);
    assert!(pretty.contains("learned from `impl Drop for Change`"), "{pretty}");
}

#[test]
fn only_a_drop_that_tests_something_and_keeps_nothing_is_evidence() {
    for (on_drop, is_one) in [
        (PANICS, true),
        ("if !self.done { log::warn!(\"left open\"); }", true),
        ("if !self.done { tracing::error!(\"left open\"); }", true),
        // Nothing is asked, so it says nothing of an accident.
        ("panic!(\"never dropped\");", false),
        ("if !self.done { log::debug!(\"left open\"); }", false),
        ("", false),
        // It gives up, and only warns where that fails: leaving it to that is right.
        ("if !self.done { if let Err(error) = self.abort_inner() { log::warn!(\"{error}\"); } }", true),
        // It keeps what was written.
        ("if !self.done { do_commit(self); panic!(\"late\"); }", false),
        ("if !self.done { self.flush(); panic!(\"late\"); }", false),
    ] {
        let here = package(on_drop, None);
        let listed = out(here.path(), &["libraries", "--learned"]);
        assert_eq!(listed.contains("ledger::Change"), is_one, "{on_drop}: {listed}");
        let gives_up = on_drop.contains("abort_inner");
        assert_eq!(found(here.path()).contains("missing-rollback"), is_one && !gives_up, "{on_drop}");
    }
}

#[test]
fn rules_say_that_a_type_is_none() {
    let rules = "[[protocol]]\nid = \"ledger.change\"\npaths = [\"ledger::Change\"]\nlearn = false\n";
    let here = package(PANICS, Some(rules));
    assert_eq!(found(here.path()), "");
    assert_eq!(
        out(here.path(), &["libraries", "--learned"]),
        "no transaction type that this project defines itself was found\n"
    );
}

#[test]
fn what_rules_say_of_a_type_wins() {
    // Dropping rolls back here, so leaving with an error is right; leaving with success is not.
    let rules = "[[protocol]]\nid = \"ledger.change\"\nkind = \"transaction\"\nclass = \"A\"\non_drop = \"rolls it back\"\n\
                 paths = [\"ledger::Change\"]\nopen = [{ assoc = \"ledger.change\", call = \"begun\", gives = \"it\" }]\n\
                 end = [{ call = \"commit\", as = \"commit\" }]\nwrites = [\"set\"]\n";
    let here = package(PANICS, Some(rules));
    assert_eq!(found(here.path()), "");
    let text = source(PANICS).replace("    change.commit()\n", "    Ok(())\n");
    fs::write(here.path().join("src/lib.rs"), text).unwrap();
    assert!(found(here.path()).contains("uncommitted-transaction"), "{}", found(here.path()));
}

#[test]
fn a_type_without_a_kind_is_a_mistake() {
    let here = package(PANICS, Some("[[protocol]]\nid = \"ledger.change\"\npaths = [\"ledger::Change\"]\n"));
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let output = command.current_dir(here.path()).args(["check", "--no-cache"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("`kind` is missing"), "{error}");
}

/// A type of another crate of the workspace, and a trait in front of it.
#[test]
fn other_crates_of_the_workspace_know_it() {
    let here = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = here.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[workspace]\nmembers = [\"ledger\", \"shop\"]\n");
    write("ledger/Cargo.toml", MANIFEST);
    write("ledger/src/lib.rs", &source(PANICS));
    write(
        "shop/Cargo.toml",
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n[dependencies]\nledger = { path = \"../ledger\" }\n",
    );
    write(
        "shop/src/lib.rs",
        "pub fn sell(key: &str) -> Result<(), ledger::Error> {\n    let mut change = ledger::Change::begun();\n    \
         change.set(key)?;\n    change.commit()\n}\n",
    );
    let all = found(here.path());
    assert!(all.contains("shop/src/lib.rs:3"), "{all}");
    // The same with its neighbour, and alone.
    assert!(found(&here.path().join("shop")).contains("src/lib.rs:3"));
}

/// The same engine is asked again and again by an editor.
#[test]
fn what_is_learned_changes_with_the_text() {
    let here = package(PANICS, None);
    let options =
        Options { directory: here.path().to_path_buf(), paths: vec![".".into()], isolated: true, ..Options::default() };
    let engine = Engine::new(options, sessionlint_languages::ALL).unwrap();
    let path = engine.requested()[0].clone();
    let rules = |text: &str| {
        let overlay = Overlay::from([(path.clone(), text.as_bytes().to_vec())]);
        let outcome = engine.check(engine.requested(), &overlay, true, &|_, _, _| {}).unwrap();
        outcome.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(&source(PANICS)), ["missing-rollback"]);
    assert!(rules(&source("")).is_empty(), "nothing says that it is one any more");
    assert_eq!(rules(&source(PANICS)), ["missing-rollback"]);
    assert!(rules(&source(PANICS).replace("fn cancel", "fn reset")).is_empty());
}
