//! What does the report for people look like, in a narrow and a wide terminal, with and without colours; and does it hold on any
//! source?

use assert_cmd::Command;
use sessionlint_diagnostics::{Diagnostic, FileId, Label, LabelKind, Level, Span};
use sessionlint_report::{File, Format, Run, Style, render};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;
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
        silenced: Vec::new(),
        stale: 0,
        file_count: 1,
        function_count: 1,
        session_count: 1,
        levels: BTreeMap::new(),
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
fn time_grows_with_findings_only() {
    let line = "    let tx = pool.begin().await?; // a line of a function, of which there are many\n";
    let text = line.repeat(40_000);
    let length = line.len() as u32;
    let findings = (0..20_000).map(|number| {
        let start = 2 * number * length;
        vec![(start + 8, start + 10), (start + 13, start + 17), (start + length + 8, start + length + 10)]
    });
    let run = run(&text, findings.collect());
    let start = Instant::now();
    let out = pretty(&run, 100);
    assert_eq!(out.matches("warning[").count(), 20_000);
    // Quadratic would be minutes.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
