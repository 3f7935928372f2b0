//! Reports for other programs: what each must have, on the shipped fixtures and on nothing.

use assert_cmd::Command;
use serde_json::Value;
use sessionlint_protocols::Precision;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixtures() -> PathBuf {
    root().join("fixtures/rust/sqlx")
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
    let has_address = fs::read_to_string(root().join("Cargo.toml")).unwrap().contains("\nrepository");
    for rule in rules {
        assert_eq!(rule.get("helpUri").is_some(), has_address, "{rule}");
        for text in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[text]["text"].as_str().unwrap().is_empty());
        }
    }
}

/// The number and the text of each link of a message.
fn links(message: &str) -> Vec<(u64, String)> {
    let message = message.replace("\\[", "(").replace("\\]", ")");
    let parts = message.split('[').skip(1).map(|part| part.split_once("](").unwrap());
    parts.map(|(text, rest)| (rest.split(')').next().unwrap().parse().unwrap(), text.to_owned())).collect()
}

#[test]
fn sarif_messages_link_to_the_steps() {
    let log: Value = serde_json::from_str(&format("sarif")).unwrap();
    let mut most = 0;
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let links = links(result["message"]["text"].as_str().unwrap());
        let related = result["relatedLocations"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert_eq!(links.is_empty(), related.is_empty(), "{result}");
        for (number, text) in &links {
            let [place] = &related.iter().filter(|one| one["id"] == *number).collect::<Vec<_>>()[..] else { panic!() };
            let said = place["message"]["text"].as_str().unwrap().to_lowercase().replace(['[', ']'], "");
            assert!(said.starts_with(&text.to_lowercase().replace(['(', ')'], "")[..5]), "{said} {text}");
        }
        most = most.max(links.len());
    }
    assert!((3..=6).contains(&most), "{most}");
}

#[test]
fn sarif_has_the_fixes_that_need_no_look() {
    let found = |format: &str| -> Value { serde_json::from_str(&self::format(format)).unwrap() };
    let (log, json) = (found("sarif"), found("json"));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let fingerprint = |result: &&Value| result["partialFingerprints"]["sessionlint/v2"].clone();
    let with_fixes: BTreeSet<String> =
        results.iter().filter(|one| one.get("fixes").is_some()).map(|one| fingerprint(&one).to_string()).collect();
    let (mut safe, mut guesses) = (BTreeSet::new(), 0);
    for finding in json["findings"].as_array().unwrap() {
        for fix in finding["fixes"].as_array().into_iter().flatten() {
            match fix["applicability"] == "safe" {
                true => _ = safe.insert(finding["fingerprint"].to_string()),
                false => guesses += 1,
            }
        }
    }
    assert!(!safe.is_empty() && guesses > 0);
    assert_eq!(with_fixes, safe);
}

/// What `docs/verdicts.toml` says is what each rule says of itself; those about comments need nobody's judgement.
#[test]
fn sarif_tells_how_often_rules_are_right_and_what_they_find() {
    let verdicts: toml::Table = fs::read_to_string(root().join("docs/verdicts.toml")).unwrap().parse().unwrap();
    let log: Value = serde_json::from_str(&format("sarif")).unwrap();
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap() {
        let id = rule["id"].as_str().unwrap().strip_prefix("sessionlint/").unwrap();
        let of_rule = verdicts["verdict"].as_array().unwrap().iter().filter(|one| one["rule"].as_str() == Some(id));
        let (judged, wrong) = of_rule.fold((0, 0), |(judged, wrong), one| {
            (judged + 1, wrong + usize::from(one["verdict"].as_str() == Some("wrong")))
        });
        let about_comments = id.ends_with("-suppression");
        let expected = match Precision::measured(judged, wrong) {
            _ if about_comments => "very-high",
            Precision::VeryHigh => "very-high",
            Precision::High => "high",
            Precision::Medium => "medium",
            Precision::Low => "low",
        };
        assert_eq!(rule["properties"]["precision"], expected, "{id}: {wrong} of {judged} are wrong; see rules.toml");
        let tags = rule["properties"]["tags"].as_array().unwrap();
        let weaknesses = tags.iter().filter(|tag| tag.as_str().unwrap().starts_with("external/cwe/cwe-")).count();
        assert_eq!(weaknesses == 0, about_comments, "{id}");
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
    assert!(fs::read_to_string(page).unwrap().contains("Nothing was found"));
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
    for outside in [" src=", "<link", "@import", "url(", "href=\"http"] {
        assert!(!text.contains(outside), "{outside}");
    }
}

/// Whoever reads from top to bottom reads 1, 2, 3.
#[test]
fn a_page_numbers_steps_as_they_are_read() {
    let directory = TempDir::new().unwrap();
    let page = directory.path().join("walks.html");
    for fixtures in [fixtures(), root().join("fixtures/rust/wrappers")] {
        run(&fixtures, &["--graph", page.to_str().unwrap(), "--quiet"]);
        let text = fs::read_to_string(&page).unwrap();
        for card in text.split("<article ").skip(1) {
            let dots = card.split("<b class=\"dot\">").skip(1).map(|part| part.split('<').next().unwrap());
            let numbers: Vec<usize> = dots.map(|number| number.parse().unwrap()).collect();
            assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{card}");
            assert!(!numbers.is_empty() && card.contains("<mark>"), "{card}");
        }
        let titles = text.split("<h2>").skip(1).map(|part| part.split("</h2>").next().unwrap());
        let titles: String = titles.collect();
        assert!(titles.contains("<code>tx</code>") && !titles.contains('`'), "names stand in the font of code");
        for coloured in ["<span class=\"k\">let</span>", "<span class=\"f\">begin</span>"] {
            assert!(text.contains(coloured), "{coloured}");
        }
    }
}

/// Each rule and each file is listed with how many findings it has, and each finding is linked to.
#[test]
fn a_page_begins_with_what_there_is() {
    let directory = TempDir::new().unwrap();
    let page = directory.path().join("walks.html");
    run(&fixtures(), &["--graph", page.to_str().unwrap(), "--quiet"]);
    let text = fs::read_to_string(page).unwrap();
    let nav = text.split("<nav>").nth(1).unwrap().split("</nav>").next().unwrap();
    let (by_rule, by_file) = nav.split_once("By file").unwrap();
    let of_rules = by_rule.split("<td>").filter_map(|cell| cell.split("</td>").next()?.parse::<usize>().ok());
    assert_eq!(of_rules.sum::<usize>(), count());
    let of_files = by_file.split("</code> ").filter_map(|part| part.split(" finding").next()?.parse::<usize>().ok());
    assert_eq!(of_files.sum::<usize>(), count());
    for number in 0..count() {
        assert!(by_file.contains(&format!("href=\"#f{number}\"")) && text.contains(&format!("id=\"f{number}\"")));
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

/// With colours on, a link is what it is without: nothing stands within it but its text, and what it names is there.
#[test]
fn links_and_colours_get_along() {
    let (_, colored, _) = run(&fixtures(), &["--hyperlinks", "always", "--color", "always"]);
    assert!(colored.contains("\u{1b}[1m") || colored.contains("\u{1b}[38") || colored.contains("\u{1b}[9"));
    let of = |format: &str| -> Vec<(PathBuf, String)> {
        let (_, out, _) = run(&fixtures(), &["--format", format, "--hyperlinks", "always", "--color", "always"]);
        let parts = out.split("\u{1b}]8;;file://").skip(1).map(|part| part.split_once("\u{1b}\\").unwrap());
        let link = |(address, rest): (&str, &str)| {
            let text = rest.split_once("\u{1b}]8;;\u{1b}\\").unwrap().0;
            assert!(!text.contains(['\u{1b}', '\n']), "{text:?}");
            (PathBuf::from(&address[address.find('/').unwrap()..]), text.to_owned())
        };
        parts.map(link).collect()
    };
    for format in ["pretty", "concise"] {
        let links = of(format);
        assert!(links.len() >= count(), "{format}");
        for (path, text) in links {
            let name = text.trim_start_matches('(').split(':').next().unwrap().trim_end_matches(')').to_owned();
            assert!(path.is_file() && path.ends_with(&name), "{format}: {} {text}", path.display());
        }
    }
}
