//! Why nothing is said: a line for each thing that was asked for and came to nothing.

use assert_cmd::Command;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const MANIFEST: &str =
    "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\nmailer = \"1\"\n";
const LEAK: &str = "pub async fn place(pool: &sqlx::PgPool) -> sqlx::Result<()> {\n    \
    let mut tx = pool.begin().await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    Ok(())\n}\n";

/// A directory with these files, at the top of a repository.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

/// The lines that explain, and the exit status. In every format they are the same, and with --quiet there are none.
fn notes(directory: &Path, arguments: &[&str]) -> (i32, Vec<String>) {
    let run = |more: &[&str]| {
        let mut command = Command::cargo_bin("sessionlint").unwrap();
        command.current_dir(directory).env("SESSIONLINT_CACHE_DIR", directory.join(".git/kept"));
        let output = command.args(arguments).args(more).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let lines = error.lines().filter_map(|line| line.strip_prefix("sessionlint: "));
        (output.status.code().unwrap(), lines.map(str::to_owned).collect::<Vec<_>>())
    };
    let plain = run(&[]);
    assert_eq!(run(&["--format", "json"]), plain);
    if plain.0 != 2 {
        assert_eq!(run(&["--quiet"]), (plain.0, Vec::new()));
    }
    plain
}

#[test]
fn what_is_right_needs_no_explanation() {
    let here = directory(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LEAK)]);
    assert_eq!(notes(here.path(), &[]), (1, Vec::new()));
    assert_eq!(notes(here.path(), &["src/lib.rs"]), (1, Vec::new()));
    // A file of no package may use any library.
    let here = directory(&[("a.rs", LEAK)]);
    assert_eq!(notes(here.path(), &[]), (1, Vec::new()));
}

#[test]
fn no_rust_files() {
    let here = directory(&[("a/read.me", ""), ("b/c.rs", LEAK), ("d/e.rs", LEAK), (".gitignore", "c.rs\n")]);
    let note = |arguments: &[&str]| notes(here.path(), arguments);
    assert_eq!(note(&["a"]), (0, vec!["no Rust files to check were found below `a`".to_owned()]));
    let apart = "no Rust files to check were found below `a`, `b` (1 is ignored or excluded)";
    assert_eq!(note(&["a", "b"]), (0, vec![apart.to_owned()]));
    assert_eq!(note(&["a", "d"]), (1, Vec::new()));
    let excluded = &["--config", "exclude = [\"d/**\"]", "d"];
    let apart = "no Rust files to check were found below `d` (1 is ignored or excluded)";
    assert_eq!(note(excluded), (0, vec![apart.to_owned()]));
    // Whoever names what is excluded, and wants that, knows.
    assert_eq!(note(&["--config", "exclude = [\"d/**\"]", "--force-exclude", "d/e.rs"]), (0, Vec::new()));
    fs::write(here.path().join("list"), "").unwrap();
    let none = "no path was given, so nothing was checked";
    assert_eq!(note(&["--files-from", "list"]), (0, vec![none.to_owned()]));
}

#[test]
fn a_path_that_is_no_rust_file() {
    let here = directory(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LEAK), ("read.me", ""), ("script", LEAK)]);
    let one = "`script` does not end in .rs and is read as Rust anyway";
    assert_eq!(notes(here.path(), &["script"]), (1, vec![one.to_owned()]));
    let two = "`script`, `read.me` do not end in .rs and are read as Rust anyway";
    assert_eq!(notes(here.path(), &["script", "src/lib.rs", "read.me"]), (1, vec![two.to_owned()]));
}

#[test]
fn no_known_library() {
    let other = MANIFEST.replace("sqlx", "serde");
    let here = directory(&[
        ("a/Cargo.toml", &other),
        ("a/src/lib.rs", LEAK),
        ("b/Cargo.toml", MANIFEST),
        ("b/src/lib.rs", LEAK),
    ]);
    let none = "the checked packages depend on no library that sessionlint knows; `sessionlint libraries` lists those";
    assert_eq!(notes(here.path(), &["a"]), (0, vec![none.to_owned()]));
    assert_eq!(notes(here.path(), &["a", "b"]), (1, Vec::new()));
}

#[test]
fn unsafe_fixes_without_fixes() {
    let here = directory(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LEAK)]);
    let note = "`--unsafe-fixes` has no effect without `--fix` or `--diff`";
    assert_eq!(notes(here.path(), &["--unsafe-fixes"]), (1, vec![note.to_owned()]));
    assert_eq!(notes(here.path(), &["--unsafe-fixes", "--diff"]), (1, Vec::new()));
}

#[test]
fn an_override_without_a_file() {
    let config = "[[override]]\npaths = [\"src/**\"]\nrules = { leaked-session = \"note\" }\n\n[[override]]\npaths = \
                  [\"tools/**\", \"scripts\"]\nrules = { leaked-session = \"note\" }\n";
    let here = directory(&[("rules.toml", config), ("Cargo.toml", MANIFEST), ("src/lib.rs", LEAK)]);
    let note = "rules.toml: `tools/**`, `scripts` in an [[override]] match no file";
    assert_eq!(notes(here.path(), &[]), (1, vec![note.to_owned()]));
    // A part of the tree says nothing about the rest.
    assert_eq!(notes(here.path(), &["src"]), (1, Vec::new()));
}

#[test]
fn a_function_that_is_not_there() {
    let names = [
        "place",
        "crate_of_ours::mail::Mailer::tell",
        "Mailer::tell",
        "mail::Mailer::tel",
        "Maler::tell",
        "mailer::anything",
        "std::thread::sleep",
    ];
    let config = format!("[rules]\nsession-held-across-await = {{ also = {names:?} }}\n");
    let mail = "pub struct Mailer;\nimpl Mailer {\n    pub async fn tell(&self) {}\n}\n";
    let here = directory(&[
        ("rules.toml", &config),
        ("Cargo.toml", MANIFEST),
        ("src/lib.rs", &format!("pub mod mail;\n{LEAK}")),
        ("src/mail.rs", mail),
    ]);
    let note = |name: &str| format!("rules.toml: `{name}` in `also` is no function of this workspace");
    assert_eq!(notes(here.path(), &[]), (1, vec![note("Maler::tell"), note("mail::Mailer::tel")]));
    assert_eq!(notes(here.path(), &["src"]), (1, Vec::new()));
}

#[test]
fn a_baseline_that_matches_nothing() {
    let here = directory(&[("Cargo.toml", MANIFEST), ("src/lib.rs", LEAK)]);
    let run = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("sessionlint").unwrap();
        let output = command.current_dir(here.path()).arg("check").args(arguments).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    assert!(command.current_dir(here.path()).arg("baseline").output().unwrap().status.success());
    fs::write(here.path().join("src/lib.rs"), LEAK.replace("place", "other")).unwrap();
    let says = "1 entry of the baseline matches no finding any more";
    assert!(run(&["--format", "json"]).contains(says) && run(&[]).contains(says));
    assert_eq!(run(&["--quiet"]), "");
}

#[test]
fn a_command_that_is_mistyped() {
    let here = directory(&[("a.rs", "")]);
    for (word, command) in [("chekc", "check"), ("explian", "explain"), ("libary", "libraries"), ("rule", "rules")] {
        let says = format!("no such file or directory `{word}`; did you mean the command `{command}`?");
        assert_eq!(notes(here.path(), &[word]), (2, vec![says]));
    }
    // What is no command is a path, and so is what stands behind one.
    for arguments in [&["nowhere.rs"][..], &["src/chekc"], &["check", "chekc"]] {
        let (status, said) = notes(here.path(), arguments);
        assert!(status == 2 && said.len() == 1 && !said[0].contains("did you mean"), "{said:?}");
    }
}
