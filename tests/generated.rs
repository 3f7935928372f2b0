//! Generated programs with a known answer: what the interpreter of a program says is left open is what is reported, at one of
//! the exits where it happens, and nothing else.
//!
//! `PROGRAMS=100000 cargo test --release --test generated` asks about more of them; `PROGRAM=17` shows one.

#![expect(clippy::disallowed_macros, reason = "figures of the run")]

use sessionlint_diagnostics::{LabelKind, LineIndex};
use sessionlint_testkit::check;
use sessionlint_testkit::programs::{Leaks, PRELUDE, Program, generate, leaks, print, shrink};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const MANIFEST: &str =
    "[package]\nname = \"programs\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nsqlx = \"0.8\"\n";

/// For each line that opens a session and is reported, the lines of the exits that are named.
type Reported = BTreeMap<u32, BTreeSet<u32>>;

/// What is reported in each of the files `p0.rs`, `p1.rs` ..; `None` for a file in which something was not understood.
fn reported(texts: &[String]) -> Vec<Option<Reported>> {
    let directory = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("Cargo.toml", MANIFEST);
    write("src/prelude.rs", PRELUDE);
    let mut root = "pub mod prelude;\n".to_owned();
    for (number, text) in texts.iter().enumerate() {
        let _ = writeln!(root, "pub mod p{number};");
        write(&format!("src/p{number}.rs"), text);
    }
    write("src/lib.rs", &root);
    let outcome = check(directory.path(), &["."], |options| options.fixes = false);
    let mut found = vec![Some(Reported::new()); texts.len()];
    let number = |path: &str| path.strip_prefix("src/p")?.strip_suffix(".rs")?.parse::<usize>().ok();
    for gap in &outcome.gaps {
        if let Some(number) = number(&outcome.files[gap.span.file.0 as usize].path) {
            found[number] = None;
        }
    }
    for finding in outcome.findings.iter().filter(|finding| finding.rule == "uncommitted-transaction") {
        let file = &outcome.files[finding.span.file.0 as usize];
        let Some(Some(here)) = number(&file.path).map(|number| &mut found[number]) else { continue };
        let line = |offset: u32| LineIndex::new(&file.text).position(&file.text, offset).line;
        let opened = finding.labels.iter().find(|label| label.kind == LabelKind::Opened).expect("an opening is told");
        assert_eq!(opened.span.file, finding.span.file, "{}", finding.message);
        // The exits that the walk names: the first, and some of the others.
        let exits = finding.labels.iter().filter(|label| label.kind == LabelKind::Leaks);
        let exits: Vec<u32> = exits.map(|label| line(label.span.start)).collect();
        assert!(exits.contains(&line(finding.span.start)), "{}", finding.message);
        here.entry(line(opened.span.start)).or_default().extend(exits);
    }
    found
}

/// What is wrong with what is reported of a program; empty when it is right.
fn wrong(program: &Program, leaks: &Leaks, reported: &Reported) -> Vec<String> {
    let lines = print(program, "crate::prelude").lines;
    let mut wrong = Vec::new();
    let expected: BTreeMap<u32, BTreeSet<u32>> =
        leaks.iter().map(|(mark, exits)| (lines[mark], exits.iter().map(|exit| lines[exit]).collect())).collect();
    let siblings: Vec<BTreeSet<u32>> =
        program.siblings().iter().map(|marks| marks.iter().map(|mark| lines[mark]).collect()).collect();
    for (opening, exits) in &expected {
        // Of one variable that holds this session or that one is told once at a place.
        let with = siblings.iter().filter(|siblings| siblings.contains(opening)).flatten();
        let told = with.filter_map(|sibling| reported.get(sibling)).any(|told| !told.is_disjoint(exits));
        if !reported.contains_key(opening) && !told {
            wrong.push(format!("missing: what line {opening} opens is left open in lines {exits:?}"));
        }
    }
    let mut apart = None;
    for (opening, exits) in reported {
        let real = expected.get(opening).cloned().unwrap_or_default();
        for exit in exits.difference(&real) {
            // A known false alarm: what a helper may do does not depend on numbers, and it may fail or not.
            let apart = apart.get_or_insert_with(|| self::leaks(program, true).unwrap_or_default());
            if apart
                .iter()
                .any(|(mark, exits)| lines[mark] == *opening && exits.iter().any(|mark| lines[mark] == *exit))
            {
                wrong.push(format!(
                    "{KNOWN}: what line {opening} opens is left open in line {exit} with other arguments"
                ));
                continue;
            }
            wrong.push(format!(
                "surplus: what line {opening} opens is said to be left open in line {exit}; it is in {real:?}"
            ));
        }
    }
    wrong
}

/// How disagreements begin that are known: `a_helper_is_taken_to_do_what_it_does_with_other_numbers` and
/// `a_helper_is_taken_to_be_able_to_fail` show them.
const KNOWN: &str = "known: helper";

fn text(program: &Program) -> String {
    print(program, "crate::prelude").text
}

fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn what_is_reported_is_what_happens() {
    let count = asked("PROGRAMS").unwrap_or(2_000);
    let numbers: Vec<u64> = asked("PROGRAM").map_or_else(|| (0..count).collect(), |one| vec![one]);
    let (mut walked, mut leaking, mut gaps, mut known) = (0, 0, 0, Vec::new());
    let mut failures: Vec<(u64, Program, Vec<String>)> = Vec::new();
    for numbers in numbers.chunks(500) {
        let programs: Vec<(u64, Program, Leaks)> = numbers
            .iter()
            .filter_map(|number| {
                let program = generate(*number);
                let leaks = leaks(&program, false)?;
                Some((*number, program, leaks))
            })
            .collect();
        let texts: Vec<String> = programs.iter().map(|(_, program, _)| text(program)).collect();
        for ((number, program, leaks), reported) in programs.into_iter().zip(reported(&texts)) {
            walked += 1;
            leaking += leaks.len();
            match reported {
                Some(reported) => {
                    let wrong = wrong(&program, &leaks, &reported);
                    if asked("PROGRAM").is_none()
                        && !wrong.is_empty()
                        && wrong.iter().all(|wrong| wrong.starts_with(KNOWN))
                    {
                        known.push(number);
                    } else if !wrong.is_empty() {
                        failures.push((number, program, wrong));
                    }
                }
                None => gaps += 1,
            }
        }
    }
    println!(
        "{walked} programs, {leaking} openings that leak, {gaps} with a gap, {} known {known:?}, {} wrong",
        known.len(),
        failures.len()
    );
    for (number, program, wrong) in failures.iter().take(asked("SHOW").unwrap_or(3) as usize) {
        let kind = &wrong[0][..8];
        let small = shrink(program, &|program| shows(program, kind));
        println!("== program {number}: {}\n{}", wrong.join("; "), text(&small));
        if asked("PROGRAM").is_some() {
            println!("== whole\n{}", text(program));
        }
    }
    assert!(failures.is_empty(), "{} of {walked} programs", failures.len());
    assert!(
        asked("PROGRAM").is_some() || (leaking > walked / 3 && gaps * 100 < walked && known.len() * 1000 < walked),
        "{walked} {leaking} {gaps}"
    );
}

/// Whether something of this kind is wrong with a program.
fn shows(program: &Program, kind: &str) -> bool {
    let Some(leaks) = leaks(program, false) else { return false };
    let Some(Some(reported)) = reported(&[text(program)]).pop() else { return false };
    wrong(program, &leaks, &reported).iter().any(|wrong| wrong.starts_with(kind))
}

#[test]
fn a_helper_is_taken_to_do_what_it_does_with_other_numbers() {
    let text = "use crate::prelude::*;

async fn put_if(tx: &mut Transaction<'_, Postgres>, k: u8) -> Result<(), Error> {
    if k == 1 {
        put(tx).await?;
    }
    Ok(())
}

pub async fn run(pool: &PgPool, k: u8) -> Result<(), Error> {
    let mut tx = pool.begin().await?;
    if k == 2 {
        put_if(&mut tx, k).await?;
    }
    Ok(())
}
";
    // Nothing is ever written, yet it is reported.
    assert_eq!(reported(&[text.to_owned()]), [Some(Reported::from([(11, BTreeSet::from([15]))]))]);
}

#[test]
fn a_helper_is_taken_to_be_able_to_fail() {
    let text = "use crate::prelude::*;

async fn look(_: &mut Transaction<'_, Postgres>) -> Result<(), Error> {
    Ok(())
}

pub async fn run(pool: &PgPool) -> Result<(), Error> {
    let mut tx = pool.begin().await?;
    if look(&mut tx).await.is_ok() {
        return Ok(());
    }
    put(&mut tx).await?;
    Ok(())
}
";
    // It is never written to, yet it is reported.
    assert_eq!(reported(&[text.to_owned()]), [Some(Reported::from([(8, BTreeSet::from([13]))]))]);
}

/// Programs for the compiler: `EMIT=DIRECTORY PROGRAMS=500 cargo test --test generated -- emit` writes a package.
#[test]
fn emit() {
    let Ok(directory) = std::env::var("EMIT") else { return };
    let source = Path::new(&directory).join("src");
    fs::create_dir_all(&source).unwrap();
    fs::write(source.join("prelude.rs"), PRELUDE).unwrap();
    let mut root = "pub mod prelude;\n".to_owned();
    for number in 0..asked("PROGRAMS").unwrap_or(500) {
        let _ = writeln!(root, "pub mod p{number};");
        fs::write(source.join(format!("p{number}.rs")), text(&generate(number))).unwrap();
    }
    fs::write(source.join("lib.rs"), root).unwrap();
}
