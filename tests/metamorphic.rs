//! Rewriting code without changing what it does does not change a verdict: the fixtures, rewritten, give the same
//! findings in the same functions.

use sessionlint_testkit::{check, rust_files};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn fixture(package: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rust").join(package)
}

/// The source files of a fixture package by name, `lib.rs` included.
fn sources(package: &str) -> BTreeMap<String, String> {
    rust_files(&fixture(package).join("src"))
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// How often each rule is reported in each function, without the module that it stands in.
type Verdicts = BTreeMap<(String, &'static str), usize>;

fn verdicts(directory: &Path) -> Verdicts {
    let outcome = check(directory, &["."], |_| {});
    assert!(outcome.skipped.is_empty(), "{:?}", outcome.skipped);
    let mut found = Verdicts::new();
    for finding in &outcome.findings {
        *found.entry((finding.function.clone(), finding.rule)).or_default() += 1;
    }
    found
}

/// Writes packages, each with its manifest and sources, and gives their findings.
fn verdicts_of(packages: &[(&str, String, BTreeMap<String, String>)]) -> Verdicts {
    let directory = tempfile::tempdir().unwrap();
    for (name, manifest, files) in packages {
        let source = directory.path().join(name).join("src");
        fs::create_dir_all(&source).unwrap();
        fs::write(directory.path().join(name).join("Cargo.toml"), manifest).unwrap();
        for (file, text) in files {
            fs::write(source.join(file), text).unwrap();
        }
        // What the sources include.
        for (file, text) in [
            ("queries/clear_orders.sql", include_str!("../fixtures/rust/sqlx/queries/clear_orders.sql")),
            ("queries/count_orders.sql", include_str!("../fixtures/rust/sqlx/queries/count_orders.sql")),
            ("src/delete_orders.sql", include_str!("../fixtures/rust/sqlx/src/delete_orders.sql")),
        ] {
            let path = directory.path().join(name).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    verdicts(directory.path())
}

fn manifest(package: &str) -> String {
    fs::read_to_string(fixture(package).join("Cargo.toml")).unwrap()
}

#[track_caller]
fn assert_same(before: &Verdicts, after: &Verdicts, what: &str) {
    let missing: Vec<_> = before.iter().filter(|(key, count)| after.get(*key) != Some(count)).collect();
    let surplus: Vec<_> = after.iter().filter(|(key, count)| before.get(*key) != Some(count)).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "{what}: before {missing:?}, after {surplus:?}");
    assert!(!before.is_empty());
}

/// Statements that are cut out of the functions of a fixture, and the helpers that they become.
struct Extraction {
    helpers: String,
    count: usize,
}

/// Where the helpers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    SameFile,
    OtherFile,
    OtherCrate,
}

const HOMES: [Home; 3] = [Home::SameFile, Home::OtherFile, Home::OtherCrate];

/// Replaces each line that `extract` knows by the call of a helper that does the same. `extract` gets the line without
/// its indentation and expectation, the name of the helper, and gives the new line and the helper's text.
fn extracted(home: Home, extract: impl Fn(&str, &str) -> Option<(String, String)>) -> (Verdicts, usize) {
    let mut files = sources("sqlx");
    let mut taken = Extraction { helpers: String::new(), count: 0 };
    for (file, text) in &mut files {
        if file == "lib.rs" {
            continue;
        }
        let mut here = String::new();
        let mut new = String::new();
        for line in text.lines() {
            let code = line.split("//~").next().unwrap_or_default();
            let indent = &code[..code.len() - code.trim_start().len()];
            let name = format!("extracted_{}", taken.count);
            let path = match home {
                Home::SameFile => name.clone(),
                Home::OtherFile => format!("crate::extracted::{name}"),
                Home::OtherCrate => format!("helpers::{name}"),
            };
            // Functions inside of functions and impls see the same names, so that indentation does not matter.
            match extract(code.trim(), &path).filter(|_| !indent.is_empty()) {
                Some((call, helper)) => {
                    taken.count += 1;
                    writeln!(new, "{indent}{call}").unwrap();
                    let helper = helper.replace("NAME", &name);
                    let target = if home == Home::SameFile { &mut here } else { &mut taken.helpers };
                    writeln!(target, "{helper}").unwrap();
                }
                None => writeln!(new, "{line}").unwrap(),
            }
        }
        new.push_str(&here);
        *text = new;
    }
    let mut packages = Vec::new();
    let mut own = manifest("sqlx");
    match home {
        Home::SameFile => {}
        Home::OtherFile => {
            files.get_mut("lib.rs").unwrap().push_str("pub mod extracted;\n");
            files.insert("extracted.rs".to_owned(), taken.helpers);
        }
        Home::OtherCrate => {
            let manifest = own.replace("fixture-sqlx", "helpers");
            packages.push(("helpers", manifest, BTreeMap::from([("lib.rs".to_owned(), taken.helpers)])));
            own.push_str("helpers = { path = \"../helpers\" }\n");
        }
    }
    packages.push(("sqlx", own, files));
    (verdicts_of(&packages), taken.count)
}

/// `sqlx::query("…").execute(&mut *NAME).await?;` and what it runs on.
fn statement(line: &str) -> Option<(&str, &str)> {
    let (query, rest) = line.strip_prefix("sqlx::query(\"")?.split_once("\").execute(&mut *")?;
    let name = rest.strip_suffix(").await?;")?;
    name.chars().all(char::is_alphanumeric).then_some((query, name))
}

#[test]
fn extracting_a_statement_changes_nothing() {
    let before = verdicts(&fixture("sqlx"));
    for home in HOMES {
        let (after, count) = extracted(home, |line, path| {
            let (query, name) = statement(line)?;
            let helper = format!(
                "pub async fn NAME(conn: &mut sqlx::PgConnection) -> sqlx::Result<()> {{\n    \
                 sqlx::query(\"{query}\").execute(conn).await?;\n    Ok(())\n}}"
            );
            Some((format!("{path}(&mut *{name}).await?;"), helper))
        });
        assert!(count > 30, "{count}");
        assert_same(&before, &after, &format!("statements in {home:?}"));
    }
}

#[test]
fn extracting_a_commit_changes_nothing() {
    let before = verdicts(&fixture("sqlx"));
    for home in HOMES {
        let (after, count) = extracted(home, |line, path| {
            let name = line.strip_suffix(".commit().await?;")?;
            let helper = "pub async fn NAME(tx: sqlx::Transaction<'_, sqlx::Postgres>) -> sqlx::Result<()> {\n    \
                          tx.commit().await\n}";
            name.chars().all(char::is_alphanumeric).then(|| (format!("{path}({name}).await?;"), helper.to_owned()))
        });
        assert!(count > 10, "{count}");
        assert_same(&before, &after, &format!("commits in {home:?}"));
    }
}

#[test]
fn extracting_what_happens_meanwhile_changes_nothing() {
    let before = verdicts(&fixture("sqlx"));
    for home in HOMES {
        let (after, count) = extracted(home, |line, path| {
            if let Some(duration) = line.strip_prefix("tokio::time::sleep(").and_then(|l| l.strip_suffix(").await;")) {
                let duration = duration.replace("Duration::", "std::time::Duration::");
                let helper = format!("pub async fn NAME() {{\n    tokio::time::sleep({duration}).await;\n}}");
                return Some((format!("{path}().await;"), helper));
            }
            let (query, rest) = line.strip_prefix("sqlx::query(\"")?.split_once("\").execute(")?;
            let pool = rest.strip_suffix(").await?;")?;
            let by_reference = if pool == "pool" { "pool" } else { pool.strip_prefix('&').map(|_| pool)? };
            // What is wrong by itself is told where it stands.
            let sets_state = ["SET ", "LISTEN ", "CREATE TEMP", "SELECT pg_advisory_lock"]
                .iter()
                .any(|word| query.starts_with(word));
            if pool.starts_with("&mut") || pool.contains("**") || sets_state {
                return None;
            }
            let helper = format!(
                "pub async fn NAME(pool: &sqlx::PgPool) -> sqlx::Result<()> {{\n    \
                 sqlx::query(\"{query}\").execute(pool).await?;\n    Ok(())\n}}"
            );
            Some((format!("{path}({by_reference}).await?;"), helper))
        });
        assert!(count > 8, "{count}");
        assert_same(&before, &after, &format!("what happens meanwhile in {home:?}"));
    }
}

#[test]
fn inlining_a_helper_changes_nothing() {
    let before = verdicts(&fixture("sqlx"));
    let mut files = sources("sqlx");
    let mut count = 0;
    for text in files.values_mut() {
        count += text.matches("write(&mut tx).await?;").count();
        let inline = "sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;";
        *text = text.replace("write(&mut tx).await?;", inline);
    }
    assert!(count > 20, "{count}");
    assert_same(&before, &verdicts_of(&[("sqlx", manifest("sqlx"), files)]), "inlined");
}

#[test]
fn moving_types_to_another_crate_changes_nothing() {
    let before = verdicts(&fixture("wrappers"));
    let mut types = sources("wrappers");
    let mut users = BTreeMap::from([("lib.rs".to_owned(), "pub mod users;\n".to_owned())]);
    let moved = types.remove("users.rs").unwrap().replace("use crate::", "use types::");
    users.insert("users.rs".to_owned(), moved);
    let lib = types.get_mut("lib.rs").unwrap();
    *lib = lib.replace("pub mod users;\n", "");
    let manifest = manifest("wrappers");
    let with_types = format!("{manifest}types = {{ path = \"../types\" }}\n");
    let after = verdicts_of(&[
        ("types", manifest.replace("fixture-wrappers", "types"), types.clone()),
        ("users", with_types, users.clone()),
    ]);
    assert_same(&before, &after, "types in another crate");

    // The same through a re-export, under another name of the dependency.
    let lib = users.get_mut("users.rs").unwrap();
    *lib = lib.replace("use types::unit::", "use units::all::").replace("use types::nested::", "use units::all::");
    types.get_mut("lib.rs").unwrap().push_str("pub mod all {\n    pub use crate::{nested::*, unit::*};\n}\n");
    let renamed = format!("{manifest}units = {{ package = \"types\", path = \"../types\" }}\n");
    let after =
        verdicts_of(&[("types", manifest.replace("fixture-wrappers", "types"), types), ("users", renamed, users)]);
    assert_same(&before, &after, "types behind a re-export");
}

#[test]
fn moving_a_module_to_another_file_changes_nothing() {
    for package in ["wrappers", "sqlx"] {
        let before = verdicts(&fixture(package));
        let mut files = sources(package);
        let names: Vec<String> = files.keys().filter(|name| *name != "lib.rs").cloned().collect();
        // All modules in one file, one inside the other's place.
        let mut lib = String::new();
        for name in names {
            let text = files.remove(&name).unwrap();
            let skipped = if name == "macros.rs" && package == "sqlx" { "#[cfg(any())]\n" } else { "" };
            let text: String =
                text.lines().filter(|line| !line.starts_with("//!")).fold(String::new(), |mut all, line| {
                    writeln!(all, "    {line}").unwrap();
                    all
                });
            writeln!(lib, "{skipped}pub mod {} {{\n{text}}}", name.trim_end_matches(".rs")).unwrap();
        }
        files.insert("lib.rs".to_owned(), lib);
        assert_same(&before, &verdicts_of(&[(package, manifest(package), files)]), "one file");
    }
}
