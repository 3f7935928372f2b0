//! Is a function only ever started beside its callers, and does it use what it makes in a loop? Then that is made once for all turns, and not
//! for one request.

use super::starts::statements;
use crate::index::ItemRef;
use crate::summary::Analysis;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{BlockId, Body, Call, Callee, LocalId, Operand, Place, Rvalue, Statement, StatementKind};
use std::collections::BTreeSet;

impl Analysis<'_> {
    /// Whether what is made at a place of a body is used in a loop behind it, and the function is started in the background.
    pub(super) fn is_for_background(&self, item: ItemRef, body: &Body, made: Span) -> bool {
        self.is_used_in_a_loop(body, made) && self.is_only_started(item)
    }

    /// Whether a function is called somewhere, everywhere as a task of its own, and never named without a call.
    fn is_only_started(&self, item: ItemRef) -> bool {
        let Some(known) = self.index.item(item) else { return false };
        if !self.is_called_by_its_package(item) || self.index.is_routed(item, &self.index.scope_of(item)) {
            return false;
        }
        let files = self.files_of_package(item);
        let mut is_called = false;
        files.into_iter().all(|file| {
            !self.may_be_named(file, item, &known.name)
                && self.callers_in(file, item, &known.name).into_iter().all(|caller| {
                    is_called = true;
                    let function = self.index.function(caller);
                    let body = function.as_ref().and_then(|function| function.body.as_ref());
                    body.is_some_and(|body| self.only_starts(body, &known.name))
                })
        }) && is_called
    }

    /// Whether each call of this name in a body is passed to what starts a task, or stands in a block that is.
    fn only_starts(&self, body: &Body, name: &str) -> bool {
        statements(body).all(|(_, place, value)| match value {
            Rvalue::Closure { child, .. } => {
                let inner = &body.children[*child];
                !calls(inner, name) || self.is_passed_to_a_start(body, place) || self.only_starts(inner, name)
            }
            Rvalue::Call(call) if called(call) == Some(name) => self.is_passed_to_a_start(body, place),
            _ => true,
        })
    }

    /// Whether a value is passed to what starts a task.
    fn is_passed_to_a_start(&self, body: &Body, place: &Place) -> bool {
        body.assignments().any(|(_, value)| match value {
            Rvalue::Call(call) => {
                let is_it = |arg: &Operand| matches!(arg, Operand::Value(passed) if passed == place);
                call.args.iter().any(is_it) && called(call).is_some_and(|name| self.index.model.intent().starts(name))
            }
            _ => false,
        })
    }

    /// Whether what a call gives is used in a loop that the call is no part of.
    fn is_used_in_a_loop(&self, body: &Body, made: Span) -> bool {
        let standard = self.index.model.standard();
        let blocks = || (0..).map(BlockId).zip(&body.blocks);
        let at = blocks().find_map(|(at, block)| {
            let makes = |statement: &Statement| match &statement.kind {
                StatementKind::Assign(place, Rvalue::Call(call)) if call.name_span == made => Some((at, place.local)),
                _ => None,
            };
            block.statements.iter().find_map(makes)
        });
        let Some((at, first)) = at else { return false };
        let mut holders = BTreeSet::from([first]);
        let holds = |holders: &BTreeSet<LocalId>, operand: &Operand| {
            operand.local().is_some_and(|local| holders.contains(&local))
        };
        loop {
            let before = holders.len();
            for statement in body.statements() {
                match &statement.kind {
                    StatementKind::Bind { local, from, .. } if holders.contains(&from.local) => {
                        holders.insert(*local);
                    }
                    StatementKind::Assign(to, value) => {
                        let carries = match value {
                            Rvalue::Use(operand) | Rvalue::Await { future: operand, .. } => holds(&holders, operand),
                            Rvalue::Call(Call { callee: Callee::Method { receiver, name }, .. }) => {
                                (standard.adapts(name) || standard.opens(name)) && holds(&holders, receiver)
                            }
                            _ => false,
                        };
                        if carries {
                            holders.insert(to.local);
                        }
                    }
                    _ => {}
                }
            }
            if holders.len() == before {
                break;
            }
        }
        let uses = |statement: &Statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Closure { child, .. }) => {
                body.children[*child].captures.iter().any(|capture| holders.contains(&capture.outer))
            }
            StatementKind::Assign(_, value) => value.operands().into_iter().any(|operand| holds(&holders, operand)),
            _ => false,
        };
        !body.leads_to(at, at)
            && blocks().any(|(block, known)| body.leads_to(block, block) && known.statements.iter().any(uses))
    }
}

/// The name of what is called.
fn called(call: &Call) -> Option<&str> {
    match &call.callee {
        Callee::Method { name, .. } => Some(name),
        Callee::Path { segments, .. } | Callee::Macro(segments) => segments.last().map(String::as_str),
        Callee::Value(_) => None,
    }
}

/// Whether a body, or one inside of it, calls something of this name.
fn calls(body: &Body, name: &str) -> bool {
    let is_call = |value: &Rvalue| matches!(value, Rvalue::Call(call) if called(call) == Some(name));
    statements(body).any(|(_, _, value)| is_call(value)) || body.children.iter().any(|child| calls(child, name))
}
