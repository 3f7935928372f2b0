//! How is what is known told? Rules and libraries as text for terminals and as pages in Markdown.

use sessionlint_protocols::{
    EndKind, Ending, Library, LibraryId, Model, Opening, Profile, Protocol, ProtocolId, RuleInfo, Source,
};
use std::fmt::Write as _;

/// One example for a page: a function and what is reported in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The code.
    pub code: String,
    /// Ids of the rules that report it; none for code that is right.
    pub rules: Vec<String>,
}

/// Every session type on a line: for `sessionlint libraries`.
pub fn table(model: &Model) -> String {
    let head = ["type", "kind", "drop", "ended by", "read in"].map(str::to_owned);
    let mut rows = vec![head];
    for (id, library) in model.libraries() {
        for protocol in sessions(model, id) {
            let versions = protocol.versions.clone().unwrap_or_else(|| library.versions.join(", "));
            let ends: Vec<&str> = protocol.endings.iter().map(|ending| ending.call.as_str()).collect();
            rows.push([
                protocol.id.clone(),
                protocol.noun().to_owned(),
                class(protocol).to_owned(),
                if ends.is_empty() { "-".to_owned() } else { ends.join(", ") },
                versions,
            ]);
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}  "));
        format!("{}{}\n", cells.collect::<String>(), row[4])
    };
    let mut text: String = rows.iter().map(line).collect();
    text.push_str(
        "\ndrop: A rolls back or closes at once, B later, C in a background task that may be lost, D while the thread blocks,\n",
    );
    text.push_str(
        "      E: there is no value to drop, F: dropping does nothing, G: dropping panics; pools have no class\n",
    );
    text
}

/// All that is known about a library, for a terminal.
pub fn library(model: &Model, id: LibraryId) -> String {
    let library = model.library(id);
    let mut text = format!("{} ({})\n", library.name, library.versions.join(", "));
    for protocol in sessions(model, id) {
        let title = if protocol.in_place { "(state of the connection)" } else { protocol.type_name() };
        let _ = writeln!(
            text,
            "  {} {title} [{}]\n    opened by: {}\n    ended by:  {}\n    dropping {}",
            protocol.noun(),
            class(protocol),
            or_none(protocol.openings.iter().map(|opening| opened(model, opening))),
            or_none(protocol.endings.iter().map(ended)),
            dropping(protocol),
        );
    }
    text
}

/// The page of a library, with examples.
pub fn library_page(model: &Model, id: LibraryId, examples: &[Example]) -> String {
    let library = model.library(id);
    let mut page = format!("# {}\n\n{GENERATED}\n\n", library.name);
    let _ = writeln!(page, "{}\n", library.about);
    let _ = writeln!(page, "Packages: {}. Read in: {}.\n", code_list(&library.crates), library.versions.join(", "));
    page.push_str("| type | kind | opened by | ended by | dropping it | class |\n|---|---|---|---|---|---|\n");
    for protocol in sessions(model, id) {
        let name = match protocol.paths.first() {
            Some(path) if !protocol.in_place => format!("`{path}`"),
            _ => "a state of the connection".to_owned(),
        };
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} |",
            protocol.noun(),
            or_none(protocol.openings.iter().map(|opening| format!("`{}`", opened(model, opening)))),
            or_none(protocol.endings.iter().map(|ending| format!("`{}`", ended(ending)))),
            dropping(protocol).trim_start_matches("it "),
            class(protocol),
        );
    }
    page.push_str("\nThe classes are explained [in the list of libraries](README.md).\n");
    extras(model, id, library, &mut page);
    for (title, wanted) in [("Reported", true), ("Silent", false)] {
        let chosen: Vec<&Example> = examples.iter().filter(|example| example.rules.is_empty() != wanted).collect();
        if chosen.is_empty() {
            continue;
        }
        let _ = writeln!(page, "\n## {title}");
        for example in chosen {
            if wanted {
                let links: Vec<String> =
                    example.rules.iter().map(|rule| format!("[{rule}](../rules/{rule}.md)")).collect();
                let _ = write!(page, "\n{}:\n", links.join(", "));
            }
            let _ = write!(page, "\n```rust\n{}\n```\n", example.code.trim_end());
        }
    }
    page
}

fn extras(model: &Model, id: LibraryId, library: &Library, page: &mut String) {
    for protocol in model.protocols().filter(|(_, protocol)| protocol.library == id).map(|(_, protocol)| protocol) {
        if !protocol.settings.is_empty() {
            let _ = write!(
                page,
                "\nSettings of `{}`:\n\n| call | sets | when it is not set |\n|---|---|---|\n",
                protocol.type_name()
            );
            for setting in &protocol.settings {
                let _ = writeln!(page, "| `{}` | {} | {} |", setting.call, setting.sets, setting.default);
            }
        }
        for hole in
            protocol.openings.iter().filter_map(|opening| Some((opening, opening.cancel_unsafe.as_ref()?))).take(1)
        {
            let _ = writeln!(
                page,
                "\n`{}` is not cancel-safe in {} {}.",
                opened(model, hole.0),
                hole.1.package,
                hole.1.versions
            );
        }
        if !protocol.leaks.is_empty() {
            let _ = writeln!(page, "\nA `{}` is leaked by: {}.", protocol.type_name(), code_list(&protocol.leaks));
        }
        if !protocol.scoped.is_empty() {
            let _ = writeln!(
                page,
                "\nThese run a closure inside a transaction of their own, and end it themselves: {}.",
                code_list(&protocol.scoped)
            );
        }
    }
    if !library.writes.is_empty() {
        let _ = writeln!(page, "\nWrites: {}.", code_list(&library.writes));
    }
}

/// What a session owes, and what dropping it does, in Markdown: for editors.
pub fn session(model: &Model, id: ProtocolId, name: &str) -> String {
    let protocol = model.protocol(id);
    let library = model.library(protocol.library);
    let of_type = match protocol.paths.first() {
        Some(path) if !protocol.in_place => format!(", `{path}`"),
        _ => String::new(),
    };
    let mut text = format!("**{} `{name}`**{of_type} ({})\n\n", protocol.noun(), library.name);
    let ends: Vec<String> = protocol.endings.iter().map(|ending| format!("`{}`", ended(ending))).collect();
    if ends.is_empty() {
        text.push_str("There is no call that ends it.");
    } else {
        let _ = write!(text, "It is ended by {}.", ends.join(", "));
    }
    let _ = write!(text, "\n\nDropping {}.", dropping(protocol));
    text
}

/// What a rule means, in Markdown: for editors.
pub fn rule_markdown(rule: &RuleInfo) -> String {
    format!(
        "**{}**: reports when {}.\n\n{}\n\nRight:\n\n```rust\n{}\n```",
        rule.id,
        rule.summary,
        rule.why.trim(),
        rule.good.trim()
    )
}

/// The list of all libraries.
pub fn libraries_index(model: &Model) -> String {
    let mut page = format!("# Libraries\n\n{GENERATED}\n\n");
    page.push_str(
        "What dropping an open session does decides what is a mistake:\n\n\
         | class | dropping an open session |\n|---|---|\n\
         | A | rolls back, or closes, at once |\n\
         | B | rolls back later: the rollback is queued or sent, or runs at the next use |\n\
         | C | cleanup runs in a background task, which is lost if the runtime ends first |\n\
         | D | cleanup blocks the thread |\n\
         | E | there is no value to drop: the state belongs to the connection |\n\
         | F | there is a value, and dropping it does nothing |\n\
         | G | dropping panics |\n\n\
         | library | session types | class | read in |\n|---|---|---|---|\n",
    );
    for (id, library) in model.libraries() {
        let types: Vec<&Protocol> = sessions(model, id);
        let names: Vec<&str> = types.iter().map(|protocol| protocol.id.split('.').nth(1).unwrap_or_default()).collect();
        let mut classes: Vec<&str> = types.iter().filter_map(|protocol| Some(protocol.class?.as_str())).collect();
        classes.sort_unstable();
        classes.dedup();
        let _ = writeln!(
            page,
            "| [{0}]({0}.md) | {1} | {2} | {3} |",
            library.name,
            names.join(", "),
            classes.join(" "),
            library.versions.join(", ")
        );
    }
    page.push_str(
        "\nTo add a library, write one data file and two fixtures: [adding a library](../adding-a-library.md).\n",
    );
    page
}

/// What a rule means, for a terminal.
pub fn rule(rule: &RuleInfo) -> String {
    let indent = |code: &str| code.lines().map(|line| format!("    {line}\n")).collect::<String>();
    format!(
        "{} ({}; {} in the profile `strict`)\n\nReports when {}.\n\n{}\n\nReported:\n\n{}\nRight:\n\n{}\nTo suppress it in one \
         place, write this comment above the line:\n\n    // sessionlint: allow({}) -- the reason\n",
        rule.id,
        rule.level(Profile::Default),
        rule.level(Profile::Strict),
        rule.summary,
        rule.why.trim(),
        indent(&rule.bad),
        indent(&rule.good),
        rule.id,
    )
}

/// The page of a rule.
pub fn rule_page(rule: &RuleInfo) -> String {
    format!(
        "# {0}\n\n{GENERATED}\n\nLevel: {1}, and {2} in the profile `strict`.\n\nReports when {3}.\n\n{4}\n\n## Reported\n\n\
         ```rust\n{5}\n```\n\n## Right\n\n```rust\n{6}\n```\n\n## Suppressing it in one place\n\n```rust\n// sessionlint: allow({0}) -- \
         the reason\n```\n",
        rule.id,
        rule.level(Profile::Default),
        rule.level(Profile::Strict),
        rule.summary,
        rule.why.trim(),
        rule.bad.trim(),
        rule.good.trim(),
    )
}

/// The list of all rules.
pub fn rules_index<'a>(rules: impl Iterator<Item = &'a RuleInfo>) -> String {
    let mut page = format!("# Rules\n\n{GENERATED}\n\n| rule | level | strict | reports when |\n|---|---|---|---|\n");
    for rule in rules {
        let _ = writeln!(
            page,
            "| [{0}]({0}.md) | {1} | {2} | {3} |",
            rule.id,
            rule.level(Profile::Default),
            rule.level(Profile::Strict),
            rule.summary
        );
    }
    page
}

const GENERATED: &str = "<!-- Made from the data by `UPDATE_DOCS=1 cargo test --test docs`; changes here are lost. -->";

fn sessions(model: &Model, id: LibraryId) -> Vec<&Protocol> {
    let of_library = model.protocols().filter(|(_, protocol)| protocol.library == id).map(|(_, protocol)| protocol);
    of_library
        .filter(|protocol| protocol.is_session() || (protocol.made_once && !protocol.openings.is_empty()))
        .collect()
}

fn class(protocol: &Protocol) -> &'static str {
    protocol.class.map_or("-", |class| class.as_str())
}

fn opened(model: &Model, opening: &Opening) -> String {
    match &opening.source {
        Source::Method(on) => format!("{}.{}()", model.protocol(*on).type_name(), opening.call),
        Source::Associated(on) => format!("{}::{}()", model.protocol(*on).type_name(), opening.call),
        Source::Function(path) => format!("{path}()"),
    }
}

fn ended(ending: &Ending) -> String {
    let what = match ending.kind {
        EndKind::Commit => "commit",
        EndKind::Rollback => "rollback",
        EndKind::Close => "close",
    };
    let wait = if ending.is_async { ".await" } else { "" };
    let name = if ending.call == what { String::new() } else { format!(" = {what}") };
    format!("{}(){wait}{name}", ending.call)
}

fn dropping(protocol: &Protocol) -> String {
    match protocol.on_drop.as_str() {
        "" if protocol.is_session() => "it does nothing".to_owned(),
        "" => "it closes its connections once no clone is left".to_owned(),
        known => format!("it {known}"),
    }
}

fn code_list(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn or_none(list: impl Iterator<Item = String>) -> String {
    let mut list: Vec<String> = list.collect();
    let mut seen = std::collections::HashSet::new();
    list.retain(|one| seen.insert(one.clone()));
    if list.is_empty() { "-".to_owned() } else { list.join(", ") }
}
