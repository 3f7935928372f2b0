//! Which end of a session do ways come to behind something that happens while it is open?

use crate::events::Event;
use crate::solver::Solver;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{BlockId, Rvalue, StatementKind};
use sessionlint_protocols::EndKind;

impl Solver<'_> {
    /// The first end of an event's session that ways lead to from there. Behind a closure are the ends that stand around it.
    pub(crate) fn end_behind(&self, event: &Event) -> Option<(Span, EndKind)> {
        let ended = &self.sites[usize::from(event.site.0)].ended;
        let Some((from, before)) = self.stands_at(event.cause.span) else {
            return ended.iter().find(|end| self.stands_at(end.0).is_some()).copied();
        };
        let is_behind = |end: &&(Span, EndKind)| {
            self.stands_at(end.0).is_none_or(|(at, nth)| (at == from && nth > before) || self.body.leads_to(from, at))
        };
        ended.iter().find(is_behind).copied()
    }

    /// The block of a call or of a wait, and the number of its statement.
    fn stands_at(&self, span: Span) -> Option<(BlockId, usize)> {
        (0..).map(BlockId).zip(&self.body.blocks).find_map(|(at, block)| {
            let statement = block.statements.iter().position(|statement| match &statement.kind {
                StatementKind::Assign(_, Rvalue::Call(call)) => call.name_span == span,
                StatementKind::Assign(_, Rvalue::Await { .. } | Rvalue::Select(_)) => statement.span == span,
                _ => false,
            });
            Some((at, statement?))
        })
    }
}
