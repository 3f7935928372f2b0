//! The schema of rules.toml says what the program reads: the same keys, rules and words.

use assert_cmd::Command;
use serde_json::Value;
use sessionlint_protocols::{Config, Model, ProtocolKind, RuleSet};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn schema() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join("docs/schema/rules.json")).unwrap()).unwrap()
}

/// A TOML text as JSON.
fn json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

fn keys(table: &Value) -> BTreeSet<String> {
    table["properties"].as_object().unwrap().keys().cloned().collect()
}

/// The keys that the program knows where this text has the key `zzz`.
fn known(text: &str) -> BTreeSet<String> {
    let error = Config::parse("rules.toml", text, &RuleSet::built_in(), &mut Model::built_in()).unwrap_err();
    let mut words = error.message.split('`').skip(1).step_by(2);
    assert_eq!(words.next(), Some("zzz"), "{}", error.message);
    words.map(str::to_owned).collect()
}

#[test]
fn it_has_the_keys_that_are_read() {
    let schema = schema();
    assert_eq!(keys(&schema), known("zzz = 1"));
    assert_eq!(keys(&schema["$defs"]["protocol"]), known("[[protocol]]\nzzz = 1"));
    assert_eq!(keys(&schema["properties"]["override"]["items"]), known("[[override]]\nzzz = 1"));
    let within = |inside: &str| format!("[[protocol]]\nid = \"a.b\"\nkind = \"pool\"\n{inside}");
    assert_eq!(keys(&schema["$defs"]["opening"]), known(&within("open = [{ zzz = 1 }]")));
    assert_eq!(keys(&schema["$defs"]["ending"]), known(&within("end = [{ zzz = 1 }]")));
    let settings = &schema["$defs"]["protocol"]["properties"]["settings"]["items"];
    assert_eq!(keys(settings), known(&within("settings = [{ zzz = 1 }]")));
    let unsafe_call = &schema["$defs"]["opening"]["properties"]["cancel_unsafe"];
    assert_eq!(keys(unsafe_call), known(&within("open = [{ call = \"a\", cancel_unsafe = { zzz = 1 } }]")));
}

#[test]
fn it_has_the_words_that_are_read() {
    let schema = schema();
    let mut rules: BTreeSet<String> = RuleSet::built_in().iter().map(|rule| rule.id.clone()).collect();
    let listed = &schema["properties"]["rule"]["items"]["properties"]["id"]["enum"];
    assert_eq!(serde_json::from_value::<BTreeSet<String>>(listed.clone()).unwrap(), rules);
    rules.insert("all".to_owned());
    assert_eq!(keys(&schema["properties"]["rules"]), rules);
    let kinds: BTreeSet<String> = ProtocolKind::ALL.iter().map(|(word, _)| (*word).to_owned()).collect();
    let listed = &schema["$defs"]["protocol"]["properties"]["kind"]["enum"];
    assert_eq!(serde_json::from_value::<BTreeSet<String>>(listed.clone()).unwrap(), kinds);
}

#[test]
fn it_takes_what_is_right_and_refuses_what_is_not() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let takes = |text: &str| validator.is_valid(&json(text));
    assert!(takes(&fs::read_to_string(root().join("rules.toml")).unwrap()));
    // Every protocol of every built-in library.
    let mut count = 0;
    for entry in fs::read_dir(root().join("crates/protocols/libraries/rust")).unwrap() {
        let library = json(&fs::read_to_string(entry.unwrap().path()).unwrap());
        for protocol in library["protocol"].as_array().into_iter().flatten() {
            let rules = serde_json::json!({"protocol": [protocol]});
            let errors: Vec<String> = validator.iter_errors(&rules).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", protocol["id"]);
            count += 1;
        }
    }
    assert!(count > 150);
    for wrong in [
        "profil = \"strict\"",
        "profile = \"strikt\"",
        "exclude = 3",
        "[rules]\nno-such-rule = \"warn\"",
        "[rules]\nleaked-session = \"wran\"",
        "[[override]]\nrules = {}",
        "[[protocol]]\nid = \"a.b\"\nkind = \"poool\"",
    ] {
        assert!(!takes(wrong), "{wrong}");
        let read = Config::parse("rules.toml", wrong, &RuleSet::built_in(), &mut Model::built_in());
        assert!(read.is_err(), "{wrong}");
    }
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::cargo_bin("sessionlint").unwrap().current_dir(directory).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_init_writes_is_read_and_taken() {
    let directory = tempfile::TempDir::new().unwrap();
    let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n\n[dependencies]\nsqlx = \"0.9\"\nredb = \"4\"\n";
    fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
    assert_eq!(run(directory.path(), &["init"]).0, 0);
    let text = fs::read_to_string(directory.path().join("rules.toml")).unwrap();
    assert!(text.contains("#   sqlx: ") && text.contains("#   redb: ") && !text.contains("mongodb"), "{text}");
    assert_eq!(run(directory.path(), &[]).0, 0);
    // What is in comments is right, too.
    let settings = text.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| {
        line.contains(" = ") && !line.starts_with('`') && !line.contains("session-held-across-await = {")
    });
    let (mut uncommented, mut table) = (String::from("profile = \"strict\"\n"), "");
    for line in settings {
        let wanted = match line {
            _ if line.starts_with("paths = [\"tools") => "[[override]]\n",
            _ if line.starts_with("id = ") => "[[protocol]]\n",
            _ if line.starts_with("uncommitted-transaction") => "[rules]\n",
            _ => "",
        };
        if !wanted.is_empty() && wanted != table {
            uncommented.push_str(wanted);
            table = wanted;
        }
        uncommented.push_str(line);
        uncommented.push('\n');
    }
    let read = Config::parse("rules.toml", &uncommented, &RuleSet::built_in(), &mut Model::built_in());
    let read = read.unwrap_or_else(|error| panic!("{}: {uncommented}", error.message));
    assert_eq!((read.rules.len(), read.overrides.len()), (RuleSet::built_in().iter().count(), 1));
    assert!(jsonschema::validator_for(&schema()).unwrap().is_valid(&json(&uncommented)));
    assert_eq!(run(directory.path(), &["init"]).0, 2, "one that is there is left alone");
    assert_eq!(run(directory.path(), &["init", "--stdout"]), (0, text));
}

#[test]
fn shells_and_man_know_every_option() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (status, script) = run(&root(), &["completions", shell]);
        assert!(status == 0 && script.contains("new-from"), "{shell}");
    }
    let (status, page) = run(&root(), &["man"]);
    assert!(status == 0 && page.contains("new\\-from") && page.contains("EXIT STATUS"), "{page}");
    for (of, file) in [("rules", "rules.json"), ("report", "report.json"), ("statistics", "statistics.json")] {
        let committed = fs::read_to_string(root().join("docs/schema").join(file)).unwrap();
        assert_eq!(run(&root(), &["schema", of]), (0, committed));
    }
}
