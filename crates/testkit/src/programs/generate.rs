//! Which program does a number stand for? One that the compiler takes: what was moved is not used again.

use super::{Block, Condition, Flag, Form, Function, Kind, LoopKind, Mark, Program, Statement, Tail, Var, Variable};

/// The program of a number; the same one each time.
pub fn generate(seed: u64) -> Program {
    let mut maker = Maker {
        random: fastrand::Rng::with_seed(seed),
        program: Program::default(),
        marks: 0,
        flags: 0,
        left: 0,
        inside: Inside::default(),
    };
    for _ in 0..maker.random.usize(0..3) {
        maker.helper();
    }
    maker.function("run".to_owned(), None);
    maker.program
}

/// Whether a variable can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// It holds a session, or what may be none.
    Owned,
    /// It may have been moved.
    Unsure,
    /// It was moved.
    Gone,
}

/// What the compiler knows of variables at one place.
#[derive(Clone, Debug, Default)]
struct Scope {
    variables: Vec<(Var, Status)>,
    flags: Vec<Flag>,
}

/// What stands around a place.
#[derive(Clone, Debug, Default)]
struct Inside {
    /// How many loops, and the variables that a move in the next round would find gone: those before this number.
    loops: usize,
    fixed: usize,
    /// The same of the loop around the innermost one.
    fixed_outside: usize,
    /// What the variables are at each `break` out of the innermost loop.
    breaks: Vec<Scope>,
    /// In an async block what stands outside is not moved.
    borrowed: usize,
    depth: usize,
    /// A block that will be left: what it moves is not seen again in the loop.
    leaving: bool,
    is_async: bool,
}

struct Maker {
    random: fastrand::Rng,
    program: Program,
    marks: Mark,
    flags: Flag,
    /// Statements that may still be made.
    left: usize,
    inside: Inside,
}

impl Maker {
    fn mark(&mut self) -> Mark {
        self.marks += 1;
        self.marks
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.random.usize(0..of) == 0
    }

    fn variable(&mut self, kind: Kind, scope: &Scope) -> Var {
        let visible: Vec<&str> =
            scope.variables.iter().map(|(var, _)| self.program.variables[*var].name.as_str()).collect();
        let shadowed = if visible.is_empty() || self.random.usize(0..6) > 0 {
            None
        } else {
            let name = visible[self.random.usize(0..visible.len())].to_owned();
            Some(name)
        };
        let number = self.program.variables.len();
        let name = shadowed.unwrap_or_else(|| format!("tx{number}"));
        self.program.variables.push(Variable { name, kind });
        number
    }

    fn helper(&mut self) {
        let number = self.program.functions.len();
        let kind = match self.random.usize(0..3) {
            0 => Some(Kind::Plain),
            1 => Some(Kind::Lent),
            _ => None,
        };
        self.function(format!("helper{number}"), kind);
    }

    fn function(&mut self, name: String, parameter: Option<Kind>) {
        let mut scope = Scope::default();
        self.inside = Inside::default();
        self.left = if name == "run" { self.random.usize(4..16) } else { self.random.usize(2..6) };
        let parameter = parameter.map(|kind| {
            let variable = self.variable(kind, &scope);
            scope.variables.push((variable, Status::Owned));
            (variable, self.mark())
        });
        let mut body = Block { statements: Vec::new(), end: self.mark() };
        if parameter.is_none() && !self.one_in(5) {
            self.opening(&mut scope, &mut body.statements);
        }
        let rest = self.fill(&mut scope, &mut body.statements, 8);
        let tail = match rest {
            false => Tail::Never,
            true => {
                let owned = self.usable(&scope, true, |kind| matches!(kind, Kind::Plain | Kind::Unit));
                match owned.last() {
                    Some(variable) if self.one_in(4) => Tail::Commit(*variable, self.mark()),
                    _ => Tail::Good(self.mark()),
                }
            }
        };
        self.program.functions.push(Function { name, parameter, body, tail });
    }

    /// The variables that can be named, and used as `kind` asks; `moved`: given away, too.
    fn usable(&self, scope: &Scope, moved: bool, kind: impl Fn(Kind) -> bool) -> Vec<Var> {
        let name = |variable: Var| self.program.variables[variable].name.as_str();
        let all = scope.variables.iter().enumerate();
        all.filter(|(place, (variable, status))| {
            let hidden = scope.variables[place + 1..].iter().any(|(other, _)| name(*other) == name(*variable));
            let fixed =
                moved && ((*place < self.inside.fixed && !self.inside.leaving) || *place < self.inside.borrowed);
            !hidden && !fixed && *status == Status::Owned && kind(self.program.variables[*variable].kind)
        })
        .map(|(_, (variable, _))| *variable)
        .collect()
    }

    fn pick(&mut self, among: &[Var]) -> Option<Var> {
        (!among.is_empty()).then(|| among[self.random.usize(0..among.len())])
    }

    fn form(&mut self) -> Form {
        match self.random.usize(0..10) {
            0..=4 => Form::Question,
            5 => Form::IfLet,
            6 => Form::Match,
            7 => Form::Later,
            8 => Form::Future,
            _ => Form::Question,
        }
    }

    fn condition(&mut self, scope: &Scope, depth: usize) -> Condition {
        match self.random.usize(0..if depth == 0 { 12 } else { 8 }) {
            0..=3 => Condition::Parameter(self.random.usize(0..3)),
            4 => Condition::Number(self.random.u8(0..3)),
            5 => Condition::Ask,
            6 if !scope.flags.is_empty() => Condition::Flag(scope.flags[self.random.usize(0..scope.flags.len())]),
            8..=9 => Condition::Not(Box::new(self.condition(scope, 1))),
            10 => Condition::And(Box::new(self.condition(scope, 1)), Box::new(self.condition(scope, 1))),
            11 => Condition::Or(Box::new(self.condition(scope, 1)), Box::new(self.condition(scope, 1))),
            _ => Condition::Parameter(self.random.usize(0..3)),
        }
    }

    fn opening(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) {
        let kind = match self.random.usize(0..6) {
            0 => Kind::Unit,
            1 => Kind::Maybe,
            _ => Kind::Plain,
        };
        let variable = self.variable(kind, scope);
        if kind == Kind::Maybe && !self.one_in(3) {
            out.push(Statement::Nothing { variable });
        } else {
            let helper = kind == Kind::Plain && self.one_in(4);
            out.push(Statement::Open { variable, mark: self.mark(), helper });
        }
        scope.variables.push((variable, Status::Owned));
    }

    /// Adds statements; false when the end is not reached.
    fn fill(&mut self, scope: &mut Scope, out: &mut Vec<Statement>, most: usize) -> bool {
        for _ in 0..self.random.usize(1..=most) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            if !self.statement(scope, out) {
                return false;
            }
        }
        true
    }

    /// A block with a scope of its own. The variables of `scope` are as at its end, or as before when it is not reached.
    fn block(&mut self, scope: &mut Scope, most: usize) -> (Block, bool) {
        let mut block = Block { statements: Vec::new(), end: self.mark() };
        let mut inner = scope.clone();
        self.inside.depth += 1;
        let reached = self.fill(&mut inner, &mut block.statements, most);
        self.inside.depth -= 1;
        if reached {
            inner.variables.truncate(scope.variables.len());
            scope.variables = inner.variables;
        }
        (block, reached)
    }

    /// A block that ends with a way out of the function or the loop.
    fn way_out(&mut self, scope: &Scope) -> Block {
        let mut block = Block { statements: Vec::new(), end: self.mark() };
        let mut inner = scope.clone();
        let leaving = std::mem::replace(&mut self.inside.leaving, true);
        self.inside.depth += 1;
        if self.one_in(2) {
            let movable = self.usable(&inner, true, |kind| kind != Kind::Lent);
            if let Some(variable) = self.pick(&movable) {
                self.ending(variable, &mut inner, &mut block.statements);
            }
        }
        self.inside.depth -= 1;
        let mark = self.mark();
        let owned = self.usable(&inner, true, |kind| matches!(kind, Kind::Plain | Kind::Unit));
        self.inside.leaving = leaving;
        let last = match self.random.usize(0..6) {
            0 if !owned.is_empty() => Statement::ReturnCommit(owned[owned.len() - 1], mark),
            1 => Statement::ReturnBad,
            // It goes on in the loop around this one.
            2 | 3 if self.inside.loops > 0 && unmoved(&inner, scope, self.inside.fixed_outside) => {
                inner.variables.truncate(scope.variables.len());
                self.inside.breaks.push(inner);
                Statement::Break(mark)
            }
            // The next round would find what was moved gone.
            4 if self.inside.loops > 0 && inner.variables == scope.variables => Statement::Continue(mark),
            _ => Statement::ReturnGood(mark),
        };
        block.statements.push(last);
        block
    }

    fn ending(&mut self, variable: Var, scope: &mut Scope, out: &mut Vec<Statement>) {
        let form = self.form();
        out.push(match self.random.usize(0..10) {
            0..=6 => Statement::Commit { variable, form },
            7 | 8 => Statement::Rollback { variable, form: if self.one_in(3) { Form::Ignored } else { form } },
            _ => Statement::Drop { variable },
        });
        // What is taken out of an option leaves none behind.
        let taken =
            self.program.variables[variable].kind == Kind::Maybe && !matches!(out.last(), Some(Statement::Drop { .. }));
        if !taken {
            set(scope, variable, Status::Gone);
        }
    }

    /// Adds one statement; false when what follows is not reached.
    fn statement(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
        let nested = self.inside.depth < 3;
        let usable = self.usable(scope, false, |_| true);
        let movable = self.usable(scope, true, |kind| kind != Kind::Lent);
        match self.random.usize(0..100) {
            0..=9 => self.opening(scope, out),
            10..=33 => {
                let Some(variable) = self.pick(&usable) else { return true };
                let form = if self.one_in(8) { Form::Ignored } else { self.form() };
                // An option that may hold nothing is asked first.
                out.push(Statement::Write { variable, form });
            }
            34..=37 => {
                let Some(variable) = self.pick(&usable) else { return true };
                out.push(Statement::Read { variable });
            }
            38..=50 => {
                let Some(variable) = self.pick(&movable) else { return true };
                self.ending(variable, scope, out);
            }
            51..=54 => {
                let assignable = self.assignable(scope);
                let Some(variable) = self.pick(&assignable) else { return true };
                out.push(Statement::Assign { variable, mark: self.mark() });
                set(scope, variable, Status::Owned);
            }
            55..=57 => {
                let Some(from) = self.pick(&movable) else { return true };
                let to = self.variable(self.program.variables[from].kind, scope);
                set(scope, from, Status::Gone);
                out.push(Statement::Move { from, to });
                scope.variables.push((to, Status::Owned));
            }
            58..=63 => self.call(scope, out),
            64..=66 => {
                let form = self.form();
                out.push(Statement::Check(form));
            }
            67..=69 => {
                if !scope.flags.is_empty() && self.one_in(2) {
                    let flag = scope.flags[self.random.usize(0..scope.flags.len())];
                    out.push(Statement::SetFlag(flag, self.random.usize(0..4) > 0));
                } else {
                    self.flags += 1;
                    scope.flags.push(self.flags);
                    out.push(Statement::NewFlag(self.flags));
                }
            }
            70..=84 if nested => return self.branch(scope, out),
            85..=88 if nested => return self.arms(scope, out),
            89..=92 if nested => return self.round(scope, out),
            93..=94 if nested => {
                let (block, reached) = self.block(scope, 4);
                out.push(Statement::Scope(block));
                return reached;
            }
            95..=96 if nested && !self.inside.is_async => return self.async_block(scope, out),
            _ => {
                let mut block = self.way_out(scope);
                let condition = self.condition(scope, 0);
                let otherwise = None;
                out.push(Statement::If { condition, then: std::mem::take(&mut block), otherwise });
            }
        }
        true
    }

    /// Variables that may get a new value: what they are does not matter, but they are in sight.
    fn assignable(&self, scope: &Scope) -> Vec<Var> {
        let name = |variable: Var| self.program.variables[variable].name.as_str();
        let all = scope.variables.iter().enumerate();
        all.filter(|(place, (variable, _))| {
            let hidden = scope.variables[place + 1..].iter().any(|(other, _)| name(*other) == name(*variable));
            !hidden && self.program.variables[*variable].kind != Kind::Lent && *place >= self.inside.borrowed
        })
        .map(|(_, (variable, _))| *variable)
        .collect()
    }

    fn call(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) {
        if self.program.functions.is_empty() {
            return;
        }
        let function = self.random.usize(0..self.program.functions.len());
        let parameter =
            self.program.functions[function].parameter.map(|(parameter, _)| self.program.variables[parameter].kind);
        let variable = match parameter {
            None => None,
            Some(Kind::Lent) => {
                let lendable = self.usable(scope, false, |kind| matches!(kind, Kind::Plain | Kind::Lent));
                let Some(variable) = self.pick(&lendable) else { return };
                Some(variable)
            }
            Some(_) => {
                let given = self.usable(scope, true, |kind| kind == Kind::Plain);
                let Some(variable) = self.pick(&given) else { return };
                set(scope, variable, Status::Gone);
                Some(variable)
            }
        };
        let form = self.form();
        out.push(Statement::Call { function, variable, form });
    }

    fn branch(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
        let condition = self.condition(scope, 0);
        let before = scope.clone();
        let (then, reached) = self.block(scope, 3);
        let after = std::mem::replace(scope, before);
        if self.one_in(2) {
            out.push(Statement::If { condition, then, otherwise: None });
            if reached {
                merge(scope, &after);
            }
            return true;
        }
        let (otherwise, other) = self.block(scope, 3);
        out.push(Statement::If { condition, then, otherwise: Some(otherwise) });
        match (reached, other) {
            (true, true) => merge(scope, &after),
            (true, false) => *scope = after,
            _ => {}
        }
        reached || other
    }

    fn arms(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
        let before = scope.clone();
        let mut after: Option<Scope> = None;
        let mut arms = Vec::new();
        for _ in 0..self.random.usize(2..=3) {
            let mut here = before.clone();
            let (arm, reached) = self.block(&mut here, 3);
            arms.push(arm);
            if reached {
                match &mut after {
                    Some(after) => merge(after, &here),
                    None => after = Some(here),
                }
            }
        }
        out.push(Statement::Match(arms));
        match after {
            Some(after) => {
                *scope = after;
                true
            }
            None => false,
        }
    }

    fn round(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
        let kind = [LoopKind::While, LoopKind::For, LoopKind::Forever][self.random.usize(0..3)];
        let before = self.inside.clone();
        self.inside.loops += 1;
        self.inside.fixed_outside = self.inside.fixed;
        self.inside.fixed = scope.variables.len();
        self.inside.leaving = false;
        self.inside.breaks.clear();
        let start = scope.clone();
        let (mut body, reached) = self.block(scope, 4);
        if kind == LoopKind::Forever && self.inside.breaks.is_empty() {
            // Somebody must leave it: before anything else, when asked.
            let mark = self.mark();
            let end = self.mark();
            let then = Block { statements: vec![Statement::Break(mark)], end };
            body.statements.insert(0, Statement::If { condition: Condition::Ask, then, otherwise: None });
            self.inside.breaks.push(start.clone());
        }
        let breaks = std::mem::take(&mut self.inside.breaks);
        self.inside = before;
        out.push(Statement::Loop { kind, body });
        let mut after = match (kind, reached) {
            (LoopKind::Forever, _) => None,
            (_, true) => {
                merge(scope, &start);
                Some(scope.clone())
            }
            (_, false) => Some(start.clone()),
        };
        for mut one in breaks {
            one.variables.truncate(start.variables.len());
            match &mut after {
                Some(after) => merge(after, &one),
                None => after = Some(one),
            }
        }
        *scope = Scope { flags: start.flags, ..after.expect("a loop is left somewhere") };
        true
    }

    fn async_block(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
        let before = self.inside.clone();
        self.inside.is_async = true;
        self.inside.loops = 0;
        (self.inside.fixed, self.inside.fixed_outside) = (0, 0);
        self.inside.borrowed = scope.variables.len();
        let (body, _) = self.block(scope, 4);
        self.inside = before;
        let start = scope.clone();
        let (good, reached) = self.block(scope, 2);
        let after = std::mem::replace(scope, start);
        let (bad, other) = self.block(scope, 2);
        out.push(Statement::Async { body, good, bad });
        match (reached, other) {
            (true, true) => merge(scope, &after),
            (true, false) => *scope = after,
            _ => {}
        }
        reached || other
    }
}

fn set(scope: &mut Scope, variable: Var, status: Status) {
    let found = scope.variables.iter_mut().rev().find(|(other, _)| *other == variable);
    found.expect("the variable is in scope").1 = status;
}

/// Whether the first `count` variables are in one scope what they are in the other.
fn unmoved(scope: &Scope, other: &Scope, count: usize) -> bool {
    scope.variables[..count] == other.variables[..count]
}

/// What is known where two ways meet.
fn merge(scope: &mut Scope, other: &Scope) {
    for ((_, status), (_, there)) in scope.variables.iter_mut().zip(&other.variables) {
        if *status != *there {
            *status = Status::Unsure;
        }
    }
}
