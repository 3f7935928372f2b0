//! What the program says of a project whose mistakes lie in more than one function or file.

use assert_cmd::Command;
use std::fs;
use tempfile::TempDir;

/// A package with these files in its `src`.
fn project(files: &[(&str, &str)]) -> TempDir {
    let project = tempfile::tempdir().unwrap();
    fs::create_dir(project.path().join("src")).unwrap();
    let manifest =
        "[package]\nname = \"shop\"\nversion = \"0.0.0\"\n[dependencies]\nsqlx = \"0.9\"\nreqwest = \"0.12\"\n";
    fs::write(project.path().join("Cargo.toml"), manifest).unwrap();
    for (name, text) in files {
        fs::write(project.path().join("src").join(name), text).unwrap();
    }
    project
}

/// What `sessionlint check` prints in a project.
fn run(project: &TempDir, arguments: &[&str]) -> String {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    command.current_dir(project.path()).arg("check").args(arguments);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn functions_of_ones_own_count_as_slow_work() {
    let text = "pub async fn place(pool: &sqlx::PgPool, mailer: &Mailer) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query(\"INSERT INTO orders (id) VALUES (1)\").execute(&mut *tx).await?;
    mailer.tell().await;
    tx.commit().await
}
pub struct Mailer;
impl Mailer {
    pub async fn tell(&self) {}
}
";
    let project = project(&[("lib.rs", text)]);
    let run = |config: &str| run(&project, &["--format", "concise", "--config", config]);
    assert!(!run("").contains("held across"));
    let found = run("rules.session-held-across-await = { also = [\"Mailer::tell\"] }");
    assert!(found.contains("src/lib.rs:4:12: warn[session-held-across-await]"), "{found}");
    assert!(found.contains("held across `tell`"), "{found}");
}

#[test]
fn the_walk_through_other_files_is_shown() {
    let lib = "pub mod mail;
pub async fn place(pool: &sqlx::PgPool, http: &reqwest::Client) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query(\"INSERT INTO orders (id) VALUES (1)\").execute(&mut *tx).await?;
    mail::invite(http).await?;
    tx.commit().await?;
    Ok(())
}
";
    let mail = "pub async fn invite(http: &reqwest::Client) -> anyhow::Result<()> {
    post(http).await
}
async fn post(http: &reqwest::Client) -> anyhow::Result<()> {
    http.post(\"https://example.org\").send().await?;
    Ok(())
}
";
    let project = project(&[("lib.rs", lib), ("mail.rs", mail)]);
    let run = |format: &str| run(&project, &["--isolated", "--color", "never", "--format", format]);
    insta::assert_snapshot!("walk_through_other_files", run("pretty"));
    let report: serde_json::Value = serde_json::from_str(&run("json")).unwrap();
    let labels = report["findings"][0]["labels"].as_array().unwrap();
    let called: Vec<_> = labels.iter().filter(|label| label["kind"] == "called").collect();
    assert_eq!(called.len(), 2);
    assert_eq!(called[1]["path"], "src/mail.rs");
    assert_eq!(called[1]["range"]["start"]["line"], 5);
}

#[test]
fn what_else_stands_in_a_file_changes_no_verdict() {
    let handler = "pub async fn ask(axum::Json(id): axum::Json<u64>) -> reqwest::Result<String> {
    let web = reqwest::Client::new();
    web.get(format!(\"https://example.org/{id}\")).send().await?.text().await
}
";
    let beside = "pub async fn count(pool: &sqlx::PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar(\"SELECT count(*) FROM orders\").fetch_one(pool).await
}
";
    for text in [handler.to_owned(), format!("{handler}{beside}")] {
        let project = project(&[("lib.rs", &text)]);
        let manifest = project.path().join("Cargo.toml");
        fs::write(&manifest, fs::read_to_string(&manifest).unwrap() + "axum = \"0.8\"\n").unwrap();
        let found = run(&project, &["--format", "concise"]);
        assert!(found.contains("src/lib.rs:2:32: warn[pool-per-call]"), "{found}");
    }
}

const LEAK: &str = "pub async fn place(pool: &sqlx::PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query(\"INSERT INTO orders (id) VALUES (1)\").execute(&mut *tx).await?;
    let _ = tx.commit();
    Ok(())
}
";

/// A workspace of packages, each with the same mistake.
fn workspace(manifest: &str, packages: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
    for package in packages {
        let place = directory.path().join(package);
        fs::create_dir_all(place.join("src")).unwrap();
        let name = package.replace('/', "-");
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\n[dependencies]\nsqlx = \"0.9\"\n");
        fs::write(place.join("Cargo.toml"), manifest).unwrap();
        fs::write(place.join("src/lib.rs"), LEAK).unwrap();
    }
    directory
}

/// The packages in which something is found.
fn found(workspace: &TempDir, arguments: &[&str]) -> Vec<String> {
    let all = [&["--format", "concise", "--no-cache", "--quiet"], arguments].concat();
    let told = run(workspace, &all);
    told.lines().map(|line| line.split_once("/src/").unwrap().0.to_owned()).collect()
}

#[test]
fn packages_below_a_folder_for_tests_are_test_code() {
    let manifest = "[workspace]\nmembers = [\"app\", \"core/tests/e2e\", \"tests\"]\nexclude = [\"fixtures\"]\n";
    let all = ["app", "core/tests/e2e", "fixtures/shop", "tests"];
    let workspace = workspace(manifest, &all);
    assert_eq!(found(&workspace, &[]), ["app"]);
    assert_eq!(found(&workspace, &["app", "core"]), ["app"]);
    assert_eq!(found(&workspace, &["--tests", "include"]), all);
    // Who names them means them.
    assert_eq!(found(&workspace, &["tests"]), ["tests"]);
    assert_eq!(found(&workspace, &["app", "core/tests"]), ["app", "core/tests/e2e"]);
    assert_eq!(found(&workspace, &["core/tests/e2e/src/lib.rs"]), ["core/tests/e2e"]);
    assert_eq!(found(&workspace, &[".", "fixtures"]), ["app", "fixtures/shop"]);
}

#[test]
fn packages_named_for_tests_are_test_code_unless_others_are_built_on_them() {
    let manifest = "[workspace]\nmembers = [\"*\"]\n";
    let all = ["app", "integration-tests", "shop-e2e", "test-utils", "testkit"];
    let workspace = workspace(manifest, &all);
    assert_eq!(found(&workspace, &[]), ["app"]);
    assert_eq!(found(&workspace, &["--tests", "include"]), all);
    // Who names one of several means it.
    assert_eq!(found(&workspace, &["shop-e2e"]), ["shop-e2e"]);
    let app = workspace.path().join("app/Cargo.toml");
    let manifest = fs::read_to_string(&app).unwrap();
    let built_on =
        "test-utils = { path = \"../test-utils\" }\n[dev-dependencies]\ntestkit = { path = \"../testkit\" }\n";
    fs::write(app, manifest + built_on).unwrap();
    assert_eq!(found(&workspace, &[]), ["app", "test-utils"]);
}

#[test]
fn a_package_for_tests_that_stands_alone_is_test_code() {
    let workspace = workspace("[workspace]\n", &["e2e"]);
    fs::remove_file(workspace.path().join("Cargo.toml")).unwrap();
    assert!(found(&workspace, &[]).is_empty());
    assert!(found(&workspace, &["e2e"]).is_empty());
    assert_eq!(found(&workspace, &["--tests", "include"]), ["e2e"]);
}

#[test]
fn a_workspace_of_nothing_else_is_no_test_code() {
    let manifest = "[workspace]\nmembers = [\"fixtures/*\"]\n";
    let workspace = workspace(manifest, &["fixtures/cart", "fixtures/shop"]);
    assert_eq!(found(&workspace, &[]), ["fixtures/cart", "fixtures/shop"]);
}

#[test]
fn a_package_is_named_as_its_library_is() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("Cargo.toml", "[workspace]\nmembers = [\"store\", \"shop\", \"mart\", \"kept\"]\n");
    put(
        "store/Cargo.toml",
        "[package]\nname = \"acme-store\"\nversion = \"0.0.0\"\n[lib]\nname = \"db\"\n[dependencies]\nsqlx = \"0.9\"\n",
    );
    put(
        "store/src/lib.rs",
        "pub async fn put(conn: &mut sqlx::PgConnection) -> sqlx::Result<()> {
    sqlx::query(\"INSERT INTO orders (id) VALUES (1)\").execute(conn).await?;
    Ok(())
}
",
    );
    let package = |name: &str, dependency: &str| {
        let rest = format!("[dependencies]\nsqlx = \"0.9\"\n{dependency}\n");
        put(&format!("{name}/Cargo.toml"), &format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\n{rest}"));
    };
    package("shop", "acme-store = { path = \"../store\" }");
    package("mart", "goods = { package = \"acme-store\", path = \"../store\" }");
    package("kept", "acme-store = { path = \"../store\" }");
    let place = |name: &str, end: &str| {
        format!(
            "pub async fn place(pool: &sqlx::PgPool) -> sqlx::Result<()> {{
    let mut tx = pool.begin().await?;
    {name}::put(&mut tx).await?;
    {end}
}}
"
        )
    };
    put("shop/src/lib.rs", &place("db", "Ok(())"));
    put("mart/src/lib.rs", &place("goods", "Ok(())"));
    put("kept/src/lib.rs", &place("db", "tx.commit().await"));
    assert_eq!(found(&folder, &[]), ["mart", "shop"]);
}
