//! Is work done with what is copied out of a session, a piece at a time? Then the session is open for that, and it can be done neither
//! before nor behind it.

use crate::index::{ItemRef, Resolved};
use crate::solver::Solver;
use crate::value::{ObligationId, Value};
use crate::world::World;
use sessionlint_diagnostics::Span;
use sessionlint_ir::{Call, Callee, LocalId, Operand, Rvalue, StatementKind, TypeRef};
use std::collections::BTreeSet;

impl Solver<'_> {
    /// Whether a call is passed what is copied out of a session of this body, or what was made of that: a stream around it, a piece.
    pub(super) fn is_copying(&self, world: &World, id: ObligationId, at: Span) -> bool {
        let Some(session) = self.sites[usize::from(id.site.0)].variable else { return false };
        self.waited.copies(session, at, || self.finds_copy(world, session, at))
    }

    fn finds_copy(&self, world: &World, session: LocalId, at: Span) -> bool {
        let mut copied = self.copied(world, session);
        if copied.is_empty() {
            return false;
        }
        self.spread_copies(&mut copied);
        copied.remove(&session);
        let passes = |call: &Call| call.operands().any(|operand| is_in(&copied, operand));
        self.body.statements().any(|statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(call)) => call.name_span == at && passes(call),
            // The future was made before.
            StatementKind::Assign(_, Rvalue::Await { future, .. }) if statement.span == at => {
                let made = future.place().and_then(|place| self.body.value_of(place));
                matches!(made, Some(Rvalue::Call(call)) if passes(call))
            }
            _ => false,
        })
    }

    /// The variables that get what calls with a session copy out of it.
    fn copied(&self, world: &World, session: LocalId) -> BTreeSet<LocalId> {
        let mut same = BTreeSet::from([session]);
        let mut copied = BTreeSet::new();
        for (place, value) in self.body.assignments() {
            match value {
                Rvalue::Use(operand) if is_in(&same, operand) => _ = same.insert(place.local),
                Rvalue::Call(call)
                    if call.operands().any(|operand| is_in(&same, operand)) && self.copies_out(world, call) =>
                {
                    copied.insert(place.local);
                }
                _ => {}
            }
        }
        let awaits = |(place, value): (&_, &Rvalue)| match value {
            Rvalue::Await { future, .. } if is_in(&copied, future) => Some(sessionlint_ir::Place::clone(place).local),
            _ => None,
        };
        let awaited: Vec<LocalId> = self.body.assignments().filter_map(awaits).collect();
        copied.extend(awaited);
        copied
    }

    /// Whether a call copies a table out of a session: a method of the library, or a function of the workspace that gives what that gives.
    fn copies_out(&self, world: &World, call: &Call) -> bool {
        let model = self.index.model;
        let libraries = || model.libraries().filter(|(id, _)| self.index.in_play(self.scope.file, *id));
        match &call.callee {
            Callee::Method { name, .. } if libraries().any(|(_, library)| library.copies.contains(name)) => true,
            Callee::Method { receiver, name } => {
                let place = receiver.place().map(|place| world.canonical(place).0);
                let owner = place.and_then(|place| self.owner_of(world, &Value::Ref(place)));
                let methods = owner.map(|owner| self.index.methods_above(self.scope.file, owner, name));
                methods.unwrap_or_default().iter().any(|method| self.gives_copy(*method))
            }
            callee => self.own_callee(callee).is_some_and(|item| self.gives_copy(item)),
        }
    }

    /// Whether the type of a library that is a table on its way stands in what a function gives.
    fn gives_copy(&self, item: ItemRef) -> bool {
        let Some(signature) = self.index.signature(item) else { return false };
        let scope = self.index.scope_of(item);
        let is_copy = |segments: &[String]| match self.index.resolve(&scope, segments) {
            Some(Resolved::External(path)) => self.index.model.library_at(&path).is_some_and(|(library, _)| {
                path.last().is_some_and(|name| self.index.model.library(library).copies.contains(name))
            }),
            _ => false,
        };
        fn any(ty: &TypeRef, is_copy: &dyn Fn(&[String]) -> bool) -> bool {
            match ty {
                TypeRef::Path { segments, args } => is_copy(segments) || args.iter().any(|arg| any(arg, is_copy)),
                TypeRef::Ref { inner, .. } => any(inner, is_copy),
                TypeRef::Tuple(parts) | TypeRef::Bounds(parts) => parts.iter().any(|part| any(part, is_copy)),
                _ => false,
            }
        }
        any(&signature.output, &is_copy)
    }

    /// Adds what is made of what is in a set, and the pieces that come of it. What comes of a function that was passed all of it, and was
    /// waited for, is none.
    fn spread_copies(&self, copied: &mut BTreeSet<LocalId>) {
        let standard = self.index.model.standard();
        let mut polls: BTreeSet<LocalId> = copied.clone();
        loop {
            let known = copied.len();
            for statement in self.body.statements() {
                match &statement.kind {
                    // Of nothing else that is waited for comes a piece.
                    StatementKind::Assign(_, Rvalue::Await { future, .. }) if !is_in(&polls, future) => {}
                    StatementKind::Assign(place, Rvalue::Await { .. }) => _ = copied.insert(place.local),
                    StatementKind::Assign(place, value)
                        if value.operands().iter().any(|operand| is_in(copied, operand)) =>
                    {
                        copied.insert(place.local);
                        if let Rvalue::Call(Call { callee: Callee::Method { name, .. }, .. }) = value
                            && standard.polls_stream(name)
                        {
                            polls.insert(place.local);
                        }
                    }
                    StatementKind::Bind { local, from, .. } if copied.contains(&from.local) => {
                        copied.insert(*local);
                    }
                    _ => {}
                }
            }
            if copied.len() == known {
                return;
            }
        }
    }
}

fn is_in(set: &BTreeSet<LocalId>, operand: &Operand) -> bool {
    operand.local().is_some_and(|local| set.contains(&local))
}
