//! The exit statuses: every line of the table in docs/integrations.md, run.

use assert_cmd::Command;
use sessionlint_testkit::package::{git, write};
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
";

fn run(directory: &Path, words: &[String]) -> (i32, String) {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let results = directory.join("target/results");
    let output = command.current_dir(directory).env("SESSIONLINT_CACHE_DIR", results).args(words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

/// A package in a repository, with the code that the table names.
fn scene(code: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let at = directory.path();
    let leak = CLEAN.replace("    tx.commit().await?;\n", "");
    write(
        at,
        "Cargo.toml",
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nsqlx = \"0.8\"\n",
    );
    write(at, "src/lib.rs", if code.starts_with("a leak") { &leak } else { CLEAN });
    let baseline = |at: &Path| assert_eq!(run(at, &["baseline".to_owned()]).0, 0);
    match code {
        "clean" | "a leak" | "not in a repository" => {}
        "a leak that is new" => write(at, "src/lib.rs", CLEAN),
        "a leak in the baseline" => baseline(at),
        "clean, and a baseline that lists a leak" => {
            write(at, "src/lib.rs", &leak);
            baseline(at);
            write(at, "src/lib.rs", CLEAN);
        }
        "a file that cannot be parsed" => {
            write(at, "src/lib.rs", "pub async fn place(pool: &sqlx::PgPool) { let tx = ( }\n")
        }
        "a leak beside a rules.toml of another tool" => write(at, "rules.toml", "version = 3\n"),
        "a mistake in the settings of Cargo.toml" => {
            let manifest = fs::read_to_string(at.join("Cargo.toml")).unwrap();
            write(at, "Cargo.toml", &format!("{manifest}\n[package.metadata.sessionlint]\nprofil = \"strict\"\n"))
        }
        "a mistake in rules.toml" => write(at, "rules.toml", "profil = \"strict\"\n"),
        "a mistake in the baseline" => write(at, "sessionlint-baseline.json", "{\"version\": 1, \"findings\": [\n"),
        other => panic!("the table has a code that nobody writes: {other}"),
    }
    if code != "not in a repository" {
        git(at, &["init", "-q"]);
        git(at, &["add", "-A"]);
        git(at, &["commit", "-qm", "as it is"]);
    }
    if code == "a leak that is new" {
        write(at, "src/lib.rs", &leak);
    }
    directory
}

/// The words of a command line, in which a word may stand in double quotes.
fn words(command: &str) -> Vec<String> {
    let pieces = command.split('"').enumerate();
    pieces
        .flat_map(|(number, piece)| match number % 2 {
            0 => piece.split_whitespace().map(str::to_owned).collect(),
            _ => vec![piece.to_owned()],
        })
        .collect()
}

#[test]
fn every_exit_status_is_what_the_table_says() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/integrations.md")).unwrap();
    let (_, table) = page.split_once("## Exit statuses").unwrap();
    let mut seen = [0; 3];
    let mut wrong = Vec::new();
    for row in table.lines().filter(|line| line.contains("| `sessionlint")) {
        let [code, command, status] = row.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let status: i32 = status.parse().unwrap();
        let directory = scene(code);
        let (got, text) = run(directory.path(), &words(command.trim_matches('`'))[1..]);
        if got != status || (got == 2 && text.trim().is_empty()) {
            wrong.push(format!("{code}: {command} ended with {got}\n{text}"));
        }
        seen[status as usize] += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.iter().all(|count| *count >= 10), "{seen:?}");
}
