//! Which settings hold in the end? What the built-in rules, the configuration and the options come to.

use crate::baseline::baseline_path;
use crate::paths;
use crate::run::Engine;
use crate::settings::BaselineChoice;
use sessionlint_protocols::{Config, Model, Override, RuleSetting};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The settings that hold, and where they come from.
#[derive(Clone, Debug)]
pub struct Effective {
    /// What holds: a level for every rule.
    pub config: Config,
    /// The configuration file as it is shown, when one was read.
    pub file: Option<String>,
    /// The one file that the levels are those of, when one was named.
    pub of: Option<String>,
    /// The baseline as it is shown, when there is one.
    pub baseline: Option<String>,
    /// The directory that results are kept in, when they are.
    pub cache: Option<String>,
    /// Protocols that are not built in, by id.
    pub protocols: Vec<String>,
}

impl Engine {
    /// The settings that hold. Where one file was named they are those of that file, and no `[[override]]` is left.
    pub fn effective(&self) -> Effective {
        let shown = |path: &Path| paths::shown(&self.options.directory, path);
        let file = self.one_file();
        let level = |rule: &str| match &file {
            Some(file) => self.levels.of(rule, file.strip_prefix(&self.base).unwrap_or(file)),
            None => self.levels.everywhere(rule),
        };
        let own = &self.settings.config;
        let also = |rules: &BTreeMap<String, RuleSetting>, rule: &str| {
            rules.get(rule).map(|setting| setting.also.clone()).unwrap_or_default()
        };
        let rules = self.rules.iter().map(|rule| {
            let setting = RuleSetting { level: Some(level(&rule.id)), also: also(&own.rules, &rule.id) };
            (rule.id.clone(), setting)
        });
        let overrides = own.overrides.iter().enumerate().map(|(number, one)| {
            let levels = self.levels.overridden(number);
            let names: BTreeSet<&String> =
                levels.keys().chain(one.rules.keys().filter(|rule| *rule != "all")).collect();
            let setting =
                |rule: &String| RuleSetting { level: levels.get(rule).copied(), also: also(&one.rules, rule) };
            let rules = names.into_iter().map(|rule| (rule.clone(), setting(rule)));
            let said = rules.filter(|(_, setting)| *setting != RuleSetting::default()).collect();
            Override { paths: one.paths.clone(), rules: said }
        });
        let config = Config {
            profile: Some(self.options.profile.or(own.profile).unwrap_or_default()),
            exclude: own.exclude.clone(),
            tests: Some(self.tests),
            deps: Some(self.reads_dependencies()),
            rules: rules.collect(),
            overrides: overrides.filter(|one| file.is_none() && !one.rules.is_empty()).collect(),
            profiles: BTreeMap::new(),
        };
        let built_in = Model::built_in();
        let known: BTreeSet<&str> = built_in.protocols().map(|(_, protocol)| protocol.id.as_str()).collect();
        let ids = self.model.protocols().map(|(_, protocol)| protocol.id.clone());
        Effective {
            config,
            file: self.settings.file.clone(),
            of: file.as_deref().map(shown),
            baseline: self.baseline_in_use().as_deref().map(shown),
            cache: self.options.cache.as_deref().map(shown),
            protocols: ids.filter(|id| !known.contains(id.as_str())).collect(),
        }
    }

    /// The one file that was named, or stands on standard input.
    fn one_file(&self) -> Option<PathBuf> {
        let path = match (&self.options.stdin, self.options.paths.as_slice()) {
            (Some(stdin), _) => return Some(paths::absolute(&self.options.directory, &stdin.path)),
            (None, [path]) => paths::absolute(&self.options.directory, path),
            _ => return None,
        };
        path.is_file().then_some(path)
    }

    fn baseline_in_use(&self) -> Option<PathBuf> {
        let path = baseline_path(&self.options);
        (self.options.baseline != BaselineChoice::None && path.exists()).then_some(path)
    }
}
