//! A pool is made without limits of its own.

use crate::{Check, Context, Words};
use sessionlint_analysis::{Event, EventKind, Site};
use sessionlint_diagnostics::Diagnostic;
use sessionlint_protocols::Protocol;

pub(super) const CHECK: Check = Check { rule: "pool-settings", run };

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    context.by_site(is_mistake).into_iter().map(|(site, events)| word(context, site, &events)).collect()
}

fn is_mistake(_: &Site, _: &Protocol, event: &Event) -> bool {
    matches!(event.kind, EventKind::Settings { .. })
}

fn word(context: &Context<'_>, site: &Site, events: &[&Event]) -> Diagnostic {
    let event = events[0];
    let missing: &[(String, String)] = match &event.kind {
        EventKind::Settings { missing } => missing,
        _ => &[],
    };
    let names: Vec<&str> = missing.iter().map(|(name, _)| name.as_str()).collect();
    let defaults: Vec<String> = missing.iter().map(|(name, default)| format!("{name}: {default}")).collect();
    let message = format!("this pool does not set its {}", listed(&names));
    let leaks = format!("the defaults are: {}", defaults.join("; "));
    let builder = context.protocol(site).configured_by.map(|builder| context.model.protocol(builder));
    let calls =
        builder.iter().flat_map(|builder| &builder.settings).filter(|setting| names.contains(&setting.sets.as_str()));
    let calls: Vec<String> = calls.map(|setting| format!("`{}`", setting.call)).collect();
    let help = builder.map(|builder| format!("set {} on `{}`", calls.join(", "), builder.type_name()));
    context.finding(CHECK.rule, site, events, site.span, Words { message, leaks, help, fix: None })
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
