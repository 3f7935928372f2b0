//! One line for each finding: `path:line:column: level[rule] message`.

use crate::source::Sources;
use crate::{Run, Style};
use sessionlint_diagnostics::Diagnostic;
use std::path::Path;

pub(crate) fn render(run: &Run, sources: &Sources<'_>, style: Style<'_>) -> String {
    run.findings.iter().map(|finding| line(finding, sources, style.links)).collect()
}

pub(crate) fn line(finding: &Diagnostic, sources: &Sources<'_>, links: Option<(&str, &Path)>) -> String {
    let (path, at) = sources.position(finding.span);
    let place = format!("{path}:{}:{}", at.line, at.column);
    let place = match links {
        Some(links) => crate::links::link(links, path, &place),
        None => place,
    };
    format!("{place}: {}[{}] {}\n", finding.level, finding.rule, finding.message)
}
