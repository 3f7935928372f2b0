//! What is done again when little or nothing changed? Counted in files and steps, not timed.

use sessionlint_engine::{Engine, Options, Outcome, Overlay};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const CLEAN: &str = "use sqlx::PgPool;

pub async fn place(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query(\"INSERT INTO orders DEFAULT VALUES\").execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

pub fn sum(values: &[u64]) -> Option<u64> {
    values.iter().try_fold(0u64, |sum, value| sum.checked_add(*value))
}
";

/// A workspace of so many packages without a mistake.
fn workspace(packages: usize) -> TempDir {
    let directory = TempDir::new().unwrap();
    let members: Vec<String> = (0..packages).map(|number| format!("\"part{number}\"")).collect();
    let manifest = format!("[workspace]\nmembers = [{}]\n", members.join(", "));
    fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
    for number in 0..packages {
        let part = directory.path().join(format!("part{number}"));
        fs::create_dir_all(part.join("src")).unwrap();
        let manifest =
            format!("[package]\nname = \"part{number}\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\n");
        fs::write(part.join("Cargo.toml"), manifest).unwrap();
        fs::write(part.join("src/lib.rs"), CLEAN).unwrap();
    }
    directory
}

fn options(directory: &Path, path: &str) -> Options {
    Options {
        directory: directory.to_path_buf(),
        paths: vec![path.into()],
        isolated: true,
        threads: 1,
        ..Options::default()
    }
}

fn run(options: &Options) -> Outcome {
    sessionlint_engine::run(options, sessionlint_languages::ALL, &|_, _, _| {}).unwrap()
}

#[test]
fn one_file_by_its_path_takes_no_more_in_a_large_workspace_than_in_a_small_one() {
    let steps = |packages: usize| {
        let workspace = workspace(packages);
        let outcome = run(&options(workspace.path(), "part1/src/lib.rs"));
        assert_eq!(outcome.summary.functions, 1, "of {packages} packages");
        (outcome.summary.steps, outcome.summary.read)
    };
    assert_eq!(steps(4), steps(40));
    assert!(steps(4).0 > 0);
}

#[test]
fn a_key_reads_one_file_and_analyses_no_other() {
    let answered = |packages: usize| {
        let workspace = workspace(packages);
        let engine = Engine::new(options(workspace.path(), "."), sessionlint_languages::ALL).unwrap();
        let path = workspace.path().join("part1/src/lib.rs");
        let check = |overlay: &Overlay| {
            let outcome = engine.check(std::slice::from_ref(&path), overlay, false, &|_, _, _| {}).unwrap();
            (outcome.summary.read, outcome.summary.functions, outcome.summary.steps)
        };
        let first = check(&Overlay::new());
        assert_eq!(first.0, packages);
        let typed = |end: &str| check(&Overlay::from([(path.clone(), format!("{CLEAN}{end}").into_bytes())]));
        let (read, functions, steps) = typed("pub fn typed() {}\n");
        assert_eq!((read, functions), (1, 1));
        // The same again: nothing is read.
        assert_eq!(typed("pub fn typed() {}\n").0, 0);
        steps
    };
    assert_eq!(answered(4), answered(40));
}

/// Callers, and what they call, in two files.
const CALLERS: &str = "use crate::helpers::{insert, settle};

/// Writes and commits itself.
pub async fn place(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    insert(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Leaves the commit to what it calls.
pub async fn pay(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    insert(&mut tx).await?;
    settle(tx).await
}

/// Calls nothing of the package.
pub async fn alone(pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query(\"INSERT INTO orders DEFAULT VALUES\").execute(&mut *tx).await?;
    tx.commit().await
}
";
const HELPERS: &str = "use sqlx::{PgTransaction, Postgres, Transaction};

pub async fn insert(tx: &mut PgTransaction<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(\"INSERT INTO orders DEFAULT VALUES\").execute(&mut **tx).await?;
    Ok(())
}

pub async fn settle(tx: Transaction<'_, Postgres>) -> Result<(), sqlx::Error> {
    tx.commit().await?;
    Ok(())
}
";

#[test]
fn a_changed_body_has_itself_analysed_and_who_hears_something_else_from_it() {
    let workspace = workspace(1);
    let source = workspace.path().join("part0/src");
    fs::write(source.join("lib.rs"), "mod callers;\nmod helpers;\n").unwrap();
    fs::write(source.join("callers.rs"), CALLERS).unwrap();
    fs::write(source.join("helpers.rs"), HELPERS).unwrap();
    let engine =
        Engine::new(Options { keep: true, ..options(workspace.path(), ".") }, sessionlint_languages::ALL).unwrap();
    let check = |callers: &str, helpers: &str| {
        let text = |name: &str, text: &str| (source.join(name), text.as_bytes().to_vec());
        let overlay = Overlay::from([text("callers.rs", callers), text("helpers.rs", helpers)]);
        let outcome = engine.check(engine.requested(), &overlay, false, &|_, _, _| {}).unwrap();
        assert_eq!(outcome.summary.functions, 4, "`insert` opens nothing, and is not worth an analysis");
        (outcome.summary.analysed, outcome.findings.len())
    };
    assert_eq!(check(CALLERS, HELPERS), (4, 0));
    assert_eq!(check(CALLERS, HELPERS), (0, 0), "nothing changed");
    // Remarks around functions move those below, and change nothing.
    assert_eq!(check(&format!("// one\n\n// two\n{CALLERS}// three\n"), HELPERS), (0, 0), "a remark");
    // A body of which nobody hears anything.
    let leaks = CALLERS.replace("    tx.commit().await\n}", "    Ok(())\n}");
    assert_eq!(check(&leaks, HELPERS), (1, 1), "another mistake");
    assert_eq!(check(&format!("// moved\n{leaks}"), HELPERS), (0, 1), "and moved");
    assert_eq!(check(CALLERS, HELPERS), (1, 0), "mended");
    // One that says the same to both of its callers as before.
    let same = HELPERS.replace("    Ok(())", "    let many = 1;\n    Ok(())");
    assert_eq!(check(CALLERS, &same), (1, 0), "what is called says the same: `settle` itself");
    assert_eq!(check(CALLERS, HELPERS), (1, 0), "and again");
    // One that says something else: its caller hears of it, and nobody else.
    let kept = HELPERS.replace("    tx.commit().await?;\n", "    drop(tx);\n");
    assert_eq!(check(CALLERS, &kept).0, 2, "what is called says something else: `settle` and `pay`");
    assert_eq!(check(CALLERS, HELPERS), (2, 0), "and back");
    let reads = HELPERS.replace("INSERT INTO orders DEFAULT VALUES", "SELECT 1");
    assert_eq!(check(CALLERS, &reads), (2, 0), "`insert` writes nothing: `place` and `pay`");
    assert_eq!(check(CALLERS, HELPERS), (2, 0), "and back");
    // What is no body: everything.
    let asks = HELPERS.replace("pub async fn insert", "pub(crate) async fn insert");
    assert_eq!(check(CALLERS, &asks), (4, 0), "a signature");
}

#[test]
fn what_did_not_change_is_answered_from_what_was_kept() {
    let workspace = workspace(10);
    let kept = TempDir::new().unwrap();
    let options = Options { cache: Some(kept.path().to_path_buf()), ..options(workspace.path(), ".") };
    let work = || {
        let outcome = run(&options);
        (outcome.summary.read, outcome.summary.steps > 0)
    };
    assert_eq!(work(), (10, true));
    assert_eq!(work(), (0, false));
    let path = workspace.path().join("part3/src/lib.rs");
    fs::write(&path, CLEAN.replace("    tx.commit().await?;\n", "")).unwrap();
    assert_eq!(work(), (10, true));
    assert_eq!(run(&options).findings.len(), 1);
}
