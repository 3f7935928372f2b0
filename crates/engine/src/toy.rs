//! Can a language be added without the engine knowing of it? A made-up one, and what is found in it.
//!
//! A call that fails leaves the routine, as an exception does.
//!
//! ```text
//! to place conn:rusqlite.Connection
//!   tx = conn.transaction
//!   tx.execute_batch "INSERT INTO orders DEFAULT VALUES"
//! end
//! ```

use crate::{Engine, Options, Overlay, silence};
use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{
    Answer, BasicBlock, BlockId, Body, BodyKind, Call, Callee, Comment, DropCause, ExitHow, ExitKind, Field, Frontend,
    FunctionItem, Glance, ImplHeader, Import, Item, ItemKind, Languages, Literal, Local, LocalId, Operand, Outline,
    Parameter, Place, Projection, Rewrite, Rvalue, Signature, Statement, StatementKind, SyntaxError, Terminator, Test,
    TestRole, TypeRef,
};
use std::path::{Path, PathBuf};

pub(crate) struct Toy;

impl Glance for Toy {}

impl Rewrite for Toy {}

/// The lines of a text, without the blanks around them, and where they begin.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split('\n').map(move |line| {
        let start = at + line.len() - line.trim_start().len();
        at += line.len() + 1;
        (start, line.trim())
    })
}

fn refused<T>(span: Span) -> Result<T, SyntaxError> {
    Err(SyntaxError { message: "there is no such thing".to_owned(), span, is_limit: false })
}

impl Frontend for Toy {
    fn name(&self) -> &'static str {
        "Toy"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["toy"]
    }

    fn comment_marker(&self) -> &'static str {
        "#"
    }

    fn outline(&self, text: &str, file: FileId) -> Outline {
        let mut items = Vec::new();
        let mut open: Option<(usize, &str)> = None;
        for (at, line) in lines(text) {
            match (line.strip_prefix("to "), open) {
                (Some(_), _) => open = Some((at, line)),
                (None, Some((start, header))) if line == "end" => {
                    let span = Span::new(file, start as u32, (at + line.len()) as u32);
                    items.push(Item {
                        kind: ItemKind::Function,
                        name: header.split(' ').nth(1).unwrap_or_default().to_owned(),
                        span,
                        head: span,
                        body: Some(Span { start: (start + header.len()) as u32, ..span }),
                        parent: None,
                        test: false,
                        named_file: None,
                    });
                    open = None;
                }
                _ => {}
            }
        }
        Outline { items, test: false }
    }

    fn function(
        &self,
        text: &str,
        span: Span,
        _macros: &dyn Fn(&[String]) -> Option<String>,
    ) -> Result<FunctionItem, SyntaxError> {
        let signature = self.signature(text, span)?;
        let name = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let body = Lowered::new(text, span, &signature).body(text)?;
        Ok(FunctionItem { name, signature, body: Some(body), nested: Vec::new() })
    }

    fn signature(&self, text: &str, _span: Span) -> Result<Signature, SyntaxError> {
        let words = text.lines().next().unwrap_or_default().split_whitespace().skip(2);
        let parameter = |(name, ty): (&str, &str)| Parameter {
            name: Some(name.to_owned()),
            ty: TypeRef::named(&ty.split('.').collect::<Vec<_>>()),
        };
        Ok(Signature {
            is_async: false,
            has_receiver: false,
            params: words.filter_map(|word| word.split_once(':')).map(parameter).collect(),
            output: TypeRef::Tuple(Vec::new()),
            generics: Vec::new(),
        })
    }

    fn fields(&self, _text: &str, span: Span) -> Result<(Vec<Field>, Vec<String>), SyntaxError> {
        refused(span)
    }

    fn alias(&self, _text: &str, span: Span) -> Result<(TypeRef, Vec<String>), SyntaxError> {
        refused(span)
    }

    fn impl_header(&self, _text: &str, span: Span) -> Result<ImplHeader, SyntaxError> {
        refused(span)
    }

    fn imports(&self, _text: &str, span: Span) -> Result<Vec<Import>, SyntaxError> {
        refused(span)
    }

    fn constant(&self, _text: &str, span: Span) -> Result<(TypeRef, Option<String>), SyntaxError> {
        refused(span)
    }

    fn comments(&self, text: &str, file: FileId) -> Vec<Comment> {
        let behind = |at: usize| lines(text).find(|(start, line)| *start > at && !line.is_empty());
        let comment = |(at, line): (usize, &str)| {
            let (before, said) = line.split_once('#')?;
            let start = at + before.len();
            let span = Span::new(file, start as u32, (at + line.len()) as u32);
            let next_token = behind(start).map(|(next, _)| next as u32);
            Some(Comment { span, text: said.trim().to_owned(), own_line: before.is_empty(), next_token })
        };
        lines(text).filter_map(comment).collect()
    }

    fn tokens<'t>(&self, text: &'t str) -> Vec<&'t str> {
        text.split_whitespace().collect()
    }

    fn next_names(&self, text: &str, from: usize, found: &mut [(usize, usize)]) -> (usize, usize) {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let (mut count, mut at) = (0, from);
        while count < found.len()
            && let Some(start) = text[at..].find(is_name).map(|start| at + start)
        {
            at = text[start..].find(|c| !is_name(c)).map_or(text.len(), |end| start + end);
            found[count] = (start, at);
            count += 1;
        }
        (count, if count < found.len() { text.len() } else { at })
    }

    fn statement_end(&self, text: &str, start: u32) -> u32 {
        text[start as usize..].find('\n').map_or(text.len() as u32, |end| start + end as u32)
    }

    fn statement_start(&self, text: &str, _from: u32, at: u32) -> Option<u32> {
        lines(text).map(|(start, _)| start as u32).take_while(|start| *start <= at).last()
    }

    fn module(&self, inside: &Path) -> Vec<String> {
        inside.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect()
    }

    fn is_balanced(&self, _text: &str) -> bool {
        true
    }
}

/// A body that is being made.
struct Lowered {
    span: Span,
    locals: Vec<Local>,
    params: Vec<LocalId>,
    blocks: Vec<BasicBlock>,
}

impl Lowered {
    fn new(text: &str, span: Span, signature: &Signature) -> Self {
        let mut lowered = Self { span, locals: Vec::new(), params: Vec::new(), blocks: Vec::new() };
        lowered.local(None, span, Some(signature.output.clone()));
        for parameter in &signature.params {
            let name = parameter.name.as_deref().unwrap_or_default();
            let at = text.find(name).unwrap_or_default();
            let param = lowered.local(Some(name), lowered.at(at, name), Some(parameter.ty.clone()));
            lowered.params.push(param);
        }
        lowered
    }

    fn at(&self, at: usize, text: &str) -> Span {
        let start = self.span.start + at as u32;
        Span { start, end: start + text.len() as u32, ..self.span }
    }

    fn local(&mut self, name: Option<&str>, span: Span, ty: Option<TypeRef>) -> LocalId {
        self.locals.push(Local { name: name.map(str::to_owned), span, ty });
        LocalId(self.locals.len() as u32 - 1)
    }

    /// What leaves: the value is stored, and all locals are dropped.
    fn leave(&self, kind: ExitKind, value: Operand, how: ExitHow, span: Span) -> BasicBlock {
        let returned = Place::local(Body::RETURN);
        let locals = (1..self.locals.len() as u32).rev().map(LocalId).collect();
        let kinds = [
            StatementKind::Assign(
                returned.clone(),
                Rvalue::Exit(kind, (kind == ExitKind::Success).then_some(0), value),
            ),
            StatementKind::Drop(locals, DropCause::Exit { value: returned, how }),
        ];
        let statements = kinds.into_iter().map(|kind| Statement { kind, span }).collect();
        BasicBlock { statements, terminator: Terminator::Return }
    }

    fn body(mut self, text: &str) -> Result<Body, SyntaxError> {
        let mut statements: Vec<Statement> = Vec::new();
        for (at, line) in lines(text).skip(1) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if matches!(line, "" | "end") {
                continue;
            }
            let (target, call) = line.split_once(" = ").map_or((None, line), |(name, call)| (Some(name), call));
            let (callee, argument) = call.split_once(' ').unwrap_or((call, ""));
            let known = |name: &str| self.locals.iter().position(|local| local.name.as_deref() == Some(name));
            let Some((receiver, method)) = callee.split_once('.').and_then(|(on, method)| Some((known(on)?, method)))
            else {
                return refused(self.at(at, line));
            };
            let start = at + line.len() - call.len() + callee.len() - method.len();
            let span = self.at(start, method);
            let text = Operand::Literal(Literal::Text(argument.trim_matches('"').to_owned()));
            let receiver = Operand::Ref { place: Place::local(LocalId(receiver as u32)), mutable: true };
            let call = Call {
                callee: Callee::Method { receiver, name: method.to_owned() },
                type_args: Vec::new(),
                args: if argument.is_empty() { Vec::new() } else { vec![text] },
                name_span: span,
                borrows_only: false,
            };
            let called = Place::local(self.local(None, span, None));
            statements.push(Statement { kind: StatementKind::Assign(called.clone(), Rvalue::Call(call)), span });
            let error = Operand::Value(called.project(Projection::Failure));
            let failed = self.leave(ExitKind::Error, error, ExitHow::Propagated, span);
            // It goes on behind the block that leaves.
            let now = self.blocks.len() as u32;
            let test = Test::Success(called.clone());
            let (yes, no, role) = (BlockId(now + 2), BlockId(now + 1), TestRole::Propagated);
            let terminator = Terminator::Test { test, yes, no, span, role };
            self.blocks.push(BasicBlock { statements: std::mem::take(&mut statements), terminator });
            self.blocks.push(failed);
            if let Some(name) = target {
                let place = Place::local(self.local(Some(name), self.at(at, name), None));
                let value = Rvalue::Use(Operand::Value(called.project(Projection::Success)));
                statements.push(Statement { kind: StatementKind::Assign(place, value), span });
            }
        }
        let end = self.at(text.len() - "end".len(), "end");
        let mut last = self.leave(ExitKind::Success, Operand::Literal(Literal::Unit), ExitHow::Tail, end);
        last.statements.splice(..0, statements);
        self.blocks.push(last);
        Ok(Body {
            kind: BodyKind::Function,
            span: self.span,
            output: None,
            locals: self.locals,
            params: self.params,
            captures: Vec::new(),
            blocks: self.blocks,
            children: Vec::new(),
            imports: Vec::new(),
            conditions: Vec::new(),
            repeated: Vec::new(),
            asked: Default::default(),
            only_logged: Default::default(),
            answers: vec![Answer::default()],
            flags: Default::default(),
            gaps: Vec::new(),
        })
    }
}

const BOTH: Languages = Languages(&[&Toy, sessionlint_languages::ALL.0[0]]);

/// What is found in a directory with these files: path, line, rule and message.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        std::fs::write(directory.path().join(path), text).unwrap();
    }
    let options = Options {
        directory: directory.path().to_path_buf(),
        paths: vec![PathBuf::from(".")],
        isolated: true,
        ..Options::default()
    };
    let engine = Engine::new(options, BOTH).unwrap();
    let outcome = engine.check(&engine.requested, &Overlay::new(), true, &|_, _, _| {}).unwrap();
    assert!(outcome.skipped.is_empty(), "{:?}", outcome.skipped);
    for changed in silence(&outcome, BOTH, "it is meant").0 {
        let marker = if changed.path.ends_with(".toy") { "# sessionlint: allow(" } else { "// sessionlint: allow(" };
        assert!(changed.after.contains(marker), "{}", changed.after);
    }
    let shown = outcome.findings.iter().map(|finding| {
        let file = &outcome.files[finding.span.file.0 as usize];
        let line = file.text[..finding.span.start as usize].matches('\n').count() + 1;
        format!("{}:{line}: {}: {}", file.path, finding.rule, finding.message)
    });
    shown.collect()
}

#[test]
fn a_language_is_one_more_in_the_list() {
    let begin = "to place conn:rusqlite.Connection\n  tx = conn.transaction\n";
    let write = "  tx.execute_batch \"INSERT INTO orders DEFAULT VALUES\"\n";
    let told = "a.toy:4: uncommitted-transaction: transaction `tx` reaches a successful return with uncommitted writes";
    assert_eq!(found(&[("a.toy", &format!("{begin}{write}end\n"))]), [told]);
    assert!(found(&[("a.toy", &format!("{begin}{write}  tx.commit\nend\n"))]).is_empty());
    assert!(found(&[("a.toy", &format!("{begin}end\n"))]).is_empty());
    let meant = "  # sessionlint: allow(uncommitted-transaction) -- it is meant\n";
    let quiet = format!("{}{meant}  tx = conn.transaction\n{write}end\n", &begin[..begin.find('\n').unwrap() + 1]);
    assert!(found(&[("a.toy", &quiet)]).is_empty());
    // Beside a file of another language, which is read as what it is.
    let rust = "fn place(conn: &mut rusqlite::Connection) -> rusqlite::Result<()> {
    let tx = conn.transaction()?;
    tx.execute(\"INSERT INTO orders DEFAULT VALUES\", [])?;
    Ok(())
}
";
    let both = found(&[("a.toy", &format!("{begin}{write}end\n")), ("b.rs", rust)]);
    assert_eq!(both, [told.to_owned(), told.replace("a.toy", "b.rs")]);
}
