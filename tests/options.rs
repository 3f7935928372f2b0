//! Options that people know from other tools: which rules, which files, how much of it, and what would be done.

use assert_cmd::Command;
use serde_json::Value;
use sessionlint_testkit::package::{git, write};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const LEAK: &str = "pub async fn place(pool: &sqlx::PgPool) -> sqlx::Result<()> {\n    \
    let mut tx = pool.begin().await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    Ok(())\n}\n";
const CLEAN: &str = "pub async fn place(pool: &sqlx::PgPool) -> sqlx::Result<()> {\n    \
    let mut tx = pool.begin().await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    tx.commit().await\n}\n";
/// Its commit is not awaited, which `--fix` mends, and its transaction is begun and thrown away.
const TWO: &str = "pub async fn two(pool: &sqlx::PgPool) -> sqlx::Result<()> {\n    let mut tx = pool.begin().await?;\n    \
    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    let _ = tx.commit();\n    Ok(())\n}\n";
const POOL: &str = "pub fn pool() -> sqlx::Result<sqlx::PgPool> {\n    sqlx::postgres::PgPoolOptions::new().connect_lazy(\"postgres://localhost\")\n}\n";

fn manifest(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\n")
}

/// A repository with these files.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    git(directory.path(), &["init", "-q"]);
    for (name, text) in files {
        write(directory.path(), name, text);
    }
    directory
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    command.current_dir(directory).env("SESSIONLINT_CACHE_DIR", directory.join(".git/kept")).env("NO_COLOR", "1");
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(directory: &Path, arguments: &[&str]) -> Value {
    let (_, out, error) = run(directory, &[&["--format", "json"], arguments].concat());
    serde_json::from_str(&out).unwrap_or_else(|problem| panic!("{problem}: {out}{error}"))
}

/// Path and rule of each finding.
fn found(directory: &Path, arguments: &[&str]) -> Vec<String> {
    let report = json(directory, arguments);
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|one| format!("{} {}", one["path"].as_str().unwrap(), one["rule"].as_str().unwrap())).collect()
}

fn is_valid(schema: &str, report: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(schema);
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

fn shop() -> TempDir {
    repository(&[("Cargo.toml", &manifest("shop")), ("src/lib.rs", &format!("{LEAK}{POOL}")), ("src/two.rs", TWO)])
}

#[test]
fn rules_are_selected_as_in_other_tools() {
    let here = shop();
    let rules = |arguments: &[&str]| {
        let found = found(here.path(), arguments);
        found.iter().map(|one| one.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rules(&[]), "uncommitted-transaction unawaited-release");
    assert_eq!(rules(&["--select", "unawaited-release"]), "unawaited-release");
    assert_eq!(rules(&["--select", "unawaited-release,leaked-session"]), "unawaited-release");
    assert_eq!(rules(&["--select=leaked-session", "--select", "unawaited-release"]), "unawaited-release");
    assert_eq!(rules(&["--ignore", "unawaited-release"]), "uncommitted-transaction");
    assert_eq!(rules(&["--ignore", "unawaited-release,uncommitted-transaction"]), "");
    // What is off is turned on, with the level that it has where it is on.
    assert_eq!(rules(&["--select", "pool-settings"]), "pool-settings");
    assert_eq!(
        rules(&["--extend-select", "pool-settings", "--ignore", "unawaited-release"]),
        "uncommitted-transaction pool-settings"
    );
    assert_eq!(rules(&["--select", "ALL", "--ignore", "pool-settings"]), "uncommitted-transaction unawaited-release");
    // The last one wins.
    assert_eq!(rules(&["--ignore", "all", "--extend-select", "unawaited-release"]), "unawaited-release");
    assert_eq!(rules(&["--extend-select", "unawaited-release", "--ignore", "all"]), "");
    assert_eq!(rules(&["--select", "unawaited-release", "--ignore", "unawaited-release"]), "");
    let level = |arguments: &[&str]| json(here.path(), arguments)["findings"][0]["level"].clone();
    assert_eq!(level(&["--warn", "all", "--select", "unawaited-release"]), "warn");
    assert_eq!(level(&["--select", "pool-settings"]), "warn");
    assert_eq!(level(&["--select", "pool-settings", "--deny", "pool-settings"]), "deny");
    let (status, _, error) = run(here.path(), &["--select", "unawaited-relase"]);
    assert_eq!(status, 2);
    assert!(error.contains("no rule is called `unawaited-relase`; did you mean `unawaited-release`?"), "{error}");
    // What is off for some files only stays off there.
    let config = "[[override]]\npaths = [\"src/two.rs\"]\nrules = { unawaited-release = \"allow\" }\n";
    write(here.path(), "rules.toml", config);
    assert_eq!(rules(&["--select", "unawaited-release"]), "");
    assert_eq!(rules(&["--deny", "unawaited-release", "--ignore", "uncommitted-transaction"]), "unawaited-release");
}

#[test]
fn names_of_options_that_other_tools_have() {
    let here = shop();
    let concise = run(here.path(), &["--format", "concise"]);
    assert_eq!(run(here.path(), &["--output-format", "concise"]), concise);
    assert_eq!(concise.0, 1);
    assert_eq!(run(here.path(), &["--output-format", "concise", "--exit-zero"]).0, 0);
    assert_eq!(run(here.path(), &["--exit-zero", "--fail-on", "deny"]).0, 2);
    assert_eq!(run(here.path(), &["--exit-zero", "nowhere"]).0, 2, "what could not run did not");
}

#[test]
fn a_package_of_the_workspace() {
    let here = repository(&[
        ("Cargo.toml", &format!("[workspace]\nmembers = [\"crates/*\"]\n\n{}", manifest("shop"))),
        ("src/lib.rs", LEAK),
        ("crates/mail/Cargo.toml", &manifest("mail")),
        ("crates/mail/src/lib.rs", LEAK),
        ("crates/mail-queue/Cargo.toml", &manifest("mail-queue")),
        ("crates/mail-queue/src/lib.rs", LEAK),
        ("rules.toml", "[[override]]\npaths = [\"crates/**\"]\nrules = { leaked-session = \"note\" }\n"),
    ]);
    let found = |arguments: &[&str]| found(here.path(), arguments).join(" ").replace(" uncommitted-transaction", "");
    assert_eq!(found(&[]), "crates/mail-queue/src/lib.rs crates/mail/src/lib.rs src/lib.rs");
    assert_eq!(found(&["-p", "mail"]), "crates/mail/src/lib.rs");
    assert_eq!(found(&["--package", "mail*"]), "crates/mail-queue/src/lib.rs crates/mail/src/lib.rs");
    assert_eq!(found(&["-p", "mail", "-p", "mail-queue"]), "crates/mail-queue/src/lib.rs crates/mail/src/lib.rs");
    // The others stand below this one's directory, and do not belong to it.
    assert_eq!(found(&["-p", "shop"]), "src/lib.rs");
    assert_eq!(run(here.path(), &["-p", "shop", "--quiet"]).2, "");
    let notes = run(here.path(), &["-p", "shop"]).2;
    assert!(!notes.contains("[[override]]"), "the rest of the workspace was not looked at: {notes}");
    // From anywhere in the workspace.
    let (_, out, _) = run(&here.path().join("crates/mail"), &["-p", "shop", "--format", "concise"]);
    assert!(out.contains("src/lib.rs:4:5: deny[uncommitted-transaction]"), "{out}");
    let (status, _, error) = run(here.path(), &["-p", "mial"]);
    assert_eq!(status, 2);
    assert!(error.contains("no package of this workspace is called `mial`; did you mean `mail`?"), "{error}");
    assert_eq!(run(here.path(), &["-p", "mail", "src"]).0, 2, "either packages or paths");
    // A baseline of the whole is not stale where a part is asked for.
    assert_eq!(run(here.path(), &["baseline"]).0, 0);
    write(here.path(), "crates/mail/src/lib.rs", CLEAN);
    assert!(!run(here.path(), &["-p", "shop"]).2.contains("baseline match"));
    assert!(run(here.path(), &["-p", "mail"]).2.contains("1 entry of the baseline matches no finding any more"));
    // What a dependency does is known.
    write(
        here.path(),
        "crates/mail/src/lib.rs",
        "pub async fn begin(pool: &sqlx::PgPool) -> sqlx::Result<sqlx::Transaction<'static, sqlx::Postgres>> {\n    pool.begin().await\n}\n",
    );
    write(
        here.path(),
        "Cargo.toml",
        &format!("[workspace]\nmembers = [\"crates/*\"]\n\n{}mail = {{ path = \"crates/mail\" }}\n", manifest("shop")),
    );
    write(here.path(), "src/lib.rs", &LEAK.replace("pool.begin()", "mail::begin(pool)").replace("place", "other"));
    assert_eq!(found(&["-p", "shop"]), "src/lib.rs");
}

#[test]
fn a_package_without_a_workspace() {
    let here = repository(&[("a/Cargo.toml", &manifest("a")), ("a/src/lib.rs", LEAK)]);
    assert_eq!(found(&here.path().join("a"), &["-p", "a"]), ["src/lib.rs uncommitted-transaction"]);
    let (status, _, error) = run(here.path(), &["-p", "a"]);
    assert!(status == 2 && error.contains("no package of this workspace is called `a`"), "{error}");
}

#[test]
fn what_is_staged_is_checked_as_it_is_staged() {
    let files = [("Cargo.toml", &*manifest("shop")), ("src/lib.rs", CLEAN), ("src/b.rs", LEAK), ("src/c.rs", CLEAN)];
    let here = repository(&files);
    let found = |arguments: &[&str]| {
        found(here.path(), &[&["--staged"], arguments].concat()).join(" ").replace(" uncommitted-transaction", "")
    };
    assert_eq!(found(&[]), "");
    let nothing = run(here.path(), &["--staged"]);
    assert!(nothing.0 == 0 && nothing.2.contains("no Rust file is staged"), "{nothing:?}");
    // Before the first commit, too.
    git(here.path(), &["add", "-A"]);
    assert_eq!(found(&[]), "src/b.rs");
    git(here.path(), &["commit", "-qm", "first"]);
    assert_eq!(found(&[]), "");
    // The staged text counts, whatever the file says by now.
    write(here.path(), "src/lib.rs", &format!("// A line.\n{LEAK}"));
    git(here.path(), &["add", "src/lib.rs"]);
    write(here.path(), "src/lib.rs", CLEAN);
    write(here.path(), "src/c.rs", LEAK);
    assert_eq!(found(&[]), "src/lib.rs");
    assert_eq!(json(here.path(), &["--staged"])["findings"][0]["range"]["start"]["line"], 5);
    assert_eq!(found(&["src/c.rs"]), "", "a path limits it");
    assert_eq!(found(&["src/lib.rs"]), "src/lib.rs");
    let (status, _, _) = run(&here.path().join("src"), &["--staged"]);
    assert_eq!(status, 1, "below the root, too");
    // What another file says counts as it is staged.
    write(here.path(), "src/lib.rs", "pub mod b;\n");
    write(
        here.path(),
        "src/b.rs",
        "pub async fn end(tx: sqlx::Transaction<'static, sqlx::Postgres>) -> sqlx::Result<()> {\n    tx.commit().await\n}\n",
    );
    let caller = LEAK.replace("    Ok(())", "    crate::b::end(tx).await");
    write(here.path(), "src/c.rs", &caller);
    git(here.path(), &["add", "-A"]);
    git(here.path(), &["commit", "-qm", "second"]);
    write(here.path(), "src/c.rs", &format!("{caller}\n"));
    git(here.path(), &["add", "-A"]);
    write(
        here.path(),
        "src/b.rs",
        "pub async fn end(tx: sqlx::Transaction<'static, sqlx::Postgres>) -> sqlx::Result<()> {\n    drop(tx);\n    Ok(())\n}\n",
    );
    assert_eq!(found(&[]), "");
    assert_eq!(run(here.path(), &["--staged", "--fix"]).0, 2, "what is staged is not written to");
    let alone = TempDir::new().unwrap();
    let (status, _, error) = run(alone.path(), &["--staged", "--no-cache"]);
    assert!(status == 2 && error.contains("--staged needs a git repository"), "{error}");
}

#[test]
fn no_more_findings_than_asked_for() {
    let here = shop();
    write(here.path(), "src/a.rs", LEAK);
    let all = json(here.path(), &[]);
    assert_eq!(all["findings"].as_array().unwrap().len(), 3);
    let first = json(here.path(), &["--max-findings", "1"]);
    is_valid("report.json", &first);
    assert_eq!(first["findings"].as_array().unwrap()[..], all["findings"].as_array().unwrap()[..1]);
    assert_eq!((&first["summary"]["not_shown"], &first["summary"]["findings"]["deny"]), (&2.into(), &3.into()));
    let enough = json(here.path(), &["--max-findings", "3"]);
    assert_eq!((&enough["findings"], &enough["summary"]["not_shown"]), (&all["findings"], &Value::Null));
    let (status, out, error) = run(here.path(), &["--max-findings", "0", "--format", "concise"]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(
        error.starts_with("3 errors in 3 files (3 files checked, 3 sessions); 3 not shown (--max-findings)\n"),
        "{error}"
    );
}

#[test]
fn the_files_that_would_be_checked() {
    let here = shop();
    let files = |arguments: &[&str]| run(here.path(), &[&["--show-files"], arguments].concat());
    assert_eq!(files(&[]), (0, "src/lib.rs\nsrc/two.rs\n".to_owned(), String::new()));
    assert_eq!(files(&["src/two.rs"]).1, "src/two.rs\n");
    assert_eq!(files(&["--config", "exclude = [\"src/two.rs\"]"]).1, "src/lib.rs\n");
    git(here.path(), &["add", "src/two.rs"]);
    assert_eq!(files(&["--staged"]).1, "src/two.rs\n");
    assert_eq!(files(&["-p", "shop", "--output", "list"]), (0, String::new(), String::new()));
    assert_eq!(fs::read_to_string(here.path().join("list")).unwrap(), "src/lib.rs\nsrc/two.rs\n");
    assert_eq!(found(here.path(), &["--files-from", "list"]).len(), 2, "the list is one that is read");
    fs::create_dir(here.path().join("empty")).unwrap();
    let (status, out, error) = files(&["empty"]);
    assert_eq!(
        (status, out.as_str(), error.as_str()),
        (0, "", "sessionlint: no Rust files to check were found below `empty`\n")
    );
    assert_eq!(files(&["nowhere"]).0, 2);
}

#[test]
fn the_settings_that_hold() {
    let here = shop();
    let settings = |arguments: &[&str]| {
        let (status, out, error) = run(here.path(), &[&["--show-settings", "--no-cache"], arguments].concat());
        assert_eq!((status, error.as_str()), (0, ""), "{out}");
        out
    };
    let built_in = settings(&[]);
    assert!(built_in.starts_with("# The settings in effect.\n# Settings file: none; "), "{built_in}");
    assert!(built_in.contains("\nprofile = \"default\"\ntests = \"skip\"\nexclude = []\n"), "{built_in}");
    assert!(
        built_in.contains("\nuncommitted-transaction = \"deny\"\n") && !built_in.contains("[[override]]"),
        "{built_in}"
    );
    let config = "profile = \"strict\"\nexclude = [\"gen/**\"]\n\n[rules]\nleaked-session = \"note\"\nsession-held-across-await = { also = \
        [\"Mailer::send\"] }\n\n[[override]]\npaths = [\"src/two.rs\"]\nrules = { all = \"note\", pool-settings = \"allow\" }\n\n\
        [[override]]\npaths = [\"tools/**\"]\nrules = { leaked-session = \"note\" }\n\n[[protocol]]\nid = \"mydb.pool\"\nkind = \"pool\"\n\
        paths = [\"mydb::Pool\"]\n";
    write(here.path(), "rules.toml", config);
    write(here.path(), "sessionlint-baseline.json", "{\"version\": 2, \"findings\": []}\n");
    insta::assert_snapshot!("settings", settings(&["--deny", "missing-rollback", "--tests", "include"]));
    // Of one file they are those of that file.
    let two = settings(&["src/two.rs"]);
    assert!(two.starts_with("# The settings in effect in src/two.rs.\n# Settings file: rules.toml.\n"), "{two}");
    assert!(two.contains("\npool-settings = \"allow\"\n") && two.contains("\nmissing-rollback = \"note\"\n"), "{two}");
    assert!(!two.contains("[[override]]"), "{two}");
    // What is printed is read, and says the same.
    for arguments in [
        &[][..],
        &["--select", "pool-settings", "--tests", "include"],
        &["--warn", "all", "--ignore", "leaked-session"],
    ] {
        let printed = settings(arguments);
        write(here.path(), "again.toml", &printed);
        let body = |text: &str| text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        assert_eq!(body(&settings(&["--config", "again.toml"])), body(&printed), "{arguments:?}");
    }
    assert_eq!(run(here.path(), &["--show-settings", "--deny", "no-such-rule"]).0, 2);
    assert_eq!(run(here.path(), &["--show-settings", "--show-files"]).0, 2);
}

#[test]
fn statistics_count_and_time() {
    let here = shop();
    write(here.path(), "src/a.rs", &format!("{LEAK}{}", LEAK.replace("place", "again")));
    let (status, out, error) = run(here.path(), &["--statistics", "--no-cache"]);
    assert_eq!(status, 1);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "     3  uncommitted-transaction  3 with an unsafe fix");
    assert_eq!(lines[1], "     1  unawaited-release        1 with a fix");
    assert_eq!(lines[2], "");
    let parts: Vec<&str> =
        lines[3..].iter().filter_map(|line| line.split_once(" ms  ")).map(|(_, part)| part).collect();
    assert_eq!(parts, ["finding the files", "reading them", "analysing functions", "trying fixes", "in all"]);
    assert_eq!(
        error,
        "4 errors in 3 files (3 files checked, 4 sessions)\n1 fix available with `--fix` (`--diff` shows them)\n\
         3 fixes available with `--fix --unsafe-fixes` (may change behaviour)\n"
    );
    let counted = json(here.path(), &["--statistics", "--max-findings", "1"]);
    is_valid("statistics.json", &counted);
    assert_eq!(
        counted["rules"][0],
        serde_json::json!({"rule": "uncommitted-transaction", "count": 3, "safe_fixes": 0, "unsafe_fixes": 3})
    );
    assert_eq!((&counted["kept"], counted["times"].as_array().unwrap().len()), (&false.into(), 4));
    // The same from what was kept.
    let again = json(here.path(), &["--statistics"]);
    is_valid("statistics.json", &again);
    assert_eq!(
        (&again["rules"], &again["kept"], &again["times"]),
        (&counted["rules"], &true.into(), &serde_json::json!([]))
    );
    assert!(run(here.path(), &["--statistics"]).1.ends_with("in all, kept from an earlier run (--no-cache)\n"));
    let (status, _, error) = run(here.path(), &["--statistics", "--format", "sarif"]);
    assert!(status == 2 && error.contains("--statistics goes with"), "{error}");
    write(here.path(), "src/a.rs", CLEAN);
    let clean = json(here.path(), &["--statistics", "src/a.rs"]);
    is_valid("statistics.json", &clean);
    assert_eq!(clean["rules"], serde_json::json!([]));
}

#[test]
fn cargo_json_needs_a_workspace_and_says_so_in_one_sentence() {
    let here = repository(&[("a.rs", LEAK)]);
    let (status, _, error) = run(here.path(), &["--format", "cargo-json", "--quiet"]);
    assert_eq!((status, error.lines().count()), (2, 1), "{error}");
    assert!(
        error.starts_with("sessionlint: --format cargo-json needs a Cargo workspace: could not find `Cargo.toml` in "),
        "{error}"
    );
    write(here.path(), "Cargo.toml", "[package]\nname = \"a\"\n[dependencies\n");
    let (status, _, error) = run(here.path(), &["--format", "cargo-json", "--quiet"]);
    assert_eq!((status, error.lines().count()), (2, 1), "{error}");
    assert!(error.ends_with("expected `]` (Cargo.toml:3:14)\n"), "{error}");
}
