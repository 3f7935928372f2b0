//! What is configured? Reads rules.toml, or what a Cargo.toml says instead, into a [`Config`]; mistakes point into the file.

use crate::derived::Derived;
use crate::model::Model;
use crate::nearest::did_you_mean;
use crate::raw::RawProtocol;
use crate::rules::{Profile, RuleSet};
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

/// Where in a file settings stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConfigPlace {
    /// The whole file has nothing else.
    #[default]
    File,
    /// `[workspace.metadata.sessionlint]` of a Cargo.toml.
    Workspace,
    /// `[package.metadata.sessionlint]` of a Cargo.toml.
    Package,
}

/// The keys at the top of a rules.toml.
const KEYS: [&str; 9] = ["profile", "exclude", "tests", "deps", "rules", "override", "protocol", "derive", "rule"];

impl ConfigPlace {
    /// Whether a text has settings at this place. A file of their own has none when it has keys, and not one of them is a
    /// key that is known, or one that is mistyped by a letter: it belongs to another tool. One that is no TOML may be ours.
    pub fn is_in(self, text: &str) -> bool {
        let table: Result<toml::Table, _> = text.parse();
        let within = |section: &str| {
            let section = table.as_ref().ok().and_then(|table| table.get(section));
            section.and_then(|section| section.get("metadata")?.get("sessionlint")).is_some()
        };
        let is_near = |key: &String| KEYS.iter().any(|known| strsim::osa_distance(known, key) <= 1);
        match self {
            ConfigPlace::File => table.as_ref().map_or(true, |table| table.is_empty() || table.keys().any(is_near)),
            ConfigPlace::Workspace => within("workspace"),
            ConfigPlace::Package => within("package"),
        }
    }

    fn read(self, text: &str) -> Result<RawConfig, toml::de::Error> {
        match self {
            ConfigPlace::File => toml::from_str(text),
            ConfigPlace::Workspace => {
                toml::from_str(text).map(|InWorkspace { workspace }| workspace.metadata.sessionlint)
            }
            ConfigPlace::Package => toml::from_str(text).map(|InPackage { package }| package.metadata.sessionlint),
        }
    }
}

#[derive(Deserialize)]
struct InWorkspace {
    workspace: WithMetadata,
}

#[derive(Deserialize)]
struct InPackage {
    package: WithMetadata,
}

#[derive(Deserialize)]
struct WithMetadata {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    sessionlint: RawConfig,
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
    /// Whether the sources of dependencies are read, when it is set.
    pub deps: Option<bool>,
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
    deps: Option<bool>,
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, Spanned<RawSetting>>,
    #[serde(default, rename = "override")]
    overrides: Vec<RawOverride>,
    #[serde(default, rename = "protocol")]
    protocols: Vec<RawProtocol>,
    #[serde(default, rename = "derive")]
    derives: Vec<Derived>,
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
        Self::parse_at(ConfigPlace::File, name, text, rules, model)
    }

    /// Reads the settings at a place of a text, which is there. Mistakes point into the whole text.
    ///
    /// # Errors
    /// As for [`Config::parse`].
    pub fn parse_at(
        place: ConfigPlace,
        name: &str,
        text: &str,
        rules: &RuleSet,
        model: &mut Model,
    ) -> Result<Config, ConfigError> {
        let raw = place.read(text).map_err(|error| ConfigError::from_toml(name, text, &error))?;
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
        model.add_derives(raw.derives);
        let all = std::iter::once(&settings).chain(overrides.iter().map(|one| &one.rules));
        for path in all.flat_map(|rules| rules.values()).flat_map(|setting| &setting.also) {
            model.add_outside(path);
        }
        Ok(Config {
            profile: raw.profile,
            exclude: raw.exclude,
            tests: raw.tests,
            deps: raw.deps,
            rules: settings,
            overrides,
            profiles,
        })
    }

    /// Puts the settings of `other` over these.
    pub fn merge(&mut self, other: Config) {
        self.profile = other.profile.or(self.profile);
        self.tests = other.tests.or(self.tests);
        self.deps = other.deps.or(self.deps);
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
    fn a_file_without_a_known_key_is_another_tools() {
        let unknown = parse("zzz = 1").unwrap_err().message;
        let listed: Vec<&str> = unknown.split('`').skip(1).step_by(2).skip(1).collect();
        assert_eq!(listed, KEYS);
        for ours in ["", "# only words", "x =", "profil = 1", "tests = 3", "zzz = 1\n[rules]\n", "[[protocol]]\n"] {
            assert!(ConfigPlace::File.is_in(ours), "{ours}");
        }
        for other in ["zzz = 1", "version = 1\n[tool]\nprofile = 1\n", "[ruleset]\n", "groups = []"] {
            assert!(!ConfigPlace::File.is_in(other), "{other}");
        }
    }

    #[test]
    fn settings_in_a_manifest_are_read_and_mistakes_point_into_it() {
        let head = "[package]\nname = \"a\"\nmetadata = { docs = { rs = 1 }, sessionlint = { tests = \"include\" } }\n";
        let manifest = format!(
            "{head}\n[dependencies]\nsqlx = \"1\"\n\n[workspace.metadata.sessionlint.rules]\nleaked-session = \"warn\"\n"
        );
        assert!(ConfigPlace::Workspace.is_in(&manifest) && ConfigPlace::Package.is_in(head));
        for none in ["", "[", "[package]\nmetadata = 3", "[workspace.metadata]\nother = 1", "workspace = 1"] {
            assert!(!ConfigPlace::Workspace.is_in(none) && !ConfigPlace::Package.is_in(none), "{none}");
        }
        let read = |place: ConfigPlace, text: &str| {
            Config::parse_at(place, "Cargo.toml", text, &RuleSet::built_in(), &mut Model::built_in())
        };
        assert_eq!(read(ConfigPlace::Workspace, &manifest).unwrap().rules["leaked-session"].level, Some(Level::Warn));
        assert_eq!(read(ConfigPlace::Package, &manifest).unwrap().tests, Some(TestCode::Include));
        for (right, wrong) in [("leaked-session", "leeked-session"), ("\"warn\"", "\"wran\"")] {
            let error = read(ConfigPlace::Workspace, &manifest.replace(right, wrong)).unwrap_err();
            assert_eq!((&error.text[error.span.clone()], error.name.as_str()), (wrong, "Cargo.toml"));
        }
        let error = read(ConfigPlace::Package, &manifest.replace("tests", "testz")).unwrap_err();
        assert_eq!(&error.text[error.span.clone()], "testz");
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
