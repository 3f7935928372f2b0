//! What was there already? A file of fingerprints that are not reported again.

use crate::outcome::{Outcome, Silenced, SilencedBy};
use crate::run::Engine;
use crate::settings::{Failure, Options, find_config};
use crate::walk;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The name of a baseline that nobody names.
const NAME: &str = "sessionlint-baseline.json";
const VERSION: u32 = 1;

/// Which baseline counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BaselineChoice {
    /// The one beside rules.toml, when there is one.
    #[default]
    Default,
    /// None.
    None,
    /// This one.
    File(PathBuf),
}

/// One finding that is known. The fingerprint decides; the rest is for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The file, relative to the directory of the baseline.
    pub path: String,
    /// `module::Type::function`.
    pub function: String,
    /// The rule's id.
    pub rule: String,
    /// What it is recognised by.
    pub fingerprint: String,
}

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

/// Where the baseline of a run stands, or would stand: where the options say, beside rules.toml, where one is found
/// upwards, or at the repository's root.
pub fn baseline_path(options: &Options) -> PathBuf {
    if let BaselineChoice::File(path) = &options.baseline {
        return walk::absolute(&options.directory, path);
    }
    let config = options.config.clone().or_else(|| find_config(&options.directory));
    if let Some(directory) = config.as_deref().map(|path| walk::absolute(&options.directory, path))
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
    let shown = walk::shown(&options.directory, &path);
    parse(&text).map(|entries| Some(Baseline { path, entries })).map_err(|error| {
        let help = "`sessionlint baseline` writes a new one";
        Failure::Option(format!("{shown}: this is no baseline: {error}; {help}"))
    })
}

/// The entries of a baseline's text.
///
/// # Errors
/// When it is none, or of another version.
pub fn parse(text: &str) -> Result<BTreeSet<Entry>, String> {
    let written: Written = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if written.version != VERSION {
        return Err(format!("its version is {}, and this program reads version {VERSION}", written.version));
    }
    Ok(written.findings.into_iter().collect())
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
            path: walk::shown(directory, &walk::absolute(&options.directory, Path::new(outcome.path_of(finding)))),
            function: finding.function.clone(),
            rule: finding.rule.to_owned(),
            fingerprint: finding.fingerprint.clone(),
        })
        .collect()
}

/// Takes out of an outcome what a baseline has, and notes the entries that this run could have met and did not.
pub(crate) fn apply(outcome: &mut Outcome, baseline: &Baseline, engine: &Engine) {
    let mut known: BTreeMap<&str, bool> =
        baseline.entries.iter().map(|entry| (entry.fingerprint.as_str(), false)).collect();
    for one in &outcome.silenced {
        if let Some(met) = known.get_mut(one.finding.fingerprint.as_str()) {
            *met = true;
        }
    }
    let (old, new): (Vec<_>, Vec<_>) = std::mem::take(&mut outcome.findings).into_iter().partition(|finding| {
        let met = known.get_mut(finding.fingerprint.as_str());
        met.map(|met| *met = true).is_some()
    });
    outcome.findings = new;
    let silenced = old.into_iter().map(|finding| Silenced { finding, by: SilencedBy::Baseline });
    outcome.silenced.extend(silenced);
    outcome.count();
    let directory = baseline.path.parent().unwrap_or(Path::new(""));
    let asked: Vec<PathBuf> =
        engine.options.paths.iter().map(|path| walk::absolute(&engine.options.directory, path)).collect();
    let stale = baseline.entries.iter().filter(|entry| known.get(entry.fingerprint.as_str()) == Some(&false));
    let could_be_met = |entry: &&Entry| {
        let path = directory.join(&entry.path);
        asked.iter().any(|asked| path.starts_with(asked)) && engine.reports(&entry.rule, &path)
    };
    outcome.stale = stale.filter(could_be_met).cloned().collect();
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
        };
        for entries in [BTreeSet::new(), BTreeSet::from([entry("b"), entry("a")])] {
            assert_eq!(parse(&text(&entries)).as_ref(), Ok(&entries));
            assert_eq!(text(&entries).lines().count(), if entries.is_empty() { 4 } else { 7 });
        }
        assert!(parse("{}").is_err() && parse("{\"version\": 2, \"findings\": []}").unwrap_err().contains("version"));
    }
}
