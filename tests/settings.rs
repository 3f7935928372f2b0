//! Where settings can stand: files of their own, and Cargo.toml.

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\n";
const LEAK: &str = "pub async fn place(pool: &sqlx::PgPool) -> sqlx::Result<()> {\n    \
    let mut tx = pool.begin().await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    Ok(())\n}\n";

/// A workspace with one package in `app`, in a repository.
fn workspace() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir_all(directory.path().join("app/src")).unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    write(directory.path(), "Cargo.toml", "[workspace]\nmembers = [\"app\"]\n");
    write(directory.path(), "app/Cargo.toml", MANIFEST);
    write(directory.path(), "app/src/lib.rs", LEAK);
    directory
}

fn write(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).unwrap();
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let output = command.current_dir(directory).arg("--no-cache").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The level of the one finding.
fn level(directory: &Path) -> String {
    let (_, out, error) = run(directory, &["--format", "json"]);
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|problem| panic!("{problem}: {out}{error}"));
    report["findings"][0]["level"].as_str().unwrap_or("none").to_owned()
}

fn setting(table: &str, level: &str) -> String {
    format!("[{table}]\nuncommitted-transaction = \"{level}\"\n")
}

#[test]
fn the_nearest_place_wins_and_in_one_directory_the_first() {
    let here = workspace();
    let (root, app) = (here.path(), here.path().join("app"));
    assert_eq!(level(&app), "deny");
    let workspace = "[workspace]\nmembers = [\"app\"]\n";
    // Each place wins over those before it, and the next directory over all of the one above.
    write(root, "Cargo.toml", &format!("{workspace}{}", setting("workspace.metadata.sessionlint.rules", "warn")));
    assert_eq!(level(&app), "warn");
    let package = setting("package.metadata.sessionlint.rules", "note");
    write(&app, "Cargo.toml", &format!("{MANIFEST}\n{package}"));
    assert_eq!(level(&app), "note");
    assert_eq!(level(root), "warn", "the package's own count below it only");
    write(&app, ".sessionlint.toml", &setting("rules", "warn"));
    assert_eq!(level(&app), "warn");
    write(&app, "sessionlint.toml", &setting("rules", "note"));
    assert_eq!(level(&app), "note");
    write(&app, "rules.toml", &setting("rules", "allow"));
    assert_eq!(level(&app), "none");
}

#[test]
fn paths_in_a_manifest_are_relative_to_it_and_the_baseline_stands_beside_it() {
    let here = workspace();
    let table = "[workspace]\nmembers = [\"app\"]\n[workspace.metadata.sessionlint]\n";
    write(here.path(), "Cargo.toml", &format!("{table}exclude = [\"app/**\"]\n"));
    assert_eq!(level(&here.path().join("app")), "none");
    write(here.path(), "Cargo.toml", table);
    assert_eq!(run(&here.path().join("app"), &["baseline"]).0, 2, "an option before the command is refused");
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    assert!(
        command
            .current_dir(here.path().join("app"))
            .args(["baseline", "--no-cache"])
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(here.path().join("sessionlint-baseline.json").exists());
    assert_eq!(level(&here.path().join("app")), "none");
}

#[test]
fn mistakes_in_a_manifest_are_shown_in_it() {
    let here = workspace();
    let table = "[package.metadata.sessionlint]\ntests = \"skip\"\nprofil = \"strict\"\n";
    write(&here.path().join("app"), "Cargo.toml", &format!("{MANIFEST}\n{table}"));
    let (status, out, error) = run(&here.path().join("app"), &["--color", "never"]);
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(error.contains("--> Cargo.toml:10:1\n") && error.contains("did you mean `profile`?"), "{error}");
    write(
        here.path(),
        "Cargo.toml",
        &format!("[workspace]\nmembers = [\"app\"]\n{}", table.replace("package", "workspace")),
    );
    let (status, _, error) = run(here.path(), &["--color", "never"]);
    assert!(status == 2 && error.contains("--> Cargo.toml:5:1\n"), "{error}");
    assert_eq!(run(here.path(), &["--isolated"]).0, 1);
}

#[test]
fn a_rules_toml_of_another_tool_is_passed_by() {
    let here = workspace();
    let app = here.path().join("app");
    write(here.path(), "sessionlint.toml", &setting("rules", "note"));
    write(&app, "rules.toml", "version = 3\n\n[ruleset]\nname = \"other\"\n");
    assert_eq!(level(&app), "note");
    let (_, _, error) = run(&app, &[]);
    assert_eq!(error.matches("rules.toml has no key that sessionlint knows").count(), 1, "{error}");
    assert_eq!(run(&app, &["--quiet"]).2, "");
    assert!(!run(&app, &["--isolated"]).2.contains("rules.toml"));
    // One that is named is read.
    assert_eq!(run(&app, &["--config", "rules.toml"]).0, 2);
    // With a single key that is known it is ours, and so is one with a key that is mistyped.
    for ours in ["version = 3\nprofile = \"strict\"\n", "profil = \"strict\"\n"] {
        write(&app, "rules.toml", ours);
        assert_eq!(run(&app, &[]).0, 2, "{ours}");
    }
}

#[test]
fn init_leaves_alone_what_is_there() {
    let init = |directory: &Path| {
        let mut command = Command::cargo_bin("sessionlint").unwrap();
        let output = command.current_dir(directory).arg("init").output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let here = workspace();
    let app = here.path().join("app");
    write(&app, "rules.toml", "version = 3\n");
    let (status, error) = init(&app);
    assert!(status == 0 && error.starts_with("sessionlint.toml written, for sqlx"), "{error}");
    assert_eq!(fs::read_to_string(app.join("rules.toml")).unwrap(), "version = 3\n");
    let (status, error) = init(&app);
    assert!(status == 2 && error.contains("sessionlint.toml exists already and was not changed"), "{error}");
    write(here.path(), "Cargo.toml", "[workspace]\nmembers = [\"app\"]\n[workspace.metadata.sessionlint]\n");
    let (status, error) = init(here.path());
    assert!(status == 2 && error.contains("Cargo.toml exists already and was not changed"), "{error}");
}
