//! What does the report for people look like, in a narrow and a wide terminal, with and without colours; and does it hold on any
//! source?

use assert_cmd::Command;
use sessionlint_diagnostics::{Diagnostic, FileId, Label, LabelKind, Level, Span};
use sessionlint_report::{File, Format, Run, Style, render};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const LIB: &str = "pub mod mail;
use mail::Mailer;

pub async fn place(pool: &sqlx::PgPool, mailer: &Mailer, kind: Kind) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    match kind {
        Kind::Dry => return Ok(()),
        Kind::Order { lines } => {
            for line in lines {
                sqlx::query(\"INSERT INTO lines (name) VALUES ($1)\").bind(line).execute(&mut *tx).await?;
            }
            if !mailer.is_silent() {
                mailer.send(\"a subject that is rather long, so that the call stands far to the right of the line\").await?;
            }
        }
    }
    tx.commit().await?;
    Ok(())
}

pub async fn close(pool: &sqlx::PgPool, id: i64, note: Option<String>) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query(\"UPDATE orders SET open = FALSE WHERE id = $1\").bind(id).execute(&mut *tx).await?;
    let Some(note) = note else {
        tx.commit().await?;
        return Ok(());
    };
    if note.is_empty() {
        tx.rollback().await?;
        return Ok(());
    }
    Ok(())
}

pub enum Kind {
    Dry,
    Order { lines: Vec<String> },
}
";
const MAIL: &str = "pub struct Mailer { client: reqwest::Client }

impl Mailer {
    pub fn is_silent(&self) -> bool {
        false
    }
    pub async fn send(&self, subject: &str) -> anyhow::Result<()> {
        self.post(subject.to_owned()).await
    }
    async fn post(&self, body: String) -> anyhow::Result<()> {
        self.client.post(\"https://example.org\").body(body).send().await?;
        Ok(())
    }
}
";

fn shop() -> TempDir {
    let package = TempDir::new().unwrap();
    fs::create_dir(package.path().join("src")).unwrap();
    let manifest =
        "[package]\nname = \"shop\"\nversion = \"0.0.0\"\n[dependencies]\nsqlx = \"0.9\"\nreqwest = \"0.12\"\n";
    fs::write(package.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(package.path().join("src/lib.rs"), LIB).unwrap();
    fs::write(package.path().join("src/mail.rs"), MAIL).unwrap();
    package
}

fn shown(package: &Path, width: &str, color: &str) -> String {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    command.current_dir(package).env("COLUMNS", width).args(["check", "--isolated", "--no-cache", "--color", color]);
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

#[test]
fn it_fits_the_terminal() {
    let package = shop();
    for width in ["80", "120"] {
        insta::assert_snapshot!(format!("pretty_{width}"), shown(package.path(), width, "never"));
        insta::assert_snapshot!(format!("pretty_{width}_color"), shown(package.path(), width, "always"));
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    let package = shop();
    let colored = shown(package.path(), "80", "always");
    let mut plain = String::new();
    for (number, part) in colored.split('\u{1b}').enumerate() {
        plain.push_str(if number == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(plain, shown(package.path(), "80", "never"));
}

#[test]
fn no_label_is_told_twice_and_numbers_follow_the_walk() {
    let package = shop();
    let report = shown(package.path(), "120", "never");
    for finding in report.split("\n\n") {
        let number_of =
            |line: &str| line.split(['-', '^', ' ', ':', '|']).find_map(|word| word.strip_suffix('.')?.parse().ok());
        let mut numbers: Vec<u32> =
            finding.lines().filter(|line| line.contains(" | ") || line.contains(":::")).filter_map(number_of).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=numbers.len() as u32).collect::<Vec<_>>(), "{finding}");
    }
}

/// A run with one finding: a label at each span, the last one primary.
fn run(text: &str, findings: Vec<Vec<(u32, u32)>>) -> Run {
    let finding = |spans: Vec<(u32, u32)>| {
        let kinds = [LabelKind::Opened, LabelKind::Write, LabelKind::Branch];
        let spans: Vec<Span> = spans.into_iter().map(|(start, end)| Span { file: FileId(0), start, end }).collect();
        let label = |(number, span): (usize, &Span)| {
            Label::new(kinds[number % 3], *span, "something that is said of this place, in a sentence of some length")
        };
        Diagnostic {
            rule: "leaked-session",
            level: Level::Warn,
            message: "this is wrong".to_owned(),
            span: *spans.last().unwrap(),
            function: "f".to_owned(),
            protocol: String::new(),
            labels: spans.iter().enumerate().map(label).collect(),
            help: Some("make it right".to_owned()),
            evidence: None,
            fixes: Vec::new(),
            fingerprint: String::new(),
        }
    };
    Run {
        version: "0",
        findings: findings.into_iter().map(finding).collect(),
        files: vec![File { path: "src/lib.rs".to_owned(), text: text.to_owned() }],
        skipped: Vec::new(),
        gaps: Vec::new(),
        dependencies: Vec::new(),
        silenced: Vec::new(),
        stale: 0,
        file_count: 1,
        function_count: 1,
        session_count: 1,
        levels: BTreeMap::new(),
        not_shown: Vec::new(),
        times: Vec::new(),
        nothing_checked: false,
        notes: Vec::new(),
        elapsed_ms: 0,
    }
}

fn pretty(run: &Run, width: usize) -> String {
    render(run, Format::Pretty, Style { color: false, width, links: None })
}

#[test]
fn it_holds_on_any_span_of_any_text() {
    let texts = [
        "",
        "\n",
        "a",
        "\ta\t(b)\r\n\r\nc\r\n",
        "let ä = \"漢字かな\"; // 👩‍👩‍👧 e\u{301}\n\u{200b}x\u{7}\u{1b}[31m\u{feff}\n",
        "a\rb\u{2028}c\u{85}d\n\u{e000}\u{e001} ^ -- |\n",
        "fn f() {\n    g(\n        a,\n    )\n}\n",
    ];
    for text in texts {
        let end = text.len() as u32 + 2;
        for start in 0..=end {
            for stop in 0..=end {
                for width in [60, 140] {
                    let run = run(text, vec![vec![(start, stop), (stop, end), (start, start)]]);
                    let out = pretty(&run, width);
                    assert!(
                        out.starts_with("warning[leaked-session]: this is wrong\n")
                            && out.ends_with("make it right\n\n")
                    );
                }
            }
        }
    }
}

#[test]
fn a_long_line_is_cut_and_labels_are_wrapped() {
    let text = format!("let all = [{}];\n", "value, ".repeat(5_000));
    for at in [0, 12, 700, 20_000, text.len() as u32 - 3] {
        let out = pretty(&run(&text, vec![vec![(4, 7), (at, at + 5)]]), 80);
        let widest = out.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 80 + 10, "{widest}\n{out}");
    }
}

#[test]
fn each_of_many_findings_in_a_long_file_is_shown() {
    let line = "    let tx = pool.begin().await?; // a line of a function, of which there are many\n";
    let text = line.repeat(40_000);
    let length = line.len() as u32;
    let findings = (0..20_000).map(|number| {
        let start = 2 * number * length;
        vec![(start + 8, start + 10), (start + 13, start + 17), (start + length + 8, start + length + 10)]
    });
    let run = run(&text, findings.collect());
    assert_eq!(pretty(&run, 100).matches("warning[").count(), 20_000);
}

/// What the labels of the one finding in a body say of the turns of the way, with the text that each marks.
fn turns(body: &str) -> Vec<String> {
    let text = format!(
        "pub async fn f(pool: &sqlx::PgPool, a: Option<u8>, b: Result<u8, u8>, c: bool, e: E, s: S) -> sqlx::Result<()> {{\n    \
         let mut tx = pool.begin().await?;\n    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n{body}\n    \
         tx.commit().await\n}}\npub enum E {{ One, Two {{ n: u8 }}, Three }}\npub struct S;\nimpl S {{ pub fn next(&self) -> \
         Option<u8> {{ None }} pub fn done(&self) -> bool {{ false }} }}\n"
    );
    let package = shop();
    fs::write(package.path().join("src/lib.rs"), &text).unwrap();
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let command = command.current_dir(package.path()).args(["check", "--isolated", "--no-cache", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let [finding] = findings.as_slice() else { return vec![format!("{} findings", findings.len())] };
    let labels = finding["labels"].as_array().unwrap().iter();
    let turn = |label: &serde_json::Value| {
        let offset = |end: &str| label["range"][end]["offset"].as_u64().unwrap() as usize;
        format!("{} {}", &text[offset("start")..offset("end")], label["message"].as_str().unwrap())
    };
    labels.filter(|label| label["kind"] == "branch").map(turn).collect()
}

#[test]
fn turns_of_the_way_are_told_truly() {
    let cases: &[(&str, &[&str])] = &[
        ("if c { return Ok(()); }", &["c if this is true"]),
        ("if !c { return Ok(()); }", &["!c if this is true"]),
        ("if !s.done() { return Ok(()); }", &["!s.done() if this is true"]),
        ("if a.is_none() { return Ok(()); }", &["a.is_none() if this is true"]),
        ("if !a.is_some() { return Ok(()); }", &["!a.is_some() if this is true"]),
        (
            "if b.is_err() { return tx.commit().await; }\n    if c { return Ok(()); }",
            &["b.is_err() if this is false", "c if this is true"],
        ),
        ("if s.done() { tx.commit().await?; return Ok(()); } else { return Ok(()); }", &["s.done() if this is false"]),
        ("if let Some(3) = a { return Ok(()); }", &["Some(3) when this matches"]),
        ("if matches!(e, E::Two { n: 4 }) { return Ok(()); }", &["E::Two { n: 4 } when this matches"]),
        ("let Some(_n) = a else { return Ok(()); };", &["Some(_n) when this does not match"]),
        (
            "let Some(_n) = a else { return tx.commit().await; };\n    if s.done() { return Ok(()); }",
            &["s.done() if this is true"],
        ),
        (
            "match e { E::One => {} E::Two { n } if n > 3 => return Ok(()), _ => {} }",
            &["E::Two { n } when this matches", "n > 3 if this is true"],
        ),
        ("match b { Err(_) => {} Ok(_) => return Ok(()) }", &["Ok(_) when this matches"]),
        ("match e { E::One | E::Three => {} _ => return Ok(()) }", &["E::One | E::Three when this does not match"]),
        ("for n in 0..3 { if n == 2 { return Ok(()); } }", &["for in this loop", "n == 2 if this is true"]),
        (
            "for n in 0..3 { s.next(); let _ = n; }\n    if s.done() { return Ok(()); }",
            &["for after this loop", "s.done() if this is true"],
        ),
        (
            "while let Some(_n) = s.next() { if s.done() { return Ok(()); } }",
            &["Some(_n) in this loop", "s.done() if this is true"],
        ),
    ];
    let wrong = cases
        .iter()
        .map(|(body, expected)| (body, turns(body), expected))
        .filter(|(_, told, expected)| told != *expected);
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
