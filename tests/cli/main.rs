//! The program as a user runs it: options, exit statuses, formats, configuration, silencing, hostile input.

mod manifests;

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\n";
const LEAK: &str = "use sqlx::PgPool;\n\npub async fn place(pool: &PgPool) -> Result<(), sqlx::Error> {\n    \
    let mut tx = pool.begin().await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    Ok(())\n}\n";
const CLEAN: &str = "use sqlx::PgPool;\n\npub async fn place(pool: &PgPool) -> Result<(), sqlx::Error> {\n    \
    let mut tx = pool.begin().await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    \
    tx.commit().await\n}\n";

/// A package with these files below `src`.
fn package(files: &[(&str, &[u8])]) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    fs::write(directory.path().join("Cargo.toml"), MANIFEST).unwrap();
    for (name, text) in files {
        let path = directory.path().join("src").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

fn sessionlint(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("sessionlint").unwrap().current_dir(directory).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(directory: &Path, arguments: &[&str]) -> Value {
    let mut all = vec!["check", "--format", "json"];
    all.extend_from_slice(arguments);
    let (_, out, error) = sessionlint(directory, &all);
    serde_json::from_str(&out).unwrap_or_else(|problem| panic!("{problem}: {out}{error}"))
}

fn rules_of(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

#[test]
fn exit_status_says_what_happened() {
    let leaking = package(&[("lib.rs", LEAK.as_bytes())]);
    let clean = package(&[("lib.rs", CLEAN.as_bytes())]);
    assert_eq!(sessionlint(clean.path(), &[]).0, 0);
    assert_eq!(sessionlint(leaking.path(), &[]).0, 1);
    assert_eq!(sessionlint(leaking.path(), &["check", "src"]).0, 1);
    assert_eq!(sessionlint(leaking.path(), &["src/lib.rs"]).0, 1);
    assert_eq!(sessionlint(leaking.path(), &["--fail-on", "never"]).0, 0);
    assert_eq!(sessionlint(leaking.path(), &["--warn", "all", "--fail-on", "deny"]).0, 0);
    assert_eq!(sessionlint(leaking.path(), &["--allow", "uncommitted-transaction"]).0, 0);
    for wrong in [
        &["nothing-here"][..],
        &["--no-such-option"],
        &["--format", "nonsense"],
        &["--config", "missing.toml"],
        &["--deny", "no-such-rule"],
        &["--output", "no/such/directory/report"],
        &["explain", "no-such-rule"],
        &["libraries", "no-such-library"],
    ] {
        let (status, _, error) = sessionlint(leaking.path(), wrong);
        assert_eq!(status, 2, "{wrong:?}");
        assert!(!error.is_empty(), "{wrong:?}");
    }
}

#[test]
fn the_last_level_wins() {
    let leaking = package(&[("lib.rs", LEAK.as_bytes())]);
    let level = |arguments: &[&str]| {
        let report = json(leaking.path(), arguments);
        report["findings"][0]["level"].as_str().map(str::to_owned)
    };
    assert_eq!(level(&[]).as_deref(), Some("deny"));
    assert_eq!(level(&["--deny", "all", "--warn", "uncommitted-transaction"]).as_deref(), Some("warn"));
    assert_eq!(level(&["--warn=uncommitted-transaction", "--allow=all"]), None);
}

#[test]
fn json_keeps_to_its_schema_and_says_where() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(root.join("docs/schema/report.json")).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let report = json(&root.join("fixtures"), &["--isolated"]);
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(report["findings"].as_array().unwrap().len() > 100);

    let leaking = package(&[("lib.rs", LEAK.as_bytes())]);
    let finding = json(leaking.path(), &[])["findings"][0].clone();
    assert_eq!(finding["path"], "src/lib.rs");
    assert_eq!(finding["range"]["start"]["line"], 6);
    assert_eq!(finding["range"]["start"]["column"], 5);
    assert_eq!(finding["function"], "place");
    assert_eq!(finding["protocol"], "sqlx.transaction");
    assert_eq!(finding["evidence"], "typed");
    assert_eq!(finding["labels"][0]["kind"], "opened");
    assert_eq!(finding["labels"][0]["range"]["start"]["line"], 4);
}

#[test]
fn jsonl_is_a_finding_a_line_and_a_summary() {
    let leaking = package(&[("lib.rs", LEAK.as_bytes())]);
    let (_, out, _) = sessionlint(leaking.path(), &["--format", "jsonl"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["rule"], "uncommitted-transaction");
    assert_eq!(lines[1]["summary"]["files"], 1);
}

#[test]
fn the_same_bytes_on_one_thread_and_on_eight() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let run = |threads: &str| sessionlint(&root, &["--isolated", "--format", "pretty", "--threads", threads]).1;
    let one = run("1");
    assert!(one.len() > 10_000);
    for _ in 0..3 {
        assert_eq!(one, run("8"));
    }
}

#[test]
fn fingerprints_survive_moved_lines_and_renamed_files() {
    let print = |name: &str, text: String| {
        let package = package(&[(name, text.as_bytes())]);
        json(package.path(), &[])["findings"][0]["fingerprint"].as_str().unwrap().to_owned()
    };
    let first = print("lib.rs", LEAK.to_owned());
    assert_eq!(first, print("lib.rs", format!("// a line\n\n{LEAK}")));
    assert_eq!(first, print("main.rs", LEAK.replace("    Ok(())", "        Ok( () )")));
    assert_ne!(first, print("lib.rs", LEAK.replace("place", "other")));
}

#[test]
fn one_file_alone_says_the_same_as_the_whole_package() {
    let state = "pub struct State { pub db: sqlx::PgPool }\nimpl State {\n    pub async fn start(&self) -> \
        sqlx::Result<sqlx::Transaction<'static, sqlx::Postgres>> { self.db.begin().await }\n}\n";
    let user = "use crate::state::State;\npub async fn f(state: &State) -> sqlx::Result<()> {\n    let mut tx = \
        state.start().await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    Ok(())\n}\n";
    let package = package(&[
        ("lib.rs", b"mod state;\nmod user;\n"),
        ("state.rs", state.as_bytes()),
        ("user.rs", user.as_bytes()),
    ]);
    let whole = json(package.path(), &[]);
    let alone = json(package.path(), &["src/user.rs"]);
    assert_eq!(rules_of(&whole), ["uncommitted-transaction"]);
    assert_eq!(whole["findings"], alone["findings"]);
    assert_eq!(whole["findings"][0]["evidence"], "inferred");
}

#[test]
fn standard_input_stands_for_a_file() {
    let package = package(&[("lib.rs", CLEAN.as_bytes())]);
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let output = command
        .current_dir(package.path())
        .args(["--stdin-filename", "src/lib.rs", "--format", "concise"])
        .write_stdin(LEAK)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.starts_with("src/lib.rs:6:5: deny[uncommitted-transaction] "), "{out}");
}

#[test]
fn paths_can_come_from_a_file_and_excludes_hold() {
    let package = package(&[("a.rs", LEAK.as_bytes()), ("b.rs", LEAK.as_bytes()), ("generated/c.rs", LEAK.as_bytes())]);
    fs::write(package.path().join("list"), "src/a.rs\n").unwrap();
    assert_eq!(rules_of(&json(package.path(), &["--files-from", "list"])).len(), 1);
    fs::write(package.path().join("rules.toml"), "exclude = [\"src/generated\"]\n").unwrap();
    assert_eq!(rules_of(&json(package.path(), &[])).len(), 2);
    assert_eq!(rules_of(&json(package.path(), &["src/generated/c.rs"])).len(), 1);
    assert_eq!(rules_of(&json(package.path(), &["src/generated/c.rs", "--force-exclude"])).len(), 0);
    assert_eq!(rules_of(&json(package.path(), &["--isolated"])).len(), 3);
    fs::write(package.path().join(".gitignore"), "b.rs\n").unwrap();
    assert_eq!(rules_of(&json(package.path(), &["--isolated"])).len(), 2);
    assert_eq!(rules_of(&json(package.path(), &["--isolated", "--no-ignore"])).len(), 3);
}

#[test]
fn configuration_is_found_and_overridden() {
    let package = package(&[("lib.rs", LEAK.as_bytes()), ("tools/x.rs", LEAK.as_bytes())]);
    let config = "[rules]\nuncommitted-transaction = \"warn\"\n\n[[override]]\npaths = [\"src/tools/**\"]\n\
        rules = { uncommitted-transaction = \"allow\" }\n";
    fs::write(package.path().join("rules.toml"), config).unwrap();
    let report = json(package.path(), &[]);
    assert_eq!(rules_of(&report), ["uncommitted-transaction"]);
    assert_eq!(report["findings"][0]["level"], "warn");
    let report = json(package.path(), &["--config", "rules.uncommitted-transaction = \"note\""]);
    assert_eq!(report["findings"][0]["level"], "note");
    assert_eq!(sessionlint(&package.path().join("src"), &[]).0, 1);
}

#[test]
fn mistakes_in_the_configuration_are_shown_in_the_file() {
    let package = package(&[("lib.rs", LEAK.as_bytes())]);
    fs::write(package.path().join("rules.toml"), "[rules]\nuncommited-transaction = \"warn\"\n").unwrap();
    let (status, out, error) = sessionlint(package.path(), &["--color", "never"]);
    assert_eq!((status, out.as_str()), (2, ""));
    insta::assert_snapshot!("configuration_mistake", error);
    for wrong in
        ["profile = 3", "[[override]]\npath = \"x\"", "tests = \"maybe\"", "[rules]\nall = 1", "exclude = [1]", "x ="]
    {
        fs::write(package.path().join("rules.toml"), wrong).unwrap();
        assert_eq!(sessionlint(package.path(), &[]).0, 2, "{wrong}");
    }
}

#[test]
fn a_session_type_of_ones_own_is_data() {
    let text = "use mydb::{Pool, Txn};\n\npub fn f(pool: &Pool) -> Result<(), mydb::Error> {\n    let txn = \
        pool.open()?;\n    txn.put(1);\n    Ok(())\n}\n";
    let package = package(&[("lib.rs", text.as_bytes())]);
    fs::write(package.path().join("Cargo.toml"), MANIFEST.replace("sqlx", "mydb")).unwrap();
    let config = "[[protocol]]\nid = \"mydb.pool\"\nkind = \"pool\"\npaths = [\"mydb::Pool\"]\n\n[[protocol]]\n\
        id = \"mydb.txn\"\nkind = \"transaction\"\nclass = \"A\"\non_drop = \"rolls it back\"\npaths = [\"mydb::Txn\"]\n\
        open = [{ on = \"mydb.pool\", call = \"open\", gives = \"Result<it>\" }]\n\
        end = [{ call = \"commit\", as = \"commit\" }]\nwrites = [\"put\"]\n";
    assert_eq!(rules_of(&json(package.path(), &[])).len(), 0);
    fs::write(package.path().join("rules.toml"), config).unwrap();
    assert_eq!(rules_of(&json(package.path(), &[])), ["uncommitted-transaction"]);
}

#[test]
fn test_code_is_checked_only_on_demand() {
    let everywhere = |code: &str| {
        let inline = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
        let package = package(&[
            ("lib.rs", inline.as_bytes()),
            ("own.rs", b"#[cfg(test)]\nmod deep;\n"),
            ("own/deep.rs", code.as_bytes()),
        ]);
        fs::create_dir(package.path().join("tests")).unwrap();
        fs::write(package.path().join("tests/it.rs"), code).unwrap();
        package
    };
    let package = everywhere(&LEAK.replace("let mut tx", "let _").replace("&mut *tx", "pool"));
    assert_eq!(rules_of(&json(package.path(), &[])).len(), 0);
    assert_eq!(rules_of(&json(package.path(), &["--tests", "include"])).len(), 3);
    fs::write(package.path().join("rules.toml"), "tests = \"include\"\n").unwrap();
    assert_eq!(rules_of(&json(package.path(), &[])).len(), 3);
    assert_eq!(rules_of(&json(package.path(), &["--tests", "skip"])).len(), 0);
    // A transaction that no way commits is the test's isolation.
    assert_eq!(rules_of(&json(everywhere(LEAK).path(), &["--tests", "include"])).len(), 0);
}

#[test]
fn silencing_covers_its_place_and_nothing_else() {
    let silenced = |comment: &str, at: &str| {
        let text = LEAK.replace(at, &format!("{comment}\n{at}"));
        let package = package(&[("lib.rs", text.as_bytes())]);
        let report = json(package.path(), &["--warn", "unexplained-suppression"]);
        (rules_of(&report).join(","), report["suppressed"].as_u64().unwrap())
    };
    let none = String::new();
    let begin = "    let mut tx = pool.begin().await?;";
    assert_eq!(silenced("// sessionlint: allow(uncommitted-transaction) -- dry run", begin), (none.clone(), 1));
    assert_eq!(silenced("// sessionlint: expect(uncommitted-transaction) -- dry run", "    Ok(())"), (none.clone(), 1));
    assert_eq!(silenced("// sessionlint: allow-file(uncommitted-transaction) -- x", "use sqlx"), (none.clone(), 1));
    let attribute = "#[cfg_attr(any(), sessionlint::allow(uncommitted-transaction, reason = \"dry run\"))]";
    assert_eq!(silenced(attribute, "pub async fn place"), (none, 1));
    let (rules, count) = silenced("// sessionlint: allow(uncommitted-transaction)", begin);
    assert_eq!((rules.as_str(), count), ("unexplained-suppression", 1));
    let (rules, _) = silenced("// sessionlint: allow(leaked-session) -- x", begin);
    assert_eq!(rules, "unused-suppression,uncommitted-transaction");
    let (rules, _) = silenced("// sessionlint: expect(leaked-session) -- x", "    Ok(())");
    assert_eq!(rules, "unused-suppression,uncommitted-transaction");
}

#[test]
fn strict_asks_for_a_rollback_on_every_error_path() {
    let package = package(&[("lib.rs", CLEAN.as_bytes())]);
    let report = json(package.path(), &["--profile", "strict"]);
    assert_eq!(rules_of(&report), ["missing-rollback"]);
    assert_eq!(report["findings"][0]["level"], "warn");
}

#[test]
fn hostile_files_lose_nothing_but_themselves() {
    let broken =
        format!("{LEAK}pub async fn g(pool: &PgPool) {{ let tx = pool.begin( ; }}\n{}", LEAK.replace("place", "h"));
    let not_text = [LEAK.as_bytes(), &[0xff, 0xfe]].concat();
    let long = format!("// sqlx {}\n", "x".repeat(10_000_000));
    let brackets = format!("use sqlx::PgPool; fn begin_with() {{ begin({}", "[".repeat(100_000));
    let front = format!("#!/usr/bin/env run\n---\n[dependencies]\n---\n{LEAK}");
    let arms: String = (0..10_000).map(|arm| format!("{arm} => {{}}\n")).collect();
    let arms = LEAK.replace("Ok(())", &format!("match n {{ {arms} _ => {{}} }} Ok(())"));
    let line = "    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n";
    let lines = LEAK.replace("    Ok(())", &format!("{}    Ok(())", line.repeat(3_000)));
    let package = package(&[
        ("bom.rs", format!("\u{feff}{LEAK}").as_bytes()),
        ("brackets.rs", brackets.as_bytes()),
        ("broken.rs", broken.as_bytes()),
        ("crlf.rs", LEAK.replace('\n', "\r\n").as_bytes()),
        ("arms.rs", arms.as_bytes()),
        ("empty.rs", b""),
        ("front.rs", front.as_bytes()),
        ("lines.rs", lines.as_bytes()),
        ("long.rs", long.as_bytes()),
        ("not_text.rs", &not_text),
    ]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..", package.path().join("src/loop")).unwrap();
        std::os::unix::fs::symlink("/nothing/here", package.path().join("src/gone.rs")).unwrap();
    }
    #[cfg(unix)]
    let locked = {
        use std::os::unix::fs::PermissionsExt;
        let path = package.path().join("src/locked.rs");
        fs::write(&path, LEAK).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        // Who may read everything finds the mistake instead.
        fs::read(&path).is_err()
    };
    #[cfg(not(unix))]
    let locked = true;
    let report = json(package.path(), &[]);
    let found: Vec<String> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| format!("{}:{}", finding["path"].as_str().unwrap(), finding["range"]["start"]["line"]))
        .collect();
    let expected = [
        "src/arms.rs:10006",
        "src/bom.rs:6",
        "src/broken.rs:6",
        "src/broken.rs:14",
        "src/crlf.rs:6",
        "src/front.rs:10",
        "src/lines.rs:3006",
    ];
    let found: Vec<String> = found.into_iter().filter(|path| locked || !path.starts_with("src/locked.rs")).collect();
    assert_eq!(found, expected);
    let skipped: Vec<&str> =
        report["skipped"].as_array().unwrap().iter().map(|skipped| skipped["path"].as_str().unwrap()).collect();
    let mut expected = vec!["src/brackets.rs", "src/broken.rs", "src/not_text.rs"];
    if cfg!(unix) {
        expected.insert(2, "src/gone.rs");
        if locked {
            expected.insert(3, "src/locked.rs");
        }
    }
    assert_eq!(skipped, expected);
}

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let binary = assert_cmd::cargo::cargo_bin("sessionlint");
    let mut child = std::process::Command::new(binary)
        .current_dir(root)
        .args(["--isolated", "--quiet"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn commands_that_describe() {
    let here = TempDir::new().unwrap();
    let (status, rules, _) = sessionlint(here.path(), &["rules"]);
    assert_eq!(status, 0);
    assert!(rules.lines().any(|line| line.starts_with("uncommitted-transaction")));
    let (_, listed, _) = sessionlint(here.path(), &["rules", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len() + 1, rules.lines().count());
    let (_, explained, _) = sessionlint(here.path(), &["explain", "unbalanced-begin"]);
    insta::assert_snapshot!("explain", explained);
    let (_, libraries, _) = sessionlint(here.path(), &["libraries", "redb"]);
    insta::assert_snapshot!("libraries", libraries);
    let (_, error, hint) = sessionlint(here.path(), &["explain", "unbalanced-beginn"]);
    assert_eq!(error, "");
    assert!(hint.contains("did you mean `unbalanced-begin`?"), "{hint}");
}

#[test]
fn a_report_can_go_to_a_file_and_be_counted() {
    let package = package(&[("lib.rs", LEAK.as_bytes())]);
    let (status, out, error) =
        sessionlint(package.path(), &["--output", "report.txt", "--format", "concise", "--statistics"]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(error.starts_with("1 error in 1 file (1 file checked, 1 session)\n"), "{error}");
    let report = fs::read_to_string(package.path().join("report.txt")).unwrap();
    assert!(report.contains("     1  uncommitted-transaction"), "{report}");
}

#[test]
fn colours_are_used_only_on_request() {
    let package = package(&[("lib.rs", LEAK.as_bytes())]);
    assert!(!sessionlint(package.path(), &[]).1.contains('\u{1b}'));
    assert!(sessionlint(package.path(), &["--color", "always"]).1.contains('\u{1b}'));
}

#[test]
fn cargo_calls_it_with_its_own_name_first() {
    let package = package(&[("lib.rs", LEAK.as_bytes())]);
    let mut command = Command::cargo_bin("cargo-sessionlint").unwrap();
    let output = command.current_dir(package.path()).args(["sessionlint", "--format", "concise"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_pretty_report_explains_itself() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rust");
    for library in ["redb", "tiberius", "thirtyfour", "tokio-postgres"] {
        let (_, report, _) = sessionlint(&root.join(library), &["--isolated", "--color", "never"]);
        insta::assert_snapshot!(format!("pretty_{library}"), report);
    }
}
