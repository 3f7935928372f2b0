//! How does the error of a call leave the function? `?` where the function's error takes it, or what a neighbour does.

use crate::fix::words_of;
use crate::{Context, words};
use sessionlint_analysis::Site;
use sessionlint_diagnostics::{Evidence, Span};
use sessionlint_protocols::{Ending, Protocol};

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
        let arguments = self.language.end_of_call(self.text, at).map_or("", |end| &self.text[at..end]);
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
        let standard = self.model.standard();
        let adapts = |name: &str, with_arguments: bool| match with_arguments {
            true => standard.translates(name),
            false => !standard.leaves(name),
        };
        let end = self.language.end_of_call(self.text, name.end as usize)?;
        self.language.error_leaves(self.text, end, &adapts)
    }
}
