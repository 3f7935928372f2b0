//! What is configured? Reads rules.toml into a [`Config`]; mistakes point into the file.

use crate::library::RawProtocol;
use crate::model::Model;
use crate::rules::RuleSet;
use serde::Deserialize;
use sessionlint_diagnostics::Level;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

/// The rule with a list of names that `also` adds to: functions that do slow work.
const WITH_LIST: &str = "session-held-across-await";

/// A mistake in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file's name as it should be shown.
    pub name: String,
    /// The file's text.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// The bytes that are wrong.
    pub span: Range<usize>,
    /// What was probably meant.
    pub help: Option<String>,
}

impl ConfigError {
    /// A mistake at `span` of `text`.
    pub fn new(name: &str, text: &str, message: String, span: Range<usize>) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), message, span, help: None }
    }

    fn from_toml(name: &str, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().to_owned();
        let span = error.span().unwrap_or(0..0);
        let mut words = message.split('`').skip(1).step_by(2);
        let wrong = words.next().unwrap_or_default().to_owned();
        let is_unknown = message.starts_with("unknown");
        let help = is_unknown.then(|| did_you_mean(&wrong, words)).flatten();
        Self { name: name.to_owned(), text: text.to_owned(), message, span, help }
    }
}

/// A sentence that offers the nearest of `known` words, when one is near.
pub(crate) fn did_you_mean<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let scored = known.map(|word| (strsim::jaro_winkler(wrong, word), word));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.75)?;
    Some(format!("did you mean `{}`?", best.1))
}

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

/// What to do with test code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestCode {
    /// Findings in it are not reported.
    #[default]
    Skip,
    /// It is checked like other code.
    Include,
}

/// What is set for one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSetting {
    /// Its level, when it is set.
    pub level: Option<Level>,
    /// Functions and methods that count too, for rules with a list of names.
    pub also: Vec<String>,
}

/// Settings for some paths only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Globs, relative to the configuration file.
    pub paths: Vec<String>,
    /// Settings by rule id.
    pub rules: BTreeMap<String, RuleSetting>,
}

/// A checked configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The profile, when it is set.
    pub profile: Option<Profile>,
    /// Globs that are not checked, relative to the configuration file.
    pub exclude: Vec<String>,
    /// What to do with test code, when it is set.
    pub tests: Option<TestCode>,
    /// Settings by rule id.
    pub rules: BTreeMap<String, RuleSetting>,
    /// Settings for some paths; later ones win.
    pub overrides: Vec<Override>,
    /// Levels in the profiles `default` and `strict`, by rule id, where `[[rule]]` tables change them.
    pub profiles: BTreeMap<String, (Level, Level)>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    #[serde(default)]
    profile: Option<Profile>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    tests: Option<TestCode>,
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, Spanned<RawSetting>>,
    #[serde(default, rename = "override")]
    overrides: Vec<RawOverride>,
    #[serde(default, rename = "protocol")]
    protocols: Vec<RawProtocol>,
    #[serde(default)]
    rule: Vec<RawRule>,
}

/// A `[[rule]]` table, as the built-in file has them: a copy may change the levels of the profiles.
#[derive(Deserialize)]
struct RawRule {
    id: Spanned<String>,
    default: Option<Spanned<String>>,
    strict: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverride {
    paths: Vec<String>,
    rules: BTreeMap<Spanned<String>, Spanned<RawSetting>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a level (allow, note, warn, deny) or a table { level = \"…\", also = [\"…\"] }")]
enum RawSetting {
    Level(String),
    Table(RawTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    also: Vec<String>,
}

impl Config {
    /// Reads a rules.toml. Its `[[protocol]]` tables are added to `model`.
    ///
    /// # Errors
    /// Wrong syntax, unknown keys and rules, wrong types: the first mistake, with its place.
    pub fn parse(name: &str, text: &str, rules: &RuleSet, model: &mut Model) -> Result<Config, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(|error| ConfigError::from_toml(name, text, &error))?;
        let mut profiles = BTreeMap::new();
        for rule in raw.rule {
            let Some(known) = rules.get(rule.id.get_ref()) else {
                return Err(unknown_rule(name, text, &rule.id, rules));
            };
            let level = |word: Option<Spanned<String>>, profile| match word {
                None => Ok(known.level(profile)),
                Some(word) => parse_level(name, text, word.get_ref(), word.span()),
            };
            let levels = (level(rule.default, Profile::Default)?, level(rule.strict, Profile::Strict)?);
            profiles.insert(rule.id.into_inner(), levels);
        }
        let settings = settings(name, text, raw.rules, rules)?;
        let mut overrides = Vec::new();
        for one in raw.overrides {
            overrides.push(Override { paths: one.paths, rules: self::settings(name, text, one.rules, rules)? });
        }
        model.add_custom(raw.protocols, name, text)?;
        let all = std::iter::once(&settings).chain(overrides.iter().map(|one| &one.rules));
        for path in all.flat_map(|rules| rules.values()).flat_map(|setting| &setting.also) {
            model.add_outside(path);
        }
        Ok(Config {
            profile: raw.profile,
            exclude: raw.exclude,
            tests: raw.tests,
            rules: settings,
            overrides,
            profiles,
        })
    }

    /// Puts the settings of `other` over these.
    pub fn merge(&mut self, other: Config) {
        self.profile = other.profile.or(self.profile);
        self.tests = other.tests.or(self.tests);
        self.exclude.extend(other.exclude);
        self.overrides.extend(other.overrides);
        self.profiles.extend(other.profiles);
        for (rule, setting) in other.rules {
            let known = self.rules.entry(rule).or_default();
            known.level = setting.level.or(known.level);
            known.also.extend(setting.also);
        }
    }
}

fn unknown_rule(name: &str, text: &str, id: &Spanned<String>, rules: &RuleSet) -> ConfigError {
    let mut error = ConfigError::new(name, text, format!("no rule is called `{}`", id.get_ref()), id.span());
    error.help = rules.did_you_mean(id.get_ref());
    error
}

fn parse_level(name: &str, text: &str, word: &str, span: Range<usize>) -> Result<Level, ConfigError> {
    Level::parse(word).ok_or_else(|| {
        let mut error = ConfigError::new(name, text, format!("`{word}` is not a level"), span);
        let near = did_you_mean(word, ["allow", "note", "warn", "deny"].into_iter());
        error.help = near.or(Some("the levels are allow, note, warn and deny".to_owned()));
        error
    })
}

fn settings(
    name: &str,
    text: &str,
    raw: BTreeMap<Spanned<String>, Spanned<RawSetting>>,
    rules: &RuleSet,
) -> Result<BTreeMap<String, RuleSetting>, ConfigError> {
    let mut settings = BTreeMap::new();
    for (id, setting) in raw {
        if rules.get(id.get_ref()).is_none() && id.get_ref() != "all" {
            return Err(unknown_rule(name, text, &id, rules));
        }
        let span = setting.span();
        let (level, also) = match setting.into_inner() {
            RawSetting::Level(level) => (Some(level), Vec::new()),
            RawSetting::Table(table) => (table.level, table.also),
        };
        let level = level.map(|word| parse_level(name, text, &word, span.clone())).transpose()?;
        if !also.is_empty() && id.get_ref() != WITH_LIST {
            let message = format!("`{}` has no list of names to add to", id.get_ref());
            let mut error = ConfigError::new(name, text, message, span);
            error.help = Some(format!("only `{WITH_LIST}` has one"));
            return Err(error);
        }
        settings.insert(id.into_inner(), RuleSetting { level, also });
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse("rules.toml", text, &RuleSet::built_in(), &mut Model::built_in())
    }

    #[test]
    fn mistakes_point_at_the_key() {
        let error = parse("[rules]\nuncommited-transaction = \"warn\"\n").unwrap_err();
        assert_eq!(&error.text[error.span.clone()], "uncommited-transaction");
        assert_eq!(error.help.as_deref(), Some("did you mean `uncommitted-transaction`?"));
        let error = parse("profil = \"strict\"\n").unwrap_err();
        assert_eq!(&error.text[error.span.clone()], "profil");
        assert_eq!(error.help.as_deref(), Some("did you mean `profile`?"));
        let error = parse("[rules]\nmissing-rollback = \"wran\"\n").unwrap_err();
        assert_eq!(&error.text[error.span.clone()], "\"wran\"");
        assert_eq!(error.help.as_deref(), Some("did you mean `warn`?"));
        let error = parse("[rules]\nleaked-session = { also = [\"a\"] }\n").unwrap_err();
        assert_eq!(error.help.as_deref(), Some("only `session-held-across-await` has one"));
        assert!(parse("exclude = 3").is_err());
        assert!(parse("[[override]]\npaths = 1").is_err());
    }

    #[test]
    fn protocols_of_ones_own_are_checked() {
        let text = "[[protocol]]\nid = \"mine.tx\"\nkind = \"transaction\"\nclass = \"F\"\npaths = [\"mine::Tx\"]\n\
            open = [{ assoc = \"mine.nothing\", call = \"new\" }]\n";
        let error = parse(text).unwrap_err();
        assert_eq!(&error.text[error.span.clone()], "\"mine.nothing\"");
        assert!(parse(&text.replace("mine.nothing", "mine.tx")).is_ok());
    }
}
