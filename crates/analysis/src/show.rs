//! What does the analysis know of a function? Its facts beside the blocks, its summary, the types of its variables, as text.

use crate::describe::{effect_words, origin_words};
use crate::events::Site;
use crate::index::{Index, ItemRef, Locking, Ty};
use crate::known::Known;
use crate::question::{Asking, Effect, LentAs};
use crate::receivers::{Receivers, known};
use crate::solver::Solver;
use crate::summary::Analysis;
use crate::value::{Origin, Root, Value};
use crate::workload::Workload;
use crate::world::{Facts, Phase, State, World};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{
    BlockId, Body, FunctionItem, LineOf, LocalId, Place, Signature, Statement, StatementKind, Terminator, local_name,
    place_name, type_name,
};
use sessionlint_protocols::EndKind;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What of a function can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Its blocks and statements.
    Ir,
    /// What its variables are, where somebody asked.
    Types,
    /// What its callers see of it.
    Summary,
    /// How far the sessions are where its blocks begin.
    States,
    /// What its methods are called on, for machines.
    Receivers,
}

/// What is remembered of the ways through a body, to be shown.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// The facts of each way where a block begins.
    entries: BTreeMap<BlockId, BTreeSet<Facts>>,
    /// What variables held.
    values: BTreeMap<LocalId, BTreeSet<Value>>,
    /// What methods are called on.
    pub receivers: Receivers,
    /// The same of closures and async blocks inside, with the sessions that they know, by where they stand.
    pub inside: BTreeMap<Span, (Seen, Vec<Site>)>,
}

impl Seen {
    /// A way comes to a block.
    pub fn entered(&mut self, block: BlockId, facts: &Facts) {
        self.entries.entry(block).or_default().insert(facts.clone());
    }

    /// A method is about to be called.
    pub fn receiver(&mut self, receiver: Option<(Span, String)>) {
        if let Some((at, ty)) = receiver {
            self.receivers.entry(at).or_default().insert(ty);
        }
    }

    /// A statement was run.
    pub fn value(&mut self, world: &World, index: &Index<'_>, statement: &Statement) {
        let local = match &statement.kind {
            StatementKind::Assign(place, _) if place.projection.is_empty() => place.local,
            StatementKind::Bind { local, .. } => *local,
            _ => return,
        };
        let value = world.facts.store.get(&Place::local(local)).cloned();
        let value = value.unwrap_or_else(|| world.get(index, &Place::local(local)));
        self.values.entry(local).or_default().insert(value);
    }
}

impl Analysis<'_> {
    /// A function and those declared inside of it, seen so.
    pub fn show(&self, item: ItemRef, view: View, line_of: LineOf<'_>) -> String {
        let mut out = String::new();
        match self.index.function(item) {
            None if view == View::Receivers => {}
            None => out.push_str("      cannot be read\n"),
            Some(_) if view == View::Summary => self.show_summary(item, line_of, &mut out),
            Some(function) => self.show_body(item, &function, view, line_of, &mut out),
        }
        out
    }

    fn show_body(&self, item: ItemRef, function: &FunctionItem, view: View, line_of: LineOf<'_>, out: &mut String) {
        match &function.body {
            None if view == View::Receivers => {}
            None => out.push_str("      only declared\n"),
            Some(body) if view == View::Ir => out.push_str(&sessionlint_ir::text(body, line_of)),
            Some(body) => {
                let generics = self.index.generics_around(item, &function.signature.generics);
                let mut solver = self.reporting(item, &function.signature, body, self.scope(item, body, &generics));
                solver.seen = Some(Box::default());
                let world = solver.parameters(World::default());
                solver.run(world);
                let seen = solver.seen.take().unwrap_or_default();
                let shower = Shower { solver: &solver, body, sites: &solver.sites, line_of };
                match view {
                    View::Types => shower.types(&seen, out),
                    View::Receivers => receivers(&seen, out),
                    _ => shower.states(&seen, out),
                }
                for gap in &solver.gaps {
                    let _ = writeln!(out, "      not told: {}", gap.reason);
                }
            }
        }
        for nested in &function.nested {
            if view != View::Receivers {
                let _ = writeln!(out, "      declared inside: {}", nested.name);
            }
            self.show_body(item, nested, view, line_of, out);
        }
    }

    fn show_summary(&self, item: ItemRef, line_of: LineOf<'_>, out: &mut String) {
        let Some(signature) = self.index.signature(item) else { return };
        let origin = |origin: &Origin| origin_words(origin, &signature, |item| self.name_of(item));
        let before = out.len();
        for (param, declared) in signature.params.iter().enumerate() {
            let name = declared.name.clone().unwrap_or_else(|| format!("#{param}"));
            let Some((protocol, layers)) = self.lendable(item, &signature, param) else { continue };
            let id = &self.index.model.protocol(protocol).id;
            let lent = LentAs { param, protocol, layers, known: Known::new() };
            let words = match self.effect(item, &lent, &Asking::default()) {
                Some(effect) => all_effect_words(&effect, &name),
                None => vec!["no body to look at".to_owned()],
            };
            let words = if words.is_empty() { "nothing".to_owned() } else { words.join("; ") };
            let _ = writeln!(out, "      lent {name} ({id}): {words}");
        }
        let summary = self.summary(item, &Known::new(), &Asking::default());
        for line in self.workload_lines(&summary.workload, &signature, &origin, line_of) {
            let _ = writeln!(out, "      {line}");
        }
        if let Some(given) = summary.gives.as_ref().and_then(|given| self.given_words(given, &origin)) {
            let _ = writeln!(out, "      gives {given}");
        }
        if out.len() == before {
            out.push_str("      nothing that matters to a session\n");
        }
        if summary.truncated {
            let _ = writeln!(out, "      functions that call each other do not settle");
        }
    }

    fn workload_lines(
        &self,
        workload: &Workload,
        signature: &Signature,
        origin: &dyn Fn(&Origin) -> String,
        line_of: LineOf<'_>,
    ) -> Vec<String> {
        let lines = workload.0.iter().filter_map(|(deed, way)| {
            let words = self.deed_words(deed, signature, origin)?;
            let way: Vec<String> = way.iter().filter_map(|span| Some(line_of(*span)?.to_string())).collect();
            Some(format!("{words} (line {})", way.join(", then ")))
        });
        lines.collect()
    }
}

/// Where the name of each method stands in its file, and the type of what it is called on.
fn receivers(seen: &Seen, out: &mut String) {
    for (span, types) in &seen.receivers {
        let _ = writeln!(out, "      {} {}", span.start, known(types));
    }
    seen.inside.values().for_each(|(inner, _)| receivers(inner, out));
}

fn all_effect_words(effect: &Effect, name: &str) -> Vec<String> {
    let mut words = effect_words(effect, name);
    words.extend(effect.partly.then(|| "writes on some ways only".to_owned()));
    words.extend(effect.changes.iter().map(|change| {
        let what = format!("{:?}", change.state).to_lowercase();
        format!("{} a {what} of its connection", if change.on { "sets" } else { "takes back" })
    }));
    words.extend(effect.escapes.then(|| "takes it away".to_owned()));
    words.extend(effect.unseen.then(|| "lends it to code that nobody sees".to_owned()));
    words.extend(effect.truncated.then(|| "functions that call each other do not settle".to_owned()));
    words
}

/// What shows one body.
struct Shower<'s> {
    solver: &'s Solver<'s>,
    body: &'s Body,
    sites: &'s [Site],
    line_of: LineOf<'s>,
}

impl Shower<'_> {
    fn line(&self, span: Span) -> String {
        (self.line_of)(span).map(|line| line.to_string()).unwrap_or_default()
    }

    /// The closures and async blocks that were looked at, and how each is shown.
    fn inside(&self, seen: &Seen, show: impl Fn(&Shower<'_>, &Seen, &mut String), out: &mut String) {
        for (number, child) in self.body.children.iter().enumerate() {
            let _ = writeln!(out, "{:>5} inside #{number}:", self.line(child.span));
            match seen.inside.get(&child.span) {
                Some((inner, sites)) => show(&Shower { body: child, sites, ..*self }, inner, out),
                None => out.push_str("      not looked at\n"),
            }
        }
    }

    fn states(&self, seen: &Seen, out: &mut String) {
        for (number, block) in (0..).map(BlockId).zip(&self.body.blocks) {
            let first = block.statements.first().map(|statement| statement.span);
            let first = first.or(match &block.terminator {
                Terminator::Test { span, .. } => Some(*span),
                _ => None,
            });
            let line = first.map(|span| self.line(span)).unwrap_or_default();
            let ways: BTreeSet<String> =
                seen.entries.get(&number).into_iter().flatten().map(|facts| self.way(facts)).collect();
            let words = match ways.len() {
                0 => "unreachable".to_owned(),
                _ => ways.into_iter().collect::<Vec<_>>().join("\n          or "),
            };
            let _ = writeln!(out, "{line:>5} b{}: {words}", number.0);
        }
        self.inside(seen, |inner, seen, out| inner.states(seen, out), out);
    }

    fn way(&self, facts: &Facts) -> String {
        let told = facts.obligations.iter().map(|(id, state)| {
            let again = if id.second { ", opened again" } else { "" };
            format!("{}{again} {}", self.site(usize::from(id.site.0)), self.state(state))
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { "no session".to_owned() } else { told.join("; ") }
    }

    fn site(&self, site: usize) -> String {
        let Some(site) = self.sites.get(site) else { return "?".to_owned() };
        match &site.name {
            Some(name) => name.clone(),
            None => format!("{} of line {}", self.solver.index.model.protocol(site.protocol).id, self.line(site.span)),
        }
    }

    fn state(&self, state: &State) -> String {
        let phase = match state.phase {
            Phase::Open => "open".to_owned(),
            Phase::Ending => "about to end".to_owned(),
            Phase::Ended(end) => end_words(end).to_owned(),
            Phase::Failed(end) => format!("open: its {} failed", end_name(end)),
            Phase::CommitFailed => "open: its COMMIT failed".to_owned(),
            Phase::Gone => "escaped".to_owned(),
        };
        let mut words = vec![phase];
        if state.phase != Phase::Gone {
            let facts = [
                (state.written, "written"),
                (state.held_for.is_some(), "held by design"),
                (state.bypassed, "written beside"),
                (state.left.iter().any(|change| !change.unsure), "state of its connection set"),
                (state.dry_run, "dry run"),
                (state.counted, "counted"),
            ];
            words.extend(facts.iter().filter(|(holds, _)| *holds).map(|(_, word)| (*word).to_owned()));
        }
        words.join(", ")
    }

    fn types(&self, seen: &Seen, out: &mut String) {
        let mut told = false;
        for (number, local) in (0..).map(LocalId).zip(&self.body.locals) {
            let name = local_name(self.body, number);
            let written = local.ty.as_ref().map(|ty| {
                let meant = self.ty(&self.solver.index.ty(&self.solver.scope, ty));
                format!(" written `{}`, which is {meant}", type_name(ty))
            });
            let held: BTreeSet<String> =
                seen.values.get(&number).into_iter().flatten().map(|value| self.value(value)).collect();
            let known: Vec<String> = held.iter().filter(|words| *words != "not known").cloned().collect();
            if written.is_none() && known.is_empty() && local.name.is_none() {
                continue;
            }
            let holds = match (known.is_empty(), held.is_empty(), written.is_some()) {
                (false, _, _) => format!(" holds {}", known.join(" or ")),
                (true, true, true) => String::new(),
                (true, true, false) => " not asked".to_owned(),
                (true, false, _) => " holds what is not known".to_owned(),
            };
            let _ = writeln!(out, "{:>5} {name}:{}{holds}", self.line(local.span), written.unwrap_or_default());
            told = true;
        }
        if !told {
            out.push_str("      no variable\n");
        }
        self.inside(seen, |inner, seen, out| inner.types(seen, out), out);
    }

    fn ty(&self, ty: &Ty) -> String {
        let model = self.solver.index.model;
        match ty {
            Ty::Unknown => "not known".to_owned(),
            Ty::Known(protocol) => model.protocol(*protocol).id.clone(),
            Ty::Own(item, _) => format!("own {}", self.solver.analysis.name_of(*item)),
            Ty::Statement => "a statement".to_owned(),
            Ty::Work(work) => format!("what does {}", model.work(*work).what),
            Ty::Ref(inner) => format!("&{}", self.ty(inner)),
            Ty::Fallible(inner) => format!("Result of {}", self.ty(inner)),
            Ty::Future(inner) => format!("future of {}", self.ty(inner)),
            Ty::Cell(inner) => format!("cell of {}", self.ty(inner)),
            Ty::Collection(inner) => format!("collection of {}", self.ty(inner)),
            Ty::Lock(inner, Locking::Held) => format!("guard of {}", self.ty(inner)),
            Ty::Lock(inner, _) => format!("lock around {}", self.ty(inner)),
            Ty::Tuple(parts) => {
                format!("({})", parts.iter().map(|part| self.ty(part)).collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn value(&self, value: &Value) -> String {
        let site = |id: usize| self.site(id);
        match value {
            Value::Unknown => "not known".to_owned(),
            Value::Typed(ty, origin) => match origin.as_ref().map(|origin| self.origin(origin)) {
                Some(origin) => format!("{} from {origin}", self.ty(ty)),
                None => self.ty(ty),
            },
            Value::Session(id) => format!("session {}", site(usize::from(id.site.0))),
            Value::Pending(id, _) => format!("session {} if it worked", site(usize::from(id.0))),
            Value::Ref(place) => format!("&{}", place_name(self.body, place)),
            Value::Future(inner) => format!("future of {}", self.value(inner)),
            Value::Release { obligation, end, .. } => {
                format!("the {} of {}", end_name(*end), site(usize::from(obligation.site.0)))
            }
            Value::Kept { obligation, end, inner } => {
                let site = site(usize::from(obligation.site.0));
                format!("the {} of {site} that gives {}", end_name(*end), self.value(inner))
            }
            Value::Outcome(id, end) | Value::Verdict { obligation: id, end, .. } => {
                format!("whether the {} of {} worked", end_name(*end), site(usize::from(id.site.0)))
            }
            Value::Wrote(id) | Value::Affected { obligation: id, .. } => {
                format!("what a write through {} answers", site(usize::from(id.site.0)))
            }
            Value::Changed { obligation: id, any } => {
                let what = if *any { "anything" } else { "nothing" };
                format!("whether a write through {} changed {what}", site(usize::from(id.site.0)))
            }
            Value::About(id) => format!("what {} says of itself", site(usize::from(id.site.0))),
            Value::Set(id, _) => format!("whether state of {} was set", site(usize::from(id.site.0))),
            Value::Fallible(inner) => format!("Result of {}", self.value(inner)),
            Value::Success(inner) => format!("Ok of {}", self.value(inner)),
            Value::Failure => "Err".to_owned(),
            Value::Tuple(parts) => {
                format!("({})", parts.iter().map(|part| self.value(part)).collect::<Vec<_>>().join(", "))
            }
            Value::Wrapper(item, part, inner) => {
                let around = self.solver.analysis.name_of(*item);
                format!("own {around} with {part} = {}", self.value(inner))
            }
            Value::Text(_) => "text".to_owned(),
            Value::Statement(_) => "a statement".to_owned(),
            Value::Prepared(..) => "a prepared statement".to_owned(),
            Value::Handle(id) => format!("what writes through {}", site(usize::from(id.site.0))),
            Value::Bool(value) => value.to_string(),
            Value::Any(any) => if *any { "something" } else { "nothing" }.to_owned(),
            Value::Work(_, inner) => format!("work that gives {}", self.value(inner)),
            Value::Callable { .. } => "a closure".to_owned(),
            Value::Exit(_, _, inner) => format!("answer {}", self.value(inner)),
        }
    }

    fn origin(&self, origin: &Origin) -> String {
        let root = match &origin.root {
            Root::Local(local) => local_name(self.body, *local),
            Root::Param(index) => format!("parameter {index}"),
            Root::Item(item) => self.solver.analysis.name_of(*item),
            Root::Made(site) => self.site(usize::from(site.0)),
        };
        std::iter::once(root).chain(origin.path.iter().cloned()).collect::<Vec<_>>().join(".")
    }
}

fn end_words(end: EndKind) -> &'static str {
    match end {
        EndKind::Commit => "committed",
        EndKind::Rollback => "rolled back",
        EndKind::Close => "closed",
    }
}

fn end_name(end: EndKind) -> &'static str {
    match end {
        EndKind::Commit => "commit",
        EndKind::Rollback => "rollback",
        EndKind::Close => "close",
    }
}
