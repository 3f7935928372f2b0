//! Is what is kept of functions still what a check from nothing finds? Fixtures are edited at random, by numbers that are always the same, and
//! after each edit both must say the same.

use sessionlint_engine::{Engine, Options, Outcome, Overlay};
use sessionlint_testkit::rust_files;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }

    fn one_of<'t, T>(&mut self, all: &'t [T]) -> Option<&'t T> {
        let at = self.below(all.len());
        all.get(at)
    }
}

/// Lines that may come in anywhere: most of them where they make sense, some where nothing is Rust any more.
const LINES: &[&str] = &[
    "// a remark",
    "// a remark",
    "",
    "    let typed = 1;",
    "    let typed = 1;",
    "    // nothing is committed here on purpose: a dry run",
    "    // sessionlint: allow(all) -- tried out",
    "/// What it is for.",
    "    return Ok(());",
    "    if flag { return Ok(()); }",
    "    tx.commit().await?;",
    "    tx.rollback().await?;",
    "    std::mem::forget(tx);",
    "    tokio::time::sleep(std::time::Duration::from_secs(9)).await;",
    "use std::collections::BTreeMap;",
    "use sqlx::PgPool as Other;",
    "pub struct Added { pool: sqlx::PgPool }",
    "fn added() {}",
    "    fn inner(a: u8) -> u8 { a }",
    "#[allow(dead_code)]",
    "#[test]",
    "    {",
    "    }",
];

/// What stands for what, where it does.
const WORDS: &[(&str, &str)] = &[
    (".commit()", ".rollback()"),
    (".rollback()", ".commit()"),
    (".await?", ".await.unwrap()"),
    ("?;", ";"),
    ("&mut ", "&"),
    ("pub async fn ", "async fn "),
    ("async fn ", "pub async fn "),
    ("Ok(", "Err("),
    ("true", "false"),
    ("INSERT", "SELECT"),
    ("SELECT", "DELETE"),
    ("Option<", "Vec<"),
    ("PgPool", "MySqlPool"),
    ("Transaction", "Connection"),
    ("Self", "Other"),
    ("pub ", ""),
    ("self", "other"),
    ("//", ""),
    ("    ", "  "),
];

/// A text with one edit.
fn edited(text: &str, numbers: &mut Numbers) -> (String, String) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        lines.push(String::new());
    }
    let at = numbers.below(lines.len());
    let what = match numbers.below(10) {
        0..=2 => {
            let line = numbers.one_of(LINES).copied().unwrap_or_default();
            lines.insert(at, line.to_owned());
            format!("{at}: + {line}")
        }
        3 => format!("{at}: - {}", lines.remove(at)),
        4 => {
            let line = lines[at].clone();
            lines.insert(at, line.clone());
            format!("{at}: twice {line}")
        }
        5 => {
            // A function gets a new name, where it is declared or everywhere in the file.
            let names: Vec<&str> =
                text.split("fn ").skip(1).filter_map(|after| after.split(['(', '<']).next()).collect();
            let name = numbers.one_of(&names).copied().unwrap_or("place").to_owned();
            let from = if numbers.below(2) == 0 { format!("fn {name}") } else { name.clone() };
            lines = text.replace(&from, &format!("{from}_too")).lines().map(str::to_owned).collect();
            format!("{from} is {from}_too")
        }
        6 => {
            // Two lines change places.
            let other = (at + 1 + numbers.below(3)).min(lines.len() - 1);
            lines.swap(at, other);
            format!("{at} and {other} change places")
        }
        _ => {
            let there: Vec<&(&str, &str)> = WORDS.iter().filter(|(from, _)| text.contains(from)).collect();
            let Some((from, to)) = numbers.one_of(&there) else { return (text.to_owned(), String::new()) };
            let places: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains(from)).collect();
            let at = numbers.one_of(&places).copied().unwrap_or_default();
            lines[at] = lines[at].replacen(from, to, 1);
            format!("{at}: {from} is {to}")
        }
    };
    (lines.join("\n") + "\n", what)
}

fn engine(directory: &Path, keep: bool) -> Engine {
    let options = Options {
        directory: directory.to_path_buf(),
        paths: vec![".".into()],
        isolated: true,
        sessions: true,
        threads: 2,
        keep,
        ..Options::default()
    };
    Engine::new(options, sessionlint_languages::ALL).unwrap()
}

/// Everything that a check says, but for how much work it was.
fn said(outcome: &Outcome) -> String {
    let mut out = String::new();
    for finding in &outcome.findings {
        let _ = writeln!(out, "{finding:?}");
    }
    for gap in &outcome.gaps {
        let _ = writeln!(out, "{gap:?}");
    }
    for session in &outcome.sessions {
        let _ = writeln!(out, "{session:?}");
    }
    let _ = writeln!(out, "{:#?}\n{:#?}\n{:?}", outcome.silenced, outcome.skipped, outcome.unread);
    let summary = &outcome.summary;
    let _ = writeln!(out, "{} {} {} {:?}", summary.files, summary.functions, summary.sessions, summary.findings);
    out
}

/// Copies the sources of fixtures to a place of their own.
fn copied(fixtures: &[&str]) -> TempDir {
    let directory = TempDir::new().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rust");
    for fixture in fixtures {
        for file in rust_files(&from.join(fixture)).into_iter().chain([from.join(fixture).join("Cargo.toml")]) {
            let to = directory.path().join(file.strip_prefix(&from).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&file, &to).unwrap();
        }
    }
    directory
}

/// Edits fixtures so often, and gives how many functions were worth an analysis in all checks, and how many were analysed.
fn edit(fixtures: &[&str], seed: u64, edits: usize) -> (usize, usize) {
    let directory = copied(fixtures);
    edit_in(directory.path(), seed, edits)
}

/// The same for the files of a directory. None of them is written.
fn edit_in(directory: &Path, seed: u64, edits: usize) -> (usize, usize) {
    let kept = engine(directory, true);
    let paths: Vec<PathBuf> = kept.requested().to_vec();
    let texts: BTreeMap<&PathBuf, String> =
        paths.iter().map(|path| (path, fs::read_to_string(path).unwrap())).collect();
    let (mut overlay, mut numbers, mut told) = (Overlay::new(), Numbers(seed), Vec::new());
    let (mut worth, mut analysed) = (0, 0);
    let check =
        |engine: &Engine, overlay: &Overlay| engine.check(engine.requested(), overlay, false, &|_, _, _| {}).unwrap();
    check(&kept, &overlay);
    for number in 0..edits {
        let path = numbers.one_of(&paths).unwrap().clone();
        let before = overlay.get(&path).map(|text| String::from_utf8(text.clone()).unwrap());
        // Now and then it is as it was; else one edit comes upon the other.
        let (text, what) = match before {
            Some(_) if numbers.below(4) == 0 => (texts[&path].clone(), "as it was".to_owned()),
            before => edited(&before.unwrap_or_else(|| texts[&path].clone()), &mut numbers),
        };
        overlay.insert(path.clone(), text.into_bytes());
        told.push(format!("{}: {what}", path.strip_prefix(directory).unwrap().display()));
        let outcome = check(&kept, &overlay);
        let (now, new) = (said(&outcome), said(&check(&engine(directory, false), &overlay)));
        if now != new {
            let differ: Vec<String> = now
                .lines()
                .filter(|line| !new.contains(line))
                .map(|line| format!("kept: {line}"))
                .chain(new.lines().filter(|line| !now.contains(line)).map(|line| format!("new:  {line}")))
                .collect();
            panic!("{}, seed {seed}, edit {number}:\n{}\n{}", directory.display(), told.join("\n"), differ.join("\n"));
        }
        worth += outcome.summary.functions;
        analysed += outcome.summary.analysed;
    }
    (worth, analysed)
}

/// More edits, where somebody wants them.
fn edits(few: usize) -> usize {
    std::env::var("EDITS").ok().and_then(|many| many.parse().ok()).unwrap_or(few)
}

#[test]
fn edits_of_wrappers_say_what_a_check_from_nothing_says() {
    let (worth, analysed) = edit(&["wrappers", "learned"], 1, edits(40));
    assert!(analysed < worth, "{analysed} of {worth}");
}

#[test]
fn edits_of_a_large_package_say_what_a_check_from_nothing_says() {
    edit(&["sqlx"], 2, edits(25));
}

#[test]
fn edits_of_small_packages_say_what_a_check_from_nothing_says() {
    let all = ["rusqlite", "redb", "outside", "names", "deadpool", "tokio", "axum", "mysql_async", "derived"];
    edit(&all, 3, edits(40));
}

#[test]
fn edits_of_one_file_say_what_a_check_from_nothing_says() {
    for (seed, fixture) in (4..).zip(["redb", "tokio-postgres", "diesel", "sea-orm", "heed", "aws-sdk-s3"]) {
        edit(&[fixture], seed, edits(20));
    }
}

/// `FOLDER=.. EDITS=100 cargo test --test kept -- --ignored`
#[test]
#[ignore = "for code of your own"]
fn edits_of_a_folder_say_what_a_check_from_nothing_says() {
    let folder = PathBuf::from(std::env::var_os("FOLDER").expect("FOLDER is set")).canonicalize().unwrap();
    let seed = std::env::var("SEED").map_or(5, |seed| seed.parse().unwrap());
    let (worth, analysed) = edit_in(&folder, seed, edits(10));
    assert!(analysed <= worth, "{analysed} of {worth} functions analysed");
}
