//! Does a closure that callers pass write through the session that the function lends it?
//!
//! In: a parameter that is called with a session. Out: whether any caller is seen that passes a closure, or a function, which writes
//! through it. Who calls it besides does not matter: what one of them writes is lost when the function does not commit.

use crate::callers::{LentToClosure, Watched};
use crate::index::{ItemRef, Resolved, Ty};
use crate::solver::Solver;
use crate::summary::{Analysis, Asking, LentAs};
use crate::value::{ObligationId, Value};
use crate::world::World;
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{Call, Callee, ItemKind, LocalId, Operand, Place, Rvalue};
use sessionlint_protocols::Wraps;

/// So many functions are followed that only hand a closure on.
const MAX_HANDED_ON: u32 = 4;
/// So many callers are looked at.
const MAX_CALLERS: usize = 100;
/// So many variables are followed that a closure is moved through.
const MAX_MOVES: u32 = 4;

impl Analysis<'_> {
    /// Whether a closure that is passed for a parameter writes through what it is lent.
    fn a_closure_writes(&self, item: ItemRef, param: usize, lent: &LentToClosure, deep: u32) -> bool {
        let Some(name) = self.index.item(item).map(|known| known.name.clone()) else { return false };
        let mut files: Vec<FileId> = vec![item.file];
        files.extend(self.index.may_name(item.file));
        let callers = files.into_iter().enumerate().filter(|(at, file)| *at == 0 || *file != item.file);
        let callers = callers.map(|(_, file)| file).filter(|file| !self.index.is_test_file(*file));
        let mut callers = callers.flat_map(|file| self.callers_in(file, item, &name)).take(MAX_CALLERS);
        callers.any(|caller| {
            let asked = self.asked(caller, &Asking::default(), |mut solver| {
                solver.watched = Some(Watched::closures(item, param, lent.clone()));
                solver.method = Some(caller);
                let world = solver.parameters(World::default());
                solver.run(world);
                solver.watched?.passed
            });
            let handed_on = |param: usize| deep > 0 && self.a_closure_writes(caller, param, lent, deep - 1);
            asked.is_some_and(|asked| asked.writes || asked.handed_on.into_iter().any(handed_on))
        })
    }
}

impl Solver<'_> {
    /// The transactions that are lent to a parameter which is called, and through which a caller's closure writes.
    pub(crate) fn written_by_closure(
        &mut self,
        world: &World,
        callee: &Operand,
        args: &[Operand],
    ) -> Option<ObligationId> {
        let (Operand::Value(place) | Operand::Ref { place, .. }) = callee else { return None };
        if self.few || self.coarse || self.watched.is_some() {
            return None;
        }
        let (item, param) = self.closure_parameter(world.canonical(place).0.local)?;
        args.iter().enumerate().find_map(|(nth, arg)| {
            let value = self.read(world, arg);
            let id = self.session_of(world, &value).filter(|id| world.is_open(*id))?;
            let protocol = self.protocol_of(id);
            if !self.index.model.protocol(protocol).is_transaction() || self.sites[usize::from(id.site.0)].borrowed {
                return None;
            }
            let layers = match self.index.closure_inputs(item, param).get(nth).map(Ty::peeled) {
                Some(Ty::Known(protocol)) if !self.index.is_learned_trait(*protocol) => Vec::new(),
                _ => self.layers_of(world, &value),
            };
            let lent = LentToClosure { nth, protocol, layers };
            let known = self.closures.asked.get(&(param, lent.clone())).copied();
            let writes = known.unwrap_or_else(|| {
                let writes = self.analysis.a_closure_writes(item, param, &lent, MAX_HANDED_ON);
                self.closures.asked.insert((param, lent), writes);
                writes
            });
            writes.then_some(id)
        })
    }

    /// A parameter was called with a transaction, through which a caller's closure writes. Other callers' may do something else: what
    /// the answer says of that is not known.
    pub(crate) fn wrote_in_closure(
        &mut self,
        world: &mut World,
        id: ObligationId,
        callee: &Operand,
        at: Span,
    ) -> Value {
        if !world.is_open(id) || world.is_written(id) {
            return Value::Unknown;
        }
        self.write(world, id, Some(at));
        let told = Value::Affected { obligation: id, partial: true, of: None };
        let parameter = match callee {
            Operand::Value(place) | Operand::Ref { place, .. } => {
                self.closure_parameter(world.canonical(place).0.local)
            }
            _ => None,
        };
        match parameter.is_some_and(|(item, param)| self.index.closure_may_fail(item, param)) {
            true => Value::Fallible(Box::new(told)),
            false => told,
        }
    }

    /// The parameter of the function that is looked at which a variable holds.
    pub(crate) fn closure_parameter(&self, local: LocalId) -> Option<(ItemRef, usize)> {
        let mut local = local;
        for _ in 0..MAX_MOVES {
            if let Some(known) = self.closures.captured.get(&local) {
                return Some(*known);
            }
            if let Some(at) = self.body.params.iter().position(|param| *param == local) {
                let item = self.method.filter(|_| !self.nested)?;
                // A function that is declared inside of another one is none of its parameters' business.
                let own = self.index.item(item)?.body?;
                return (self.body.span.start <= own.start).then_some((item, at));
            }
            // `let mut f = f;`
            local = match self.body.value_of(&Place::local(local))? {
                Rvalue::Use(Operand::Value(place) | Operand::Ref { place, .. }) if place.projection.is_empty() => {
                    place.local
                }
                _ => return None,
            };
        }
        None
    }

    /// A call of the function whose closures are looked at is met: what does the one do that it is passed?
    pub(crate) fn watched_closure(&mut self, world: &World, item: ItemRef, call: &Call) {
        let Some(watched) = &self.watched else { return };
        let (callee, Some(passed)) = (watched.callee, &watched.passed) else { return };
        if callee != item && !self.index.implementations(item).contains(&callee) {
            return;
        }
        let Some(params) = self.index.signature(callee).map(|signature| signature.params.len()) else { return };
        let at = params.checked_sub(call.args.len()).and_then(|receivers| passed.param.checked_sub(receivers));
        let Some(arg) = at.and_then(|at| call.args.get(at)) else { return };
        let lent = passed.lent.clone();
        let (mut writes, mut handed_on) = (false, None);
        match self.unboxed(arg) {
            Operand::Item(path) => writes = self.function_writes(path, &lent),
            arg => match (self.closure_of(arg), arg) {
                (Some(child), _) => writes = self.child_writes(world, child, &lent),
                (None, Operand::Value(place) | Operand::Ref { place, .. }) => {
                    handed_on = self.closure_parameter(world.canonical(place).0.local).map(|(_, param)| param);
                }
                _ => {}
            },
        }
        if let Some(passed) = self.watched.as_mut().and_then(|watched| watched.passed.as_mut()) {
            passed.writes |= writes;
            passed.handed_on.extend(handed_on);
        }
    }

    /// What is in `Box::new(..)`.
    fn unboxed<'o>(&'o self, operand: &'o Operand) -> &'o Operand {
        let Operand::Value(place) = operand else { return operand };
        match self.body.call_of(place) {
            Some(Call { callee: Callee::Path { segments, .. }, args, .. }) if args.len() == 1 => {
                let owner = segments.iter().nth_back(1);
                let owns = owner.and_then(|owner| self.index.model.standard().wraps(owner)) == Some(Wraps::Owned);
                if owns { &args[0] } else { operand }
            }
            _ => operand,
        }
    }

    fn function_writes(&self, path: &[String], lent: &LentToClosure) -> bool {
        let Some(Resolved::Item(item, rest)) = self.index.resolve(&self.scope, path) else { return false };
        if !rest.is_empty() || self.index.item(item).is_none_or(|item| item.kind != ItemKind::Function) {
            return false;
        }
        let lent = LentAs {
            param: lent.nth,
            protocol: lent.protocol,
            layers: lent.layers.clone(),
            known: crate::known::Known::new(),
        };
        let effect = self.analysis.lent_effect(item, &lent, &self.asking);
        effect.is_some_and(|effect| effect.writes && !effect.rarely)
    }

    /// Whether a closure of this body writes through a session that it is called with.
    fn child_writes(&self, world: &World, child: usize, lent: &LentToClosure) -> bool {
        let body = &self.body.children[child];
        let Some(local) = body.params.get(lent.nth) else { return false };
        let mut solver = Solver::new(self.analysis, body, self.scope.clone(), self.asking.clone());
        (solver.nested, solver.collects) = (true, true);
        let mut inner = solver.parameters(World::default());
        inner = solver.given_as(inner, &self.closure_inputs(world, child));
        for capture in &body.captures {
            let value = match world.get(self.index, &Place::local(capture.outer)) {
                Value::Typed(ty, _) => Value::Typed(ty, None),
                Value::Wrapper(item, ..) => Value::Typed(Ty::own(item), None),
                value @ (Value::Text(_) | Value::Statement(_)) => value,
                _ => Value::Unknown,
            };
            inner.set(&Place::local(capture.inner), value);
        }
        let (inner, id) = solver.lend(inner, *local, lent.protocol, &lent.layers);
        solver.run(inner);
        solver.written.contains(&id.site)
    }
}
