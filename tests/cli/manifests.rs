//! What do Cargo.toml and Cargo.lock say that decides what is found?

use super::{LEAK, MANIFEST, json, package, rules_of};
use std::fs;
use tempfile::TempDir;

#[test]
fn manifests_decide_which_names_are_libraries() {
    let renamed = LEAK.replace("sqlx::", "db::");
    let inherited = "[workspace]\nmembers = [\"app\"]\n\n[workspace.dependencies]\ndb = { package = \"sqlx\", version = \
        \"0.9\" }\n";
    let member = "[package]\nname = \"app\"\nversion = \"0.1.0\"\n\n[dependencies]\ndb.workspace = true\n";
    let workspace = TempDir::new().unwrap();
    fs::create_dir_all(workspace.path().join("app/src")).unwrap();
    fs::write(workspace.path().join("Cargo.toml"), inherited).unwrap();
    fs::write(workspace.path().join("app/Cargo.toml"), member).unwrap();
    fs::write(workspace.path().join("app/src/lib.rs"), renamed).unwrap();
    assert_eq!(rules_of(&json(workspace.path(), &[])), ["uncommitted-transaction"]);
    // A fork that takes the library's place is the library, whatever it is called; another library under its name is not.
    for (package_name, found) in [("sqlx-of-ours", 1), ("rusqlite", 0)] {
        let forked = package(&[("lib.rs", LEAK.as_bytes())]);
        let dependency = format!("sqlx = {{ package = \"{package_name}\", git = \"https://example.com/it\" }}\n");
        fs::write(forked.path().join("Cargo.toml"), MANIFEST.replace("sqlx = \"0.9\"\n", &dependency)).unwrap();
        assert_eq!(rules_of(&json(forked.path(), &[])).len(), found, "{package_name}");
    }
    // A crate of one's own that happens to have the library's name is not the library.
    let own = package(&[("lib.rs", LEAK.as_bytes())]);
    let dependency = "sqlx = { path = \"own\" }\nrusqlite = \"0.40\"\n";
    fs::write(own.path().join("Cargo.toml"), MANIFEST.replace("sqlx = \"0.9\"\n", dependency)).unwrap();
    fs::create_dir_all(own.path().join("own/src")).unwrap();
    fs::write(own.path().join("own/Cargo.toml"), "[package]\nname = \"sqlx\"\nversion = \"0.1.0\"\n").unwrap();
    fs::write(own.path().join("own/src/lib.rs"), "pub struct PgPool;\n").unwrap();
    assert_eq!(rules_of(&json(own.path(), &[])).len(), 0);
    // One that has the library's types, with the methods that end them, is: its sources stand in the workspace.
    const WRITER: &str = "use opendal::Writer;\n\npub enum State {\n    Open(Writer),\n    Closed,\n}\n\npub struct File(State);\n\n\
        impl File {\n    pub fn close(&mut self) {\n        self.0 = State::Closed;\n    }\n}\n";
    for (ends, found) in [("close abort", 1), ("close", 0), ("", 0)] {
        let vendored = package(&[("lib.rs", WRITER.as_bytes())]);
        let manifest = MANIFEST.replace("sqlx = \"0.9\"\n", "opendal = { path = \"own\" }\n");
        fs::write(vendored.path().join("Cargo.toml"), manifest).unwrap();
        fs::create_dir_all(vendored.path().join("own/src")).unwrap();
        fs::write(vendored.path().join("own/Cargo.toml"), "[package]\nname = \"opendal\"\nversion = \"0.1.0\"\n")
            .unwrap();
        let methods: String = ends
            .split(' ')
            .filter(|end| !end.is_empty())
            .map(|end| format!("    pub async fn {end}(&mut self) {{}}\n"))
            .collect();
        let text = format!(
            "pub use types::*;\n\nmod types {{\n    pub struct Writer;\n\n    impl Writer {{\n{methods}    }}\n}}\n"
        );
        fs::write(vendored.path().join("own/src/lib.rs"), text).unwrap();
        assert_eq!(rules_of(&json(vendored.path(), &[])).len(), found, "{ends}");
    }
    // Nothing is known about a package that names no library.
    let other = package(&[("lib.rs", LEAK.as_bytes())]);
    fs::write(other.path().join("Cargo.toml"), MANIFEST.replace("sqlx = \"0.9\"\n", "")).unwrap();
    assert_eq!(rules_of(&json(other.path(), &[])).len(), 0);
}

/// What may be cancelled depends on the version that Cargo.lock names, and on the features that are asked for.
#[test]
fn a_hole_is_one_of_versions_and_features() {
    const RACE: &str = "use sqlx::PgPool;\nuse std::time::Duration;\n\npub async fn place(pool: &PgPool) -> anyhow::Result<()> {\n    \
        let mut tx = tokio::time::timeout(Duration::from_secs(1), pool.begin()).await??;\n    \
        sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n    tx.commit().await?;\n    Ok(())\n}\n";
    let found = |locked: &str, features: &str| {
        let package = package(&[("lib.rs", RACE.as_bytes())]);
        let write = |name: &str, text: &str| fs::write(package.path().join(name), text).unwrap();
        write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n\n[dependencies]\nanyhow = \"1\"\ntokio = \"1\"\nsqlx = {{ version = \"*\", features = [{features}] }}\n"
            ),
        );
        if !locked.is_empty() {
            write(
                "Cargo.lock",
                &format!(
                    "version = 4\n\n[[package]]\nname = \"sqlx\"\nversion = \"{locked}\"\n\n[[package]]\nname = \"tokio\"\nversion = \"1.40.0\"\n"
                ),
            );
        }
        rules_of(&json(package.path(), &[])).join(" ")
    };
    let hole = "cancel-unsafe-begin";
    assert_eq!(found("0.9.0", "\"postgres\""), hole);
    assert_eq!(found("0.8.6", "\"mysql\""), hole);
    assert_eq!(found("0.8.3", "\"postgres\""), "", "older than the mistake");
    assert_eq!(found("0.9.1", "\"postgres\""), "", "younger than the mistake");
    assert_eq!(found("0.9.0", "\"runtime-tokio\""), "", "without a server there is nothing to leave behind");
    assert_eq!(found("0.9.0", "\"postgres\", \"sqlite\""), "", "which of them it is cannot be told");
    assert_eq!(found("", "\"postgres\""), "", "which version it is cannot be told");
}
