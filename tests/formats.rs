//! Reports for other programs: what each must have, on the shipped fixtures and on nothing.

use assert_cmd::Command;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rust/sqlx")
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::cargo_bin("sessionlint").unwrap();
    let output = command.current_dir(directory).args(["--isolated", "--no-cache"]).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn format(name: &str) -> String {
    let (status, out, _) = run(&fixtures(), &["--format", name]);
    assert_eq!(status, 1, "{name}");
    out
}

fn count() -> usize {
    format("jsonl").lines().count() - 1
}

#[test]
fn sarif_tells_the_walk_and_what_is_silenced() {
    let log: Value = serde_json::from_str(&format("sarif")).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let (silenced, reported): (Vec<_>, Vec<_>) =
        results.iter().partition(|result| result.get("suppressions").is_some());
    assert_eq!(reported.len(), count());
    assert!(silenced.iter().any(|one| one["suppressions"][0]["kind"] == "inSource"), "{silenced:?}");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in &reported {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!(result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().len(), 32);
        // Findings about comments have no walk.
        if result["ruleId"].as_str().unwrap().ends_with("-suppression") {
            continue;
        }
        let walk = result["codeFlows"][0]["threadFlows"][0]["locations"].as_array().unwrap();
        assert!(!walk.is_empty());
        // What is beside the walk is related to it, and no step.
        let text = walk.iter().map(|step| step["location"]["message"]["text"].as_str().unwrap()).collect::<String>();
        assert!(!text.contains("on another path"), "{text}");
        assert!(result["relatedLocations"].as_array().unwrap().len() >= walk.len());
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert!(
            region["startColumn"].as_u64() >= Some(1) && region["endLine"].as_u64() >= region["startLine"].as_u64()
        );
    }
    assert!(reported.iter().any(|result| result["fixes"][0]["artifactChanges"].is_array()));
    for rule in rules {
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty());
        }
    }
}

#[test]
fn annotations_are_one_line_each_the_gravest_first() {
    let text = format("github");
    assert_eq!(text.lines().count(), count());
    let words: Vec<&str> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let mut sorted = words.clone();
    sorted.sort();
    assert_eq!(words, sorted);
    assert!(words.contains(&"::error") && words.contains(&"::warning"));
    assert!(text.lines().all(|line| line.contains("file=src/") && line.contains(",title=sessionlint (")), "{text}");
}

#[test]
fn gitlab_has_a_fingerprint_for_each() {
    let issues: Vec<Value> = serde_json::from_str(&format("gitlab")).unwrap();
    let prints: BTreeSet<&str> = issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
    assert_eq!((issues.len(), prints.len()), (count(), count()));
    for issue in &issues {
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&issue["severity"].as_str().unwrap()));
        assert!(issue["location"]["lines"]["begin"].as_u64() >= Some(1));
        assert!(!issue["location"]["path"].as_str().unwrap().starts_with("./"));
    }
}

#[test]
fn junit_counts_what_it_says() {
    let text = format("junit");
    assert_eq!(text.matches("<failure ").count(), count());
    assert!(text.contains(&format!("tests=\"{0}\" failures=\"{0}\"", count())));
    for closed in ["testsuites", "testsuite", "testcase", "failure"] {
        let opened = text.matches(&format!("<{closed} ")).count();
        assert_eq!(opened, text.matches(&format!("</{closed}>")).count(), "{closed}");
    }
}

#[test]
fn nothing_found_is_a_report_too() {
    let empty = TempDir::new().unwrap();
    fs::write(empty.path().join("a.rs"), "fn f() {}\n").unwrap();
    let of = |name: &str| {
        let (status, out, _) = run(empty.path(), &["--format", name]);
        assert_eq!(status, 0, "{name}");
        out
    };
    let sarif: Value = serde_json::from_str(&of("sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 0);
    assert_eq!(of("gitlab"), "[]\n");
    assert_eq!(of("github"), "");
    assert!(of("junit").contains("<testcase name=\"nothing found\""));
    assert!(of("markdown").contains("nothing found"));
    let page = empty.path().join("walks.html");
    let (status, _, _) = run(empty.path(), &["--graph", page.to_str().unwrap()]);
    assert_eq!(status, 0);
    assert!(fs::read_to_string(page).unwrap().contains("No session is left"));
}

#[test]
fn cargo_messages_belong_to_packages() {
    let text = format("cargo-json");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |reason: &str| lines.iter().filter(|line| line["reason"] == reason).collect::<Vec<_>>();
    assert_eq!(of("compiler-message").len(), count());
    let artifacts = of("compiler-artifact");
    assert!(artifacts.iter().all(|artifact| artifact["fresh"] == false));
    for line in of("compiler-message") {
        assert_eq!(line["package_id"], artifacts[0]["package_id"]);
        let message = &line["message"];
        assert!(message["code"]["code"].as_str().unwrap().starts_with("sessionlint::"));
        assert!(["error", "warning", "note"].contains(&message["level"].as_str().unwrap()));
        let spans = message["spans"].as_array().unwrap();
        assert_eq!(spans.iter().filter(|span| span["is_primary"] == true).count(), 1);
        for span in spans {
            let lines = span["text"].as_array().unwrap();
            let count = span["line_end"].as_u64().unwrap() - span["line_start"].as_u64().unwrap() + 1;
            assert_eq!(lines.len() as u64, count);
        }
    }
    let replaced = lines.iter().flat_map(|line| line["message"]["children"].as_array().into_iter().flatten());
    assert!(replaced.into_iter().any(|child| child["spans"][0]["suggested_replacement"].is_string()));
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("a.rs"), "fn f() {}\n").unwrap();
    let (status, _, error) = run(outside.path(), &["--format", "cargo-json"]);
    assert!(status == 2 && error.contains("needs a Cargo workspace"), "{error}");
    assert_eq!(run(outside.path(), &["--cargo", "check"]).0, 2);
}

#[test]
fn a_page_shows_every_walk_and_needs_nothing_else() {
    let directory = TempDir::new().unwrap();
    let page = directory.path().join("walks.html");
    run(&fixtures(), &["--graph", page.to_str().unwrap(), "--quiet"]);
    let text = fs::read_to_string(page).unwrap();
    assert_eq!(text.matches("<article ").count(), count());
    for outside in ["<script", "src=", "<link", "@import", "url("] {
        assert!(!text.contains(outside), "{outside}");
    }
}

#[test]
fn paths_are_links_when_that_is_asked_for() {
    let (_, out, _) = run(&fixtures(), &["--format", "concise", "--hyperlinks", "always"]);
    let first = out.lines().next().unwrap();
    assert!(first.starts_with("\u{1b}]8;;file://") && first.contains("\u{1b}\\src/"), "{first:?}");
    let (_, out, _) = run(&fixtures(), &["--hyperlinks", "always", "--color", "never"]);
    assert_eq!(out.matches("--> \u{1b}]8;;file://").count(), out.matches("--> ").count());
    assert!(!run(&fixtures(), &[]).1.contains('\u{1b}'));
}
