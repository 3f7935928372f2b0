//! What does a step mean to the session, and which colour has that? The same in a terminal and on the page of walks.

use annotate_snippets::renderer::{Ansi256Color, AnsiColor, Style};
use sessionlint_diagnostics::{Diagnostic, Label, LabelKind};

/// What a step means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Opened,
    Write,
    Branch,
    Released,
    Meanwhile,
    Wrong,
}

impl Meaning {
    pub fn of(step: &Label, finding: &Diagnostic) -> Self {
        match step.kind {
            LabelKind::Opened => Meaning::Opened,
            _ if step.span == finding.span => Meaning::Wrong,
            LabelKind::Write => Meaning::Write,
            LabelKind::Branch => Meaning::Branch,
            LabelKind::Released => Meaning::Released,
            LabelKind::Meanwhile | LabelKind::Called => Meaning::Meanwhile,
            LabelKind::Dropped | LabelKind::Leaks => Meaning::Wrong,
        }
    }

    /// The class on the page.
    pub fn class(self) -> &'static str {
        match self {
            Meaning::Opened => "opened",
            Meaning::Write => "write",
            Meaning::Branch => "branch",
            Meaning::Released => "released",
            Meaning::Meanwhile => "meanwhile",
            Meaning::Wrong => "leaks",
        }
    }

    /// The style in a terminal.
    pub fn style(self) -> Style {
        match self {
            Meaning::Opened => AnsiColor::BrightBlue.on_default(),
            Meaning::Write => AnsiColor::Yellow.on_default(),
            Meaning::Branch => AnsiColor::Magenta.on_default(),
            Meaning::Released => AnsiColor::Green.on_default(),
            // Orange, which the sixteen colours of a terminal do not have.
            Meaning::Meanwhile => Ansi256Color(208).on_default(),
            Meaning::Wrong => AnsiColor::BrightRed.on_default().bold(),
        }
    }
}
