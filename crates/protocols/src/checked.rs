//! Is what a data file says of a type whole, and does it name what is there?

use crate::calls::{CancelUnsafe, EndKind, Ending, Opening, Shape, Source};
use crate::config::ConfigError;
use crate::id::{LibraryId, ProtocolId};
use crate::protocol::{Change, DropClass, Protocol, ProtocolKind, RunsClosure};
use crate::raw::RawProtocol;
use crate::versions::Versions;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

pub(crate) fn check(
    library: LibraryId,
    raw: RawProtocol,
    ids: &BTreeMap<String, ProtocolId>,
    error: &dyn Fn(String, Range<usize>) -> ConfigError,
) -> Result<Protocol, ConfigError> {
    let Some(written) = &raw.kind else {
        return Err(error("`kind` is missing: what kind of thing is it?".to_owned(), raw.id.span()));
    };
    let named = ProtocolKind::ALL.iter().find(|(word, _)| word == written.get_ref());
    let Some((_, kind)) = named.copied() else {
        let known: Vec<&str> = ProtocolKind::ALL.iter().map(|(word, _)| *word).collect();
        let message = format!("unknown kind `{}`: one of {}", written.get_ref(), known.join(", "));
        return Err(error(message, written.span()));
    };
    let class = match raw.class.as_ref().map(|class| (class.get_ref().as_str(), class.span())) {
        None => None,
        Some(("A", _)) => Some(DropClass::A),
        Some(("B", _)) => Some(DropClass::B),
        Some(("C", _)) => Some(DropClass::C),
        Some(("D", _)) => Some(DropClass::D),
        Some(("E", _)) => Some(DropClass::E),
        Some(("F", _)) => Some(DropClass::F),
        Some(("G", _)) => Some(DropClass::G),
        Some((other, span)) => return Err(error(format!("unknown drop class `{other}`: one of A to G"), span)),
    };
    let (paths, paths_span) = match raw.paths {
        Some(paths) => {
            let span = paths.span();
            (paths.into_inner(), span)
        }
        None => (Vec::new(), raw.id.span()),
    };
    if (paths.is_empty() && !raw.in_place) || paths.iter().any(|path| !path.contains("::")) {
        return Err(error("`paths` needs full paths, as in `mycrate::db::Transaction`".to_owned(), paths_span));
    }
    if class.is_none() && !matches!(kind, ProtocolKind::Pool | ProtocolKind::Builder) {
        return Err(error("`class` is missing: what does dropping it do (A to G)?".to_owned(), raw.id.span()));
    }
    let id_of = |name: &Spanned<String>| {
        let unknown = || error(format!("no protocol is called `{}`", name.get_ref()), name.span());
        ids.get(name.get_ref()).copied().ok_or_else(unknown)
    };
    let mut openings = Vec::new();
    for opening in raw.open {
        let source = match (&opening.on, &opening.assoc, &opening.path) {
            (Some(on), None, None) => Source::Method(id_of(on)?),
            (None, Some(assoc), None) => Source::Associated(id_of(assoc)?),
            (None, None, Some(path)) => Source::Function(path.get_ref().clone()),
            _ => {
                let message = format!("`{}` needs exactly one of `on`, `assoc` and `path`", opening.call);
                return Err(error(message, raw.id.span()));
            }
        };
        let shape = match &opening.gives {
            None => Vec::new(),
            Some(gives) => match gives.get_ref().as_str() {
                "it" => Vec::new(),
                "Result<it>" | "Option<it>" => vec![Shape::Fallible],
                "Result<Option<it>>" => vec![Shape::Fallible, Shape::Fallible],
                "Result<(it, _)>" => vec![Shape::Fallible, Shape::Tuple { index: 0, len: 2 }],
                "Result<(_, it)>" => vec![Shape::Fallible, Shape::Tuple { index: 1, len: 2 }],
                "(it, _)" => vec![Shape::Tuple { index: 0, len: 2 }],
                "(_, it)" => vec![Shape::Tuple { index: 1, len: 2 }],
                other => {
                    let message = format!(
                        "`gives = \"{other}\"` is not understood: one of it, Result<it>, Option<it>, \
                         Result<Option<it>>, Result<(it, _)>, Result<(_, it)>, (it, _), (_, it)"
                    );
                    return Err(error(message, gives.span()));
                }
            },
        };
        let cancel_unsafe = match opening.cancel_unsafe {
            Some(raw) => Some(CancelUnsafe {
                package: raw.package,
                versions: versions(&raw.versions, error)?,
                features: raw.features,
                unless: raw.unless,
            }),
            None => None,
        };
        openings.push(Opening {
            source,
            call: opening.call,
            is_async: opening.is_async,
            args: opening.args,
            shape,
            when: opening.when.as_ref().map(|when| versions(when, error)).transpose()?,
            cancel_unsafe,
            exclusive: opening.exclusive,
            in_memory: opening.in_memory,
            there: opening.there,
        });
    }
    let mut endings = Vec::new();
    for ending in raw.end {
        let kind = match ending.kind.get_ref().as_str() {
            "commit" => EndKind::Commit,
            "rollback" => EndKind::Rollback,
            "close" => EndKind::Close,
            other => {
                let message = format!("`as = \"{other}\"` is not understood: one of commit, rollback, close");
                return Err(error(message, ending.kind.span()));
            }
        };
        endings.push(Ending {
            call: ending.call,
            kind,
            is_async: ending.is_async,
            eager: ending.eager,
            fallible: ending.fallible,
            when: ending.when.as_ref().map(|when| versions(when, error)).transpose()?,
            args: ending.args,
            then: ending.then,
        });
    }
    let mut changes = Vec::new();
    for change in raw.changes {
        let becomes = change.becomes.as_ref().map(id_of).transpose()?;
        changes.push(Change { call: change.call, to: change.to, becomes });
    }
    let configured_by = raw.configured_by.as_ref().map(id_of).transpose()?;
    let closures = raw.closures.iter().map(|closure| {
        let gets = closure.gets.as_ref().map(id_of).transpose()?;
        Ok(RunsClosure { call: closure.call.clone(), gets })
    });
    let closures = closures.collect::<Result<_, ConfigError>>()?;
    Ok(Protocol {
        id: raw.id.into_inner(),
        library,
        kind,
        noun: raw.noun,
        class,
        on_drop: raw.on_drop,
        paths,
        not_in: raw.not_in,
        pooled: raw.pooled,
        in_place: raw.in_place,
        needs_end: raw.needs_end.unwrap_or(class.is_some_and(|class| class >= DropClass::C))
            || raw.needs_end_when_written,
        needs_end_when_written: raw.needs_end_when_written,
        keeps_begin: raw.keeps_begin,
        failed_commit: raw.failed_commit,
        ddl_commits: raw.ddl_commits,
        asks: raw.asks,
        openings,
        endings,
        leaks: raw.leaks,
        same: raw.same,
        same_with_constants: raw.same_with_constants,
        hands_off: raw.hands_off,
        changes,
        runs: raw.runs,
        scoped: raw.scoped,
        closures,
        lends: raw.lends,
        versions: raw.versions,
        made_once: raw.made_once,
        made_here_only: raw.made_here_only,
        pools_with: raw.pools_with,
        settings: raw.settings,
        configured_by,
        as_executor: raw.as_executor,
        finishes: raw.finishes,
        footer: raw.footer,
        errors_late: raw.errors_late,
        implicit: raw.implicit,
        optimistic: raw.optimistic,
        shared: raw.shared,
        shared_by_type: raw.shared_by_type,
        queues: raw.queues,
        ends_by_reference: raw.ends_by_reference,
        named_by: raw.named_by,
        ended_through: raw.ended_through,
        instead_of_leaking: raw.instead_of_leaking,
        learned_from: None,
        holds_connection: false,
    })
}

fn versions(
    text: &Spanned<String>,
    error: &dyn Fn(String, Range<usize>) -> ConfigError,
) -> Result<Versions, ConfigError> {
    Versions::parse(text.get_ref()).map_err(|why| error(format!("`{}`: {why}", text.get_ref()), text.span()))
}
