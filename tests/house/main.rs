//! The house keeps its shape: arrows run downwards, lists are complete, every rule has fixtures for every library.

mod circles;

use sessionlint_protocols::{DropClass, EndKind, Model, ProtocolKind, RuleSet, Source};
use sessionlint_testkit::{check, expectations, rust_files};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The floor of each room; an arrow goes to a lower floor only.
const FLOORS: &[(&str, u32)] = &[
    ("diagnostics", 0),
    ("ir", 1),
    ("parser-rust", 2),
    ("protocols", 2),
    ("analysis", 3),
    ("languages", 3),
    ("rules", 4),
    ("engine", 5),
    ("report", 5),
    ("lsp", 6),
    ("testkit", 6),
];

/// Which room alone may name a library.
const OWNERS: &[(&str, &[&str])] = &[
    ("syn", &["parser-rust"]),
    ("quote", &["parser-rust"]),
    ("proc-macro2", &["parser-rust"]),
    ("ra-ap-rustc_lexer", &["parser-rust"]),
    ("sqlparser", &["analysis"]),
    ("rayon", &["engine"]),
    ("ignore", &["engine"]),
    ("annotate-snippets", &["report"]),
    ("serde_json", &["engine", "report", "lsp"]),
    ("blake3", &["engine"]),
    ("lsp-server", &["lsp"]),
    ("gen-lsp-types", &["lsp"]),
    ("toml", &["protocols", "engine"]),
    ("semver", &["protocols"]),
];

fn dependencies(folder: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("crates").join(folder).join("Cargo.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    table["dependencies"].as_table().map(|table| table.keys().cloned().collect()).unwrap_or_default()
}

#[test]
fn no_arrow_runs_upwards() {
    for (folder, floor) in FLOORS {
        for dependency in dependencies(folder) {
            let Some(target) = dependency.strip_prefix("sessionlint-") else { continue };
            let (_, below) = FLOORS.iter().find(|(name, _)| *name == target).expect("every room has a floor");
            assert!(below < floor, "{folder} leans on {target}");
        }
    }
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "cli" || FLOORS.iter().any(|(known, _)| *known == name), "{name} has no floor");
    }
}

#[test]
fn each_foreign_vocabulary_has_one_room() {
    for (library, rooms) in OWNERS {
        for (folder, _) in FLOORS {
            assert!(!dependencies(folder).contains(*library) || rooms.contains(folder), "{folder} speaks {library}");
        }
    }
}

/// The room that lists the languages alone knows which front ends there are.
#[test]
fn only_the_list_of_languages_names_a_front_end() {
    let crates = root().join("crates");
    let folders = fs::read_dir(&crates).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (parsers, others): (Vec<String>, Vec<String>) =
        folders.filter(|folder| folder != "languages").partition(|folder| folder.starts_with("parser-"));
    assert!(!parsers.is_empty());
    for parser in &parsers {
        let names = [format!("sessionlint-{parser}"), format!("sessionlint_{}", parser.replace('-', "_"))];
        for folder in others.iter().chain(parsers.iter().filter(|other| *other != parser)) {
            let mut files = rust_files(&crates.join(folder));
            files.extend(Some(crates.join(folder).join("Cargo.toml")).filter(|manifest| manifest.is_file()));
            for file in files {
                let text = fs::read_to_string(&file).unwrap();
                assert!(!names.iter().any(|name| text.contains(name)), "{} names {parser}", file.display());
            }
        }
        assert!(fs::read_to_string(crates.join("languages/Cargo.toml")).unwrap().contains(&names[0]), "{parser}");
    }
}

#[test]
fn every_file_opens_with_its_question() {
    for path in rust_files(&root().join("crates")) {
        assert!(fs::read_to_string(&path).unwrap().starts_with("//! "), "{}", path.display());
    }
}

/// How many lines a file may have.
const MOST_LINES: usize = 450;

/// Files that have more, and why.
const LONGER: &[(&str, &str)] = &[];

#[test]
fn no_file_is_too_long() {
    let mut long = BTreeSet::new();
    for folder in ["crates", "tests"] {
        for path in rust_files(&root().join(folder)) {
            if fs::read_to_string(&path).unwrap().lines().count() > MOST_LINES {
                long.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    let known: BTreeSet<String> = LONGER.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(long, known, "left: files of more than {MOST_LINES} lines; right: those that are known");
}

#[test]
fn every_check_has_a_rule_and_every_rule_a_finder() {
    let rules = RuleSet::built_in();
    let checks: BTreeSet<&str> = sessionlint_rules::checks::ALL.iter().map(|check| check.rule).collect();
    let about_comments = BTreeSet::from(["unused-suppression", "unexplained-suppression"]);
    let found: BTreeSet<&str> = checks.union(&about_comments).copied().collect();
    let described: BTreeSet<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(found, described);
}

/// Libraries whose fixtures show every rule that applies to them. The others show what is special about them: how
/// their sessions are left without an end.
const IN_DETAIL: &[&str] = &[
    "bb8",
    "deadpool",
    "diesel",
    "fantoccini",
    "mongodb",
    "mysql",
    "mysql_async",
    "neo4rs",
    "postgres",
    "r2d2",
    "redb",
    "rusqlite",
    "sea-orm",
    "sqlx",
    "surrealdb",
    "thirtyfour",
    "tiberius",
    "tikv-client",
    "tokio-postgres",
];
const EVERYWHERE: &[&str] = &[
    "uncommitted-transaction",
    "missing-rollback",
    "unfinished-writer",
    "undriven-connection",
    "unguarded-session",
    "unawaited-release",
];

/// The rules that apply to a library, by what its data says.
fn applicable(model: &Model, library: &str) -> BTreeSet<&'static str> {
    let mut rules = BTreeSet::new();
    for (_, protocol) in model.protocols().filter(|(_, protocol)| model.library(protocol.library).name == library) {
        let opens = !protocol.openings.is_empty();
        if !protocol.is_session() || !opens {
            continue;
        }
        rules.insert("leaked-session");
        if protocol.is_transaction() {
            rules.insert("uncommitted-transaction");
            if protocol.class >= Some(DropClass::E) {
                rules.insert("missing-rollback");
            }
            if protocol.endings.iter().any(|ending| ending.kind == EndKind::Commit && ending.fallible) {
                rules.insert("ignored-release-result");
            }
        }
        if protocol.implicit {
            rules.insert("uncommitted-transaction");
        }
        if protocol.kind == ProtocolKind::Writer && !protocol.finishes {
            rules.insert("unfinished-writer");
        }
        if protocol.kind == ProtocolKind::Task {
            rules.insert("undriven-connection");
        }
        if protocol.keeps_begin {
            rules.insert("unbalanced-begin");
        }
        let takes = |opening: &sessionlint_protocols::Opening| match opening.source {
            Source::Method(pool) => model.protocol(pool).lends,
            _ => false,
        };
        if protocol.openings.iter().any(takes) {
            rules.insert("nested-acquire");
        }
        if (protocol.is_transaction() || protocol.pooled) && protocol.openings.iter().any(|opening| opening.is_async) {
            rules.insert("session-held-across-await");
        }
        let on_pool = |opening: &sessionlint_protocols::Opening| match opening.source {
            Source::Method(pool) => {
                model.protocol(pool).lends && !model.library(protocol.library).statements.is_empty()
            }
            _ => false,
        };
        if protocol.is_transaction() && protocol.openings.iter().any(on_pool) {
            rules.insert("transaction-bypass");
        }
        if protocol.endings.iter().any(|ending| ending.is_async && !ending.eager && ending.when.is_none()) {
            rules.insert("unawaited-release");
        }
        if !matches!(protocol.kind, ProtocolKind::Connection | ProtocolKind::Client) && !protocol.in_place {
            rules.insert("discarded-session");
        }
        if protocol.needs_end && protocol.class >= Some(DropClass::C) {
            rules.insert("unguarded-session");
        }
    }
    if !IN_DETAIL.contains(&library) {
        rules.retain(|rule| EVERYWHERE.contains(rule));
    }
    rules
}

#[test]
fn every_rule_fires_and_is_silent_for_every_library() {
    let model = Model::built_in();
    let fixtures = root().join("fixtures/rust");
    let mut missing = Vec::new();
    let mut everything: BTreeSet<&str> = BTreeSet::new();
    for (_, library) in model.libraries() {
        let directory = fixtures.join(&library.name);
        let outcome = check(&fixtures, &[&library.name], |_| {});
        let fired: BTreeSet<&str> = outcome.findings.iter().map(|finding| finding.rule).collect();
        everything.extend(&fired);
        // Nothing can be wrong with what a program only shuts down.
        if fired.is_empty() && library.name != "opentelemetry" {
            missing.push(format!("{}: nothing fires", library.name));
        }
        for rule in applicable(&model, &library.name) {
            if !fired.contains(rule) {
                missing.push(format!("{}: nothing fires {rule}", library.name));
            }
        }
        // A silent fixture is a function without any expectation on its lines.
        let text = fs::read_to_string(directory.join("src/lib.rs")).unwrap();
        let loud: BTreeMap<u32, ()> = expectations("", &text).into_iter().map(|one| (one.line, ())).collect();
        let mut silent = 0;
        for (index, _) in text.match_indices("fn ") {
            let first = text[..index].matches('\n').count() as u32 + 1;
            let last = first + text[index..].split("\n}").next().map_or(0, |body| body.matches('\n').count() as u32);
            silent += u32::from(loud.range(first..=last).next().is_none());
        }
        if silent == 0 && library.name != "sqlx" {
            missing.push(format!("{}: no silent function", library.name));
        }
    }
    // Those of the written guideline fire in a profile of their own, those about comments in tests of their own.
    let elsewhere = BTreeSet::from(["pool-settings", "unused-suppression", "unexplained-suppression"]);
    for rule in RuleSet::built_in().iter().filter(|rule| !elsewhere.contains(rule.id.as_str())) {
        if !everything.contains(rule.id.as_str()) {
            missing.push(format!("nothing fires {}", rule.id));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_tool_is_clean_by_its_own_rules() {
    let outcome = check(&root(), &["crates", "tests"], |options| {
        options.tests = Some(sessionlint_protocols::TestCode::Include);
    });
    assert!(outcome.findings.is_empty(), "{:?}", outcome.findings);
    assert!(outcome.skipped.is_empty(), "{:?}", outcome.skipped);
    assert!(outcome.summary.files > 50);
}

#[test]
fn the_top_level_is_what_the_design_says() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "crates",
        "fixtures",
        "fuzz",
        "tests",
        "docs",
        "packaging",
        "rules.toml",
        "action.yml",
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "target",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || allowed.contains(&name.as_str()), "{name}");
    }
    assert!(!Path::new(&root()).join("rust-toolchain.toml").exists());
}

/// A version of Rust as numbers: `1.91` is `1.91.0`.
fn rust(version: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    parts.resize(3, 0);
    parts
}

/// The oldest Rust is no older than what the program's dependencies ask for, and CONTRIBUTING.md names the one that asks for most.
#[test]
fn the_oldest_rust_is_as_new_as_dependencies_ask_for() {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["tree", "--package", "sessionlint", "--edges", "normal,build", "--prefix", "none"]);
    let output = cargo.args(["--locked", "--offline", "--format", "{p}"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names: BTreeSet<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    let mut newest: (Vec<u32>, String) = (Vec::new(), String::new());
    for name in names {
        let mut words = name.split(' ');
        let (Some(package), Some(version)) = (words.next(), words.next()) else { continue };
        if package.starts_with("sessionlint") {
            continue;
        }
        let asked = asked_of(&format!("{package}-{}", version.trim_start_matches('v')));
        newest = newest.max((asked.map(|version| rust(&version)).unwrap_or_default(), package.to_owned()));
    }
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let ours = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert!(rust(ours) >= newest.0, "{newest:?}");
    let page = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap().replace('\n', " ");
    let (major, minor) = (newest.0[0], newest.0[1]);
    assert!(page.contains(&format!("`{}` asks for the newest, {major}.{minor} (", newest.1)), "{newest:?}");
    assert!(page.contains(&format!("`rust-version` in Cargo.toml is {ours},")), "{ours}");
    assert!(fs::read_to_string(root().join("README.md")).unwrap().contains(&format!("({ours} or later")));
}

/// The `rust-version` of a package that cargo has unpacked.
fn asked_of(folder: &str) -> Option<String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))).unwrap();
    let registries = fs::read_dir(home.join("registry/src")).unwrap().map(|entry| entry.unwrap().path());
    let manifest = registries.map(|path| path.join(folder).join("Cargo.toml")).find(|path| path.exists());
    let manifest = manifest.unwrap_or_else(|| panic!("{folder} is not unpacked"));
    let table: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
    table["package"].get("rust-version").and_then(|version| version.as_str()).map(str::to_owned)
}
