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
    sessionlint_engine::run(options, &|_, _, _| {}).unwrap()
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
        let engine = Engine::new(options(workspace.path(), ".")).unwrap();
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
