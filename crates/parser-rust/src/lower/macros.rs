//! Macros: the ones people use around sessions, and any whose arguments parse as expressions.

use super::Lowerer;
use crate::texts::{format_text, parse_arguments};
use proc_macro2::{TokenStream, TokenTree};
use sessionlint_ir::{
    AggregateKind, BodyKind, Call, Callee, DropCause, ExitHow, ExitKind, Literal, Operand, Place, Projection, Race,
    Rvalue, Terminator, Test, TestRole,
};
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Macro, Pat, Token};

/// Macros that only look at their arguments.
const BORROWING: &[&str] = &[
    "println",
    "print",
    "eprintln",
    "eprint",
    "write",
    "writeln",
    "format",
    "format_args",
    "concat",
    "info",
    "error",
    "warn",
    "debug",
    "trace",
    "log",
    "event",
    "span",
    "info_span",
    "debug_span",
    "error_span",
    "warn_span",
    "trace_span",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "anyhow",
    "eyre",
    "format_err",
    "json",
    "matches",
    "stringify",
    "line",
    "file",
    "env",
    "option_env",
    "include_str",
    "cfg",
    "counter",
    "gauge",
    "histogram",
    "instrument",
    "dbg",
];

/// Macros whose arguments write a log line and do nothing else.
pub(super) const LOGGING: &[&str] =
    &["println", "print", "eprintln", "eprint", "info", "error", "warn", "debug", "trace", "log", "event"];

/// Macros that pin a value to where it is: as a statement the variable stays what it was, as an expression the value goes on.
const PINNING: &[&str] = &["pin", "pin_mut"];

/// Macros are expanded inside of macros so many times.
const MAX_EXPANSIONS: u32 = 4;

/// Macros that do not return.
const DIVERGING: &[&str] = &["panic", "unreachable", "todo", "unimplemented"];

impl Lowerer<'_> {
    /// Lowers a macro call; its value goes to `dest`.
    pub(super) fn macro_into(&mut self, mac: &Macro, dest: &Place) {
        let name = mac.path.segments.last().map(|segment| crate::types::name(&segment.ident)).unwrap_or_default();
        let span = self.span_of(&mac.path);
        let is_value = !std::mem::take(&mut self.discards);
        match name.as_str() {
            "bail" => {
                self.arguments_of(mac);
                self.store_exit(ExitKind::Error, None, Operand::Literal(Literal::Other), span);
                self.exit(ExitHow::Macro(name), span);
            }
            "ensure" | "ensure_eq" | "ensure_ne" => self.ensure(mac, name, dest),
            _ if DIVERGING.contains(&name.as_str()) => {
                self.arguments_of(mac);
                self.frame().terminate(Terminator::Diverge);
                self.frame().current = self.frames.last_mut().expect("a frame is open").new_block();
            }
            "assert" | "debug_assert" => self.assert(mac, dest),
            "select" | "select_biased" => self.select(mac, dest),
            "join" | "try_join" => self.join(mac, dest),
            "vec" => self.vec(mac, dest),
            "matches" => {
                if let Some((value, _)) = matches_arguments(mac) {
                    self.matched(&value);
                }
                self.assign(dest, Rvalue::Opaque(Vec::new()), span);
            }
            "stream" | "try_stream" => match syn::Block::parse_within.parse2(mac.tokens.clone()) {
                Ok(stmts) => {
                    let block = syn::Block { brace_token: syn::token::Brace(span_of_tokens(&mac.tokens)), stmts };
                    self.child_block(&block, BodyKind::AsyncBlock, true, dest);
                }
                Err(_) => self.unknown_macro(mac, dest),
            },
            "format" | "concat" => match format_text(&mac.tokens, name == "concat") {
                Some(text) => {
                    self.arguments_of(mac);
                    self.assign(dest, Rvalue::Use(Operand::Literal(Literal::Text(text))), span);
                }
                None => self.plain_macro(mac, dest),
            },
            "dbg" => match self.arguments_of(mac) {
                Some(mut args) if args.len() == 1 => {
                    let value = Rvalue::Use(args.remove(0));
                    self.assign(dest, value, span);
                }
                _ => self.assign(dest, Rvalue::Opaque(Vec::new()), span),
            },
            _ => {
                if !BORROWING.contains(&name.as_str()) && self.expanded(mac, dest, is_value) {
                    return;
                }
                if PINNING.contains(&name.as_str())
                    && let Some([value]) = parse_arguments(&mac.tokens).as_deref()
                {
                    let value = Rvalue::Use(self.operand(value));
                    return self.assign(dest, value, span);
                }
                self.plain_macro(mac, dest);
            }
        }
    }

    /// A macro that pins variables, as a statement: they hold what they held. Whether it is one.
    pub(super) fn pinned(&mut self, mac: &Macro) -> bool {
        let path = crate::types::segments(&mac.path);
        let is_own = || (self.macros)(&path).is_some();
        if !path.last().is_some_and(|name| PINNING.contains(&name.as_str())) || is_own() {
            return false;
        }
        if let Some(args) = parse_arguments(&mac.tokens) {
            return args.iter().all(|arg| matches!(arg, Expr::Path(path) if path.path.get_ident().is_some()));
        }
        // `pin! { let future = call(); }` declares it where it stands.
        let Ok(stmts) = syn::Block::parse_within.parse2(mac.tokens.clone()) else { return false };
        let declares = stmts.iter().all(|statement| matches!(statement, syn::Stmt::Local(_)));
        if declares {
            stmts.iter().for_each(|statement| self.statement(statement));
        }
        declares
    }

    /// A macro of the workspace that stands for statements. Whether it is one.
    fn expanded(&mut self, mac: &Macro, dest: &Place, is_value: bool) -> bool {
        if self.expanding >= MAX_EXPANSIONS {
            return false;
        }
        let path = crate::types::segments(&mac.path);
        let own = path.first().filter(|_| path.len() == 1).and_then(|name| self.declared.get(name)).cloned();
        let Some(definition) = own.or_else(|| (self.macros)(&path)) else { return false };
        let call = mac.path.segments.last().map_or_else(proc_macro2::Span::call_site, |last| last.ident.span());
        let Some(mut stmts) = super::expand::expand(&definition, &mac.tokens, call) else { return false };
        // Where a value is wanted the compiler takes the last `;` away.
        if let (true, Some(syn::Stmt::Expr(_, semi))) = (is_value, stmts.last_mut()) {
            *semi = None;
        }
        let end = self.span_of(&mac.path);
        self.expanding += 1;
        self.statements_into(&stmts, dest, end);
        self.expanding -= 1;
        true
    }

    /// A macro without a meaning of its own here: a call with its arguments.
    fn plain_macro(&mut self, mac: &Macro, dest: &Place) {
        let span = self.span_of(&mac.path);
        let name = mac.path.segments.last().map(|segment| crate::types::name(&segment.ident)).unwrap_or_default();
        let borrows_only = BORROWING.contains(&name.as_str());
        let Some(args) = self.arguments_of(mac) else {
            if borrows_only {
                return self.assign(dest, Rvalue::Opaque(Vec::new()), span);
            }
            return self.unknown_macro(mac, dest);
        };
        let callee = Callee::Macro(crate::types::segments(&mac.path));
        self.assign(
            dest,
            Rvalue::Call(Call { callee, type_args: Vec::new(), args, name_span: span, borrows_only }),
            span,
        );
    }

    /// Evaluates the arguments when they parse as expressions.
    fn arguments_of(&mut self, mac: &Macro) -> Option<Vec<Operand>> {
        let args = parse_arguments(&mac.tokens)?;
        Some(args.iter().map(|arg| self.operand(arg)).collect())
    }

    /// A macro that cannot be read: it may do anything with the variables that it names.
    pub(super) fn unknown_macro(&mut self, mac: &Macro, dest: &Place) {
        let span = self.span_of(&mac.path);
        let mut names = Vec::new();
        identifiers(mac.tokens.clone(), &mut names);
        let args: Vec<Operand> = names
            .into_iter()
            .filter_map(|name| self.resolve(&name))
            .map(|local| Operand::Value(Place::local(local)))
            .collect();
        if !args.is_empty() {
            let path = crate::types::segments(&mac.path).join("::");
            self.gap(span, format!("the macro `{path}!` could not be read"));
        }
        let callee = Callee::Macro(crate::types::segments(&mac.path));
        self.assign(
            dest,
            Rvalue::Call(Call { callee, type_args: Vec::new(), args, name_span: span, borrows_only: false }),
            span,
        );
    }

    fn ensure(&mut self, mac: &Macro, name: String, dest: &Place) {
        let span = self.span_of(&mac.path);
        let Some(args) = parse_arguments(&mac.tokens) else {
            return self.unknown_macro(mac, dest);
        };
        let (yes, no) = (self.new_block(), self.new_block());
        match args.first() {
            Some(condition) if name == "ensure" => {
                self.frame().push_scope();
                self.condition(condition, yes, no);
                let drops = self.frame().scope_drops();
                self.frame().current = yes;
                self.frame().pop_scope(DropCause::Statement { wildcard: false }, span);
                self.frame().current = no;
                self.frame().drop_all(drops, DropCause::Statement { wildcard: false }, span);
            }
            _ => {
                for arg in &args {
                    self.operand(arg);
                }
                self.tested(Test::Opaque, yes, no, span);
                self.frame().current = no;
            }
        }
        self.store_exit(ExitKind::Error, None, Operand::Literal(Literal::Other), span);
        self.exit(ExitHow::Macro(name), span);
        self.frame().current = yes;
        self.assign(dest, Rvalue::Use(Self::unit()), span);
    }

    /// What is asserted holds afterwards: otherwise it panics.
    fn assert(&mut self, mac: &Macro, dest: &Place) {
        let span = self.span_of(&mac.path);
        let Some(args) = parse_arguments(&mac.tokens) else {
            return self.plain_macro(mac, dest);
        };
        let Some((condition, message)) = args.split_first() else {
            return self.plain_macro(mac, dest);
        };
        let (yes, no) = (self.new_block(), self.new_block());
        self.frame().push_scope();
        let around = std::mem::replace(&mut self.frame().role, TestRole::Propagated);
        self.condition(condition, yes, no);
        self.frame().role = around;
        self.frame().current = no;
        message.iter().for_each(|part| _ = self.operand(part));
        self.frame().terminate(Terminator::Diverge);
        self.frame().current = yes;
        self.frame().pop_scope(DropCause::Statement { wildcard: false }, span);
        self.assign(dest, Rvalue::Use(Self::unit()), span);
    }

    fn vec(&mut self, mac: &Macro, dest: &Place) {
        let span = self.span_of(&mac.path);
        if let Some(args) = self.arguments_of(mac) {
            let fields = args.into_iter().enumerate().map(|(index, arg)| (index.to_string(), arg)).collect();
            return self.assign(dest, Rvalue::Aggregate(AggregateKind::Array, fields), span);
        }
        let repeat = |input: ParseStream<'_>| {
            let value: Expr = input.parse()?;
            input.parse::<Token![;]>()?;
            let count: Expr = input.parse()?;
            Ok((value, count))
        };
        match repeat.parse2(mac.tokens.clone()) {
            Ok((value, count)) => {
                let operands = vec![self.operand(&value), self.operand(&count)];
                self.assign(dest, Rvalue::Opaque(operands), span);
            }
            Err(_) => self.unknown_macro(mac, dest),
        }
    }

    /// All futures run to their end: each one is awaited.
    fn join(&mut self, mac: &Macro, dest: &Place) {
        let span = self.span_of(&mac.path);
        let Some(args) = parse_arguments(&mac.tokens) else {
            return self.unknown_macro(mac, dest);
        };
        let futures: Vec<Operand> = args.iter().map(|arg| self.operand(arg)).collect();
        let mut outputs = Vec::new();
        let is_try = mac.path.segments.last().is_some_and(|segment| segment.ident == "try_join");
        let race = if is_try { Race::FirstFailed } else { Race::None };
        for future in futures {
            let output = Place::local(self.temporary(span));
            self.assign(&output, Rvalue::Await { future, race }, span);
            outputs.push(Operand::Value(output));
        }
        let value = if is_try {
            Rvalue::Opaque(outputs)
        } else {
            let fields = outputs.into_iter().enumerate().map(|(index, output)| (index.to_string(), output)).collect();
            Rvalue::Aggregate(AggregateKind::Tuple, fields)
        };
        self.assign(dest, value, span);
    }

    /// The part of a place that `?` takes out.
    pub(super) fn success_of(place: &Place) -> Place {
        place.project(Projection::Success)
    }
}

/// The value and the pattern of `matches!`.
pub(super) fn matches_arguments(mac: &Macro) -> Option<(Expr, Pat)> {
    let parser = |input: ParseStream<'_>| {
        let value: Expr = input.parse()?;
        input.parse::<Token![,]>()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<TokenStream>()?;
        Ok((value, pattern))
    };
    parser.parse2(mac.tokens.clone()).ok()
}

fn identifiers(tokens: TokenStream, names: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => names.push(crate::types::name(&ident)),
            TokenTree::Group(group) => identifiers(group.stream(), names),
            _ => {}
        }
    }
}

fn span_of_tokens(tokens: &TokenStream) -> proc_macro2::Span {
    tokens.clone().into_iter().next().map_or_else(proc_macro2::Span::call_site, |token| token.span())
}
