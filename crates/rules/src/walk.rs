//! Which steps lead to a mistake, in which order, and what is beside them? Takes the events of one session, gives labels.

use crate::{Context, words};
use sessionlint_analysis::{Branch, CauseKind, Event, EventKind, Site};
use sessionlint_diagnostics::{Label, LabelKind, Span};
use sessionlint_ir::TestRole;
use sessionlint_protocols::EndKind;

/// More ends and exits than this are not listed one by one.
const MAX_ASIDES: usize = 5;
/// More turns than this are not told: the last ones count.
const MAX_TURNS: usize = 4;

/// The labels of a finding: the steps of the walk to `span`, and what is beside them. `events` are those that the finding tells
/// of, the one that explains it first; `leaks` says what happens at `span`.
pub(crate) fn labels(context: &Context<'_>, site: &Site, events: &[&Event], span: Span, leaks: String) -> Vec<Label> {
    let first = events[0];
    let meanwhile = first.cause.kind == CauseKind::Meanwhile;
    let opening = opened(context, site, first, span);
    let (mut labels, leaks) = if site.span != span {
        (vec![Label::new(LabelKind::Opened, site.span, opening)], leaks)
    } else if matches!(first.kind, EventKind::MadePerCall { .. }) {
        // What it leads to says where it is made.
        (Vec::new(), leaks)
    } else {
        // One place, one step.
        (Vec::new(), format!("{opening}: {leaks}"))
    };
    labels.extend(on_the_way(context, site, first, span));
    let kind = if meanwhile { LabelKind::Meanwhile } else { LabelKind::Leaks };
    let message = if comes_round(&labels, span) { format!("in a later iteration of the loop: {leaks}") } else { leaks };
    labels.push(Label::new(kind, span, message));
    for (index, call) in first.inside.iter().enumerate() {
        let message = if index + 1 == first.inside.len() {
            if is_made_here(context, first) {
                "its future is made here".to_owned()
            } else {
                done(context, site, &first.kind)
            }
        } else if context.text_at(*call) == "await" {
            "this is waited for".to_owned()
        } else {
            "through this call".to_owned()
        };
        labels.push(Label::new(LabelKind::Called, *call, message));
    }
    // Behind what happens meanwhile stands one end; what is left open is ended on other ways.
    let ends: Vec<&(Span, EndKind)> =
        if meanwhile { first.end.iter().collect() } else { site.ended.iter().take(MAX_ASIDES).collect() };
    for (end, how) in ends.into_iter().filter(|(end, _)| *end != span && first.release != Some(*end)) {
        let way = if meanwhile { "" } else { ", on another path" };
        labels.push(
            Label::new(LabelKind::Released, *end, format!("{} here{way}", words::ended(context.protocol(site), *how)))
                .aside(),
        );
    }
    labels.extend(others(context, events, span).into_iter().map(|label| Label { kind, ..label }));
    labels
}

/// Whether what is waited for is a future that the body has made before.
pub(crate) fn is_made_here(context: &Context<'_>, event: &Event) -> bool {
    let is_outside = |at: &Span| !context.report.inner.iter().any(|inner| inner.contains(*at));
    let is_waited_for = matches!(event.kind, EventKind::HeldAcross { .. });
    is_waited_for && event.inside.last().is_some_and(|at| context.report.span.contains(*at) && is_outside(at))
}

fn opened(context: &Context<'_>, site: &Site, first: &Event, span: Span) -> String {
    // The call that would end it is all there is of a session that others opened.
    let only_ended = matches!(first.kind, EventKind::Unawaited { .. }) && span == site.span;
    match first.kind {
        _ if only_ended => "this call makes a future".to_owned(),
        // Nobody opens anything: the statement is all there is.
        EventKind::StateOnShared { state, .. } => format!("{} here", words::set(state)),
        EventKind::MadePerCall { .. } | EventKind::PoolDropped => "made here".to_owned(),
        EventKind::CancelUnsafe { .. } if !first.inside.is_empty() => "this call begins a transaction".to_owned(),
        _ => words::opened(site, context.protocol(site)),
    }
}

/// What is done in the innermost function that is called.
fn done(context: &Context<'_>, site: &Site, kind: &EventKind) -> String {
    match kind {
        EventKind::HeldAcross { wait } => words::awaited(&wait.what),
        EventKind::Bypassed => "the write runs here".to_owned(),
        EventKind::SecondCheckout { .. } if context.protocol(site).is_exclusive() => {
            "the second one begins here".to_owned()
        }
        EventKind::SecondCheckout { lent: true } => "the second connection is taken here, for one statement".to_owned(),
        EventKind::SecondCheckout { lent: false } => "the second connection is taken here".to_owned(),
        EventKind::CancelUnsafe { .. } => "the transaction begins here".to_owned(),
        EventKind::MadePerCall { .. } => "it is made here".to_owned(),
        _ => "it happens here".to_owned(),
    }
}

/// What is written and set, and which turns the way takes, between the opening and the mistake.
fn on_the_way(context: &Context<'_>, site: &Site, first: &Event, span: Span) -> Vec<Label> {
    if span.start == site.span.start && span.file == site.span.file {
        return Vec::new();
    }
    let is_behind = |place: Span| place.start >= site.span.end || place.end <= site.span.start;
    let branches = turns(&first.branches);
    let body = context.report.span;
    let is_told = |turn: &&Turn| {
        is_behind(turn.place)
            && (!turn.joins || matches!(turn.role, TestRole::Loop(_)))
            && turn.place != span
            && !binds_session(context.text, turn, site)
            && !(turn.place.file == body.file && in_macro(context.text, turn.place))
    };
    let branches: Vec<&Turn> = branches.iter().filter(is_told).collect();
    let branches = &branches[branches.len().saturating_sub(MAX_TURNS)..];
    // A branch stands between what was done before it and what was done after it.
    let mut steps: Vec<(u32, Label)> = branches
        .iter()
        .map(|turn| {
            let (place, message) = told(context.text, body, turn);
            (2 * turn.nth + 1, Label::new(LabelKind::Branch, place, message))
        })
        .collect();
    // What is written beside a transaction is told when that goes on, which a write may be.
    let is_later = |written: &Span| first.kind == EventKind::Bypassed && written.start > span.start;
    // For a second connection it does not matter what was done with the first.
    let tells_writes = !matches!(first.kind, EventKind::SecondCheckout { .. });
    let written = first
        .written
        .filter(|_| tells_writes)
        .filter(|written| *written != site.span && *written != span && !is_later(written));
    if let Some(written) = written {
        steps.push((2 * first.written_after, Label::new(LabelKind::Write, written, "a write goes through it here")));
    }
    let tells_state = matches!(first.kind, EventKind::StateLeft { .. } | EventKind::StateOnShared { .. });
    if let Some(set) = first.set.filter(|set| tells_state && *set != site.span && *set != span) {
        let before = branches.iter().find(|turn| turn.place.end > set.start);
        let key = before.map_or(u32::MAX, |turn| 2 * turn.nth);
        steps.push((key, Label::new(LabelKind::Write, set, "it is set here")));
    }
    steps.sort_by_key(|(key, _)| *key);
    steps.into_iter().map(|(_, label)| label).collect()
}

/// Whether a turn is the pattern that the session is bound by, in the line that opens it: without it there is none.
fn binds_session(text: &str, turn: &Turn, site: &Site) -> bool {
    turn.role == TestRole::Pattern && turn.held && same_line(text, turn.place, site.span)
}

/// A turn of the way, of one or several tests.
struct Turn {
    place: Span,
    held: bool,
    role: TestRole,
    nth: u32,
    /// Whether it is no condition: the other side leads here, too.
    joins: bool,
}

/// The turns that a way takes. Tests of one pattern are one, and so are the arms of a `match`: the last one decides. Of a loop only
/// the last turn counts, and nothing of what was inside once it is left.
fn turns(branches: &[Branch]) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for Branch { condition, held, role, nth, mut joins } in branches.iter().copied() {
        match role {
            // What stands behind its beginning was met in a turn before.
            TestRole::Loop(begin) => turns.retain(|turn| turn.place.start < begin),
            TestRole::Arm(_) | TestRole::Race(_) => {
                // The guard of an arm is part of it.
                let before = turns.pop_if(|turn| turn.role == role && (!turn.held || turn.place == condition));
                joins &= before.is_none_or(|turn| turn.joins);
            }
            TestRole::Branch | TestRole::Pattern | TestRole::Unless | TestRole::Propagated => {
                let before = turns.pop_if(|turn| turn.place == condition && turn.role == role);
                joins &= before.is_none_or(|turn| turn.joins);
            }
        }
        turns.push(Turn { place: condition, held, role, nth, joins });
    }
    // That `let .. else` matches is what everybody expects.
    turns.retain(|turn| turn.role != TestRole::Unless || !turn.held);
    turns
}

/// The place of a turn, and what is said of it.
fn told(text: &str, body: Span, turn: &Turn) -> (Span, &'static str) {
    let message = |held: bool| match (turn.role, held) {
        (TestRole::Loop(_), true) => "in this loop",
        (TestRole::Loop(_), false) => "after this loop",
        (TestRole::Branch | TestRole::Propagated, true) => "if this is true",
        (TestRole::Branch | TestRole::Propagated, false) => "if this is false",
        (TestRole::Race(_), true) => "when this comes first",
        (TestRole::Race(_), false) => "when this does not come first",
        (TestRole::Pattern | TestRole::Arm(_) | TestRole::Unless, true) => "when this matches",
        (TestRole::Pattern | TestRole::Arm(_) | TestRole::Unless, false) => "when this does not match",
    };
    let is_condition = turn.role == TestRole::Branch && turn.place.file == body.file;
    match is_condition.then(|| negation(text, turn.place)).flatten() {
        Some(start) => (Span { start, ..turn.place }, message(!turn.held)),
        None => (turn.place, message(turn.held)),
    }
}

/// Whether a place is the name of a macro, which stands for all that the macro does.
fn in_macro(text: &str, place: Span) -> bool {
    let behind = text.get(place.end as usize..).unwrap_or_default();
    behind.strip_prefix('!').is_some_and(|behind| behind.trim_start().starts_with(['(', '[', '{']))
}

/// Where the `!` before a condition stands: what is told is the truth of what is marked.
fn negation(text: &str, condition: Span) -> Option<u32> {
    let before = text.get(..condition.start as usize)?.trim_end();
    before.ends_with('!').then(|| before.len() as u32 - 1)
}

/// Whether a step before stands behind the mistake in the text, in a loop: the way comes round.
fn comes_round(steps: &[Label], span: Span) -> bool {
    let in_loop = steps.iter().any(|step| step.kind == LabelKind::Branch && step.message == "in this loop");
    let is_behind = |step: &Label| step.span.file == span.file && step.span.start > span.start;
    in_loop
        && steps.first().is_some_and(|opening| opening.span.start < span.start)
        && steps.iter().skip(1).any(is_behind)
}

/// Where else the same happens: a line once.
fn others(context: &Context<'_>, events: &[&Event], span: Span) -> Vec<Label> {
    let mut places = vec![span];
    let (same, other): (Vec<&Event>, Vec<&Event>) =
        events[1..].iter().copied().partition(|event| is_same_work(event, events[0]));
    for event in same {
        let place = event.cause.span;
        if !places.iter().rev().take(MAX_ASIDES).chain([&span]).any(|known| same_line(context.text, *known, place)) {
            places.push(place);
        }
    }
    let listed = places.iter().skip(1).take(MAX_ASIDES);
    let mut labels: Vec<Label> = listed.map(|place| Label::new(LabelKind::Leaks, *place, "and here").aside()).collect();
    let more = (places.len() - 1).saturating_sub(MAX_ASIDES);
    if more > 0
        && let Some(last) = labels.last_mut()
    {
        last.message = format!("and here, and at {more} more place{}", if more == 1 { "" } else { "s" });
    }
    // Other work, which is waited for in the same way.
    for event in other.into_iter().take(MAX_ASIDES) {
        let message = match &event.kind {
            EventKind::HeldAcross { wait } => words::awaited(&wait.what),
            _ => "and here".to_owned(),
        };
        let is_known = places.iter().any(|known| same_line(context.text, *known, event.cause.span));
        if !is_known && !labels.iter().any(|label| label.span == event.cause.span) {
            labels.push(Label::new(LabelKind::Leaks, event.cause.span, message).aside());
        }
    }
    labels
}

/// Whether what is waited for is the same kind of work, where anything is.
fn is_same_work(one: &Event, other: &Event) -> bool {
    match (&one.kind, &other.kind) {
        (EventKind::HeldAcross { wait }, EventKind::HeldAcross { wait: other }) => wait.what == other.what,
        _ => true,
    }
}

fn same_line(text: &str, one: Span, other: Span) -> bool {
    let between = one.start.min(other.start) as usize..one.start.max(other.start) as usize;
    one.file == other.file && text.get(between).is_some_and(|between| !between.contains('\n'))
}
