//! Which rules are there, and what do they mean? Reads the built-in rules.toml.

use crate::config::Profile;
use serde::Deserialize;
use sessionlint_diagnostics::Level;

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
        crate::config::did_you_mean(wrong, self.rules.iter().map(|rule| rule.id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
