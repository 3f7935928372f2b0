//! What must hold for any input? One function for each kind of text that the tool reads, for fuzzers and for tests. What they
//! are given is whatever somebody's file may hold.

use sessionlint_analysis::{SqlEffect, may_begin, may_set_state};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_engine::{BaselineChoice, Engine, Options, Outcome, Overlay, baseline_text, parse_baseline, silence};
use sessionlint_ir::{Body, ItemKind, Language};
use sessionlint_languages::ALL as LANGUAGES;
use sessionlint_protocols::{Config, Model, Profile, RuleSet};
use std::path::PathBuf;
use std::sync::LazyLock;

/// A target's name, and what it does with one text: it panics when something does not hold.
pub type Target = (&'static str, fn(&str));

/// Every target; `fuzz/targets` and `fuzz/regressions` have an entry for each.
pub const ALL: &[Target] = &[
    ("baseline", baseline),
    ("check", check),
    ("lowering", lowering),
    ("outline", outline),
    ("rules", rules),
    ("sql", sql),
    ("suppressions", suppressions),
];

const FILE: FileId = FileId(0);

fn assert_inside(text: &str, span: Span) {
    assert!(span.start <= span.end, "{span:?}");
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} of {} bytes", text.len());
}

/// A file's items, comments and words lie in it, and in each other.
pub fn outline(text: &str) {
    LANGUAGES.0.iter().for_each(|language| outlined(*language, text));
}

fn outlined(language: Language, text: &str) {
    let outline = language.outline(text, FILE);
    for (index, item) in outline.items.iter().enumerate() {
        assert_inside(text, item.span);
        assert_inside(text, item.header());
        assert!(item.span.contains(item.head), "{item:?}");
        assert!(item.body.is_none_or(|body| item.head.contains(body)), "{item:?}");
        if let Some(parent) = item.parent {
            assert!((parent.0 as usize) < index, "{item:?}");
            let around = outline.item(parent);
            assert!(around.body.is_some_and(|body| body.contains(item.span)), "{item:?} in {around:?}");
        }
        let id = sessionlint_ir::ItemId(index as u32);
        let _ = (outline.module_path(id), outline.is_test(id));
    }
    for comment in language.comments(text, FILE) {
        assert_inside(text, comment.span);
        if let Some(next) = comment.next_token {
            assert!(next >= comment.span.end);
            let end = language.statement_end(text, next);
            assert_inside(text, Span::new(FILE, next, end));
            assert!(language.statement_start(text, 0, next).is_none_or(|start| start <= next));
        }
    }
    for (at, word) in language.names(text) {
        assert_eq!(text.get(at..at + word.len()), Some(word));
    }
    let _ = language.is_balanced(text);
}

/// The bodies of a file's functions are whole: edges lead to blocks, and what is spoken of is declared.
pub fn lowering(text: &str) {
    on_a_deep_stack(|| LANGUAGES.0.iter().for_each(|language| lowered(*language, text)));
}

fn lowered(language: Language, text: &str) {
    for item in language.outline(text, FILE).items {
        let (head, header) = (item.head, item.header());
        let of = |span: Span| &text[span.start as usize..span.end as usize];
        match item.kind {
            ItemKind::Function => {
                let _ = language.signature(of(header), header);
                // Any macro that is called may be one of the file.
                let macros = |_: &[String]| Some(text.to_owned());
                match language.function(of(head), head, &macros) {
                    Ok(function) => function.body.iter().for_each(|body| assert_whole(body, head)),
                    Err(error) => assert_inside(text, error.span),
                }
            }
            ItemKind::Struct | ItemKind::Enum => drop(language.fields(of(head), head)),
            ItemKind::Alias => drop(language.alias(of(head), head)),
            ItemKind::Impl => drop(language.impl_header(of(header), header)),
            ItemKind::Use => drop(language.imports(of(head), head)),
            ItemKind::Constant => drop(language.constant(of(head), head)),
            ItemKind::Trait | ItemKind::Module | ItemKind::Macro => {}
        }
    }
}

fn assert_whole(body: &Body, around: Span) {
    assert!(around.contains(body.span), "{:?} in {around:?}", body.span);
    assert!(!body.blocks.is_empty());
    for block in &body.blocks {
        for next in block.terminator.successors() {
            assert!(next.index() < body.blocks.len());
        }
        for statement in &block.statements {
            assert!(statement.span.start <= statement.span.end);
        }
    }
    let locals = body.params.iter().chain(body.captures.iter().map(|capture| &capture.inner));
    for local in locals.chain(body.conditions.iter().flat_map(|condition| &condition.roots)) {
        assert!(local.index() < body.locals.len());
    }
    for id in body.repeated.iter().chain(body.asked.keys()).chain(&body.only_logged) {
        assert!(id.index() < body.blocks.len());
    }
    for child in &body.children {
        assert!(child.captures.iter().all(|capture| capture.outer.index() < body.locals.len()));
        assert_whole(child, around);
    }
}

/// A statement's effect can be told of any text, and blanks do not change it.
pub fn sql(text: &str) {
    on_a_deep_stack(|| {
        let effect = SqlEffect::of(text);
        assert_eq!(effect, SqlEffect::of(text), "{text:?}");
        let quoted = format!("\"{text}\"");
        let _ = (may_begin(&quoted), may_set_state(&quoted));
        // Blanks around it, and a semicolon behind it, change nothing of what is made of plain words.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " \n_(),;=*.".contains(c);
        if text.chars().all(is_plain) {
            assert_eq!(effect, SqlEffect::of(&format!("  {text}\n;")), "{text:?}");
        }
    });
}

/// A rules.toml is taken, or its mistake is told with a place in it.
pub fn rules(text: &str) {
    static BUILT_IN: LazyLock<(RuleSet, Model)> = LazyLock::new(|| (RuleSet::built_in(), Model::built_in()));
    let (rules, model) = &*BUILT_IN;
    match Config::parse("rules.toml", text, rules, &mut model.clone()) {
        Ok(config) => {
            let mut twice = config.clone();
            twice.merge(config);
        }
        Err(error) => {
            assert!(!error.message.is_empty());
            assert!(text.get(error.span.clone()).is_some(), "{:?} of {} bytes", error.span, text.len());
        }
    }
}

/// A baseline is taken, and written as it was read; or it is told why not.
pub fn baseline(text: &str) {
    match parse_baseline(text) {
        Ok(entries) => assert_eq!(parse_baseline(&baseline_text(&entries)).as_ref(), Ok(&entries)),
        Err(message) => assert!(!message.is_empty()),
    }
}

/// A file is checked, twice the same, with nothing said about places that it does not have.
pub fn check(text: &str) {
    let found = checked(text, true);
    for finding in &found.findings {
        let spans = finding.labels.iter().map(|label| label.span);
        for span in spans.chain([finding.span]) {
            assert_inside(&found.files[0].text, span);
        }
    }
    assert_eq!(shown(&found), shown(&checked(text, true)));
}

/// Every finding that a comment can silence is silenced by the comment that is written for it, and nothing new comes.
pub fn suppressions(text: &str) {
    let before = checked(text, false);
    let (changed, left) = silence(&before, LANGUAGES, "because");
    let about_code = |outcome: &Outcome| outcome.findings.iter().filter(|finding| finding.evidence.is_some()).count();
    match changed.as_slice() {
        [] => assert_eq!(about_code(&before), left),
        [one] => {
            let after = checked(&one.after, false);
            assert_eq!((about_code(&before) - left, about_code(&after)), (one.fixed, left), "{}", one.after);
        }
        _ => panic!("there is one file"),
    }
}

fn shown(outcome: &Outcome) -> Vec<(&str, &str, Span, usize)> {
    outcome.findings.iter().map(|one| (one.rule, one.message.as_str(), one.span, one.fixes.len())).collect()
}

/// What is found in a file with this text, under the strict profile.
fn checked(text: &str, fixes: bool) -> Outcome {
    static ENGINE: LazyLock<(tempfile::TempDir, Engine, PathBuf)> = LazyLock::new(|| {
        let directory = tempfile::TempDir::new().expect("a directory for one file");
        let path = directory.path().join("lib.rs");
        std::fs::write(&path, "").expect("one file");
        let options = Options {
            directory: directory.path().to_path_buf(),
            paths: vec![PathBuf::from(".")],
            isolated: true,
            profile: Some(Profile::Strict),
            baseline: BaselineChoice::None,
            threads: 1,
            ..Options::default()
        };
        let engine = Engine::new(options, LANGUAGES).unwrap_or_else(|error| panic!("{error}"));
        (directory, engine, path)
    });
    let (_, engine, path) = &*ENGINE;
    let overlay = Overlay::from([(path.clone(), text.as_bytes().to_vec())]);
    let outcome = engine.check(std::slice::from_ref(path), &overlay, fixes, &|_, _, _| {});
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    if let Some(broken) = outcome.skipped.iter().find(|skipped| skipped.internal) {
        panic!("{}: {}", broken.path, broken.reason);
    }
    outcome
}

/// Parsers recurse; the engine gives its threads as much stack as this.
fn on_a_deep_stack(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, work);
        if let Err(panic) = thread.expect("a thread").join() {
            std::panic::resume_unwind(panic);
        }
    });
}
