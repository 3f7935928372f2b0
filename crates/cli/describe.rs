//! The commands that describe: `rules`, `explain`, `libraries`, `schema`.

use crate::arguments::{Check, ListFormat, Schema};
use crate::options::options;
use crate::terminal;
use sessionlint_engine::Engine;
use sessionlint_protocols::{Model, Profile, RuleInfo, RuleSet, nearest};
use std::path::PathBuf;
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
    print(&sessionlint_report::rule(rule))
}

fn unknown_rule(rules: &RuleSet, id: &str) -> ExitCode {
    let hint = rules.did_you_mean(id).map(|hint| format!("; {hint}")).unwrap_or_default();
    terminal::complain(&format!("sessionlint: no rule is called `{id}`{hint}\n"));
    ExitCode::from(2)
}

/// Lists what is known about libraries: all of them in a table, or one in detail.
pub fn libraries(name: Option<&str>) -> ExitCode {
    let model = Model::built_in();
    let Some(name) = name else { return print(&sessionlint_report::table(&model)) };
    let named = model
        .libraries()
        .filter(|(_, library)| library.name == name || library.crates.iter().any(|package| package == name));
    let text: String = named.map(|(id, _)| sessionlint_report::library(&model, id)).collect();
    if text.is_empty() {
        let known = model.libraries().map(|(_, library)| library.name.as_str());
        let near = nearest(name, known).map(|near| format!("; did you mean `{near}`?"));
        let hint = near.unwrap_or_else(|| "; `sessionlint libraries` lists those that are known".to_owned());
        terminal::complain(&format!("sessionlint: no library is called `{name}`{hint}\n"));
        return ExitCode::from(2);
    }
    print(&text)
}

/// Lists the transaction types of the project's own that are found below a path, with what says so.
pub fn learned(path: PathBuf) -> ExitCode {
    let check = Check { paths: vec![path], ..Check::default() };
    let shown = options(&check).and_then(|options| {
        let told = |failure| crate::check::told(&check, &failure);
        Engine::new(options, sessionlint_languages::ALL).map_err(told)?.show_learned().map_err(told)
    });
    match shown {
        Ok(text) if text.is_empty() => print("no transaction type that this project defines itself was found\n"),
        Ok(text) => print(&text),
        Err(message) => crate::check::refuse(&message),
    }
}

/// Prints a schema.
pub fn schema(of: Schema) -> ExitCode {
    print(match of {
        Schema::Rules => include_str!("../../docs/schema/rules.json"),
        Schema::Report => include_str!("../../docs/schema/report.json"),
        Schema::Statistics => include_str!("../../docs/schema/statistics.json"),
    })
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
