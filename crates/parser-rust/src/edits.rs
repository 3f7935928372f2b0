//! Which edits of a Rust text make a change of what happens?

use crate::Rust;
use crate::adapters::adapters;
use crate::calls::{end_of_call, statement_start, unwrapped};
use sessionlint_diagnostics::{Edit, Span};
use sessionlint_ir::{Change, Declared, Rewrite};

impl Rewrite for Rust {
    fn edits(&self, text: &str, body: Span, change: Change<'_>) -> Option<Vec<Edit>> {
        match change {
            Change::Wait { call, then } => wait(text, call, then),
            Change::Keep { call, variable, alone, at_once } => {
                let edit = keep(text, body, call, variable, alone, at_once)?;
                Some(vec![edit])
            }
            Change::Pass { call, variable, argument } => Some(vec![pass(text, call, variable, argument)?]),
            Change::Before { exit, variable, call } => Some(vec![before(text, exit, variable, call)?]),
        }
    }

    fn declares(&self, text: &str, body: Span, variable: Declared<'_>) -> bool {
        let Declared { name, at, parameter, mutable } = variable;
        let start = at.start as usize;
        if parameter {
            let before = text.get(..start).unwrap_or_default().trim_end();
            return !mutable || before.ends_with("mut") || text[start..].starts_with("mut ");
        }
        let before = text.get(statement_start(text, start)..start).unwrap_or_default();
        let declared = before.split('=').next().unwrap_or_default();
        let words: Vec<&str> = words_of(declared.split(':').next().unwrap_or_default()).collect();
        let is_declared = match words.as_slice() {
            ["let", "mut", declared] => *declared == name,
            ["let", declared] => *declared == name && !mutable,
            // It is set again.
            [set] => {
                let words: Vec<&str> = words_of(text_of(text, body)).collect();
                *set == name && words.windows(3).any(|three| three == ["let", "mut", name])
            }
            _ => false,
        };
        is_declared && !["Some(", "None", "Option<"].iter().any(|word| before.contains(word))
    }

    fn unwraps(&self, text: &str, name_end: usize) -> Option<bool> {
        unwrapped(text, name_end)
    }

    fn end_of_call(&self, text: &str, name_end: usize) -> Option<usize> {
        end_of_call(text, name_end)
    }

    fn error_leaves(&self, text: &str, call_end: usize, adapts: &dyn Fn(&str, bool) -> bool) -> Option<String> {
        adapters(text, call_end, adapts)
    }
}

fn wait(text: &str, name: Span, then: &str) -> Option<Vec<Edit>> {
    let end = end_of_call(text, name.end as usize)?;
    let start = statement_start(text, name.start as usize);
    let before = text.get(start..name.start as usize)?;
    // What throws the future away goes.
    let dropped = ["drop(", "std::mem::drop("].into_iter().find(|drop| before.starts_with(drop));
    let thrown = ["let _ = ", "_ = "].into_iter().find(|thrown| before.starts_with(thrown)).or(dropped).unwrap_or("");
    let close = if dropped.is_some() { text.get(end..)?.starts_with(')').then_some(end + 1)? } else { end };
    // It is the whole statement: nothing wants a future there.
    let is_place = |c: char| c.is_alphanumeric() || "_.".contains(c);
    if !before[thrown.len()..].chars().all(is_place) || !text.get(close..)?.trim_start().starts_with(';') {
        return None;
    }
    let mut edits = vec![Edit { span: at(name, end, close), text: format!(".await{then}") }];
    if !thrown.is_empty() {
        edits.insert(0, Edit { span: at(name, start, start + thrown.len()), text: String::new() });
    }
    Some(edits)
}

fn keep(text: &str, body: Span, call: Span, variable: &str, alone: bool, at_once: bool) -> Option<Edit> {
    let start = statement_start(text, call.start as usize);
    // What stands in a tuple is the half of a client that has to run: keeping it is not enough.
    text.get(start..)?.strip_prefix("let _ =")?;
    let rest = text.get(call.end as usize..body.end as usize)?;
    if words_of(text_of(text, body)).any(|word| word == variable) {
        return None;
    }
    let owner = text.get(start + 7..call.start as usize)?;
    let owner = words_of(owner).find(|word| *word != "mut")?;
    if (alone && words_of(rest).any(|word| word == owner)) || (at_once && rest.contains(".await")) {
        return None;
    }
    Some(Edit { span: at(call, start + 4, start + 5), text: variable.to_owned() })
}

fn pass(text: &str, call: Span, variable: &str, argument: &str) -> Option<Edit> {
    let end = end_of_call(text, call.end as usize)?;
    // Beside another use of it in one statement, or in a future that runs later, it would be borrowed twice.
    let start = statement_start(text, call.start as usize);
    let statement = text.get(start..end + text.get(end..)?.find(';')?)?;
    if words_of(statement).any(|word| word == variable) || !text.get(end..)?.trim_start().starts_with(".await") {
        return None;
    }
    let open = call.end as usize + text.get(call.end as usize..)?.find('(')?;
    let passed = text.get(open + 1..end - 1)?;
    // Only a plain path is the pool and nothing else.
    let plain = |c: char| c.is_alphanumeric() || "_.&:".contains(c);
    let is_path = !passed.is_empty() && passed.chars().all(plain);
    is_path.then(|| Edit { span: at(call, open + 1, end - 1), text: argument.to_owned() })
}

fn before(text: &str, exit: Span, variable: &str, call: &str) -> Option<Edit> {
    let start = statement_start(text, exit.start as usize);
    let statement = text.get(start..exit.end as usize)?;
    let value = statement.strip_prefix("return").unwrap_or(statement).trim_start();
    // What is returned must be a value that is there already.
    let waits = value.contains(".await") || value.contains('?');
    if !value.starts_with("Ok(") || waits || words_of(statement).any(|word| word == variable) {
        return None;
    }
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let indent = text.get(line..start).filter(|indent| indent.trim().is_empty())?;
    let ending = if text[..line].ends_with("\r\n") { "\r\n" } else { "\n" };
    Some(Edit { span: at(exit, start, start), text: format!("{call};{ending}{indent}") })
}

fn at(near: Span, start: usize, end: usize) -> Span {
    Span { start: start as u32, end: end as u32, ..near }
}

fn text_of(text: &str, span: Span) -> &str {
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// The names in a text, those in comments and texts too.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
