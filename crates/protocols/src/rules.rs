//! Which rules are there, and what do they mean? Reads the built-in rules.toml.

use crate::nearest::did_you_mean;
use serde::Deserialize;
use sessionlint_diagnostics::Level;

/// How strict the levels are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// What is wrong by what the library does.
    #[default]
    Default,
    /// Also what the written guideline asks for.
    Strict,
}

/// How often a rule is right in real code, by the findings that somebody judged: `docs/verdicts.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// Less often than not.
    Low,
    /// In more than half of its findings, or too few were judged.
    Medium,
    /// In nine of ten findings, of ten or more.
    High,
    /// In 19 of 20 findings, of twenty or more.
    VeryHigh,
}

impl Precision {
    /// What so many judged findings say, of which so many were wrong.
    pub fn measured(judged: usize, wrong: usize) -> Self {
        let right = judged.saturating_sub(wrong);
        match judged {
            20.. if right * 20 >= judged * 19 => Precision::VeryHigh,
            10.. if right * 10 >= judged * 9 => Precision::High,
            10.. if right * 2 < judged => Precision::Low,
            _ => Precision::Medium,
        }
    }
}

/// One rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleInfo {
    /// Kebab-case id.
    pub id: String,
    /// Level in the profile `default`.
    default: String,
    /// Level in the profile `strict`.
    strict: String,
    /// Languages it speaks about.
    pub languages: Vec<String>,
    /// Numbers of the weaknesses in the list of MITRE (CWE) that it finds.
    pub cwe: Vec<u32>,
    /// How often it is right in real code.
    pub precision: Precision,
    /// One line.
    pub summary: String,
    /// Why it matters.
    pub why: String,
    /// Code that it reports.
    pub bad: String,
    /// The same code made right.
    pub good: String,
}

impl RuleInfo {
    /// Its level in a profile.
    pub fn level(&self, profile: Profile) -> Level {
        let word = match profile {
            Profile::Default => &self.default,
            Profile::Strict => &self.strict,
        };
        Level::parse(word).unwrap_or(Level::Warn)
    }
}

/// All rules, in the order in which they are listed.
#[derive(Clone, Debug)]
pub struct RuleSet {
    rules: Vec<RuleInfo>,
}

#[derive(Deserialize)]
struct BuiltIn {
    rule: Vec<RuleInfo>,
}

impl RuleSet {
    /// The built-in rules.
    ///
    /// # Panics
    /// When the built-in rules.toml is wrong, which a test rules out.
    pub fn built_in() -> Self {
        let text = include_str!("../../../rules.toml");
        let read: BuiltIn = toml::from_str(text).unwrap_or_else(|error| panic!("rules.toml: {error}"));
        Self { rules: read.rule }
    }

    /// The rule with this id.
    pub fn get(&self, id: &str) -> Option<&RuleInfo> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// All rules.
    pub fn iter(&self) -> impl Iterator<Item = &RuleInfo> {
        self.rules.iter()
    }

    /// A sentence that offers the rule with the nearest name, when one is near.
    pub fn did_you_mean(&self, wrong: &str) -> Option<String> {
        did_you_mean(wrong, self.rules.iter().map(|rule| rule.id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_findings_say_little() {
        let measured = [(0, 0), (9, 0), (10, 1), (19, 0), (20, 1), (20, 2), (10, 2), (10, 6)];
        let expected = {
            use Precision::{High, Low, Medium, VeryHigh};
            [Medium, Medium, High, High, VeryHigh, High, Medium, Low]
        };
        assert_eq!(measured.map(|(judged, wrong)| Precision::measured(judged, wrong)), expected);
    }

    #[test]
    fn every_rule_is_described_and_has_known_levels() {
        for rule in RuleSet::built_in().iter() {
            for word in [&rule.default, &rule.strict] {
                assert!(Level::parse(word).is_some(), "{}: {word}", rule.id);
            }
            for text in [&rule.summary, &rule.why, &rule.bad, &rule.good] {
                assert!(!text.trim().is_empty(), "{}", rule.id);
            }
        }
    }
}
