//! Which program does a number stand for? One that the compiler takes: what was moved is not used again.

use super::scope::{Inside, Scope, Status, set};
use super::{Block, Condition, Flag, Form, Function, Kind, Mark, Program, Statement, Tail, Var, Variable};

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

pub(super) struct Maker {
    pub(super) random: fastrand::Rng,
    pub(super) program: Program,
    pub(super) marks: Mark,
    pub(super) flags: Flag,
    /// Statements that may still be made.
    pub(super) left: usize,
    pub(super) inside: Inside,
}

impl Maker {
    pub(super) fn mark(&mut self) -> Mark {
        self.marks += 1;
        self.marks
    }

    pub(super) fn one_in(&mut self, of: usize) -> bool {
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
    pub(super) fn usable(&self, scope: &Scope, moved: bool, kind: impl Fn(Kind) -> bool) -> Vec<Var> {
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

    pub(super) fn pick(&mut self, among: &[Var]) -> Option<Var> {
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

    pub(super) fn condition(&mut self, scope: &Scope, depth: usize) -> Condition {
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
    pub(super) fn fill(&mut self, scope: &mut Scope, out: &mut Vec<Statement>, most: usize) -> bool {
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

    pub(super) fn ending(&mut self, variable: Var, scope: &mut Scope, out: &mut Vec<Statement>) {
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
}
