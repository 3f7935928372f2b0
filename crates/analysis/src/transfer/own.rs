//! What does a call of a function of the workspace do and give?

use super::answer::{is_fallible, is_partial, with_type};
use super::given::Passed;
use super::layers::fold;
use super::lend::Lent;
use crate::index::{ItemRef, Ty};
use crate::question::LentAs;
use crate::solver::{Solver, typed, typed_at};
use crate::sql::SqlEffect;
use crate::value::{ObligationId, Origin, Root, Source, Value};
use crate::workload::{Deed, Given, Summary, Workload, seen_by_caller};
use crate::world::{Phase, World};
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_ir::{Call, Projection};
use sessionlint_protocols::EndKind;

impl Solver<'_> {
    /// What a call of the workspace's own function does to its arguments, and what it gives.
    pub(crate) fn own_function(
        &mut self,
        world: &mut World,
        item: ItemRef,
        receiver: Receiver,
        self_ty: Option<Ty>,
        call: &Call,
    ) -> Value {
        let at = call.name_span;
        self.watched_call(world, item, call);
        if self.watched.as_ref().is_some_and(|watched| watched.names_only) {
            return self.index.output(item, self_ty).map_or(Value::Unknown, typed);
        }
        self.uploads_may_end(world, item);
        let learned = self.learned_output(item, self_ty.clone());
        if learned.is_some_and(|protocol| self.opens_nothing(world, item, protocol, call)) {
            self.pass_arguments(world, &call.args, at);
            return Value::Unknown;
        }
        let is_future = self.index.signature(item).is_some_and(|signature| signature.gives_future())
            || matches!(self.index.output(item, self_ty.clone()), Some(Ty::Future(_)));
        // Only who reports wants to know what happens to a future that nobody awaits at once.
        self.unawaited &= is_future && (self.reporting || self.nested);
        let unawaited = self.unawaited;
        let text = self.text_argument(world, &call.args);
        let mut values: Vec<Value> = call.args.iter().map(|arg| self.operand(world, arg)).collect();
        let (mut all, mut origins) = match &receiver {
            Receiver::Argument => (Vec::new(), Vec::new()),
            Receiver::Of { value, origin, .. } => {
                let value = value.clone().unwrap_or_default();
                let source = self.source(world, &value, origin.clone());
                (vec![value], vec![source])
            }
        };
        let receivers = all.len();
        values.iter().for_each(|value| self.builder_passed(world, value));
        let sources =
            values.iter().enumerate().map(|(at, value)| self.argument_source(world, item, at + receivers, value));
        origins.extend(sources);
        all.extend(values.iter().zip(&call.args).map(|(value, arg)| match value {
            Value::Unknown | Value::Typed(..) => self.written_variant(arg).unwrap_or_else(|| value.clone()),
            // `&format!(..)`: what a function does depends on the text.
            Value::Ref(place) => match world.get(self.index, place) {
                text @ Value::Text(SqlEffect { known: true, .. }) => text,
                _ => value.clone(),
            },
            value => value.clone(),
        }));
        let known_of = self.known_of(world, item, &all);
        let Summary { mut workload, gives: given, .. } = self.called(world, item, &all, &origins, &known_of, at);
        self.without_ruled_out(&mut workload, item, call);
        let known = given.as_ref().and_then(|given| seen_by_caller(given.origin()?, &origins));
        // What is looked up anew, or taken from several, may be another thing the next time.
        let varies = given.as_ref().is_some_and(Given::varies);
        let passed = Passed::Arguments(all, origins, known_of);
        if let Receiver::Of { does: Some(does), .. } = &receiver {
            workload = self.narrowed(workload, does, &passed, at);
        }
        let output = self.index.output(item, self_ty).map(|ty| self.one_behind(item, ty));
        let instance = given.and_then(|given| self.instantiated(world, &given, &passed, at));
        let instance = instance.map(|value| self.opened_option(world, value, output.as_ref()));
        self.made_of_arguments(&mut workload, receivers, call);
        self.set_by_arguments(output.as_ref(), call);
        let runs = Workload(workload.0.extract_if(.., |deed, _| matches!(deed, Deed::Runs { .. })).collect());
        let instance = instance.or_else(|| self.passed_through(world, item, &mut values, receivers, &mut workload, at));
        self.run_closures(world, &mut workload, &runs, call, &passed);
        // A connection of a pool of the project's own: the pool is what the method is called on.
        let own_pool = match &receiver {
            Receiver::Of { origin, .. } if instance.is_none() && self.index.hands_out_pooled(item) => origin.clone(),
            _ => None,
        };
        workload.0.extend(own_pool.clone().map(|pool| (Deed::Checkout(pool), vec![at])));
        let same = if varies { None } else { self.same_every_time(item, &receiver, call) };
        let pool = own_pool.or(known);
        let from = From { value: pool.clone().or(same), pool };
        let instance = instance.map(|value| self.with_all_parts(value, output.as_ref(), at, &from));
        // What is given back is still here.
        let mut kept = Vec::new();
        instance.iter().for_each(|value| value.obligations(&mut kept));
        let mut told = Value::Unknown;
        let mut kept_by = None;
        for (index, value) in values.iter().enumerate() {
            let lent = Lent { item, param: index + receivers, at };
            let copied = call.args.get(index).and_then(|arg| self.copied_connection(world, arg, value));
            let value = copied.as_ref().unwrap_or(value);
            match self.lent_argument(world, &lent, value, &passed, &mut workload) {
                Value::Unknown => {}
                value => told = value,
            }
            let mut inside = Vec::new();
            value.obligations(&mut inside);
            if unawaited && kept_by.is_none() {
                kept_by = self.kept_by(world, &lent, value, &passed);
                if kept_by.is_some() {
                    continue;
                }
            }
            if inside.is_empty() || inside.iter().any(|id| !kept.contains(id)) {
                self.forget(world, value);
            }
            self.forget_option(world, value);
        }
        self.has_the_choice(world, &mut workload, &values, &passed, receivers);
        if let Receiver::Of { value: Some(value @ Value::Ref(_)), .. } = &receiver
            && self.session_of(world, value).is_none()
        {
            let lent = Lent { item, param: 0, at };
            match self.lent_connection(world, &lent, value, &passed) {
                Value::Unknown => {}
                value => told = value,
            }
        }
        if unawaited && kept_by.is_none() {
            kept_by = self.closed_by(world, &workload, at);
        }
        let value = match (instance, output) {
            (Some(value), _) if is_future => Value::Future(Box::new(value)),
            (Some(value), _) => value,
            (None, Some(ty)) if self.is_only_made(item, &ty) => Value::Unknown,
            // A function around the library's own: the statement does what its text says.
            (None, Some(Ty::Statement)) => Value::Statement(text.unwrap_or_default()),
            (None, Some(ty)) => match (self.handed_out(&ty, at, &from), told) {
                (Value::Unknown, told) if is_fallible(&ty) => told,
                // Which of several things was done, or that an error says that nothing was: more than the type says.
                (value, Value::Fallible(told))
                    if !value.owns()
                        && (is_partial(&told) || (is_fallible(&ty) && self.is_written_struct(&told, &value))) =>
                {
                    let told = with_type(*told, value);
                    if is_fallible(&ty) { Value::Fallible(Box::new(told)) } else { told }
                }
                (value, _) => value,
            },
            (None, None) => Value::Unknown,
        };
        self.put_to_use(&value, &workload);
        self.begun_inside(world, &receiver, &value);
        if let Some((obligation, end)) = kept_by {
            let name = self.index.item(item).map(|item| item.name.clone()).unwrap_or_default();
            self.releases.insert(obligation.site, name);
            world.trace.released.insert(obligation, at);
            let inner = match value {
                Value::Future(inner) => inner,
                value => Box::new(value),
            };
            return self.later(workload, Value::Kept { obligation, end, inner });
        }
        match value {
            value if workload.is_empty() => value,
            Value::Future(inner) => self.later(workload, *inner),
            value if is_future => self.later(workload, value),
            value => {
                self.perform(world, &workload);
                value
            }
        }
    }

    /// A function that is lent a transaction and is passed its pool beside that chooses for each statement where it runs: what it
    /// writes through the pool is to stay. It needs a second connection in any case.
    fn has_the_choice(
        &self,
        world: &World,
        workload: &mut Workload,
        values: &[Value],
        passed: &Passed,
        receivers: usize,
    ) {
        let Passed::Arguments(_, origins, _) = passed else { return };
        let lent: Vec<&Origin> = values
            .iter()
            .filter_map(|value| self.session_of(world, value))
            .filter(|id| self.index.model.protocol(self.protocol_of(*id)).is_transaction())
            .filter_map(|id| world.facts.obligations.get(&id)?.pool.as_ref())
            .collect();
        let is_passed = |pool: &Origin| origins[receivers..].iter().any(|source| source.whole.as_ref() == Some(pool));
        let chosen = |deed: &Deed| match deed {
            Deed::Execute { pool, writes: true } => lent.contains(&pool) && is_passed(pool),
            _ => false,
        };
        let writes: Vec<_> = workload.0.extract_if(.., |deed, _| chosen(deed)).collect();
        for (deed, way) in writes {
            if let Deed::Execute { pool, .. } = deed {
                workload.add(Deed::Execute { pool, writes: false }, way);
            }
        }
    }

    /// A function waits for slow work before it gives a guard of something that has a name: what it names may have been used for that,
    /// so that whoever throws the guard away has no use for it.
    fn put_to_use(&mut self, value: &Value, workload: &Workload) {
        if !workload.0.keys().any(|deed| matches!(deed, Deed::Outside(_))) {
            return;
        }
        let mut given = Vec::new();
        value.sites(&mut given);
        for site in given {
            let site = &mut self.sites[usize::from(site.0)];
            site.used |= !self.index.model.protocol(site.protocol).named_by.is_empty();
        }
    }

    /// A reference to an option, where the function gives what is inside.
    fn opened_option(&self, world: &World, value: Value, output: Option<&Ty>) -> Value {
        let Value::Ref(place) = &value else { return value };
        let is_option = matches!(world.get(self.index, place), Value::Success(_));
        match output.map(Ty::peeled) {
            Some(Ty::Known(_) | Ty::Own(_, _)) if is_option => Value::Ref(place.project(Projection::Success)),
            _ => value,
        }
    }

    /// The same with what is known by its type only of the other parts of a tuple.
    fn with_all_parts(&mut self, value: Value, ty: Option<&Ty>, span: Span, from: &From) -> Value {
        match (value, ty) {
            (value, Some(Ty::Future(output))) => self.with_all_parts(value, Some(output), span, from),
            (Value::Fallible(inner), Some(Ty::Fallible(ty))) => {
                Value::Fallible(Box::new(self.with_all_parts(*inner, Some(ty), span, from)))
            }
            (Value::Success(inner), Some(Ty::Fallible(ty))) => {
                Value::Success(Box::new(self.with_all_parts(*inner, Some(ty), span, from)))
            }
            (Value::Tuple(parts), Some(Ty::Tuple(types))) if parts.len() == types.len() => {
                let all = parts.into_iter().zip(types).enumerate().map(|(at, (part, ty))| match part {
                    Value::Unknown => self.handed_out(ty, span, &from.part(at)),
                    part => self.with_all_parts(part, Some(ty), span, from),
                });
                Value::Tuple(all.collect())
            }
            (value, _) => value,
        }
    }

    /// The source of an argument. What takes a pool gets the one that the argument dereferences to.
    fn argument_source(&self, world: &World, item: ItemRef, param: usize, value: &Value) -> Source {
        let source = self.source_of(world, value);
        let Some(Ty::Own(owner, args)) = self.known_or_own(world, value).map(|ty| ty.peeled().clone()) else {
            return source;
        };
        match (self.index.parameter_ty(item, param), self.index.deref_of(owner, args.as_ref())) {
            (Ty::Known(_), Some(_)) => match self.dereferenced(owner, args.as_ref(), &source) {
                Some((_, Some(origin))) => Source::of(Some(origin)),
                _ => source,
            },
            _ => source,
        }
    }

    /// The session that a function is given by value, and ends when its future is polled.
    fn kept_by(
        &self,
        world: &mut World,
        lent: &Lent,
        value: &Value,
        passed: &Passed,
    ) -> Option<(ObligationId, EndKind)> {
        let Value::Session(id) = value else { return None };
        if !world.is_open(*id) || self.few {
            return None;
        }
        let protocol = self.protocol_of(*id);
        let lent_as = LentAs { param: lent.param, protocol, layers: Vec::new(), known: passed.known() };
        let effect = self.analysis.lent_effect(lent.item, &lent_as, &self.asking)?;
        let end = EndKind::meant(&effect.ends)?;
        world.set_phase(*id, Phase::Ending);
        Some((*id, end))
    }

    /// What a function commits or closes when its future is polled.
    fn closed_by(&mut self, world: &mut World, workload: &Workload, at: Span) -> Option<(ObligationId, EndKind)> {
        let (protocol, end) = workload.0.keys().find_map(|deed| match deed {
            Deed::Ends(protocol, end) => Some((*protocol, *end)),
            _ => None,
        })?;
        let site = self.opening_site(protocol, at, Evidence::Inferred, None);
        let Value::Session(id) = self.begin(world, site, None, None) else { return None };
        world.set_phase(id, Phase::Ending);
        Some((id, end))
    }

    /// Where what a function without arguments gives comes from: an accessor gives the same thing every time.
    fn same_every_time(&self, item: ItemRef, receiver: &Receiver, call: &Call) -> Option<Origin> {
        if !call.args.is_empty() {
            return None;
        }
        match receiver {
            Receiver::Of { origin, .. } => origin.clone()?.then(format!("{}()", self.index.item(item)?.name)),
            Receiver::Argument => Some(Origin { root: Root::Item(item), path: Vec::new() }),
        }
    }

    /// What a function of the workspace returns: a session by value begins here.
    fn handed_out(&mut self, ty: &Ty, span: Span, from: &From) -> Value {
        match ty {
            Ty::Known(protocol) => {
                let known = self.index.model.protocol(*protocol);
                if !known.is_session() || known.in_place {
                    return Value::Typed(ty.clone(), from.value.clone());
                }
                let site = self.opening_site(*protocol, span, Evidence::Inferred, None);
                self.pools.extend(from.pool.clone().map(|pool| (site, pool)));
                Value::Pending(site, None)
            }
            Ty::Own(item, _) => match self.index.owned_session(*item) {
                Some((_, protocol)) => {
                    let site = self.opening_site(protocol, span, Evidence::Inferred, None);
                    self.pools.extend(from.pool.clone().map(|pool| (site, pool)));
                    self.wrap(*item, Value::Pending(site, None))
                }
                None => match self.index.pooled_session(*item) {
                    Some((layers, protocol)) => {
                        let site = self.opening_site(protocol, span, Evidence::Inferred, None);
                        self.sites[usize::from(site.0)].pooled = true;
                        self.pools.extend(from.pool.clone().map(|pool| (site, pool)));
                        fold(&layers, Value::Pending(site, None))
                    }
                    None => Value::Typed(ty.clone(), from.value.clone()),
                },
            },
            Ty::Future(inner) => match self.handed_out(inner, span, from) {
                Value::Unknown => Value::Unknown,
                inner => Value::Future(Box::new(inner)),
            },
            Ty::Fallible(inner) => match self.handed_out(inner, span, from) {
                Value::Unknown => Value::Unknown,
                inner => Value::Fallible(Box::new(inner)),
            },
            Ty::Tuple(parts) => {
                let parts = parts.iter().enumerate().map(|(at, part)| self.handed_out(part, span, &from.part(at)));
                let parts: Vec<Value> = parts.collect();
                if parts.iter().all(|part| *part == Value::Unknown) { Value::Unknown } else { Value::Tuple(parts) }
            }
            Ty::Ref(_) => typed_at(ty.clone(), from.value.clone()),
            other => typed(other.clone()),
        }
    }
}

/// Where what a function hands out comes from.
struct From {
    /// Anything: what is asked for again is the same thing.
    value: Option<Origin>,
    /// A session: the pool that it is checked out of.
    pool: Option<Origin>,
}

impl From {
    /// Where a part of a tuple comes from.
    fn part(&self, at: usize) -> Self {
        let value = self.value.clone().and_then(|whole| whole.then(at.to_string()));
        Self { value, pool: self.pool.clone() }
    }
}

/// What a method is called on.
pub(crate) enum Receiver {
    /// It is the first of the arguments, or there is none.
    Argument,
    /// A value, as far as it is known.
    Of {
        value: Option<Value>,
        /// Where it comes from.
        origin: Option<Origin>,
        /// What the method does at most, when it is known what the session in the value is.
        does: Option<Workload>,
    },
}

impl Receiver {
    /// Something that comes from here.
    pub fn of(value: Value, origin: Option<Origin>) -> Self {
        Receiver::Of { value: Some(value), origin, does: None }
    }
}
