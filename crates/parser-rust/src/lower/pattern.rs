//! Patterns: tests, and the variables they bind to parts of the matched place.

use super::Lowerer;
use super::condition::{literal_text, value_key};
use super::frame::Stable;
use crate::types::name;
use sessionlint_ir::{BlockId, Place, Projection, StatementKind, Test, TestRole};
use syn::{Member, Pat};

impl Lowerer<'_> {
    /// Tests `place` against the pattern, going to `fail` when it does not match, and binds its variables in
    /// the innermost scope. Without `fail` the pattern cannot fail.
    pub(super) fn pattern(&mut self, pattern: &Pat, place: &Place, fail: Option<BlockId>) {
        let scope = self.frame().scope_depth() - 1;
        self.pattern_at(pattern, place, fail, scope);
    }

    /// The same for a pattern that can fail: its tests are one to whom it is explained, in this role.
    pub(super) fn pattern_as(&mut self, role: TestRole, pattern: &Pat, place: &Place, fail: BlockId) {
        let scope = self.frame().scope_depth() - 1;
        self.pattern_at_as(role, pattern, place, fail, scope);
    }

    /// The same, binding in the scope with index `scope`.
    pub(super) fn pattern_at_as(&mut self, role: TestRole, pattern: &Pat, place: &Place, fail: BlockId, scope: usize) {
        let whole = match pattern {
            Pat::Guard(guard) => self.span_of(&*guard.pat),
            _ => self.span_of(pattern),
        };
        let around = (self.frame().role, self.frame().whole);
        (self.frame().role, self.frame().whole) = (role, Some(whole));
        self.pattern_at(pattern, place, Some(fail), scope);
        (self.frame().role, self.frame().whole) = around;
    }

    /// The same, binding in the scope with index `scope`.
    pub(super) fn pattern_at(&mut self, pattern: &Pat, place: &Place, fail: Option<BlockId>, scope: usize) {
        let span = self.span_of(pattern);
        match pattern {
            Pat::Ident(ident) => {
                let text = name(&ident.ident);
                let plain = ident.by_ref.is_none() && ident.mutability.is_none() && ident.subpat.is_none();
                if plain && text == "None" {
                    return self.test_failure(place, fail, span);
                }
                if plain && text.starts_with(char::is_uppercase) {
                    self.frame().ask(vec![text.clone()], false);
                    return self.test(Test::Variant(place.clone(), text), fail, span);
                }
                let before = self.frame().locals.len();
                if let Some((_, sub)) = &ident.subpat {
                    self.pattern_at(sub, place, fail, scope);
                }
                // `done @ Ok(_)` takes the whole. `all @ Some(part)` compiles only for what is copied.
                let is_whole = self.frame().locals.len() == before;
                let at = self.at(ident.ident.span());
                let local = self.frame().local(Some(text), at, None);
                let by_ref = ident.by_ref.is_some() || !is_whole;
                self.frame().push(StatementKind::Bind { local, from: place.clone(), by_ref }, at);
                self.frame().declare_at(local, scope);
            }
            Pat::Type(typed) => {
                let before = self.frame().locals.len();
                self.pattern_at(&typed.pat, place, fail, scope);
                let ty = crate::types::type_ref(&typed.ty);
                if let Pat::Ident(_) = *typed.pat
                    && let Some(local) = self.frame().locals.get_mut(before)
                {
                    local.ty = Some(ty);
                }
            }
            Pat::TupleStruct(tuple) => {
                let variant = tuple.path.segments.last().map(|segment| name(&segment.ident)).unwrap_or_default();
                let standard = if is_standard(&tuple.path) { variant.as_str() } else { "" };
                let inner = match standard {
                    "Ok" | "Some" => {
                        self.test(Test::Success(place.clone()), fail, span);
                        place.project(Projection::Success)
                    }
                    "Err" => {
                        self.test_failure(place, fail, span);
                        place.project(Projection::Failure)
                    }
                    _ => {
                        self.frame().ask(vec![variant.clone()], false);
                        self.test(Test::Variant(place.clone(), variant.clone()), fail, span);
                        place.project(Projection::Variant(variant))
                    }
                };
                let single = tuple.elems.len() == 1;
                self.elements(tuple.elems.iter(), &inner, fail, scope, single);
            }
            Pat::Struct(pat) => {
                let variant = pat.path.segments.last().map(|segment| name(&segment.ident)).unwrap_or_default();
                self.frame().ask(vec![variant.clone()], false);
                self.test(Test::Variant(place.clone(), variant.clone()), fail, span);
                let inner = place.project(Projection::Variant(variant));
                for field in &pat.fields {
                    let member = match &field.member {
                        Member::Named(ident) => name(ident),
                        Member::Unnamed(index) => index.index.to_string(),
                    };
                    self.pattern_at(&field.pat, &inner.project(Projection::Field(member)), fail, scope);
                }
            }
            Pat::Tuple(tuple) => self.elements(tuple.elems.iter(), place, fail, scope, false),
            Pat::Slice(slice) => {
                self.test(Test::Opaque, fail, span);
                for element in &slice.elems {
                    self.pattern_at(element, &place.project(Projection::Index), fail, scope);
                }
            }
            Pat::Path(path) => match path.path.segments.last().map(|segment| name(&segment.ident)) {
                Some(last) if last == "None" && is_standard(&path.path) => self.test_failure(place, fail, span),
                Some(last) => {
                    self.frame().ask(vec![last.clone()], false);
                    self.test(Test::Variant(place.clone(), last), fail, span);
                }
                None => {}
            },
            Pat::Lit(lit) => match (&lit.lit, fail) {
                (syn::Lit::Bool(value), Some(fail)) => {
                    let matched = self.new_block();
                    let (yes, no) = if value.value { (matched, fail) } else { (fail, matched) };
                    self.tested(Test::Bool(place.clone()), yes, no, span);
                    self.frame().current = matched;
                }
                (literal, Some(fail)) => match (&self.compared, literal_text(literal)) {
                    (Some(subject), Some(literal)) if subject.place == *place => {
                        let key = value_key(&subject.text, &literal);
                        let value = Some((subject.text.clone(), subject.block));
                        let condition = Stable { key, negated: false, roots: subject.roots.clone(), value };
                        let matched = self.new_block();
                        self.frame().test_condition(condition, matched, fail, span);
                        self.frame().current = matched;
                    }
                    _ => self.test(Test::Opaque, Some(fail), span),
                },
                _ => self.test(Test::Opaque, fail, span),
            },
            Pat::Or(or) => self.alternatives(or, place, fail, scope),
            Pat::Paren(paren) => self.pattern_at(&paren.pat, place, fail, scope),
            Pat::Reference(reference) => {
                self.pattern_at(&reference.pat, &place.project(Projection::Deref), fail, scope);
            }
            Pat::Guard(guard) => {
                self.pattern_at(&guard.pat, place, fail, scope);
                if let Some(fail) = fail {
                    let matched = self.new_block();
                    let around = (self.frame().role, self.frame().whole);
                    (self.frame().role, self.frame().whole) = (TestRole::Branch, None);
                    self.condition(&guard.guard, matched, fail);
                    (self.frame().role, self.frame().whole) = around;
                    self.frame().current = matched;
                }
            }
            Pat::Wild(_) | Pat::Rest(_) => {}
            _ => self.test(Test::Opaque, fail, span),
        }
    }

    fn elements<'a>(
        &mut self,
        elements: impl ExactSizeIterator<Item = &'a Pat>,
        place: &Place,
        fail: Option<BlockId>,
        scope: usize,
        single: bool,
    ) {
        let mut after_rest = false;
        let count = elements.len();
        for (index, element) in elements.enumerate() {
            after_rest |= matches!(element, Pat::Rest(_));
            let part = if single {
                place.clone()
            } else if after_rest {
                // Behind `..` only the position from the end is known.
                place.project(Projection::FromEnd(count - index))
            } else {
                place.project(Projection::Field(index.to_string()))
            };
            self.pattern_at(element, &part, fail, scope);
        }
    }

    /// `A | B`: each alternative is tried in turn. Variables are bound by the first one.
    fn alternatives(&mut self, or: &syn::PatOr, place: &Place, fail: Option<BlockId>, scope: usize) {
        let Some(fail) = fail else {
            if let Some(first) = or.cases.first() {
                self.pattern_at(first, place, None, scope);
            }
            return;
        };
        let matched = self.new_block();
        let last = or.cases.len().saturating_sub(1);
        for (index, case) in or.cases.iter().enumerate() {
            let next = if index == last { fail } else { self.new_block() };
            self.pattern_at(case, place, Some(next), scope);
            self.frame().goto(matched);
            self.frame().current = next;
        }
        self.frame().current = matched;
    }

    fn test(&mut self, test: Test, fail: Option<BlockId>, span: sessionlint_diagnostics::Span) {
        if let Some(fail) = fail {
            self.frame().test(test, fail, span);
        }
    }

    fn test_failure(&mut self, place: &Place, fail: Option<BlockId>, span: sessionlint_diagnostics::Span) {
        self.test(Test::Failure(place.clone()), fail, span);
    }
}

/// Whether a path that ends with `Some`, `None`, `Ok` or `Err` may be the standard library's: an enum of the project's own may have
/// variants of these names.
pub(super) fn is_standard(path: &syn::Path) -> bool {
    path.segments.iter().rev().nth(1).is_none_or(|owner| owner.ident == "Option" || owner.ident == "Result")
}
