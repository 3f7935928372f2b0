//! Which level has a rule at a place? The only place where levels are decided.

use crate::settings::{Failure, Options, Settings};
use globset::{Glob, GlobSet, GlobSetBuilder};
use sessionlint_diagnostics::Level;
use sessionlint_protocols::{Profile, RuleInfo, RuleSet};
use std::collections::BTreeMap;
use std::path::Path;

/// Levels of all rules, by path.
pub(crate) struct Levels {
    base: BTreeMap<String, Level>,
    overrides: Vec<(GlobSet, BTreeMap<String, Level>)>,
    flags: Vec<(String, Option<Level>)>,
    /// The level that a rule gets when it is turned on.
    on: BTreeMap<String, Level>,
    select: Vec<String>,
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
        let on = |rule: &RuleInfo| {
            let levels = [rule.level(profile), rule.level(Profile::Strict)];
            levels.into_iter().find(|level| *level != Level::Allow).unwrap_or(Level::Warn)
        };
        Ok(Self {
            base,
            overrides,
            flags,
            on: rules.iter().map(|rule| (rule.id.clone(), on(rule))).collect(),
            select: options.select.clone(),
            strict: profile == Profile::Strict,
            exclude: globs(&settings.name, &settings.config.exclude)?,
        })
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
        let here = self.overrides.iter().filter(|(globs, _)| globs.is_match(path));
        let mut set = here.filter_map(|(_, levels)| levels.get(rule).or_else(|| levels.get("all")));
        self.flagged(rule, set.next_back().copied())
    }

    /// The level of a rule where no `[[override]]` holds.
    pub fn everywhere(&self, rule: &str) -> Level {
        self.flagged(rule, None)
    }

    /// The levels that an `[[override]]` sets, by its number, as far as options leave something of it.
    pub fn overridden(&self, number: usize) -> BTreeMap<String, Level> {
        let levels = &self.overrides[number].1;
        let set = |rule: &String| levels.get(rule).or_else(|| levels.get("all")).copied();
        let left = self.base.keys().filter(|rule| !self.is_decided(rule));
        left.filter_map(|rule| Some((rule.clone(), set(rule)?))).collect()
    }

    /// Whether options set the level of a rule, so that it is the same in all files.
    fn is_decided(&self, rule: &str) -> bool {
        let sets = |(flag, level): &(String, Option<Level>)| level.is_some() && (flag == rule || flag == "all");
        !self.is_selected(rule) || self.flags.iter().any(sets)
    }

    fn is_selected(&self, rule: &str) -> bool {
        self.select.is_empty() || self.select.iter().any(|selected| selected == rule || selected == "all")
    }

    /// What the options make of a level that an `[[override]]` sets, or of the one that holds elsewhere. A rule that is off in
    /// some files stays off there when it is only turned on.
    fn flagged(&self, rule: &str, mut set: Option<Level>) -> Level {
        let mut level = set.or_else(|| self.base.get(rule).copied()).unwrap_or(Level::Warn);
        if !self.is_selected(rule) {
            (level, set) = (Level::Allow, None);
        }
        for (_, flag) in self.flags.iter().filter(|(flag, _)| flag == rule || flag == "all") {
            match flag {
                Some(flag) => (level, set) = (*flag, None),
                None if level == Level::Allow && set.is_none() => level = self.on.get(rule).copied().unwrap_or(level),
                None => {}
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
