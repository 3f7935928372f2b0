//! Which settings hold? As a rules.toml that says all of them.

use sessionlint_protocols::{Config, Profile, RuleSetting, TestCode};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Settings as a rules.toml; `about` stands above them as comments. What the program reads from this text is `config` again.
pub fn settings(config: &Config, about: &[String]) -> String {
    let mut text: String = about.iter().map(|line| format!("# {line}\n")).collect();
    let profile = match config.profile.unwrap_or_default() {
        Profile::Default => "default",
        Profile::Strict => "strict",
    };
    let tests = match config.tests.unwrap_or_default() {
        TestCode::Skip => "skip",
        TestCode::Include => "include",
    };
    let _ = writeln!(text, "profile = \"{profile}\"\ntests = \"{tests}\"\nexclude = {}", list(&config.exclude));
    let _ = writeln!(text, "deps = {}", config.deps.unwrap_or_default());
    let _ = writeln!(text, "\n[rules]\n{}", rules(&config.rules).trim_end());
    for one in &config.overrides {
        let _ = writeln!(
            text,
            "\n[[override]]\npaths = {}\n\n[override.rules]\n{}",
            list(&one.paths),
            rules(&one.rules).trim_end()
        );
    }
    text
}

fn rules(rules: &BTreeMap<String, RuleSetting>) -> String {
    let line = |(rule, setting): (&String, &RuleSetting)| {
        let level = setting.level.map(|level| quoted(level.as_str()));
        let value = match (level, setting.also.is_empty()) {
            (Some(level), true) => level,
            (Some(level), false) => format!("{{ level = {level}, also = {} }}", list(&setting.also)),
            (None, _) => format!("{{ also = {} }}", list(&setting.also)),
        };
        format!("{rule} = {value}\n")
    };
    rules.iter().map(line).collect()
}

fn list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "))
}

/// A basic string of TOML.
fn quoted(word: &str) -> String {
    let mut text = String::from('"');
    for letter in word.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(text, "\\u{:04x}", letter as u32);
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use sessionlint_diagnostics::Level;
    use sessionlint_protocols::{Model, Override, RuleSet};

    #[test]
    fn what_is_written_is_read_again() {
        let setting = |level: Level, also: &[&str]| RuleSetting {
            level: Some(level),
            also: also.iter().map(|name| (*name).to_owned()).collect(),
        };
        let held = ("session-held-across-await".to_owned(), setting(Level::Deny, &["Mailer::send"]));
        let leaked = ("leaked-session".to_owned(), setting(Level::Note, &[]));
        let config = Config {
            profile: Some(Profile::Strict),
            tests: Some(TestCode::Include),
            deps: Some(true),
            exclude: vec!["a\\b\"c\t".to_owned(), "généré/**".to_owned()],
            rules: BTreeMap::from([held, leaked.clone()]),
            overrides: vec![Override { paths: vec!["x/**".to_owned()], rules: BTreeMap::from([leaked]) }],
            profiles: BTreeMap::new(),
        };
        let text = settings(&config, &["from nowhere".to_owned()]);
        let read = Config::parse("rules.toml", &text, &RuleSet::built_in(), &mut Model::built_in());
        assert_eq!(read.as_ref(), Ok(&config), "{text}");
    }
}
