//! What the hidden command `debug` prints: for those who work on the analysis.

use assert_cmd::Command;
use std::fs;
use tempfile::TempDir;

const MANIFEST: &str =
    "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\nreqwest = \"0.12\"\n";
const SHOP: &str = "use sqlx::PgPool;

pub struct Orders {
    pool: PgPool,
}

impl Orders {
    pub async fn place(&self, http: &reqwest::Client, paid: bool) -> anyhow::Result<()> {
        let mut tx = self.pool.begin().await?;
        put(&mut tx).await?;
        if paid {
            tx.commit().await?;
        }
        http.get(\"https://example.org\").send().await?;
        Ok(())
    }

    async fn later(&self) -> anyhow::Result<()> {
        let work = async {
            let tx = self.pool.begin().await?;
            tx.commit().await
        };
        work.await?;
        Ok(())
    }
}

async fn put(tx: &mut sqlx::PgTransaction<'_>) -> anyhow::Result<()> {
    sqlx::query(\"INSERT INTO orders DEFAULT VALUES\").execute(&mut **tx).await?;
    Ok(())
}
";
const PLAIN: &str = "pub mod shop;

pub fn put(left: u32, right: u32) -> u32 {
    fn twice(number: u32) -> u32 {
        number * 2
    }
    left + twice(right)
}
";

fn project() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("src")).unwrap();
    fs::write(directory.path().join("Cargo.toml"), MANIFEST).unwrap();
    fs::write(directory.path().join("src/lib.rs"), PLAIN).unwrap();
    fs::write(directory.path().join("src/shop.rs"), SHOP).unwrap();
    directory
}

fn debug(arguments: &[&str]) -> (i32, String, String) {
    let directory = project();
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let output = command.current_dir(directory.path()).arg("debug").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn shown(arguments: &[&str]) -> String {
    let (status, out, error) = debug(arguments);
    assert_eq!((status, error.as_str()), (0, ""), "{out}");
    out
}

#[test]
fn the_ir_has_the_lines_of_the_source_beside_it() {
    insta::assert_snapshot!(shown(&["ir", "Orders::place"]));
}

#[test]
fn states_stand_beside_the_blocks() {
    insta::assert_snapshot!(shown(&["states", "Orders::place"]));
}

#[test]
fn types_are_what_was_found_out() {
    insta::assert_snapshot!(shown(&["types", "place"]));
}

#[test]
fn a_summary_is_what_callers_see() {
    let all: String = ["place", "later", "shop::put"].iter().map(|name| shown(&["summary", name])).collect();
    insta::assert_snapshot!(all);
}

#[test]
fn blocks_and_closures_inside_are_shown_too() {
    insta::assert_snapshot!(shown(&["states", "later"]));
}

#[test]
fn all_functions_of_a_name_are_shown_with_their_place() {
    insta::assert_snapshot!(shown(&["ir", "put"]));
    assert!(!shown(&["ir", "put", "src/shop.rs"]).contains("src/lib.rs"));
}

#[test]
fn the_same_is_printed_each_time_and_on_any_number_of_threads() {
    for view in ["ir", "types", "summary", "states"] {
        let once = shown(&[view, "place", "--threads", "1"]);
        assert_eq!(once, shown(&[view, "place", "--threads", "8"]));
    }
}

#[test]
fn a_function_that_does_not_exist_is_an_error() {
    let told = |name: &str| {
        let (status, out, error) = debug(&["states", name]);
        assert_eq!((status, out.as_str()), (2, ""));
        error
    };
    assert_eq!(told("plaze"), "sessionlint: no function is called `plaze` here; did you mean `place`?\n");
    assert_eq!(
        told("Order::place"),
        "sessionlint: no function is called `Order::place` here; did you mean `Orders::place`?\n"
    );
    assert_eq!(told("xyzzy"), "sessionlint: no function is called `xyzzy` here\n");
    assert_eq!(debug(&["nonsense", "place"]).0, 2);
    assert_eq!(debug(&["ir", "place", "no-such-file.rs"]).0, 2);
}

#[test]
fn nobody_is_told_of_it() {
    for arguments in [&["--help"][..], &["man"]] {
        let output = Command::cargo_bin("sessionlint").unwrap().args(arguments).output().unwrap();
        assert!(!String::from_utf8_lossy(&output.stdout).contains("debug"));
    }
}

/// The example of docs/architecture.md: what stands below each command there is what the command prints.
#[test]
fn the_example_in_the_docs_is_what_is_printed() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/architecture.md")).unwrap();
    let (_, page) = page.split_once("## One example from source to finding").unwrap();
    let block = |text: &str, language: &str| {
        let (_, rest) = text.split_once(&format!("```{language}\n"))?;
        let (block, rest) = rest.split_once("```")?;
        Some((block.to_owned(), rest.to_owned()))
    };
    let (source, mut rest) = block(page, "rust").unwrap();
    let here = TempDir::new().unwrap();
    fs::create_dir(here.path().join("src")).unwrap();
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.8\"\n";
    fs::write(here.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(here.path().join("src/lib.rs"), source).unwrap();
    let mut count = 0;
    while let Some((shown, behind)) = block(&rest, "console") {
        let (command, expected) = shown.strip_prefix("$ sessionlint ").unwrap().split_once('\n').unwrap();
        let mut program = Command::cargo_bin("sessionlint").unwrap();
        program.current_dir(here.path()).args(command.split(' '));
        if command == "check" {
            program.args(["--no-cache", "--isolated"]);
        }
        let printed = String::from_utf8(program.output().unwrap().stdout).unwrap();
        assert_eq!(printed.trim_end(), expected.trim_end(), "{command}");
        (rest, count) = (behind, count + 1);
    }
    assert_eq!(count, 5);
}
