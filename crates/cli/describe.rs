//! The commands that describe: `rules`, `explain`, `libraries`.

use crate::arguments::ListFormat;
use crate::terminal;
use sessionlint_protocols::{EndKind, Model, Profile, Protocol, RuleInfo, RuleSet, Source};
use std::process::ExitCode;

/// Lists rules.
pub fn rules(rule: Option<&str>, format: ListFormat) -> ExitCode {
    let rules = RuleSet::built_in();
    let chosen: Vec<&RuleInfo> = match rule {
        Some(id) => match rules.get(id) {
            Some(rule) => vec![rule],
            None => return unknown_rule(&rules, id),
        },
        None => rules.iter().collect(),
    };
    let text = match format {
        ListFormat::Text => {
            let width = chosen.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
            let line = |rule: &&RuleInfo| {
                let levels = (rule.level(Profile::Default), rule.level(Profile::Strict));
                format!(
                    "{:width$}  {:5} {:5}  {:6}  {}\n",
                    rule.id,
                    levels.0.as_str(),
                    levels.1.as_str(),
                    rule.languages.join(","),
                    rule.summary
                )
            };
            let head = format!("{:width$}  {:5} {:5}  {:6}  {}\n", "rule", "level", "strict", "for", "reports when");
            head + &chosen.iter().map(line).collect::<String>()
        }
        ListFormat::Json => sessionlint_report::rules_json(&chosen.iter().map(|rule| listed(rule)).collect::<Vec<_>>()),
    };
    print(&text)
}

fn listed(rule: &RuleInfo) -> sessionlint_report::ListedRule<'_> {
    sessionlint_report::ListedRule {
        id: &rule.id,
        level: rule.level(Profile::Default).as_str(),
        strict: rule.level(Profile::Strict).as_str(),
        languages: &rule.languages,
        summary: &rule.summary,
    }
}

/// Says what a rule means.
pub fn explain(id: &str) -> ExitCode {
    let rules = RuleSet::built_in();
    let Some(rule) = rules.get(id) else { return unknown_rule(&rules, id) };
    let indent = |code: &str| code.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let text = format!(
        "{} ({}; {} in the profile `strict`)\n\nReports when {}.\n\n{}\n\nReported:\n\n{}\nRight:\n\n{}\nTo silence one \
         place, write above it:\n\n    // sessionlint: allow({}) -- the reason\n",
        rule.id,
        rule.level(Profile::Default),
        rule.level(Profile::Strict),
        rule.summary,
        rule.why.trim(),
        indent(&rule.bad),
        indent(&rule.good),
        rule.id,
    );
    print(&text)
}

fn unknown_rule(rules: &RuleSet, id: &str) -> ExitCode {
    let hint = rules.did_you_mean(id).map(|hint| format!("; {hint}")).unwrap_or_default();
    terminal::complain(&format!("sessionlint: no rule is called `{id}`{hint}\n"));
    ExitCode::from(2)
}

/// Lists what is known about libraries.
pub fn libraries(name: Option<&str>) -> ExitCode {
    let model = Model::built_in();
    let mut text = String::new();
    for (id, library) in model.libraries() {
        let named = |name: &str| library.name == name || library.crates.iter().any(|package| package == name);
        if name.is_some_and(|name| !named(name)) {
            continue;
        }
        text.push_str(&format!("{} ({})\n", library.name, library.versions.join(", ")));
        for (_, protocol) in model.protocols().filter(|(_, protocol)| protocol.library == id) {
            if protocol.is_session() {
                text.push_str(&describe(&model, protocol));
            }
        }
    }
    match (text.is_empty(), name) {
        (true, Some(name)) => {
            terminal::complain(&format!("sessionlint: nothing is known about a library called `{name}`\n"));
            ExitCode::from(2)
        }
        _ => print(&text),
    }
}

fn describe(model: &Model, protocol: &Protocol) -> String {
    let class = protocol.class.map_or("-", |class| class.as_str());
    let title = if protocol.in_place { "(state of the connection)" } else { protocol.type_name() };
    let mut openings: Vec<String> = Vec::new();
    for opening in &protocol.openings {
        let call = match &opening.source {
            Source::Method(on) => format!("{}.{}()", model.protocol(*on).type_name(), opening.call),
            Source::Associated(on) => format!("{}::{}()", model.protocol(*on).type_name(), opening.call),
            Source::Function(path) => format!("{path}()"),
        };
        openings.push(call);
    }
    let end = |kind: EndKind| match kind {
        EndKind::Commit => "commit",
        EndKind::Rollback => "rollback",
        EndKind::Close => "close",
    };
    let endings: Vec<String> = protocol
        .endings
        .iter()
        .map(|ending| {
            let wait = if ending.is_async { ".await" } else { "" };
            format!("{}(){wait} = {}", ending.call, end(ending.kind))
        })
        .collect();
    format!(
        "  {} {title} [{class}]\n    opened by: {}\n    ended by:  {}\n    dropping {}\n",
        protocol.noun(),
        or_none(&openings),
        or_none(&endings),
        if protocol.on_drop.is_empty() { "it does nothing".to_owned() } else { format!("it {}", protocol.on_drop) },
    )
}

fn or_none(list: &[String]) -> String {
    if list.is_empty() { "-".to_owned() } else { list.join(", ") }
}

fn print(text: &str) -> ExitCode {
    match terminal::print(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&format!("sessionlint: standard output: {error}\n"));
            ExitCode::from(2)
        }
    }
}
