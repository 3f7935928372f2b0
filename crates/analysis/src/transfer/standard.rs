//! What does a function of the standard library do, or of the runtime that everybody uses?

use super::drops::MANUALLY_DROP;
use crate::index::{Resolved, Ty};
use crate::solver::Solver;
use crate::value::Value;
use crate::workload::Deed;
use crate::world::World;
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{Call, Operand};
use sessionlint_protocols::Wraps;

impl Solver<'_> {
    /// Functions that everybody knows.
    pub(super) fn standard_function(&mut self, world: &mut World, segments: &[String], call: &Call) -> Option<Value> {
        let (name, owner) = segments.split_last()?;
        let name = name.as_str();
        // An import may have given the type another name.
        let real = match owner {
            [owner] if !self.index.model.standard().has_functions(owner) => {
                self.index.resolve(&self.scope, std::slice::from_ref(owner))
            }
            _ => None,
        };
        let owner = match (&real, owner.last()) {
            (Some(Resolved::External(path)), _) => path.last()?,
            (_, Some(owner)) => owner,
            _ => "",
        };
        let first = call.args.first();
        // Behind a lock a transaction that a reference is enough to end stays what it is.
        if let ("new", [inner]) = (name, call.args.as_slice())
            && matches!(self.index.model.standard().wraps(owner), Some(Wraps::Shared | Wraps::Lock | Wraps::Guard))
            && self.is_shared(&self.read_value(world, inner))
        {
            return Some(self.operand(world, inner));
        }
        let value = match (owner, name, call.args.len()) {
            ("" | "mem", "drop", 1) => self.explicit_drop(world, first?, call.name_span),
            ("" | "mem", "forget", 1) if owner == "mem" || self.is_standard(segments) => {
                self.leak(world, first?, "mem::forget".to_owned(), call.name_span)
            }
            ("ManuallyDrop", "new", 1) => {
                let value = self.operand(world, first?);
                self.taken_out(world, value, MANUALLY_DROP.to_owned(), call.name_span)
            }
            ("ManuallyDrop", "into_inner" | "take" | "drop", 1) => {
                // Whoever gets it out ends it, or lets it be dropped.
                let value = self.operand(world, first?);
                if let Some(id) = self.session_of(world, &value) {
                    self.forget_obligation(world, id);
                }
                self.forget(world, &value);
                Value::Unknown
            }
            ("Box", "leak", 1) => self.leak(world, first?, "Box::leak".to_owned(), call.name_span),
            ("mem", "take", 1) | ("Option", "take", 1) => {
                let place = self.target(world, first?)?;
                let value = world.get(self.index, &place);
                if !value.owns() {
                    return Some(value);
                }
                world.set(&place, if owner == "Option" { Value::Failure } else { Value::Unknown });
                value
            }
            ("mem", "swap", 2) => {
                for argument in &call.args {
                    let place = self.target(world, argument)?;
                    let value = world.get(self.index, &place);
                    self.forget(world, &value);
                }
                Value::Unknown
            }
            ("mem", "replace", 2) => {
                let place = self.target(world, first?)?;
                let old = world.get(self.index, &place);
                let new = self.operand(world, &call.args[1]);
                // What is behind a reference that came in has an owner elsewhere.
                if new.owns() && matches!(first, Some(Operand::Value(slot)) if *slot == place) {
                    self.forget(world, &new);
                    return Some(old);
                }
                if old.owns() || new.owns() {
                    world.set(&place, new);
                }
                old
            }
            ("Box" | "Pin", "new" | "pin" | "from", 1) => self.operand(world, first?),
            ("", "timeout" | "timeout_at", 2) | ("time", "timeout" | "timeout_at", 2) => {
                self.operand(world, first?);
                let future = self.operand(world, &call.args[1]);
                self.cancelled(world, &future, "`timeout`", usize::MAX - 1);
                match future {
                    // Of an end: it may be cut off, but when this is polled it is asked for.
                    Value::Future(inner) => Value::Future(Box::new(Value::Fallible(inner))),
                    other => {
                        self.forget(world, &other);
                        Value::Unknown
                    }
                }
            }
            // A task of its own: whoever waits for its handle waits for what it does.
            ("tokio" | "task", "spawn" | "spawn_local", 1) if self.is_of(segments, "tokio") => {
                let value = self.operand(world, first?);
                let mut inside = self.inside(&value).cloned().unwrap_or_default();
                // It goes on when nobody waits for it any more.
                inside.0.retain(|deed, _| !matches!(deed, Deed::Begins(_)));
                self.forget(world, &value);
                self.later(inside, Value::Unknown)
            }
            ("Arc" | "Rc", "new", 1) => {
                let value = self.operand(world, first?);
                self.forget(world, &value);
                match value {
                    Value::Typed(ty, origin) => Value::Typed(Ty::Ref(Box::new(ty)), origin),
                    // A struct around a pool.
                    Value::Wrapper(..) if !value.owns() => value,
                    _ => Value::Unknown,
                }
            }
            ("Arc" | "Rc" | "Clone", "clone", 1) => {
                let value = self.read(world, first?);
                if self.session_of(world, &value).is_some_and(|id| self.is_shared(&Value::Session(id))) {
                    return Some(Value::Ref(self.target(world, first?)?));
                }
                match self.read_value(world, first?) {
                    shared @ Value::Wrapper(..) if !shared.owns() => shared,
                    _ => Value::Typed(self.known_or_own(world, &value)?, self.origin_of(world, &value)),
                }
            }
            _ => return None,
        };
        Some(value)
    }

    /// A session is taken out of what would end it, and lives on: somebody may still end it, or have it.
    pub(super) fn taken_out(&mut self, world: &mut World, value: Value, how: String, span: Span) -> Value {
        let Some(id) = self.session_of(world, &value).filter(|_| value.owns()) else {
            self.forget(world, &value);
            return Value::Unknown;
        };
        if self.is_at_home(id) {
            self.forget_obligation(world, id);
            return Value::Unknown;
        }
        let site = self.opening_site(self.protocol_of(id), span, Evidence::Traced, None);
        self.detached.insert(site, how);
        self.forget_obligation(world, id);
        Value::Pending(site, None)
    }

    fn is_standard(&self, segments: &[String]) -> bool {
        self.is_of(segments, "std") || self.is_of(segments, "core")
    }

    /// Whether a path leads into a crate outside of the workspace.
    fn is_of(&self, segments: &[String], krate: &str) -> bool {
        match self.index.resolve(&self.scope, segments) {
            Some(Resolved::External(path)) => path.first().is_some_and(|first| first == krate),
            _ => false,
        }
    }
}
