//! How does a body read as text? Blocks, statements and ends, with the lines of the source in the margin.
//!
//! A variable is shown by its name, with its number where another one has the same; a temporary as `_7`. Parts are shown behind
//! it: `.field`, `@Ok`, `@Err`, `@Variant`, `.*` for what it refers to, `[]` for an element, `.-1` for a tuple's last.

use crate::{
    AggregateKind, Body, BodyKind, Call, Callee, DropCause, ExitHow, ExitKind, Literal, LocalId, Operand, Place,
    Projection, Race, Rvalue, StatementKind, Terminator, Test, TestRole, TypeRef,
};
use sessionlint_diagnostics::Span;
use std::fmt::Write;

/// The line, from 1, on which a span begins.
pub type LineOf<'a> = &'a dyn Fn(Span) -> Option<u32>;

/// A body and the closures and async blocks inside.
pub fn text(body: &Body, line_of: LineOf<'_>) -> String {
    let mut out = String::new();
    print(body, line_of, "", &mut out);
    out
}

/// How a variable is shown.
pub fn local_name(body: &Body, local: LocalId) -> String {
    if local == Body::RETURN {
        return "returned".to_owned();
    }
    let number = local.0;
    let Some(name) = &body.locals[local.index()].name else { return format!("_{number}") };
    let same = body.locals.iter().filter(|other| other.name.as_ref() == Some(name)).count();
    if same > 1 { format!("{name}#{number}") } else { name.clone() }
}

/// How a place is shown.
pub fn place_name(body: &Body, place: &Place) -> String {
    let mut shown = local_name(body, place.local);
    for step in &place.projection {
        match step {
            Projection::Field(name) => shown.push_str(&format!(".{name}")),
            Projection::Success => shown.push_str("@Ok"),
            Projection::Failure => shown.push_str("@Err"),
            Projection::Variant(name) => shown.push_str(&format!("@{name}")),
            Projection::Deref => shown.push_str(".*"),
            Projection::FromEnd(at) => shown.push_str(&format!(".-{at}")),
            Projection::Index => shown.push_str("[]"),
        }
    }
    shown
}

/// A type as it is written.
pub fn type_name(ty: &TypeRef) -> String {
    let list = |types: &[TypeRef], between: &str| types.iter().map(type_name).collect::<Vec<_>>().join(between);
    match ty {
        TypeRef::Path { segments, args } if args.is_empty() => segments.join("::"),
        TypeRef::Path { segments, args } => format!("{}<{}>", segments.join("::"), list(args, ", ")),
        TypeRef::Projection { base, name } => format!("<{}>::{name}", type_name(base)),
        TypeRef::Ref { mutable, inner } => format!("&{}{}", if *mutable { "mut " } else { "" }, type_name(inner)),
        TypeRef::Tuple(parts) => format!("({})", list(parts, ", ")),
        TypeRef::Slice(element) => format!("[{}]", type_name(element)),
        TypeRef::Bounds(bounds) => format!("impl {}", list(bounds, " + ")),
        TypeRef::Unknown => "?".to_owned(),
    }
}

fn print(body: &Body, line_of: LineOf<'_>, indent: &str, out: &mut String) {
    let show = Printer { body };
    let mut row = |span: Option<Span>, depth: usize, words: &str| {
        let line = span.and_then(line_of).map(|line| line.to_string()).unwrap_or_default();
        let _ = writeln!(out, "{line:>5} {indent}{}{words}", "  ".repeat(depth));
    };
    let kind = match body.kind {
        BodyKind::Function => "function",
        BodyKind::AsyncFunction => "async function",
        BodyKind::Closure => "closure",
        BodyKind::AsyncClosure => "async closure",
        BodyKind::AsyncBlock => "async block",
    };
    let params: Vec<String> = body.params.iter().map(|local| show.declared(*local)).collect();
    let output = body.output.as_ref().map(|ty| format!(" -> {}", type_name(ty))).unwrap_or_default();
    row(Some(body.span), 0, &format!("{kind}({}){output}", params.join(", ")));
    for capture in &body.captures {
        row(None, 1, &format!("captures {}", local_name(body, capture.inner)));
    }
    for (number, block) in body.blocks.iter().enumerate() {
        row(None, 1, &format!("b{number}:"));
        for statement in &block.statements {
            row(Some(statement.span), 2, &show.statement(&statement.kind));
        }
        let (span, words) = show.terminator(&block.terminator);
        row(span, 2, &words);
    }
    for gap in &body.gaps {
        row(Some(gap.span), 1, &format!("not understood: {}", gap.reason));
    }
    for (number, child) in body.children.iter().enumerate() {
        let _ = writeln!(out, "      {indent}  inside #{number}:");
        print(child, line_of, &format!("{indent}    "), out);
    }
}

struct Printer<'b> {
    body: &'b Body,
}

impl Printer<'_> {
    fn declared(&self, local: LocalId) -> String {
        let name = local_name(self.body, local);
        match &self.body.locals[local.index()].ty {
            Some(ty) => format!("{name}: {}", type_name(ty)),
            None => name,
        }
    }

    fn place(&self, place: &Place) -> String {
        place_name(self.body, place)
    }

    fn statement(&self, kind: &StatementKind) -> String {
        match kind {
            StatementKind::Assign(place, value) => format!("{} = {}", self.place(place), self.rvalue(value)),
            StatementKind::Bind { local, from, by_ref } => {
                let by = if *by_ref { "ref " } else { "" };
                format!("bind {} = {by}{}", self.declared(*local), self.place(from))
            }
            StatementKind::Change { local, grows, by_name } => {
                let grows = if *grows { ", not empty then" } else { "" };
                let by_name = if *by_name { ", by the method's name" } else { "" };
                format!("change {}{grows}{by_name}", local_name(self.body, *local))
            }
            StatementKind::Drop(locals, cause) => {
                let names: Vec<String> = locals.iter().map(|local| local_name(self.body, *local)).collect();
                let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
                format!("drop {names}: {}", self.cause(cause))
            }
        }
    }

    fn cause(&self, cause: &DropCause) -> String {
        match cause {
            DropCause::ScopeEnd { value: None } => "block ends".to_owned(),
            DropCause::ScopeEnd { value: Some(value) } => format!("block ends with {}", self.place(value)),
            DropCause::Statement { wildcard: false } => "statement ends".to_owned(),
            DropCause::Statement { wildcard: true } => "bound to `_`".to_owned(),
            DropCause::Exit { value, how } => {
                let how = match how {
                    ExitHow::Propagated => "`?`".to_owned(),
                    ExitHow::Return => "return".to_owned(),
                    ExitHow::Tail => "end of the body".to_owned(),
                    ExitHow::Macro(name) => format!("`{name}!`"),
                };
                format!("{how} with {}", self.place(value))
            }
            DropCause::Jump { keyword, head, in_error_arm } => {
                let arm = if *in_error_arm { ", in the arm of an error" } else { "" };
                format!("{keyword} of the loop at b{}{arm}", head.0)
            }
        }
    }

    fn rvalue(&self, value: &Rvalue) -> String {
        match value {
            Rvalue::Use(operand) => self.operand(operand),
            Rvalue::Call(call) => self.call(call),
            Rvalue::Await { future, race } => {
                let race = match race {
                    Race::None => "",
                    Race::FirstDone => " (first to end)",
                    Race::FirstFailed => " (until one fails)",
                };
                format!("await {}{race}", self.operand(future))
            }
            Rvalue::Aggregate(kind, parts) => {
                let named = matches!(kind, AggregateKind::Struct(_));
                let shown = parts.iter().map(|(name, part)| match named {
                    true => format!("{name}: {}", self.operand(part)),
                    false => self.operand(part),
                });
                let shown = shown.collect::<Vec<_>>().join(", ");
                match kind {
                    AggregateKind::Tuple => format!("({shown})"),
                    AggregateKind::Array => format!("[{shown}]"),
                    AggregateKind::Success => format!("Ok({shown})"),
                    AggregateKind::Failure => format!("Err({shown})"),
                    AggregateKind::Struct(path) => format!("{} {{ {shown} }}", path.join("::")),
                }
            }
            Rvalue::Select(places) => {
                let places: Vec<String> = places.iter().map(|place| self.place(place)).collect();
                format!("first of {}", places.join(", "))
            }
            Rvalue::Closure { child, by_move } => {
                format!("{}inside #{child}", if *by_move { "move " } else { "" })
            }
            Rvalue::Exit(kind, answer, operand) => {
                let kind = match kind {
                    ExitKind::Success => "success",
                    ExitKind::Error => "error",
                };
                let answer = answer.and_then(|number| self.body.answers.get(number as usize));
                let heads = answer.map(|answer| answer.heads.iter().map(|path| path.join("::")).collect::<Vec<_>>());
                let heads = heads.filter(|heads| !heads.is_empty());
                let answer = heads.map(|heads| format!(" [{}]", heads.join(" "))).unwrap_or_default();
                format!("{kind}{answer} {}", self.operand(operand))
            }
            Rvalue::Opaque(operands) => format!("something of ({})", self.operands(operands)),
            Rvalue::Any { of, any } => format!("{} of {}", if *any { "any" } else { "none" }, self.operand(of)),
        }
    }

    fn call(&self, call: &Call) -> String {
        let args = self.operands(&call.args);
        let looks = if call.borrows_only { " (only looks)" } else { "" };
        match &call.callee {
            Callee::Path { segments, qualifier: None } => format!("{}({args}){looks}", segments.join("::")),
            Callee::Path { segments, qualifier: Some(ty) } => {
                format!("<{}>::{}({args}){looks}", type_name(ty), segments.join("::"))
            }
            Callee::Method { receiver, name } => format!("{}.{name}({args}){looks}", self.operand(receiver)),
            Callee::Macro(path) => format!("{}!({args}){looks}", path.join("::")),
            Callee::Value(callee) => format!("({})({args}){looks}", self.operand(callee)),
        }
    }

    fn operands(&self, operands: &[Operand]) -> String {
        operands.iter().map(|operand| self.operand(operand)).collect::<Vec<_>>().join(", ")
    }

    fn operand(&self, operand: &Operand) -> String {
        match operand {
            Operand::Value(place) => self.place(place),
            Operand::Ref { place, mutable } => format!("&{}{}", if *mutable { "mut " } else { "" }, self.place(place)),
            Operand::Literal(Literal::Text(text)) => format!("{text:?}"),
            Operand::Literal(Literal::Bool(value)) => value.to_string(),
            Operand::Literal(Literal::Number(number)) => number.to_string(),
            Operand::Literal(Literal::Unit) => "()".to_owned(),
            Operand::Literal(Literal::Other) => "literal".to_owned(),
            Operand::Item(path) => path.join("::"),
        }
    }

    fn terminator(&self, terminator: &Terminator) -> (Option<Span>, String) {
        match terminator {
            Terminator::Goto(next) => (None, format!("to b{}", next.0)),
            Terminator::Return => (None, "return".to_owned()),
            Terminator::Diverge => (None, "diverges".to_owned()),
            Terminator::Test { test, yes, no, span, role } => {
                let role = match role {
                    TestRole::Branch | TestRole::Pattern | TestRole::Unless | TestRole::Arm(_) | TestRole::Race(_) => {
                        "if"
                    }
                    TestRole::Loop(_) => "while",
                    TestRole::Propagated => "`?`",
                };
                (Some(*span), format!("{role} {}: to b{}, else b{}", self.test(test), yes.0, no.0))
            }
        }
    }

    fn test(&self, test: &Test) -> String {
        match test {
            Test::Success(place) => format!("{} is Ok", self.place(place)),
            Test::Failure(place) => format!("{} is Err", self.place(place)),
            Test::Variant(place, name) => format!("{} is {name}", self.place(place)),
            Test::Bool(place) => self.place(place),
            Test::Condition { id, negated } => format!("{}condition #{}", if *negated { "not " } else { "" }, id.0),
            Test::Opaque => "something".to_owned(),
        }
    }
}
