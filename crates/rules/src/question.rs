//! How does the error of a call leave the function? `?` where the function's error takes it, or what a neighbour does.

use crate::fix::{end_of_call, words_of};
use crate::{Context, words};
use sessionlint_analysis::Site;
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_protocols::{Ending, Protocol, Standard};

/// A call that ends a session, as one would write it.
pub(crate) struct UsualCall {
    pub call: String,
    /// What is left to do, as the rest of a sentence.
    pub rest: &'static str,
}

impl Context<'_> {
    /// What stands behind a call that ends a session, and its `.await`, so that its error leaves the function: `?` or
    /// `.map_err(Error::from)?`. Nothing for a call without an error, `None` when it cannot be told.
    pub(crate) fn question(&self, site: &Site, protocol: &Protocol, ending: &Ending) -> Option<String> {
        if !ending.fallible {
            return Some(String::new());
        }
        if !self.report.gives_result {
            return None;
        }
        let is_own = site.own_end.as_ref().is_some_and(|(name, _)| *name == ending.call);
        let same = site.ended.iter().filter(|(end, _)| self.name_at(*end) == Some(ending.call.as_str()));
        let mut same = same.filter_map(|(end, _)| self.after_call(*end));
        if let Some(same) = same.next() {
            return Some(same);
        }
        if is_own || site.is_wrapped() {
            return None;
        }
        if (self.takes_error)(protocol.library) {
            return Some("?".to_owned());
        }
        if self.model.library(protocol.library).errors_vary || self.model.library(protocol.library).errors.is_empty() {
            return None;
        }
        // All calls of the library give the same error.
        let is_opened = |other: &&Site| {
            let known = self.protocol(other);
            known.library == protocol.library && !other.raw && !other.parameter && other.evidence != Evidence::Inferred
        };
        let opened = self.report.sites.iter().filter(is_opened);
        let adapters = opened.filter_map(|other| self.after_call(other.span));
        adapters.into_iter().find(|adapter| !adapter.contains('"'))
    }

    /// The call that commits or closes a session, with what hands its error on where that can be told.
    pub(crate) fn usual_call(&self, site: &Site, protocol: &Protocol) -> Option<UsualCall> {
        let ending = words::usual_ending(site, protocol)?;
        let call = words::call(site, &ending);
        let question = self.question(site, protocol, &ending).or_else(|| self.neighbour(site));
        Some(match question {
            Some(question) => UsualCall { call: call + &question, rest: "" },
            None => UsualCall { call, rest: ", and handle its error" },
        })
    }

    /// What stands behind other calls on a session, or behind the one that opened it: their errors are those of its end, most likely.
    fn neighbour(&self, site: &Site) -> Option<String> {
        if !self.report.gives_result {
            return None;
        }
        let (name, body) = (site.name.as_deref()?, self.report.span);
        let start = body.start as usize;
        let calls = self.function_text().match_indices(name).filter_map(|(at, _)| {
            let before = self.text[..start + at].chars().next_back();
            let is_other = before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
            let method = self.text[start + at + name.len()..].strip_prefix('.').filter(|_| !is_other)?;
            let length = method.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            let from = start + at + name.len() + 1;
            Some(Span { start: from as u32, end: (from + length) as u32, ..body })
        });
        let adapters = calls.chain([site.span]).filter_map(|call| self.after_call(call));
        adapters.into_iter().find(|adapter| !adapter.contains('"'))
    }

    /// Whether a call of a function uses a variable: as an argument, or as what it is called on.
    pub(crate) fn is_passed(&self, name: Span, variable: &str) -> bool {
        if self.name_at(name).is_none() {
            return false;
        }
        let (before, at) = (&self.text[..name.start as usize], name.end as usize);
        let arguments = end_of_call(self.text, at).map_or("", |end| &self.text[at..end]);
        let receiver = before
            .strip_suffix('.')
            .and_then(|before| before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next())
            == Some(variable);
        receiver || words_of(arguments).any(|word| word == variable)
    }

    fn name_at(&self, span: Span) -> Option<&str> {
        (span.file == self.report.span.file).then(|| self.text.get(span.start as usize..span.end as usize))?
    }

    /// What stands behind a call, its `.await` left out, up to the `?` through which its error leaves this body.
    fn after_call(&self, name: Span) -> Option<String> {
        let is_inner = |inner: &Span| inner.start <= name.start && name.end <= inner.end;
        if self.report.inner.iter().any(is_inner) || self.function_text().contains("async ") {
            return None;
        }
        self.name_at(name)?;
        adapters(self.text, self.model.standard(), end_of_call(self.text, name.end as usize)?)
    }
}

/// The methods that make another error, and the `?`, behind the call that ends at `at`.
fn adapters(text: &str, standard: &Standard, mut at: usize) -> Option<String> {
    let mut found = String::new();
    let skipped = |at: usize| text.get(at..).map(|rest| at + rest.len() - rest.trim_start().len());
    at = skipped(at)?;
    if text[at..].starts_with(".await") {
        at = skipped(at + ".await".len())?;
    }
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with('?') {
            found.push('?');
            return Some(found);
        }
        let name = rest.strip_prefix('.')?;
        let name = &name[..name.find(|c: char| !c.is_alphanumeric() && c != '_')?];
        let open = at + 1 + name.len();
        let end = end_of_call(text, open)?;
        let arguments = text.get(open + 1..end - 1)?;
        let is_adapter = match arguments.trim().is_empty() {
            true => !standard.leaves(name),
            false => standard.translates(name) && is_self_contained(arguments),
        };
        if !is_adapter {
            return None;
        }
        found.push_str(text.get(at..end)?);
        at = skipped(end)?;
    }
}

/// Whether an argument means the same elsewhere in the function: a path, a text, or a closure that uses no variables but
/// its own.
fn is_self_contained(argument: &str) -> bool {
    if argument.contains(['?', '\n', '{']) || argument.contains(".await") || argument.contains("return") {
        return false;
    }
    if argument.starts_with('"') {
        return argument.trim_end().ends_with('"') && argument.matches('"').count() == 2;
    }
    let (own, body) = match argument.strip_prefix('|').and_then(|rest| rest.split_once('|')) {
        Some((own, body)) => (own, body),
        // A path, whatever it names.
        None => return argument.chars().all(|c| c.is_alphanumeric() || "_:".contains(c)),
    };
    if body.contains('"') {
        return false;
    }
    let mut at = 0;
    body.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_').all(|piece| {
        let before = body[..at].chars().next_back();
        at += piece.len();
        let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let after = &body[at - (piece.len() - word.len())..];
        word.is_empty()
            || word.starts_with(|c: char| c.is_uppercase() || c.is_numeric())
            || own.split([',', ':', ' ']).any(|name| name == word)
            || matches!(before, Some('.' | ':'))
            || after.starts_with("::")
            || after.starts_with('(')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_neighbour_does_is_read_up_to_its_question_mark() {
        let model = sessionlint_protocols::Model::built_in();
        for (text, expected) in [
            (".await?;", Some("?")),
            ("?;", Some("?")),
            ("\n    .await\n    .map_err(Error::from)?;", Some(".map_err(Error::from)?")),
            (".await.map_err(|e| Error::Db(e.to_string()))?;", Some(".map_err(|e| Error::Db(e.to_string()))?")),
            (".await.or_fault()?;", Some(".or_fault()?")),
            (".await.context(\"commit\")?;", Some(".context(\"commit\")?")),
            (".await.map_err(|e| Error::Db(id, e))?;", None),
            (".await.map_err(|e| fail(&log, e))?;", None),
            (".await.context(format!(\"{id}\"))?;", None),
            (".await.ok()?;", None),
            (".await.unwrap();", None),
            (".await.unwrap_or(1)?;", None),
            (".await;", None),
        ] {
            assert_eq!(adapters(text, model.standard(), 0).as_deref(), expected, "{text}");
        }
    }
}
