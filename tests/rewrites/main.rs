//! Rewriting code without changing what it does does not change a verdict: all fixtures, rewritten in many ways, give
//! the same findings in the same functions. `REWRITE=DIRECTORY` does it with other code, `ONLY=NAME` one rewrite,
//! `IN=PART` only files with this in their path.

#![expect(clippy::disallowed_macros, reason = "figures of the run")]

mod kind;
mod rewrite;
mod step;

use kind::Rewrite;
use rewrite::Rewriter;
use sessionlint_testkit::check;
use sessionlint_testkit::programs::{PRELUDE, generate, print};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// How often each rule is reported in each function of each package.
type Verdicts = BTreeMap<(String, String, &'static str), usize>;

const STATUS: &str = "what is sent before a way out is looked for in the statements that stand before the return";

/// Functions whose verdict a rewrite is known to change, and why.
const KNOWN: &[(Rewrite, &str, &str)] = &[
    (Rewrite::QuestionAsIfLet, "wrappers pages::not_printed", PROBE),
    (
        Rewrite::Unrelated,
        "tokio peers::greeted",
        "an arm with statements of its own does more than pass over a failure",
    ),
    (
        Rewrite::Unrelated,
        "tokio peers::greeted_and_logged",
        "an arm with statements of its own does more than pass over a failure",
    ),
    (
        Rewrite::Unrelated,
        "tokio peers::refused",
        "an arm with statements of its own does more than pass over a failure",
    ),
    (
        Rewrite::Unrelated,
        "tokio-postgres counted_if_that_works",
        "an arm with statements of its own does more than pass over a failure",
    ),
    (Rewrite::Blocks, "sqlx statuses::tells_that_it_waits", STATUS),
    (Rewrite::IfTrue, "sqlx statuses::tells_that_it_waits", STATUS),
    (Rewrite::QuestionAsMatch, "sqlx statuses::writes_and_tells_that_it_waits", STATUS),
    (Rewrite::QuestionAsIfLet, "sqlx statuses::writes_and_tells_that_it_waits", STATUS),
    (
        Rewrite::QuestionAsMatch,
        "sqlx meanwhile::statement_behind_the_last_row",
        "whether a stream has given its last row is asked of the call and its `?`, not of the arms of a match",
    ),
    (Rewrite::UsedAs, "deadpool alone::follow", ALONE),
    (Rewrite::UsedAs, "reqwest targets::once_each", RENAMED),
    (Rewrite::UsedAs, "reqwest targets::tile", RENAMED),
    (
        Rewrite::QuestionAsMatch,
        "tempfile in_a_block",
        "what only the path is kept of is asked of the call that gives the path, not of the arms of a match",
    ),
    (Rewrite::FullPaths, "deadpool alone::beside_a_task", ALONE),
    (
        Rewrite::BodyInBlock,
        "wrappers reached::declared_beside_each_other::kept",
        "a function that a block inside of a body declares is not found",
    ),
    (
        Rewrite::BodyInBlock,
        "wrappers reached::declared_inside",
        "a function that a block inside of a body declares is not found",
    ),
    (
        Rewrite::BodyInBlock,
        "wrappers reached::declared_inside_with_a_known_name",
        "a function that a block inside of a body declares is not found",
    ),
    (Rewrite::QuestionAsIfLet, "async-nats discarded", PROBE),
    (Rewrite::QuestionAsIfLet, "fantoccini discarded", PROBE),
    (Rewrite::QuestionAsIfLet, "neo4rs discarded", PROBE),
    (Rewrite::QuestionAsIfLet, "redb discarded", PROBE),
    (Rewrite::QuestionAsIfLet, "rusqlite discarded", PROBE),
    (Rewrite::QuestionAsIfLet, "sqlx sessions::statement", PROBE),
    (Rewrite::QuestionAsIfLet, "sqlx trials::verified::lock_everything", PROBE),
    (Rewrite::QuestionAsIfLet, "sqlx wording::not_bound", PROBE),
    (Rewrite::QuestionAsIfLet, "tokio-postgres discarded", PROBE),
    (Rewrite::Unrelated, "sqlx releases::only_logged", "an arm with statements of its own does more than log"),
    (Rewrite::Unrelated, "sqlx wording::only_logged", "an arm with statements of its own does more than log"),
    (
        Rewrite::UsedAs,
        "wrappers own_pool::client_stays_out",
        "a connection that `get` gives, with all imports of the package renamed",
    ),
    (
        Rewrite::UsedAs,
        "wrappers elsewhere::by_own_method",
        "a type whose methods stand in a file that names no library, with all imports renamed",
    ),
    (Rewrite::Unrelated, "sqlx looked_at::a_flag_is_only_logged", LOGS),
    (Rewrite::Unrelated, "sqlx looked_at::either_is_only_logged", LOGS),
    (Rewrite::Unrelated, "sqlx looked_at::the_error_is_logged", LOGS),
    (Rewrite::Unrelated, "sqlx in_time::errors::logged", LOGS),
    (
        Rewrite::IfAsMatch,
        "sqlx in_time::errors::told_that_there_is_none",
        "an arm without statements counts as one that only logs",
    ),
    (Rewrite::Unrelated, "sqlx in_time::errors::told_that_there_is_one", LOGS),
    (Rewrite::Unrelated, "sqlx looked_at::success_all_the_same", LOGS),
    (Rewrite::Unrelated, "sqlx looked_at::success_all_the_same_by_let", LOGS),
    (Rewrite::Unrelated, "sqlx looked_at::success_all_the_same_by_match", LOGS),
    (
        Rewrite::LongNames,
        "sqlx looked_at::success_all_the_same",
        "an answer of nothing is known as `Ok(())`, as it is written",
    ),
    (
        Rewrite::LongNames,
        "sqlx looked_at::success_all_the_same_by_let",
        "an answer of nothing is known as `Ok(())`, as it is written",
    ),
    (
        Rewrite::LongNames,
        "sqlx looked_at::success_all_the_same_by_match",
        "an answer of nothing is known as `Ok(())`, as it is written",
    ),
    (
        Rewrite::LongNames,
        "sqlx looked_at::left_the_same_way",
        "an answer of nothing is known as `Ok(())`, as it is written",
    ),
    (Rewrite::QuestionAsIfLet, "redb tables::made_by_a_helper_and_lost", "a table that an arm binds counts as used"),
    (Rewrite::BodyInAsync, "sqlx provided_method::boxed::one_run", CALLED),
    (Rewrite::BodyInAsync, "sqlx provided_method::closed::in_one_transaction", CALLED),
    (Rewrite::BodyInAsync, "sqlx provided_method::overridden::Patch::tidy", CALLED),
    (Rewrite::IfTrue, "sqlx looked_at::left_with_a_number", LOGS),
    (Rewrite::IfTrue, "sqlx looked_at::left_with_an_answer", LOGS),
    (Rewrite::IfTrue, "sqlx looked_at::left_with_an_answer_by_if", LOGS),
    (Rewrite::IfTrue, "sqlx looked_at::success_all_the_same", LOGS),
    (Rewrite::IfTrue, "sqlx looked_at::success_all_the_same_by_let", LOGS),
    (Rewrite::UsedAs, "opendal around::Document::close", "a known miss, found where the import is renamed"),
    (Rewrite::UsedAs, "opendal around::Register::close", "a known miss, found where the import is renamed"),
    (Rewrite::UsedAs, "sqlx passed_on::in_a_box", "a future whose type is an alias, with all imports renamed"),
    (
        Rewrite::Renamed,
        "opendal around::handed_in",
        "its words decide whether a function that opens nothing is looked at",
    ),
    (Rewrite::BodyInBlock, "learned engines::Runner::mode_is_chosen_before", MODE),
    (Rewrite::BodyInBlock, "learned engines::Runner::one_arm_forgets", MODE),
    (Rewrite::BodyInAsync, "learned engines::Runner::mode_is_chosen_before", MODE),
    (Rewrite::BodyInAsync, "learned engines::Runner::one_arm_forgets", MODE),
    (Rewrite::UsedAs, "sqlx statuses::refused", "a status is known by its name as it is written"),
    (Rewrite::BodyInClosure, "rusqlite callers::Store::migrate", "what a closure gives may be a success or an error"),
    (Rewrite::BodyInClosure, "rusqlite callers::set_up", "what a closure gives may be a success or an error"),
    (Rewrite::BodyInClosure, "rusqlite callers::step", "what a closure gives may be a success or an error"),
    (Rewrite::BodyInClosure, "rusqlite callers::for_the_package", "what a closure gives may be a success or an error"),
    (Rewrite::BodyInClosure, "rusqlite callers::filled", "what a closure gives may be a success or an error"),
    (Rewrite::BodyInAsync, "generated p197::run", "more ways than are told apart, so nothing is said"),
    (Rewrite::BodyInAsync, "sqlx bounds::step_by_step", "more ways than are told apart, so nothing is said"),
    (
        Rewrite::QuestionAsMatch,
        "r2d2 thrown::of_a_size",
        "a pool that comes out of a `match` is not known to be thrown away",
    ),
    (Rewrite::QuestionAsMatch, "sqlx refusals::refused_after_a_complaint", BRANCH),
    (Rewrite::QuestionAsIfLet, "sqlx refusals::refused_after_a_complaint", BRANCH),
    (Rewrite::IfLetAsMatch, "sqlx failures::if_let_of_what_went_well", "a known miss, found where it is a `match`"),
    (Rewrite::Unrelated, "sqlx failures::if_let_that_logs", "an arm with statements of its own does more than log"),
    (Rewrite::Unrelated, "sqlx failures::is_err_that_logs", "an arm with statements of its own does more than log"),
    (Rewrite::Unrelated, "sqlx failures::loop_that_logs", "an arm with statements of its own does more than log"),
];

const LOGS: &str = "an arm with statements of its own does more than log";

const MODE: &str = "told as `unguarded-session` there: what is written behind the block is not seen as written by it";

const BRANCH: &str =
    "a `match` that leaves with the error is a branch like any other: what was written before it may be meant to go";

const ALONE: &str = "whether a connection is the only one of its pool is not known in all ways to write names";
const CALLED: &str =
    "the callers of a provided method are asked for what its own body leaves open, not a block inside of it";
const RENAMED: &str = "a client that is made is looked for by the name that the library gives its type";
const PROBE: &str =
    "`if let Err(error) = pool.begin().await` asks whether a session can be opened: nobody wants to use it";

/// How many generated programs are rewritten too: they have what fixtures have little of. `REWRITTEN=400` takes more.
fn programs() -> u64 {
    std::env::var("REWRITTEN").map_or(100, |count| count.parse().unwrap())
}

/// The files to rewrite, by path: of the fixtures and of a package of generated programs, or of other code.
fn sources() -> BTreeMap<PathBuf, Vec<u8>> {
    fn collect(root: &Path, directory: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_file() {
                found.insert(path.strip_prefix(root).unwrap().to_path_buf(), fs::read(&path).unwrap());
            } else if path.is_dir() && !["target", ".git"].iter().any(|name| entry.file_name() == *name) {
                collect(root, &path, found);
            }
        }
    }
    let mut found = BTreeMap::new();
    if let Some(root) = std::env::var_os("REWRITE").map(PathBuf::from) {
        collect(&root, &root, &mut found);
        return found;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rust");
    collect(&root, &root, &mut found);
    let mut generated = |name: &str, text: String| found.insert(Path::new("generated").join(name), text.into_bytes());
    let manifest =
        "[package]\nname = \"generated\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\nsqlx = \"0.8\"\n";
    generated("Cargo.toml", manifest.to_owned());
    generated("src/prelude.rs", PRELUDE.to_owned());
    let mut root = "pub mod prelude;\n".to_owned();
    for number in 0..programs() {
        root.push_str(&format!("pub mod p{number};\n"));
        generated(&format!("src/p{number}.rs"), print(&generate(number), "crate::prelude").text);
    }
    generated("src/lib.rs", root);
    found
}

/// Rewrites all files in a copy, and gives what is found there and how often something was rewritten.
fn verdicts(sources: &BTreeMap<PathBuf, Vec<u8>>, rewrite: Rewrite) -> (Verdicts, usize) {
    let directory = tempfile::tempdir().unwrap();
    let mut count = 0;
    for (path, text) in sources {
        let to = directory.path().join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        // Some files are broken on purpose.
        let parsed =
            std::str::from_utf8(text).ok().filter(|_| path.extension().is_some_and(|extension| extension == "rs"));
        let chosen = std::env::var("IN").map_or(true, |part| path.to_string_lossy().contains(&part));
        match parsed.filter(|_| chosen).and_then(|text| syn::parse_file(text).ok()) {
            Some(file) => {
                let mut rewriter = Rewriter::new(rewrite);
                fs::write(to, rewriter.rewritten(file)).unwrap();
                count += rewriter.count;
            }
            None => fs::write(to, text).unwrap(),
        }
    }
    let outcome = check(directory.path(), &["."], |options| options.fixes = false);
    let mut found = Verdicts::new();
    for finding in outcome.findings.iter().filter(|finding| !finding.rule.ends_with("-suppression")) {
        let file = &outcome.files[finding.span.file.0 as usize].path;
        let package = file.split('/').next().unwrap_or_default().to_owned();
        *found
            .entry((package, finding.function.replace("inner::", "").replace("Renamed", ""), finding.rule))
            .or_default() += 1;
    }
    (found, count)
}

#[test]
fn no_rewrite_changes_a_verdict() {
    let only = std::env::var("ONLY").ok();
    let sources = sources();
    let (before, _) = verdicts(&sources, Rewrite::Printed);
    assert!(before.len() > 200 || std::env::var_os("REWRITE").is_some(), "{}", before.len());
    let mut flips = Vec::new();
    for rewrite in Rewrite::ALL {
        let name = format!("{rewrite:?}");
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let (after, count) = verdicts(&sources, rewrite);
        let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let mut changed = 0;
        for key @ (package, function, rule) in keys {
            let (one, other) = (before.get(key).unwrap_or(&0), after.get(key).unwrap_or(&0));
            let known =
                KNOWN.iter().any(|(known, where_, _)| *known == rewrite && *where_ == format!("{package} {function}"));
            if one != other && !known {
                changed += 1;
                flips.push(format!("{name}: {package} {function}: {rule} {one} -> {other}"));
            }
        }
        println!("{name}: {count} places, {changed} verdicts changed");
        assert!(count >= 2 || std::env::var_os("REWRITE").is_some(), "{name} finds {count} places only");
    }
    assert!(flips.is_empty(), "{} flips\n{}", flips.len(), flips.join("\n"));
}
