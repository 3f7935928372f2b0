//! What happens when the program itself is wrong: one function or file is left out, and everybody is told.
//!
//! A build for debugging panics where `SESSIONLINT_PANIC` says; a release build has no such way.
#![cfg(debug_assertions)]

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\n";

/// A function that forgets its commit.
fn leak(name: &str) -> String {
    format!(
        "pub async fn {name}(pool: &sqlx::PgPool) -> sqlx::Result<()> {{\n    let mut tx = pool.begin().await?;\n    \
         sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    Ok(())\n}}\n"
    )
}

/// A package with two functions in one file, and one in another.
fn package() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir_all(directory.path().join("src")).unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    fs::write(directory.path().join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(directory.path().join("src/lib.rs"), format!("mod b;\n{}{}", leak("first"), leak("second"))).unwrap();
    fs::write(directory.path().join("src/b.rs"), leak("third")).unwrap();
    directory
}

fn run(directory: &Path, panic: &str, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    command.current_dir(directory).env("SESSIONLINT_CACHE_DIR", directory.join(".git/kept"));
    let output = command.env("SESSIONLINT_PANIC", panic).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(directory: &Path, panic: &str, arguments: &[&str]) -> (i32, Value) {
    let mut all = vec!["--format", "json"];
    all.extend_from_slice(arguments);
    let (status, out, error) = run(directory, panic, &all);
    (status, serde_json::from_str(&out).unwrap_or_else(|problem| panic!("{problem}: {out}{error}")))
}

fn functions(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["function"].as_str().unwrap()).collect()
}

#[test]
fn a_panic_costs_one_function_and_is_told() {
    let here = package();
    for step in ["analysing", "judging"] {
        let panic = format!("{step} first");
        let (status, report) = json(here.path(), &panic, &[]);
        assert_eq!((status, functions(&report)), (1, vec!["b::third", "second"]));
        let skipped = &report["skipped"].as_array().unwrap()[..];
        let reason = skipped[0]["reason"].as_str().unwrap();
        let says = format!("internal error in first: a test asked for it: {step} first (crates/engine/src/panics.rs:");
        assert!(skipped.len() == 1 && reason.starts_with(&says), "{skipped:?}");
        assert_eq!((skipped[0]["path"].as_str(), skipped[0]["line"].as_u64()), (Some("src/lib.rs"), Some(2)));
        assert_eq!(report["summary"]["panics"], 1);
        let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/report.json")).unwrap();
        assert!(jsonschema::is_valid(&serde_json::from_str(&schema).unwrap(), &report));
        // In each format, and also where little is said.
        for arguments in [&[][..], &["--quiet"], &["--verbose"], &["--format", "jsonl"], &["--format", "sarif", "-q"]] {
            let (status, _, error) = run(here.path(), &panic, arguments);
            assert_eq!(status, 1, "{arguments:?}");
            assert_eq!(error.matches("skipped src/lib.rs:2: internal error in first: ").count(), 1, "{error}");
            assert!(error.contains("1 internal error: ") && error.contains("please report it"), "{error}");
        }
        assert!(run(here.path(), &panic, &[]).2.contains("1 skipped (--verbose lists them); 1 internal error\n"));
        let (_, lines, _) = run(here.path(), &panic, &["--format", "jsonl"]);
        assert!(lines.lines().last().unwrap().contains("\"panics\":1"), "{lines}");
    }
    // Nothing of it is kept for the next run.
    let (status, report) = json(here.path(), "", &[]);
    assert_eq!((status, functions(&report).len()), (1, 3));
    assert_eq!(report["summary"]["panics"], 0);
}

#[test]
fn the_exit_status_is_as_without_it() {
    let here = package();
    let status = |panic: &str, arguments: &[&str]| run(here.path(), panic, arguments).0;
    assert_eq!(status("analysing first", &["--fail-on", "never"]), 0);
    assert_eq!(status("analysing first", &["src/lib.rs"]), 1);
    // Where nothing could be checked it cannot be told.
    let (status, _, error) = run(here.path(), "analysing b::third", &["src/b.rs"]);
    assert!(status == 2 && error.ends_with("sessionlint: nothing could be checked\n"), "{error}");
    let (status, _, error) = run(here.path(), "analysing b::third", &["baseline", "src/b.rs"]);
    assert!(status == 2 && error.contains("internal error in b::third"), "{error}");
    assert!(!here.path().join("sessionlint-baseline.json").exists());
}

#[test]
fn a_panic_costs_one_file_and_is_told() {
    let here = package();
    let (status, report) = json(here.path(), "reading src/b.rs", &[]);
    assert_eq!((status, functions(&report)), (1, vec!["first", "second"]));
    let skipped = report["skipped"].as_array().unwrap();
    assert_eq!((skipped.len(), skipped[0]["path"].as_str()), (1, Some("src/b.rs")));
    assert!(skipped[0]["reason"].as_str().unwrap().starts_with("internal error in this file: "), "{skipped:?}");
    assert_eq!(report["summary"]["panics"], 1);
    assert_eq!(run(here.path(), "reading src/b.rs", &["src/b.rs"]).0, 2);
}

#[test]
fn a_panic_about_everything_is_told_with_status_2() {
    let here = package();
    for step in ["packages", "names"] {
        for arguments in [&[][..], &["--quiet"], &["--format", "json"], &["baseline"]] {
            let (status, out, error) = run(here.path(), &format!("{step} all"), arguments);
            assert_eq!((status, out.as_str()), (2, ""), "{error}");
            assert!(error.starts_with("sessionlint: internal error: a test asked for it: "), "{error}");
            assert!(error.contains("(crates/engine/src/panics.rs:") && error.contains("please report it"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}

#[test]
fn what_was_not_checked_stays_in_the_baseline() {
    let here = package();
    assert_eq!(run(here.path(), "", &["baseline"]).0, 0);
    let path = here.path().join("sessionlint-baseline.json");
    let before = fs::read_to_string(&path).unwrap();
    for panic in ["analysing first", "reading src/b.rs"] {
        assert_eq!(run(here.path(), panic, &["baseline"]).0, 0);
        assert_eq!(fs::read_to_string(&path).unwrap(), before, "{panic}");
        assert!(!run(here.path(), panic, &[]).2.contains("of the baseline match"));
    }
}

#[test]
fn module_files_of_any_name_are_read() {
    for name in ["src/bin.rs", "src/bin/mod.rs", "src/bin/x/main.rs", "src/bin/x.rs"] {
        let here = package();
        let path = here.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, leak("fourth")).unwrap();
        assert_eq!(functions(&json(here.path(), "", &[]).1).len(), 4, "{name}");
    }
}

/// A message of the Language Server Protocol.
fn message(body: &str) -> String {
    format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn the_language_server_tells_and_goes_on() {
    let here = package();
    let root = format!("file://{}", here.path().canonicalize().unwrap().display());
    let talk = |panic: &str| {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("sessionlint"))
            .arg("lsp")
            .env("SESSIONLINT_PANIC", panic)
            .current_dir(here.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let hello = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{{\"capabilities\":{{}},\"processId\":null,\"rootUri\":\"{root}\"}}}}"
        );
        let text = fs::read_to_string(here.path().join("src/lib.rs")).unwrap();
        let open = format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{{\"textDocument\":{{\"uri\":\"{root}/src/lib.rs\",\"languageId\":\"rust\",\"version\":1,\"text\":{text:?}}}}}}}"
        );
        let hover = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"textDocument/hover\",\"params\":{{\"textDocument\":{{\"uri\":\"{root}/src/lib.rs\"}},\"position\":{{\"line\":0,\"character\":0}}}}}}"
        );
        let mut input = child.stdin.take().unwrap();
        for body in [
            &hello,
            "{\"jsonrpc\":\"2.0\",\"method\":\"initialized\",\"params\":{}}",
            &open,
            // Its answer comes after the open file was checked.
            &hover,
            "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"shutdown\"}",
            "{\"jsonrpc\":\"2.0\",\"method\":\"exit\"}",
        ] {
            input.write_all(message(body).as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, said) = talk("analysing first");
    assert_eq!(status, 0, "{said}");
    assert_eq!(said.matches("window/showMessage").count(), 1, "{said}");
    assert!(said.contains("internal error in first: ") && said.contains("uncommitted writes"), "{said}");
    let (status, said) = talk("names all");
    assert!(status == 0 && said.contains("sessionlint: internal error: a test asked for it"), "{said}");
    assert!(said.contains("\"id\":2"), "the next question is answered: {said}");
    let (status, said) = talk("");
    assert!(status == 0 && !said.contains("window/showMessage"), "{said}");
}
