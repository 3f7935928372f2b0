//! One line for each finding: `path:line:column: level[rule] message`.

use crate::Run;
use crate::source::Sources;
use sessionlint_diagnostics::Diagnostic;

pub(crate) fn render(run: &Run, sources: &Sources<'_>) -> String {
    run.findings.iter().map(|finding| line(finding, sources)).collect()
}

pub(crate) fn line(finding: &Diagnostic, sources: &Sources<'_>) -> String {
    let (path, at) = sources.position(finding.span);
    format!("{path}:{}:{}: {}[{}] {}\n", at.line, at.column, finding.level, finding.rule, finding.message)
}
