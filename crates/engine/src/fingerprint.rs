//! What stays the same about a finding when lines move, code is formatted, or a file is renamed?

use sessionlint_diagnostics::{Diagnostic, FileId};
use std::collections::HashMap;

/// Sets the fingerprint of every finding: rule, function, the tokens of the primary expression, the kinds of
/// the steps, and how many-th in that function it is. `findings` are sorted.
pub(crate) fn set<'f, 'a>(
    findings: impl Iterator<Item = &'f mut Diagnostic>,
    text: impl Fn(FileId) -> &'a str,
    krate: impl Fn(FileId) -> &'a str,
) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    for finding in findings {
        let range = finding.span.start as usize..finding.span.end as usize;
        let primary = text(finding.span.file).get(range).unwrap_or_default();
        let tokens: String = primary.split_whitespace().collect();
        let mut kinds: Vec<&str> = finding.labels.iter().map(|label| label.kind.as_str()).collect();
        kinds.dedup();
        let function = format!("{}::{}", krate(finding.span.file), finding.function);
        let parts = [finding.rule, function.as_str(), tokens.as_str(), &kinds.join(",")].join("\u{0}");
        let nth = seen.entry(parts.clone()).or_default();
        let digest = blake3::hash(format!("{parts}\u{0}{nth}").as_bytes());
        *nth += 1;
        finding.fingerprint = digest.to_hex()[..32].to_owned();
    }
}
