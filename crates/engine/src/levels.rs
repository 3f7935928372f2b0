//! Which level has a rule at a place? The only place where levels are decided.

use crate::settings::{Failure, Options, Settings};
use globset::{Glob, GlobSet, GlobSetBuilder};
use sessionlint_diagnostics::Level;
use sessionlint_protocols::{Profile, RuleSet};
use std::collections::BTreeMap;
use std::path::Path;

/// Levels of all rules, by path.
pub(crate) struct Levels {
    base: BTreeMap<String, Level>,
    overrides: Vec<(GlobSet, BTreeMap<String, Level>)>,
    flags: Vec<(String, Level)>,
    strict: bool,
    /// Globs of files that are not checked.
    pub exclude: GlobSet,
}

/// The globs of a configuration that is called `name`.
fn globs(name: &str, patterns: &[String]) -> Result<GlobSet, Failure> {
    let bad = |error: globset::Error| Failure::Option(format!("{name}: bad glob: {error}"));
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern).map_err(bad)?);
        // A directory's name stands for everything in it.
        if let Ok(inside) = Glob::new(&format!("{}/**", pattern.trim_end_matches('/'))) {
            builder.add(inside);
        }
    }
    builder.build().map_err(bad)
}

impl Levels {
    pub fn new(options: &Options, settings: &Settings, rules: &RuleSet) -> Result<Self, Failure> {
        let profile = options.profile.or(settings.config.profile).unwrap_or_default();
        let mut base: BTreeMap<String, Level> = BTreeMap::new();
        for rule in rules.iter() {
            let level = match (settings.config.profiles.get(&rule.id), profile) {
                (Some((level, _)), Profile::Default) | (Some((_, level)), Profile::Strict) => *level,
                (None, profile) => rule.level(profile),
            };
            base.insert(rule.id.clone(), level);
        }
        apply(&mut base, settings.config.rules.iter().filter_map(|(rule, setting)| Some((rule, setting.level?))));
        let mut overrides = Vec::new();
        for one in &settings.config.overrides {
            let levels = one.rules.iter().filter_map(|(rule, setting)| Some((rule.clone(), setting.level?)));
            overrides.push((globs(&settings.name, &one.paths)?, levels.collect()));
        }
        let flags = options.levels.iter().map(|flag| (flag.rule.clone(), flag.level)).collect();
        let strict = profile == Profile::Strict;
        Ok(Self { base, overrides, flags, strict, exclude: globs(&settings.name, &settings.config.exclude)? })
    }

    /// For each `[[override]]` whether it holds for one of these files; their paths are relative to the configuration file.
    pub fn met(&self, paths: &[&Path]) -> Vec<bool> {
        self.overrides.iter().map(|(globs, _)| paths.iter().any(|path| globs.is_match(path))).collect()
    }

    /// Whether the written guideline is enforced too.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// The level of a rule in a file; `path` is relative to the configuration file.
    pub fn of(&self, rule: &str, path: &Path) -> Level {
        let mut level = self.base.get(rule).copied().unwrap_or(Level::Warn);
        for (globs, levels) in &self.overrides {
            if globs.is_match(path) {
                level = levels.get(rule).or_else(|| levels.get("all")).copied().unwrap_or(level);
            }
        }
        for (flag, set) in &self.flags {
            if flag == rule || flag == "all" {
                level = *set;
            }
        }
        level
    }
}

/// Sets levels by rule; `all` first, so that single rules win over it.
fn apply<'a>(base: &mut BTreeMap<String, Level>, levels: impl Iterator<Item = (&'a String, Level)>) {
    let levels: Vec<_> = levels.collect();
    if let Some((_, level)) = levels.iter().find(|(rule, _)| *rule == "all") {
        base.values_mut().for_each(|known| *known = *level);
    }
    for (rule, level) in levels {
        if let Some(known) = base.get_mut(rule) {
            *known = level;
        }
    }
}
