//! A picture of every walk: one page for a browser that shows the code with the session's life drawn beside it, for somebody
//! who has never seen this program.

use crate::Run;
use crate::highlight::Highlight;
use crate::junit::escaped;
use crate::picture::{Pages, card, class, prose};
use crate::source::Sources;
use crate::summary::plural;
use sessionlint_diagnostics::{Diagnostic, Level};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const STYLE: &str = include_str!("graph.css");
/// Hides what the filter leaves out. Without it the page shows everything.
const SCRIPT: &str = include_str!("graph.js");

/// What a step is, in the words of the legend.
const LEGEND: &[(&str, &str)] = &[
    ("opened", "the session is opened"),
    ("write", "a write goes through it"),
    ("branch", "a branch that the path takes"),
    ("released", "it is ended, on another path"),
    ("meanwhile", "the mistake: this happens while it is open"),
    ("leaks", "the mistake"),
];

/// A page with a picture for each finding. It needs nothing beside itself.
pub fn graph(run: &Run) -> String {
    let highlights = run.files.iter().map(|_| Highlight::default()).collect();
    let pages = Pages { sources: Sources::new(&run.files), highlights };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>sessionlint</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>sessionlint</h1><p>{}</p></header>\n",
        escaped(crate::summary(run).trim_end())
    );
    if run.findings.is_empty() {
        page.push_str("<main><p class=\"none\">Nothing was found.</p></main>\n</body>\n</html>\n");
        return page;
    }
    page.push_str(
        "<p class=\"how\">A <b>session</b> is something that a library hands out and that must be ended: a \
         transaction, a connection, a file that needs its footer. Each picture below follows one of them through the code, \
         from top to bottom. The line at the left is its life; the numbers are the steps, in their order.</p>\n<ul class=\"legend\">",
    );
    for (class, words) in LEGEND {
        let _ = write!(page, "<li><b class=\"dot {class}\"></b> {words}</li>");
    }
    page.push_str("</ul>\n");
    contents(&mut page, run, &pages.sources);
    page.push_str("<main>\n");
    for (number, finding) in run.findings.iter().enumerate() {
        card(&mut page, number, finding, &pages);
    }
    let _ = write!(page, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

/// How many findings there are of each rule and in each file, with links to them and a filter.
fn contents(page: &mut String, run: &Run, sources: &Sources<'_>) {
    let mut rules: BTreeMap<&str, (Level, Vec<usize>)> = BTreeMap::new();
    let mut files: BTreeMap<&str, Vec<(usize, &Diagnostic)>> = BTreeMap::new();
    for (number, finding) in run.findings.iter().enumerate() {
        rules.entry(finding.rule).or_insert_with(|| (finding.level, Vec::new())).1.push(number);
        files.entry(sources.position(finding.span).0).or_default().push((number, finding));
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(rule, (_, numbers))| (std::cmp::Reverse(numbers.len()), *rule));
    page.push_str(
        "<form class=\"filter\" hidden><label>Show <input type=\"search\" name=\"words\" placeholder=\"a rule, a file, a function, \
         any words\"></label> <output></output></form>\n<nav>\n<section><h2>By rule</h2><table>",
    );
    for (rule, (level, numbers)) in &rules {
        let first = numbers.first().copied().unwrap_or_default();
        let _ = write!(
            page,
            "<tr class=\"{}\"><td>{}</td><td><a href=\"#f{first}\" data-words=\"{rule}\"><code>{rule}</code></a></td></tr>",
            class(*level),
            numbers.len()
        );
    }
    let _ = write!(page, "</table></section>\n<section><h2>By file</h2>");
    // A list that is longer than a screen is folded.
    let is_open = if run.findings.len() <= 12 { " open" } else { "" };
    for (path, findings) in &files {
        let _ = write!(
            page,
            "<details{is_open}><summary><code>{}</code> {}</summary><ol>",
            escaped(path),
            plural(findings.len(), "finding")
        );
        for (number, finding) in findings {
            let line = sources.position(finding.span).1.line;
            let message = prose(&finding.message);
            let _ = write!(page, "<li><a href=\"#f{number}\">{message}</a> <span>line {line}</span></li>");
        }
        page.push_str("</ol></details>");
    }
    page.push_str("</section>\n</nav>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::File;
    use sessionlint_diagnostics::{FileId, Label, LabelKind, Span};

    /// So many functions in one file, each with a finding.
    fn run(count: usize) -> Run {
        let function = |at: usize| {
            let write = "    sqlx::query(\"DELETE FROM carts\").execute(&mut *tx).await?;\n";
            format!("async fn f{at}(pool: &PgPool) {{\n    let mut tx = pool.begin().await?;\n{write}    Ok(())\n}}\n")
        };
        let text: String = (0..count).map(function).collect();
        let span = |at: usize, length: usize| Span::new(FileId(0), at as u32, (at + length) as u32);
        let finding = |(at, _): (usize, &str)| Diagnostic {
            rule: "uncommitted-transaction",
            level: Level::Deny,
            message: "transaction `tx` is never committed".to_owned(),
            span: span(at + text[at..].find("Ok(").unwrap_or_default(), 6),
            function: "f".to_owned(),
            protocol: String::new(),
            labels: vec![Label::new(LabelKind::Opened, span(at, 5), "the transaction begins here")],
            help: Some("call `tx.commit().await?` before returning".to_owned()),
            evidence: None,
            fixes: Vec::new(),
            fingerprint: String::new(),
        };
        let findings: Vec<Diagnostic> = text.match_indices("begin").map(finding).collect();
        Run {
            version: "0",
            findings,
            not_shown: Vec::new(),
            files: vec![File { path: "a.rs".to_owned(), text }],
            skipped: Vec::new(),
            gaps: Vec::new(),
            dependencies: Vec::new(),
            silenced: Vec::new(),
            stale: 0,
            file_count: 1,
            function_count: count,
            session_count: count,
            levels: BTreeMap::new(),
            nothing_checked: false,
            notes: Vec::new(),
            elapsed_ms: 0,
            times: Vec::new(),
        }
    }

    /// Each takes the same place, however many there are.
    #[test]
    fn the_page_grows_with_its_findings() {
        let page = graph(&run(20_000));
        assert_eq!(page.matches("<article ").count(), 20_000);
        assert!(page.len() < 20_000 * 4_000, "{} bytes", page.len());
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let mut run = run(1);
        let before = "é(); ".repeat(10_000);
        run.files[0].text.insert_str(run.findings[0].labels[0].span.start as usize, &before);
        let finding = &mut run.findings[0];
        for span in [&mut finding.span, &mut finding.labels[0].span] {
            *span = Span::new(span.file, span.start + before.len() as u32, span.end + before.len() as u32);
        }
        let page = graph(&run);
        let card = page.split("<article ").nth(1).unwrap();
        assert!(card.contains("<mark><span class=\"f\">begin</span></mark>") && card.contains('…'), "{card}");
        assert!(card.len() < 10_000, "{}", card.len());
    }
}
