//! The gate in CI: only what is new, what is known already, what is silenced in bulk, results that are kept.

use assert_cmd::Command;
use serde_json::Value;
use sessionlint_testkit::package::{git, write};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\n";

/// A function that forgets its commit.
fn leak(name: &str) -> String {
    format!(
        "pub async fn {name}(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {{\n    let mut tx = pool\n        .begin()\n        \
         .await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    Ok(())\n}}\n"
    )
}

fn clean(name: &str) -> String {
    leak(name).replace("    Ok(())\n", "    tx.commit().await?;\n    Ok(())\n")
}

/// A package in a git repository, with one commit.
fn repository(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    write(directory.path(), "Cargo.toml", MANIFEST);
    for (name, text) in files {
        write(directory.path(), name, text);
    }
    git(directory.path(), &["init", "--quiet", "--initial-branch", "main"]);
    commit(directory.path());
    directory
}

fn commit(directory: &Path) {
    git(directory, &["add", "--all"]);
    git(directory, &["commit", "--quiet", "--message", "x"]);
}

/// Exit status, standard output and standard error; results are kept in a directory of the test.
fn sessionlint(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("sessionlint")
        .unwrap()
        .current_dir(directory)
        .env("SESSIONLINT_CACHE_DIR", directory.join(".git/kept"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn functions(directory: &Path, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["check", "--format", "json"];
    all.extend_from_slice(arguments);
    let (_, out, error) = sessionlint(directory, &all);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|problem| panic!("{problem}: {out}{error}"));
    let name = |finding: &Value| finding["function"].as_str().unwrap().to_owned();
    report["findings"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn only_what_changed_counts() {
    let here = repository(&[("src/lib.rs", &format!("{}\n{}", leak("old"), clean("mended")))]);
    let path = here.path();
    assert_eq!(functions(path, &[]), ["old"]);
    assert!(functions(path, &["--new-from", "main"]).is_empty());
    // A line that is added, one that is deleted between the steps, a file that git does not know.
    git(path, &["checkout", "--quiet", "-b", "topic"]);
    write(path, "src/lib.rs", &format!("{}\n{}\n{}", leak("old"), leak("mended"), leak("added")));
    write(path, "src/other.rs", &leak("untracked"));
    let mut found = functions(path, &["--new-from", "main"]);
    found.sort();
    assert_eq!(found, ["added", "mended", "other::untracked"]);
    commit(path);
    assert_eq!(functions(path, &["--new-from", "main"]).len(), 3);
    // What main does meanwhile is not ours.
    git(path, &["checkout", "--quiet", "main"]);
    write(path, "src/third.rs", &leak("theirs"));
    commit(path);
    git(path, &["checkout", "--quiet", "topic"]);
    assert_eq!(functions(path, &["--new-from", "main"]).len(), 3);
    // Lines that move say nothing new.
    commit_moved(path);
    assert_eq!(functions(path, &["--new-from", "HEAD~1"]), Vec::<String>::new());
}

fn commit_moved(path: &Path) {
    let text = fs::read_to_string(path.join("src/lib.rs")).unwrap();
    write(path, "src/lib.rs", &format!("// A line.\n\n{text}"));
    commit(path);
}

#[test]
fn a_revision_that_is_not_there_is_told() {
    let here = repository(&[("src/lib.rs", &leak("old"))]);
    let (status, out, error) = sessionlint(here.path(), &["--new-from", "no-such-branch"]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(error.contains("no revision `no-such-branch`"), "{error}");
    commit_moved(here.path());
    let shallow = TempDir::new().unwrap();
    let url = format!("file://{}", here.path().display());
    git(shallow.path(), &["clone", "--quiet", "--depth", "1", &url, "clone"]);
    let (status, _, error) = sessionlint(&shallow.path().join("clone"), &["--new-from", "HEAD~1"]);
    assert_eq!(status, 2);
    assert!(error.contains("fetch-depth: 0"), "{error}");
    let outside = TempDir::new().unwrap();
    let (status, _, error) = sessionlint(outside.path(), &["--new-from", "main"]);
    assert!(status == 2 && error.contains("needs a git repository"), "{error}");
}

#[test]
fn a_baseline_keeps_what_was_there() {
    let here = repository(&[("src/lib.rs", &leak("old"))]);
    let path = here.path();
    let (status, _, error) = sessionlint(path, &["baseline"]);
    assert_eq!(status, 0, "{error}");
    let text = fs::read_to_string(path.join("sessionlint-baseline.json")).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("fingerprint")).count(), 1, "{text}");
    assert_eq!(sessionlint(path, &[]).0, 0);
    assert!(sessionlint(path, &[]).2.contains("1 in the baseline"));
    assert_eq!(sessionlint(path, &["--no-baseline"]).0, 1);
    // Moved lines, another format, another file: the same finding. Another function: a new one.
    fs::remove_file(path.join("src/lib.rs")).unwrap();
    write(path, "src/lib.rs", "mod moved;\n");
    write(
        path,
        "src/moved.rs",
        &format!(
            "\n\n{}",
            leak("old").replace(
                "    let mut tx = pool\n        .begin()\n        .await?",
                "    let mut tx = pool.begin().await?"
            )
        ),
    );
    let (status, _, error) = sessionlint(path, &[]);
    assert_eq!(status, 1, "the module is part of the function's path: {error}");
    write(path, "src/lib.rs", &format!("// x\n{}{}", leak("old").replace("tx)", "tx )"), leak("new")));
    fs::remove_file(path.join("src/moved.rs")).unwrap();
    assert_eq!(functions(path, &[]), ["new"]);
    // What is mended is stale, and pruned on demand; a run over other files says nothing of it.
    write(path, "src/lib.rs", &clean("old"));
    write(path, "src/other.rs", &leak("new"));
    let (status, _, error) = sessionlint(path, &[]);
    assert!(status == 1 && error.contains("1 entry of the baseline matches no finding any more"), "{error}");
    assert!(!sessionlint(path, &["src/other.rs"]).2.contains("baseline"));
    assert_eq!(sessionlint(path, &["baseline", "--prune"]).0, 0);
    let text = fs::read_to_string(path.join("sessionlint-baseline.json")).unwrap();
    assert!(!text.contains("fingerprint"), "pruning adds nothing: {text}");
    assert_eq!(sessionlint(path, &["--baseline", "nowhere.json"]).0, 2);
    write(path, "sessionlint-baseline.json", "{\"version\": 1, \"findings\": [3]}");
    let (status, _, error) = sessionlint(path, &[]);
    assert!(status == 2 && error.contains("this is not a baseline"), "{error}");
}

#[test]
fn everything_is_silenced_with_a_reason() {
    let helper = "pub async fn arm(pool: &sqlx::PgPool, n: u8) -> sqlx::Result<()> {\n    match n {\n        \
        0 => {\n            let mut tx = pool.begin().await?;\n            sqlx::query(\"DELETE FROM a\").execute(&mut *tx).await?;\n        }\n        \
        _ => drop(pool.begin().await?.commit()),\n    }\n    let _ = pool.begin().await?; let _ = pool.begin().await?;\n    Ok(())\n}\r\n";
    let here = repository(&[("src/lib.rs", &format!("{}{helper}", leak("old")))]);
    let path = here.path();
    let before = functions(path, &[]).len();
    assert!(before >= 4, "{before}");
    for empty in ["", "  ", "two\nlines"] {
        assert_eq!(sessionlint(path, &["--suppress", empty]).0, 2);
    }
    let (status, _, error) = sessionlint(path, &["check", "--suppress", "known since 2026"]);
    assert_eq!(status, 0, "{error}");
    let text = fs::read_to_string(path.join("src/lib.rs")).unwrap();
    assert!(
        text.contains(
            "\n    // sessionlint: allow(uncommitted-transaction) -- known since 2026\n    let mut tx = pool\n"
        ),
        "{text}"
    );
    assert_eq!(functions(path, &["--deny", "unexplained-suppression"]), Vec::<String>::new());
}

#[test]
fn kept_results_are_never_wrong() {
    let library = "[package]\nname = \"helper\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\n";
    let helper = "pub async fn save(tx: &mut sqlx::PgTransaction<'_>) -> sqlx::Result<()> {\n    \
        sqlx::query(include_str!(\"write.sql\")).execute(&mut **tx).await?;\n    Ok(())\n}\n";
    let caller = "pub async fn place(pool: &sqlx::PgPool) -> sqlx::Result<()> {\n    let mut tx = pool.begin().await?;\n    \
        helper::save(&mut tx).await\n}\n";
    let here = repository(&[
        ("helper/Cargo.toml", library),
        ("helper/src/lib.rs", helper),
        ("helper/src/write.sql", "SELECT 1"),
        ("src/lib.rs", caller),
    ]);
    let path = here.path();
    write(
        path,
        "Cargo.toml",
        &format!("{MANIFEST}helper = {{ path = \"helper\" }}\n\n[workspace]\nmembers = [\"helper\"]\n"),
    );
    let both = |arguments: &[&str]| {
        let with = functions(path, arguments);
        let again = functions(path, arguments);
        let mut without = arguments.to_vec();
        without.push("--no-cache");
        assert_eq!(with, functions(path, &without));
        assert_eq!(with, again);
        with
    };
    assert!(both(&[]).is_empty());
    let kept = fs::read_dir(path.join(".git/kept")).unwrap().count();
    assert_eq!(kept, 1);
    // Each thing that the result depends on: an included file, the file itself, another package, a manifest, the
    // configuration, an option.
    write(path, "helper/src/write.sql", "DELETE FROM carts");
    assert_eq!(both(&[]), ["place"]);
    assert_eq!(both(&["src/lib.rs"]), ["place"]);
    write(path, "src/lib.rs", &caller.replace("place", "other"));
    assert_eq!(both(&[]), ["other"]);
    write(path, "helper/src/lib.rs", &helper.replace("include_str!(\"write.sql\")", "\"SELECT 1\""));
    assert!(both(&[]).is_empty());
    write(path, "helper/src/lib.rs", helper);
    assert_eq!(both(&[]), ["other"]);
    write(path, "rules.toml", "[rules]\nuncommitted-transaction = \"allow\"\n");
    assert!(both(&[]).is_empty());
    assert_eq!(both(&["--isolated"]), ["other"]);
    assert_eq!(both(&["--warn", "all"]), ["other"]);
    fs::remove_file(path.join("rules.toml")).unwrap();
    write(path, "helper/Cargo.toml", &library.replace("sqlx", "other"));
    both(&[]);
    write(path, "helper/Cargo.toml", library);
    // What is broken or gone is made anew.
    for file in fs::read_dir(path.join(".git/kept")).unwrap() {
        fs::write(file.unwrap().path(), "{\"key\": 3}").unwrap();
    }
    assert_eq!(both(&[]), ["other"]);
    fs::remove_dir_all(path.join(".git/kept")).unwrap();
    fs::write(path.join(".git/kept"), "a file where a directory should be").unwrap();
    assert_eq!(both(&[]), ["other"]);
}

#[test]
fn a_report_from_what_was_kept_is_the_same() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rust/sqlx");
    let kept = TempDir::new().unwrap();
    let run = |format: &str, extra: &[&str]| {
        let mut command = Command::cargo_bin("sessionlint").unwrap();
        command.current_dir(&root).args(["--isolated", "--format", format, "--cache-dir"]).arg(kept.path()).args(extra);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    for format in ["pretty", "concise", "sarif", "github", "gitlab", "junit"] {
        let without = run(format, &["--no-cache"]);
        assert!(without.len() > 1000);
        assert_eq!(run(format, &[]), without, "{format}");
        assert_eq!(run(format, &[]), without, "{format}");
    }
}

/// A baseline as version 1 wrote it: entries of path, function and fingerprint.
fn version_1(entries: &[(&str, &str, &str)]) -> String {
    let entry = |(path, function, fingerprint): &(&str, &str, &str)| {
        format!(
            "    {{\"path\":\"{path}\",\"function\":\"{function}\",\"rule\":\"uncommitted-transaction\",\"fingerprint\":\"{fingerprint}\"}}"
        )
    };
    let lines: Vec<String> = entries.iter().map(entry).collect();
    format!("{{\n  \"version\": 1,\n  \"findings\": [\n{}\n  ]\n}}\n", lines.join(",\n"))
}

#[test]
fn a_baseline_of_version_1_keeps_what_it_kept() {
    let here = repository(&[
        ("src/lib.rs", &format!("mod a;\nmod b;\n{}{}", leak("first"), leak("second"))),
        ("src/a.rs", &leak("old")),
        ("src/b.rs", &leak("old")),
    ]);
    let path = here.path();
    // The second is known by what is known of it beside a fingerprint that nothing has any more.
    let old = version_1(&[
        ("src/a.rs", "a::old", "0123456789abcdef0123456789abcdef"),
        ("src/b.rs", "b::old", "1123456789abcdef0123456789abcdef"),
        ("src/lib.rs", "second", "2123456789abcdef0123456789abcdef"),
    ]);
    write(path, "sessionlint-baseline.json", &old);
    assert_eq!(functions(path, &[]), ["first"]);
    assert_eq!(functions(path, &[]), ["first"], "from a result that was kept");
    assert!(!sessionlint(path, &[]).2.contains("of the baseline match"));
    // It stands for one finding, not for all of the function.
    let half = leak("x").replace("    Ok(())\n}\n", "");
    let body = &half[half.find("    let").unwrap()..];
    let twice = leak("old").replace("    let", &format!("{}    let", body.replace("tx", "one")));
    write(path, "src/a.rs", &twice);
    assert_eq!(functions(path, &["--allow", "nested-acquire"]), ["a::old", "first"], "{twice}");
    write(path, "src/a.rs", &leak("old"));
    // What is not asked about stays as it is, and counts.
    let (status, _, error) = sessionlint(path, &["baseline", "src/lib.rs"]);
    assert!(status == 0 && error.contains("4 entries (1 new, 0 removed)"), "{error}");
    let text = fs::read_to_string(path.join("sessionlint-baseline.json")).unwrap();
    assert!(text.contains("\"version\": 2") && text.matches("\"former\":true").count() == 2, "{text}");
    assert!(functions(path, &[]).is_empty());
    // Then all of it is new.
    let (_, _, error) = sessionlint(path, &["baseline"]);
    assert!(error.contains("4 entries (0 new, 0 removed)"), "{error}");
    let text = fs::read_to_string(path.join("sessionlint-baseline.json")).unwrap();
    assert!(!text.contains("former") && !text.contains("123456789abcdef"), "{text}");
    assert!(functions(path, &[]).is_empty());
    // An entry of this version is known by its fingerprint only.
    write(path, "sessionlint-baseline.json", &old.replace("\"version\": 1", "\"version\": 2"));
    assert_eq!(functions(path, &[]).len(), 4);
}
