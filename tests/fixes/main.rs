//! Fixes: tried before they are offered, applied when that is asked for.

mod offered;

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\n";

/// One mistake of each kind that has a fix, and some whose fix would make another one.
const MISTAKES: &str = r#"use sqlx::PgPool;

pub async fn not_awaited(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    // done; really
    let _ = tx.commit();
    Ok(())
}

pub async fn dropped(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    drop(tx.commit());
    Ok(())
}

pub async fn beside(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    sqlx::query("DELETE FROM orders").execute(pool).await?;
    tx.commit().await
}

pub async fn discarded(pool: &PgPool) -> sqlx::Result<()> {
    let _ = pool.begin().await?;
    Ok(())
}

pub async fn forgotten(pool: &PgPool, all: bool) -> sqlx::Result<u64> {
    let mut tx = pool.begin().await?;
    let done = sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    if all {
        return Ok(done.rows_affected());
    }
    Ok(0)
}

pub async fn nothing_to_return_it_to(pool: PgPool) {
    let mut tx = pool.begin().await.unwrap();
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await.unwrap();
    let _ = tx.commit();
}

pub async fn still_in_use(pool: &PgPool) -> sqlx::Result<i64> {
    let mut tx = pool.begin().await?;
    sqlx::query("DELETE FROM carts").execute(&mut *tx).await?;
    Ok(sqlx::query_scalar("SELECT count(*) FROM carts").fetch_one(&mut *tx).await?)
}

pub fn in_a_closure() -> impl Fn(sqlx::Transaction<'static, sqlx::Postgres>) {
    |tx: sqlx::Transaction<'static, sqlx::Postgres>| {
        let _ = tx.commit();
    }
}
"#;

fn package() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir_all(directory.path().join("src")).unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    fs::write(directory.path().join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(directory.path().join("src/lib.rs"), MISTAKES).unwrap();
    directory
}

fn sessionlint(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("sessionlint").unwrap().current_dir(directory).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn text_of(directory: &Path) -> String {
    fs::read_to_string(directory.join("src/lib.rs")).unwrap()
}

#[test]
fn fixes_are_shown_as_a_patch() {
    let here = package();
    let (status, patch, said) = sessionlint(here.path(), &["--diff", "--unsafe-fixes"]);
    assert_eq!(status, 1);
    insta::assert_snapshot!("patch", patch);
    assert!(said.starts_with("8 errors in 1 file ("), "{said}");
    assert_eq!(text_of(here.path()), MISTAKES);
}

#[test]
fn safe_fixes_are_applied_and_guesses_only_when_asked_for() {
    let here = package();
    let (status, left, said) = sessionlint(here.path(), &["--fix", "--format", "concise"]);
    assert_eq!(status, 1);
    assert!(said.contains("4 findings fixed"), "{said}");
    let rules: Vec<&str> = left.lines().filter_map(|line| line.split(['[', ']']).nth(1)).collect();
    assert_eq!(
        rules,
        ["uncommitted-transaction", "unawaited-release", "uncommitted-transaction", "unawaited-release"],
        "{left}"
    );
    let (_, _, said) = sessionlint(here.path(), &["--fix", "--unsafe-fixes"]);
    assert!(said.contains("1 finding fixed"), "{said}");
    let text = text_of(here.path());
    assert!(text.contains("        tx.commit().await?;\n        return Ok(done.rows_affected());"), "{text}");
    assert!(text.contains("    // done; really\n    tx.commit().await?;\n"), "{text}");
    // Nothing more can be done.
    sessionlint(here.path(), &["--fix", "--unsafe-fixes"]);
    assert_eq!(text_of(here.path()), text);
    assert_eq!(fs::read_dir(here.path().join("src")).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn reports_for_programs_carry_the_fixes() {
    let here = package();
    let (_, report, _) = sessionlint(here.path(), &["--format", "json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    let fixes: Vec<(String, String)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|finding| {
            let function = finding["function"].as_str().unwrap().to_owned();
            let fixes = finding["fixes"].as_array().unwrap();
            fixes.iter().map(move |fix| (function.clone(), fix["applicability"].as_str().unwrap().to_owned()))
        })
        .collect();
    let expected = [
        ("not_awaited", "safe"),
        ("dropped", "safe"),
        ("beside", "safe"),
        ("discarded", "safe"),
        ("forgotten", "unsafe"),
    ];
    let expected = expected.map(|(function, how)| (function.to_owned(), how.to_owned()));
    assert_eq!(fixes, expected);
}

#[test]
fn a_fix_for_standard_input_or_a_link_loses_nothing() {
    let here = package();
    assert_eq!(sessionlint(here.path(), &["--fix", "--stdin-filename", "src/lib.rs"]).0, 2);
    assert_eq!(sessionlint(here.path(), &["--fix", "--diff"]).0, 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let real = here.path().join("real.rs");
        fs::rename(here.path().join("src/lib.rs"), &real).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, here.path().join("src/lib.rs")).unwrap();
        sessionlint(here.path(), &["--fix", "src/lib.rs"]);
        assert!(fs::symlink_metadata(here.path().join("src/lib.rs")).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert_ne!(fs::read_to_string(&real).unwrap(), MISTAKES);
    }
}

#[test]
fn line_endings_stay_as_they_are() {
    let here = package();
    fs::write(here.path().join("src/lib.rs"), MISTAKES.replace('\n', "\r\n")).unwrap();
    sessionlint(here.path(), &["--fix", "--unsafe-fixes"]);
    let text = text_of(here.path());
    assert!(text.contains("        tx.commit().await?;\r\n        return Ok(done.rows_affected());\r\n"), "{text}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
}

#[test]
fn a_file_that_cannot_be_written_does_not_stop_the_rest() {
    let here = package();
    let locked = here.path().join("src/a.rs");
    fs::write(&locked, MISTAKES).unwrap();
    fs::write(here.path().join("src/z.rs"), MISTAKES).unwrap();
    let mut permissions = fs::metadata(&locked).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&locked, permissions).unwrap();
    let (status, _, said) = sessionlint(here.path(), &["--fix", "--format", "concise"]);
    assert_eq!(status, 2);
    assert!(said.contains("src/a.rs: could not be changed: it is read-only\n"), "{said}");
    assert!(said.contains("src/lib.rs: changed\nsrc/z.rs: changed\n"), "{said}");
    assert_eq!(fs::read_to_string(&locked).unwrap(), MISTAKES);
    assert_ne!(text_of(here.path()), MISTAKES);
    assert_ne!(fs::read_to_string(here.path().join("src/z.rs")).unwrap(), MISTAKES);
    assert_eq!(fs::read_dir(here.path().join("src")).unwrap().count(), 3, "nothing is left behind");
}
