//! What was there already? A file of fingerprints that are not reported again.

use crate::config::find_config;
use crate::outcome::{Entry, Outcome, Silenced, SilencedBy};
use crate::paths;
use crate::run::Engine;
use crate::settings::{BaselineChoice, Failure, Options};
use serde::Deserialize;
use sessionlint_diagnostics::Diagnostic;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The name of a baseline that nobody names.
const NAME: &str = "sessionlint-baseline.json";
/// Version 1 had other fingerprints.
const VERSION: u32 = 2;

/// A baseline that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// Where it stands.
    pub path: PathBuf,
    /// What is known, sorted.
    pub entries: BTreeSet<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    version: u32,
    findings: Vec<Entry>,
}

/// Where the baseline of a run stands, or would stand: where the options say, beside the configuration, where one is found
/// upwards, or at the repository's root.
pub fn baseline_path(options: &Options) -> PathBuf {
    if let BaselineChoice::File(path) = &options.baseline {
        return paths::absolute(&options.directory, path);
    }
    let found = || find_config(&options.directory).config.map(|(path, _)| path);
    let config = options.config.clone().or_else(found);
    if let Some(directory) = config.as_deref().map(|path| paths::absolute(&options.directory, path))
        && let Some(beside) = directory.parent()
    {
        return beside.join(NAME);
    }
    for ancestor in options.directory.ancestors() {
        if ancestor.join(NAME).is_file() || ancestor.join(".git").exists() {
            return ancestor.join(NAME);
        }
    }
    options.directory.join(NAME)
}

/// The baseline that counts, when there is one.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read(options: &Options) -> Result<Option<Baseline>, Failure> {
    if options.baseline == BaselineChoice::None {
        return Ok(None);
    }
    let path = baseline_path(options);
    if !path.exists() && options.baseline == BaselineChoice::Default {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::Path { path: path.clone(), error })?;
    let shown = paths::shown(&options.directory, &path);
    parse(&text).map(|entries| Some(Baseline { path, entries })).map_err(|error| {
        let help = "`sessionlint baseline` writes a new one";
        Failure::Option(format!("{shown}: this is not a baseline: {error}; {help}"))
    })
}

/// The entries of a baseline's text.
///
/// # Errors
/// When it is none, or of another version.
pub fn parse(text: &str) -> Result<BTreeSet<Entry>, String> {
    let written: Written = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let is_former = match written.version {
        VERSION => false,
        1 => true,
        other => return Err(format!("it has version {other}, and this program reads versions up to {VERSION}")),
    };
    Ok(written.findings.into_iter().map(|entry| Entry { former: entry.former || is_former, ..entry }).collect())
}

/// A baseline's text: sorted, one entry a line, so that versions of it can be merged line by line.
pub fn text(entries: &BTreeSet<Entry>) -> String {
    // Plain structs cannot fail to serialise.
    let line = |entry: &Entry| format!("    {}", serde_json::to_string(entry).unwrap_or_default());
    let lines: Vec<String> = entries.iter().map(line).collect();
    let inside = if lines.is_empty() { String::new() } else { format!("\n{}\n  ", lines.join(",\n")) };
    format!("{{\n  \"version\": {VERSION},\n  \"findings\": [{inside}]\n}}\n")
}

/// The entries for the findings of a run. Those about comments are no debts: they are mended, not kept.
pub fn entries(outcome: &Outcome, options: &Options, path: &Path) -> BTreeSet<Entry> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let kept = outcome.silenced.iter().filter(|one| one.by == SilencedBy::Baseline).map(|one| &one.finding);
    let findings = outcome.findings.iter().chain(kept).filter(|finding| finding.evidence.is_some());
    findings
        .map(|finding| Entry {
            path: paths::shown(directory, &paths::absolute(&options.directory, Path::new(outcome.path_of(finding)))),
            function: finding.function.clone(),
            rule: finding.rule.to_owned(),
            fingerprint: finding.fingerprint.clone(),
            former: false,
        })
        .collect()
}

/// Takes out of an outcome what a baseline has, and notes the entries that this run could have met and did not.
pub(crate) fn apply(outcome: &mut Outcome, baseline: &Baseline, engine: &Engine) {
    let directory = baseline.path.parent().unwrap_or(Path::new(""));
    let base = &engine.options.directory;
    let mut known = Unmet::new(&baseline.entries);
    for one in &outcome.silenced {
        known.take(&one.finding, &outcome.former);
    }
    let mut met: Vec<Entry> = Vec::new();
    let mut is_known = Vec::new();
    for finding in &outcome.findings {
        let entry = known.take(finding, &outcome.former);
        is_known.push(entry.is_some());
        met.extend(entry.cloned());
    }
    // What version 1 said of the others has changed since.
    for (finding, is_known) in outcome.findings.iter().zip(&mut is_known).filter(|(_, is_known)| !**is_known) {
        let path = paths::shown(directory, &paths::absolute(base, Path::new(outcome.path_of(finding))));
        let entry = known.take_near(finding, &path);
        *is_known = entry.is_some();
        met.extend(entry.cloned());
    }
    for (finding, is_known) in std::mem::take(&mut outcome.findings).into_iter().zip(is_known) {
        match is_known {
            true => outcome.silenced.push(Silenced { finding, by: SilencedBy::Baseline }),
            false => outcome.findings.push(finding),
        }
    }
    outcome.met = met;
    outcome.count();
    let asked: Vec<PathBuf> =
        engine.options.paths.iter().map(|path| paths::absolute(&engine.options.directory, path)).collect();
    let skipped: BTreeSet<PathBuf> =
        outcome.skipped.iter().map(|one| paths::absolute(base, Path::new(&one.path))).collect();
    let could_be_met = |entry: &&Entry| {
        let path = directory.join(&entry.path);
        let is_below = asked.iter().any(|asked| path.starts_with(asked));
        let is_asked = is_below && (!engine.options.is_part() || engine.asks_for(&path));
        is_asked && !skipped.contains(&path) && engine.reports(&entry.rule, &path)
    };
    outcome.stale = known.entries.into_values().filter(could_be_met).cloned().collect();
}

/// The entries that nothing was found for so far, by fingerprint.
struct Unmet<'b> {
    entries: BTreeMap<&'b str, &'b Entry>,
}

impl<'b> Unmet<'b> {
    fn new(entries: &'b BTreeSet<Entry>) -> Self {
        Self { entries: entries.iter().map(|entry| (entry.fingerprint.as_str(), entry)).collect() }
    }

    /// The entry for a finding, by its fingerprint or the one that it had before.
    fn take(&mut self, finding: &Diagnostic, former: &BTreeMap<String, String>) -> Option<&'b Entry> {
        let now = self.entries.remove(finding.fingerprint.as_str());
        now.or_else(|| self.entries.remove(former.get(&finding.fingerprint)?.as_str()))
    }

    /// The entry of version 1 for a finding whose labels or primary place are others by now: one of the same rule and function.
    fn take_near(&mut self, finding: &Diagnostic, path: &str) -> Option<&'b Entry> {
        let is_near = |entry: &&&Entry| {
            entry.former && entry.rule == finding.rule && entry.function == finding.function && entry.path == path
        };
        let near = self.entries.values().find(is_near).copied()?;
        self.entries.remove(near.fingerprint.as_str())
    }
}

/// Writes a baseline in one step.
///
/// # Errors
/// When it cannot be written.
pub fn write_baseline(path: &Path, entries: &BTreeSet<Entry>) -> std::io::Result<()> {
    crate::write::whole(path, text(entries).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let entry = |path: &str| Entry {
            path: path.to_owned(),
            function: "a::\"f\"".to_owned(),
            rule: "leaked-session".to_owned(),
            fingerprint: format!("{path}\u{0}"),
            former: path == "b",
        };
        for entries in [BTreeSet::new(), BTreeSet::from([entry("b"), entry("a")])] {
            assert_eq!(parse(&text(&entries)).as_ref(), Ok(&entries));
            assert_eq!(text(&entries).lines().count(), if entries.is_empty() { 4 } else { 7 });
        }
        assert!(parse("{}").is_err() && parse("{\"version\": 3, \"findings\": []}").unwrap_err().contains("version"));
    }

    #[test]
    fn entries_of_version_1_are_known_as_such() {
        let entry = "{\"path\":\"a\",\"function\":\"f\",\"rule\":\"leaked-session\",\"fingerprint\":\"0\"}";
        let former = |version: u32| {
            let entries = parse(&format!("{{\"version\": {version}, \"findings\": [{entry}]}}")).unwrap();
            entries.into_iter().map(|entry| entry.former).collect::<Vec<_>>()
        };
        assert_eq!((former(1), former(2)), (vec![true], vec![false]));
    }
}
