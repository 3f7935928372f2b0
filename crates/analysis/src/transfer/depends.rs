//! Which parameters does something depend on? What is made of what a request says cannot be made once for all of them.

use super::made::is_constant;
use crate::index::Ty;
use crate::solver::Solver;
use crate::workload::{Deed, Workload};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Call, Callee, LocalId, Operand, Rvalue, StatementKind, TypeRef};
use std::collections::BTreeSet;

impl Solver<'_> {
    /// The parameters, by position, that what a call at a place is given depends on.
    pub(super) fn made_of(&self, span: Span) -> Vec<usize> {
        let calls = self.body.assignments().filter_map(|(_, value)| match value {
            Rvalue::Call(call) if call.name_span == span => Some(call),
            _ => None,
        });
        self.parameters_behind(calls.flat_map(Call::operands))
    }

    /// What a function makes of its parameters is made here of what those are.
    pub(super) fn made_of_arguments(&self, workload: &mut Workload, receivers: usize, call: &Call) {
        let makes: Vec<_> = workload.0.extract_if(.., |deed, _| matches!(deed, Deed::Makes { .. })).collect();
        for (deed, way) in makes {
            let Deed::Makes { protocol, of } = deed else { continue };
            let receiver = match &call.callee {
                Callee::Method { receiver, .. } if receivers > 0 => Some(receiver),
                _ => None,
            };
            let arguments = of.iter().filter_map(|param| match param.checked_sub(receivers) {
                Some(at) => call.args.get(at),
                None => receiver,
            });
            let of = if self.nested { Vec::new() } else { self.parameters_behind(arguments) };
            workload.add(Deed::Makes { protocol, of }, way);
        }
    }

    /// A function gives a builder: what is built of it is not the same each time where that depends on what is passed.
    pub(super) fn set_by_arguments(&mut self, output: Option<&Ty>, call: &Call) {
        let mut ty = output;
        while let Some(Ty::Future(inner) | Ty::Fallible(inner)) = ty {
            ty = Some(inner);
        }
        if let Some(Ty::Known(protocol)) = ty
            && !call.args.iter().all(|arg| is_constant(self.body, arg))
        {
            self.differs(*protocol);
        }
    }

    /// Whether a parameter is what came with a request, and not what the program has for all of them.
    pub(super) fn is_of_a_request(&self, param: usize) -> bool {
        let Some(local) = self.body.params.get(param) else { return false };
        let mut ty = self.body.locals[local.index()].ty.as_ref();
        while let Some(TypeRef::Ref { inner, .. }) = ty {
            ty = Some(inner);
        }
        ty.and_then(TypeRef::last_segment).is_some_and(|name| self.index.model.is_request_input(name))
    }

    /// The variables that some operands are made of, and what those are made of.
    pub(super) fn variables_behind<'o>(&self, operands: impl Iterator<Item = &'o Operand>) -> BTreeSet<LocalId> {
        let mut behind: BTreeSet<LocalId> = operands.filter_map(Operand::local).collect();
        loop {
            let before = behind.len();
            for statement in self.body.statements() {
                match &statement.kind {
                    StatementKind::Bind { local, from, .. } if behind.contains(local) => _ = behind.insert(from.local),
                    StatementKind::Assign(to, value) if behind.contains(&to.local) => {
                        behind.extend(value.operands().into_iter().filter_map(Operand::local));
                    }
                    _ => {}
                }
            }
            if behind.len() == before {
                return behind;
            }
        }
    }

    /// The parameters among them, by position.
    pub(crate) fn parameters_behind<'o>(&self, operands: impl Iterator<Item = &'o Operand>) -> Vec<usize> {
        let behind = self.variables_behind(operands);
        let params = self.body.params.iter().enumerate();
        params.filter(|(_, local)| behind.contains(local)).map(|(at, _)| at).collect()
    }
}
