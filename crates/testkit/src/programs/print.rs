//! How is a program written? As Rust over sqlx, a statement a line.

use super::style::{Style, WORDS};
use super::{Block, Condition, Form, Function, Kind, LoopKind, Mark, Program, Statement, Tail, Var};
use std::collections::BTreeMap;

/// What programs call: a wrapper around a transaction, and functions of which nobody knows what they answer.
pub const PRELUDE: &str = r#"pub use sqlx::{Error, PgPool, Postgres, Transaction};

pub fn ask() -> bool {
    std::env::var_os("ASK").is_some()
}

pub fn some() -> Vec<u8> {
    std::env::args().map(|word| word.len() as u8).collect()
}

pub fn check() -> Result<(), Error> {
    if ask() { Err(Error::RowNotFound) } else { Ok(()) }
}

pub async fn open(pool: &PgPool) -> Result<Transaction<'static, Postgres>, Error> {
    check()?;
    pool.begin().await
}

pub async fn put(tx: &mut Transaction<'_, Postgres>) -> Result<(), Error> {
    sqlx::query("INSERT INTO orders DEFAULT VALUES").execute(&mut **tx).await?;
    Ok(())
}

pub struct Unit {
    tx: Transaction<'static, Postgres>,
    pub count: u32,
}

impl Unit {
    pub async fn begin(pool: &PgPool) -> Result<Unit, Error> {
        Ok(Unit { tx: pool.begin().await?, count: 0 })
    }

    pub async fn write(&mut self) -> Result<(), Error> {
        sqlx::query("INSERT INTO orders DEFAULT VALUES").execute(&mut *self.tx).await?;
        self.count += 1;
        Ok(())
    }

    pub async fn read(&mut self) -> Result<(), Error> {
        sqlx::query("SELECT 1 FROM orders").fetch_one(&mut *self.tx).await?;
        Ok(())
    }

    pub async fn save(self) -> Result<(), Error> {
        self.tx.commit().await
    }

    pub async fn undo(self) -> Result<(), Error> {
        self.tx.rollback().await
    }
}
"#;

/// The same with the words of all styles.
pub fn prelude() -> String {
    let deep = |depth: u32| {
        let next = if depth == 1 { "put".to_owned() } else { format!("put_{}", depth - 1) };
        format!(
            "\npub async fn put_{depth}(tx: &mut Transaction<'_, Postgres>) -> Result<(), Error> {{\n    {next}(tx).await\n}}\n"
        )
    };
    PRELUDE.to_owned() + WORDS + &(1..=10).map(deep).collect::<String>()
}

/// The text of a program.
#[derive(Clone, Debug, Default)]
pub struct Printed {
    /// The file.
    pub text: String,
    /// The line of each mark, from 1.
    pub lines: BTreeMap<Mark, u32>,
    /// For each function its last line.
    pub ends: Vec<u32>,
}

/// Writes a program; `prelude` is the path that it imports what it calls from.
pub fn print(program: &Program, prelude: &str) -> Printed {
    print_as(program, prelude, Style::Plain)
}

/// The same in other words.
pub fn print_as(program: &Program, prelude: &str, style: Style) -> Printed {
    let mut printer = Printer { program, style, out: Printed::default(), line: 0, depth: 0, names: 0 };
    printer.write(&format!("use {prelude}::*;"), &[]);
    for function in &program.functions {
        printer.function(function);
    }
    printer.out
}

struct Printer<'a> {
    program: &'a Program,
    style: Style,
    out: Printed,
    line: u32,
    depth: usize,
    names: usize,
}

impl Printer<'_> {
    fn write(&mut self, text: &str, marks: &[Mark]) {
        self.line += 1;
        self.out.text.push_str(&"    ".repeat(self.depth));
        self.out.text.push_str(text);
        self.out.text.push('\n');
        self.out.lines.extend(marks.iter().map(|mark| (*mark, self.line)));
    }

    fn name(&self, variable: Var) -> &str {
        &self.program.variables[variable].name
    }

    fn function(&mut self, function: &Function) {
        self.write("", &[]);
        let (parameter, marks) = match function.parameter {
            Some((variable, mark)) => {
                let form = match self.program.variables[variable].kind {
                    Kind::Lent => "&mut Transaction<'_, Postgres>",
                    _ => "Transaction<'static, Postgres>",
                };
                let mutable = if self.program.variables[variable].kind == Kind::Lent { "" } else { "mut " };
                (format!("{mutable}{}: {form}, ", self.name(variable)), vec![mark])
            }
            None => (String::new(), Vec::new()),
        };
        let (generics, pool) = self.style.pool();
        let head = format!(
            "pub async fn {}{generics}({parameter}pool: {pool}, a: bool, b: bool, c: bool, k: u8) -> Result<(), Error> {{",
            function.name
        );
        self.write(&head, &marks);
        self.depth += 1;
        if let Some(line) = self.style.first() {
            self.write(line, &[]);
        }
        function.body.statements.iter().for_each(|statement| self.statement(statement));
        match function.tail {
            Tail::Good(mark) => self.write("Ok(())", &[mark]),
            Tail::Commit(variable, mark) => {
                let call = self.end(variable, true);
                self.write(&format!("{call}.await"), &[mark]);
            }
            Tail::Never => {}
        }
        self.depth -= 1;
        self.write("}", &[function.body.end]);
        self.out.ends.push(self.line);
    }

    /// The call that commits or rolls back.
    fn end(&self, variable: Var, commit: bool) -> String {
        let name = self.name(variable);
        match (self.program.variables[variable].kind, commit) {
            (Kind::Unit, true) => format!("{name}.{}()", self.style.method("save")),
            (Kind::Unit, false) => format!("{name}.{}()", self.style.method("undo")),
            (_, true) => format!("{name}.commit()"),
            (_, false) => format!("{name}.rollback()"),
        }
    }

    fn fallible(&mut self, call: &str, waits: bool, form: Form) {
        let wait = if waits { ".await" } else { "" };
        self.names += 1;
        let number = self.names;
        match form {
            Form::Future if waits => {
                self.write(&format!("let future{number} = {call};"), &[]);
                self.write(&format!("future{number}.await?;"), &[]);
            }
            Form::Question | Form::Future => self.write(&format!("{call}{wait}?;"), &[]),
            Form::IfLet => {
                self.write(&format!("if let Err(error) = {call}{wait} {{"), &[]);
                self.write("    return Err(error);", &[]);
                self.write("}", &[]);
            }
            Form::Match => {
                self.write(&format!("match {call}{wait} {{"), &[]);
                self.write("    Ok(_) => {}", &[]);
                self.write("    Err(error) => return Err(error),", &[]);
                self.write("}", &[]);
            }
            Form::Later => {
                self.write(&format!("let result{number} = {call}{wait};"), &[]);
                self.write(&format!("result{number}?;"), &[]);
            }
            Form::Ignored => self.write(&format!("let _ = {call}{wait};"), &[]),
        }
    }

    /// Runs `inner` for a variable that may hold nothing, inside of `if let Some(held) = ..`.
    fn guarded(&mut self, variable: Var, taking: bool, inner: impl FnOnce(&mut Self, &str)) {
        let name = self.name(variable).to_owned();
        if self.program.variables[variable].kind != Kind::Maybe {
            return inner(self, &name);
        }
        let source = if taking { format!("{name}.take()") } else { format!("{name}.as_mut()") };
        self.write(&format!("if let Some(held) = {source} {{"), &[]);
        self.depth += 1;
        inner(self, "held");
        self.depth -= 1;
        self.write("}", &[]);
    }

    fn executor(&self, variable: Var, name: &str) -> String {
        match self.program.variables[variable].kind {
            Kind::Lent | Kind::Maybe => format!("&mut **{name}"),
            _ => format!("&mut *{name}"),
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Open { variable, mark, helper } => {
                let name = self.name(*variable);
                let line = match self.program.variables[*variable].kind {
                    Kind::Unit => format!("let mut {name} = {}.await?;", self.style.opens_unit()),
                    Kind::Maybe => format!("let mut {name} = Some({}.await?);", self.style.opens(false)),
                    _ => format!("let mut {name} = {}.await?;", self.style.opens(*helper)),
                };
                self.write(&line, &[*mark]);
            }
            Statement::Nothing { variable } => {
                let line = format!("let mut {}: Option<Transaction<'static, Postgres>> = None;", self.name(*variable));
                self.write(&line, &[]);
            }
            Statement::Assign { variable, mark } => {
                let name = self.name(*variable);
                let line = match self.program.variables[*variable].kind {
                    Kind::Unit => format!("{name} = {}.await?;", self.style.opens_unit()),
                    Kind::Maybe => format!("{name} = Some({}.await?);", self.style.opens(false)),
                    _ => format!("{name} = {}.await?;", self.style.opens(false)),
                };
                self.write(&line, &[*mark]);
            }
            Statement::Write { variable, form } => self.guarded(*variable, false, |printer, name| {
                let call = match printer.program.variables[*variable].kind {
                    Kind::Unit => format!("{name}.{}()", printer.style.method("write")),
                    kind => printer.style.writes(name, matches!(kind, Kind::Lent | Kind::Maybe)),
                };
                printer.fallible(&call, true, *form);
            }),
            Statement::Read { variable } => self.guarded(*variable, false, |printer, name| {
                let call = match printer.program.variables[*variable].kind {
                    Kind::Unit => format!("{name}.read()"),
                    _ => format!(
                        "sqlx::query(\"SELECT 1 FROM orders\").fetch_one({})",
                        printer.executor(*variable, name)
                    ),
                };
                printer.fallible(&call, true, Form::Question);
            }),
            Statement::Commit { variable, form } | Statement::Rollback { variable, form } => {
                let commit = matches!(statement, Statement::Commit { .. });
                self.guarded(*variable, true, |printer, name| {
                    let own = printer.name(*variable).to_owned();
                    let call = printer.end(*variable, commit).replacen(&own, name, 1);
                    printer.fallible(&call, true, *form);
                });
            }
            Statement::Drop { variable } => {
                let line = format!("drop({});", self.name(*variable));
                self.write(&line, &[]);
            }
            Statement::Move { from, to } => {
                let line = format!("let mut {} = {};", self.name(*to), self.name(*from));
                self.write(&line, &[]);
            }
            Statement::Call { function, variable, form } => {
                let target = &self.program.functions[*function];
                let given = match (variable, target.parameter) {
                    (Some(variable), Some((parameter, _))) => {
                        let name = self.name(*variable);
                        match (self.program.variables[parameter].kind, self.program.variables[*variable].kind) {
                            (Kind::Lent, Kind::Lent) => format!("{name}, "),
                            (Kind::Lent, _) => format!("&mut {name}, "),
                            _ => format!("{name}, "),
                        }
                    }
                    _ => String::new(),
                };
                let call = format!("{}({given}pool, a, b, c, k)", target.name);
                self.fallible(&call, true, *form);
            }
            Statement::Check(form) => self.fallible("check()", false, *form),
            Statement::NewFlag(flag) => self.write(&format!("let mut flag{flag} = false;"), &[]),
            Statement::SetFlag(flag, value) => {
                let text = match (flag % 3, value) {
                    (0, true) => format!("flag{flag} |= true;"),
                    (0, false) => format!("flag{flag} &= false;"),
                    (1, _) => format!("{{ let set = &mut flag{flag}; *set = {value}; }}"),
                    _ => format!("flag{flag} = {value};"),
                };
                self.write(&text, &[]);
            }
            Statement::If { condition, then, otherwise } => {
                self.write(&format!("if {} {{", text_of(condition)), &[]);
                self.inside(then);
                if let Some(otherwise) = otherwise {
                    self.write("} else {", &[then.end]);
                    self.inside(otherwise);
                    self.write("}", &[otherwise.end]);
                } else {
                    self.write("}", &[then.end]);
                }
            }
            Statement::Match(arms) => {
                self.write("match k {", &[]);
                self.depth += 1;
                for (number, arm) in arms.iter().enumerate() {
                    let pattern = if number + 1 == arms.len() { "_".to_owned() } else { number.to_string() };
                    self.write(&format!("{pattern} => {{"), &[]);
                    self.inside(arm);
                    self.write("}", &[arm.end]);
                }
                self.depth -= 1;
                self.write("}", &[]);
            }
            Statement::Loop { kind, body } => {
                let head = match kind {
                    LoopKind::While => "while ask() {",
                    LoopKind::For => "for _ in some() {",
                    LoopKind::Forever => "loop {",
                };
                self.write(head, &[]);
                self.inside(body);
                self.write("}", &[body.end]);
            }
            Statement::Scope(body) => {
                self.write("{", &[]);
                self.inside(body);
                self.write("}", &[body.end]);
            }
            Statement::Async { body, good, bad } => {
                self.names += 1;
                let number = self.names;
                self.write(&format!("let outcome{number}: Result<(), Error> = async {{"), &[]);
                self.inside(body);
                if !body.diverges() {
                    self.write("    Ok(())", &[]);
                }
                self.write("}", &[body.end]);
                self.write(".await;", &[]);
                self.write(&format!("match outcome{number} {{"), &[]);
                self.depth += 1;
                self.write("Ok(()) => {", &[]);
                self.inside(good);
                self.write("}", &[good.end]);
                self.write("Err(_) => {", &[]);
                self.inside(bad);
                self.write("}", &[bad.end]);
                self.depth -= 1;
                self.write("}", &[]);
            }
            Statement::ReturnGood(mark) => self.write("return Ok(());", &[*mark]),
            Statement::ReturnBad => self.write("return Err(Error::RowNotFound);", &[]),
            Statement::ReturnCommit(variable, mark) => {
                let call = self.end(*variable, true);
                self.write(&format!("return {call}.await;"), &[*mark]);
            }
            Statement::Break(mark) => self.write("break;", &[*mark]),
            Statement::Continue(mark) => self.write("continue;", &[*mark]),
        }
    }

    fn inside(&mut self, block: &Block) {
        self.depth += 1;
        block.statements.iter().for_each(|statement| self.statement(statement));
        self.depth -= 1;
    }
}

fn text_of(condition: &Condition) -> String {
    let inner = |condition: &Condition| match condition {
        Condition::And(..) | Condition::Or(..) | Condition::Number(_) => format!("({})", text_of(condition)),
        _ => text_of(condition),
    };
    match condition {
        Condition::Parameter(number) => ["a", "b", "c"][*number].to_owned(),
        Condition::Number(number) => format!("k == {number}"),
        Condition::Flag(flag) => format!("flag{flag}"),
        Condition::Ask => "ask()".to_owned(),
        Condition::Not(one) => format!("!{}", inner(one)),
        Condition::And(one, other) => format!("{} && {}", inner(one), inner(other)),
        Condition::Or(one, other) => format!("{} || {}", inner(one), inner(other)),
    }
}
