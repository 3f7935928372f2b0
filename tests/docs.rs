//! The pages below docs/ say what the data says, and the code in them is what the tool takes it for.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes the generated pages.

use sessionlint_protocols::{Model, Profile, RuleSet};
use sessionlint_report::Example;
use sessionlint_testkit::{check, expectations};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The pages that are made from the data, by path below docs/.
fn pages() -> BTreeMap<String, String> {
    let (model, rules) = (Model::built_in(), RuleSet::built_in());
    let mut pages = BTreeMap::new();
    pages.insert("rules/README.md".to_owned(), sessionlint_report::rules_index(rules.iter()));
    for rule in rules.iter() {
        pages.insert(format!("rules/{}.md", rule.id), sessionlint_report::rule_page(rule));
    }
    pages.insert("libraries/README.md".to_owned(), sessionlint_report::libraries_index(&model));
    for (id, library) in model.libraries() {
        let page = sessionlint_report::library_page(&model, id, &examples(&library.name));
        pages.insert(format!("libraries/{}.md", library.name), page);
    }
    pages
}

/// From the fixtures of a library: the first function that is reported, and the first one after it that is not.
fn examples(library: &str) -> Vec<Example> {
    let source = root().join("fixtures/rust").join(library).join("src");
    let mut functions = Vec::new();
    for file in ["commits.rs", "lib.rs"] {
        if let Ok(text) = fs::read_to_string(source.join(file)) {
            functions.extend(functions_of(&text));
        }
    }
    let first = functions.iter().position(|example| !example.rules.is_empty());
    let wrong = first.map(|at| functions[at].clone());
    let rest = &functions[first.map_or(0, |at| at + 1)..];
    let right = rest.iter().chain(&functions).find(|example| example.rules.is_empty()).cloned();
    wrong.into_iter().chain(right).collect()
}

/// The public functions at the top level of a fixture.
fn functions_of(text: &str) -> Vec<Example> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        if lines[at].starts_with("pub fn") || lines[at].starts_with("pub async fn") {
            let end = (at..lines.len()).find(|line| lines[*line] == "}").unwrap_or(lines.len() - 1);
            let text = lines[at..=end].join("\n");
            let rules = expectations("", &text).into_iter().map(|one| one.rule).collect();
            let code: Vec<&str> =
                text.lines().map(|line| line.split("//~").next().unwrap_or_default().trim_end()).collect();
            found.push(Example { code: code.join("\n"), rules });
            at = end;
        }
        at += 1;
    }
    found
}

#[test]
fn generated_pages_say_what_the_data_says() {
    let docs = root().join("docs");
    let pages = pages();
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut stale = Vec::new();
    for (name, page) in &pages {
        let path = docs.join(name);
        if update {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, page).unwrap();
        } else if fs::read_to_string(&path).ok().as_ref() != Some(page) {
            stale.push(name.clone());
        }
    }
    for directory in ["rules", "libraries"] {
        for entry in fs::read_dir(docs.join(directory)).unwrap() {
            let name = format!("{directory}/{}", entry.unwrap().file_name().to_str().unwrap());
            if !pages.contains_key(&name) {
                stale.push(format!("{name} is of nothing that there is"));
            }
        }
    }
    assert!(stale.is_empty(), "run `UPDATE_DOCS=1 cargo test --test docs`: {stale:?}");
}

const MANIFEST: &str = r#"[package]
name = "example"
version = "0.1.0"

[dependencies]
axum = "0.8"
neo4rs = "0.8"
reqwest = "0.12"
sqlx = { version = "=0.9.0", features = ["postgres"] }
thirtyfour = "0.38"
tokio = "1"
tokio-postgres = "0.7"
"#;

const IMPORTS: &str = "use axum::extract::State;
use neo4rs::{Graph, query};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgPool, Postgres, Transaction};
use std::time::Duration;
use thirtyfour::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio_postgres::NoTls;
";

/// The rules that report an example of a rule's page.
fn reported(code: &str, strict: bool) -> BTreeSet<&'static str> {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("src")).unwrap();
    fs::write(directory.path().join("Cargo.toml"), MANIFEST).unwrap();
    // What an example uses and does not open is handed in.
    let opens = |what: &str| code.contains(&format!("let mut {what} =")) || code.contains(&format!("let {what} ="));
    let mut given = vec!["id: i64", "email: &str", "url: &str", "limit: Duration", "caps: Capabilities", "text: &str"];
    given.push("file: tokio::fs::File");
    for (name, parameter) in
        [("tx", "mut tx: Transaction<'_, Postgres>"), ("pool", "pool: PgPool"), ("graph", "graph: Graph")]
    {
        if !opens(name) {
            given.push(parameter);
        }
    }
    let text = if code.contains("async fn") {
        format!("{IMPORTS}\n{code}\n")
    } else {
        let end = if code.trim_end().ends_with("Ok(())") { "" } else { "Ok(())\n" };
        format!(
            "{IMPORTS}\nasync fn load_owner(pool: &PgPool, id: i64) -> Result<i64, sqlx::Error> {{\n    \
             sqlx::query_scalar(\"SELECT owner FROM carts\").fetch_one(pool).await\n}}\n\n\
             async fn example({}) -> Result<(), Box<dyn std::error::Error>> {{\n{code}\n{end}}}\n",
            given.join(", ")
        )
    };
    fs::write(directory.path().join("src/lib.rs"), &text).unwrap();
    let outcome = check(directory.path(), &["."], |options| {
        options.profile = strict.then_some(Profile::Strict);
    });
    assert!(outcome.skipped.is_empty(), "{:?}\n{text}", outcome.skipped);
    outcome.findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn examples_of_rules_are_reported_and_silent() {
    let mut wrong = Vec::new();
    for rule in RuleSet::built_in().iter() {
        let strict = rule.level(Profile::Default) == sessionlint_diagnostics::Level::Allow;
        let bad = reported(rule.bad.trim(), strict);
        if !bad.contains(rule.id.as_str()) {
            wrong.push(format!("{}: the bad example gives {bad:?}", rule.id));
        }
        let good = reported(rule.good.trim(), strict);
        // The written guideline asks for more than this rule does.
        if good.contains(rule.id.as_str()) || (!strict && !good.is_empty()) {
            wrong.push(format!("{}: the good example gives {good:?}", rule.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn links_between_pages_lead_somewhere() {
    let top = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", ".github/PULL_REQUEST_TEMPLATE.md"];
    let mut pending = vec![root().join("docs")];
    let mut pages: Vec<PathBuf> = top.iter().map(|page| root().join(page)).collect();
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if !target.is_empty()
                && !target.contains("://")
                && !page.parent().unwrap_or(Path::new("")).join(target).exists()
            {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}

/// Each page stands once in the index, in one line that says what it answers; what is made from the data stands in its own list.
#[test]
fn the_index_has_every_page() {
    let docs = root().join("docs");
    let index = fs::read_to_string(docs.join("README.md")).unwrap();
    let mut listed: Vec<&str> = Vec::new();
    for line in index.lines().filter(|line| line.starts_with("- ")) {
        let (page, about) = line.split_once("): ").unwrap_or_else(|| panic!("{line}"));
        listed.push(page.split_once("](").unwrap().1);
        assert!(about.len() > 10 && line.len() < 160, "{line}");
    }
    let mut pages = BTreeSet::from(["rules/README.md".to_owned(), "libraries/README.md".to_owned()]);
    for (folder, prefix) in [(docs.clone(), ""), (docs.join("schema"), "schema/")] {
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name != "README.md" && [".md", ".json", ".toml"].iter().any(|end| name.ends_with(end)) {
                pages.insert(format!("{prefix}{name}"));
            }
        }
    }
    listed.sort_unstable();
    assert_eq!(listed, pages.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Headings as Keep a Changelog has them, and what a release's notes are taken from.
#[test]
fn the_changelog_has_its_form() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let versions: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(versions[0], "[Unreleased]");
    for version in &versions[1..] {
        let (number, date) = version.split_once("] - ").unwrap_or_else(|| panic!("{version}"));
        assert!(number.starts_with('[') && date.len() == 10, "{version}");
    }
    let kinds = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    let mut headings = text.lines().filter_map(|line| line.strip_prefix("### "));
    assert!(headings.all(|heading| kinds.contains(&heading)));
    let notes = |version: &str| {
        let output = std::process::Command::new(root().join("packaging/notes.sh")).arg(version).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (is_there, unreleased) = notes("Unreleased");
    assert!(is_there && unreleased.contains("### Added") && !unreleased.contains("## ["), "{unreleased}");
    assert!(!notes("99.0.0").0);
}

/// The code blocks of a language in a page.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs").join(page)).unwrap();
    let start = format!("```{language}\n");
    text.split(&start).skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

#[test]
fn the_library_that_is_added_in_the_docs_is_there() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let toml = blocks("adding-a-library.md", "toml");
    assert_eq!(toml[0], read("crates/protocols/libraries/rust/jammdb.toml"));
    assert_eq!(toml[1], read("fixtures/rust/jammdb/Cargo.toml"));
    assert_eq!(blocks("adding-a-library.md", "rust"), [read("fixtures/rust/jammdb/src/lib.rs")]);
    // The table of one's own is understood.
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("rules.toml"), &toml[2]).unwrap();
    fs::create_dir(directory.path().join(".git")).unwrap();
    check(directory.path(), &["."], |options| options.isolated = false);
}

#[test]
fn what_the_guideline_shows_is_right_in_its_profile() {
    let code = blocks("guideline.md", "rust");
    let strict = |code: &str| reported(code, true);
    assert_eq!(strict(&code[0]), BTreeSet::new());
    assert_eq!(strict(&code[1]), BTreeSet::from(["missing-rollback"]));
    assert_eq!(reported(&code[1], false), BTreeSet::new());
    assert_eq!(strict(&code[2]), BTreeSet::new());
}
