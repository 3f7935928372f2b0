//! A second connection is taken from a pool while the first is held.

use crate::capacity::Need;
use crate::fix::words_of;
use crate::{Check, Context, Words, words};
use sessionlint_analysis::{Branch, Event, EventKind, Site};
use sessionlint_diagnostics::{Diagnostic, Span};
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "nested-acquire", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let found = context.by_site(|site, protocol, event| is_mistake(context, site, protocol, event));
    found.into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

/// A write beside an open transaction is a worse mistake, and is told as that.
///
/// Where one task at a time comes, nobody waits for the second one for ever: that is told where the whole guideline is asked for.
fn is_mistake(context: &Context<'_>, _: &Site, _: &Protocol, event: &Event) -> bool {
    let worse = |other: &Event| {
        other.kind == EventKind::Bypassed && other.site == event.site && other.cause.span == event.cause.span
    };
    matches!(event.kind, EventKind::SecondCheckout { .. })
        && (context.strict || !event.in_turn)
        && !context.report.events.iter().any(worse)
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let protocol = context.protocol(site);
    let event = events[0];
    let subject = words::subject(site, protocol);
    if protocol.is_exclusive() {
        let held =
            site.name.as_ref().map_or_else(|| format!("the first {}", protocol.noun()), |name| format!("`{name}`"));
        let message = format!("another {} begins while {subject} is open, and waits for it", protocol.noun());
        let leaks = if event.inside.is_empty() { "this waits" } else { "this call begins another one, which waits" };
        let leaks = format!("{leaks} until {held} has ended: only one may be open at a time");
        let help = format!("use {held} for this too, or end it first: on the same thread this waits forever");
        let words = Words { message, leaks, help: Some(help), fix: None };
        return context.finding(CHECK.rule, site, events, event.cause.span, words);
    }
    let lent = matches!(event.kind, EventKind::SecondCheckout { lent: true });
    let need = context.need(event);
    let message = match need.as_ref().and_then(Need::all) {
        Some(1) => format!("this waits for a second connection, but {subject} holds the only one of its pool"),
        Some(all) => format!("this waits for another connection, but all {all} of the pool are held here"),
        None if lent && protocol.is_transaction() => {
            format!("this statement needs a second connection from the pool while {subject} holds one")
        }
        None => format!("a second connection is taken from the pool while {subject} is held"),
    };
    let leaks = if event.inside.is_empty() {
        "this needs a second connection from the same pool".to_owned()
    } else {
        "this call needs a second connection from the same pool".to_owned()
    };
    let keyword = kept_by(context, site, event);
    let why = need.as_ref().map_or_else(
        || "when all tasks hold one connection and wait for a second one, they deadlock until the pool's timeout, or forever".to_owned(),
        Need::why,
    );
    let (held, by_reference) = words::holder(site, protocol, event);
    let help = match (held, keyword) {
        (Some(held), _) if is_joined_with(context, event, held) => {
            format!(
                "do what is joined here one after the other on `{held}`: at the same time it takes two connections, and {why}"
            )
        }
        (Some(held), _) if protocol.is_transaction() => {
            format!("run it on `{held}`, or before `{held}` begins or after it ends: {why}")
        }
        (Some(held), _) => {
            format!(
                "use `{held}` for this too, do it before `{held}` is taken, or {} first: {why}",
                words::give_back(by_reference, &format!("`{held}`"))
            )
        }
        // It would be asked once only before the loop.
        (None, Some("while")) => {
            format!(
                "use `loop`, and bind the result with `let` inside it: the `while` holds the {} until its body ends, and {why}",
                protocol.noun()
            )
        }
        (None, Some(keyword)) => format!(
            "bind the result with `let` before the `{keyword}`, which holds the {} until it ends: {why}",
            protocol.noun()
        ),
        (None, None) if let Some(lent) = in_closure(context, site, event) => match lent {
            Some(lent) => format!("run it on `{lent}`, which the closure is given: {why}"),
            None => format!("do it before the call that runs the closure: {why}"),
        },
        (None, None) => format!("end the statement that holds the {} first: {why}", protocol.noun()),
    };
    let words = Words { message, leaks, help: Some(help), fix: None };
    let mut finding = context.finding(CHECK.rule, site, events, event.cause.span, words);
    finding.labels.extend(need.map(|need| need.told()));
    finding
}

/// Whether both are used at the same time: `try_join!(first(&mut held), second(&mut other))`. One cannot be used for the other there.
fn is_joined_with(context: &Context<'_>, event: &Event, held: &str) -> bool {
    const JOINS: &str = "join!";
    let (at, span) = (event.cause.span, context.report.span);
    if at.file != span.file {
        return false;
    }
    let (start, end) = (at.start as usize, at.end as usize);
    let line = context.text.get(..start).and_then(|before| before.rsplit([';', '{', '}']).next()).unwrap_or_default();
    let other = line.trim_start().strip_prefix("let ").and_then(|names| words_of(names).find(|name| *name != "mut"));
    let joins = context.text.match_indices(JOINS).map(|(join, _)| join + JOINS.len());
    joins.filter(|join| (span.start as usize..span.end as usize).contains(join)).any(|join| {
        let Some(close) = context.language.end_of_call(context.text, join) else { return false };
        let is_used = |name: &str| words_of(&context.text[join..close]).any(|word| word == name);
        let is_inside = (join..close).contains(&start);
        is_used(held) && (is_inside || (join > end && other.is_some_and(is_used)))
    })
}

/// The first parameter of the closure that something happens in, which the call runs that keeps a session; `Some(None)` where it has none.
fn in_closure<'c>(context: &Context<'c>, site: &Site, event: &Event) -> Option<Option<&'c str>> {
    let span = event.cause.span;
    let around = |inner: &&Span| inner.contains(span) && !inner.contains(site.span) && inner.start > site.span.start;
    let closures = context.report.inner.iter().filter(around).filter_map(|inner| {
        let text = context.text.get(inner.start as usize..inner.end as usize)?;
        let text =
            ["async ", "move "].iter().fold(text.trim_start(), |text, word| text.strip_prefix(word).unwrap_or(text));
        text.strip_prefix('|')
    });
    let text = closures.into_iter().next()?;
    let name = text.trim_start().trim_start_matches("mut ");
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    Some((end > 0 && !name.starts_with('_')).then(|| &name[..end]))
}

/// The keyword whose value a session without a name is a part of, and lives as long as: that of `if let`, `while let` or `match`.
fn kept_by(context: &Context<'_>, site: &Site, event: &Event) -> Option<&'static str> {
    let text = |from: u32, to: u32| context.text.get(from as usize..to as usize);
    let is_here =
        |branch: &&Branch| branch.condition.file == site.span.file && site.span.file == context.report.span.file;
    event.branches.iter().filter(is_here).find_map(|Branch { condition, .. }| {
        if condition.end <= site.span.start {
            // `if let Some(row) = connect().await?.first()`.
            let behind = text(condition.end, site.span.start)?;
            let is_value = behind.trim_start().starts_with('=') && depth(behind)? == 0;
            let before = text(0, condition.start)?.trim_end();
            let word = before.strip_suffix("let").map_or(before, str::trim_end);
            is_value.then(|| ["if", "while"].into_iter().find(|keyword| word.ends_with(keyword)))?
        } else {
            // `match connect().await?.first() { Some(row) => ..`.
            let between = text(site.span.end, condition.start)?;
            (depth(between)? == 1).then_some("match")
        }
    })
}

/// How many braces are open behind a piece of text; `None` where a statement ends in it.
fn depth(text: &str) -> Option<i32> {
    let of = |c: char| text.matches(c).count() as i32;
    (!text.contains(';')).then(|| of('{') - of('}'))
}
