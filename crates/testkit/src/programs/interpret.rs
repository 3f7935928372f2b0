//! What does a program do? Every way through one of its functions, with what each leaves open.

use super::{Block, Condition, Flag, Form, Function, Kind, LoopKind, Mark, Program, Statement, Tail, Var};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// For each opening that is left open with something written in it, the exits at which that happens.
pub type Leaks = BTreeMap<Mark, BTreeSet<Mark>>;

/// More ways than this are not walked: the program is none.
const MAX_WALKS: usize = 20_000;
/// A loop goes round this often at most.
const ROUNDS: usize = 3;

/// What the functions of a program leave open, each called by itself with any arguments; `None` when there are too many ways.
///
/// With `apart`, functions that a session is lent to are taken to do what they may do with any arguments, and to return, with an error
/// or without: that is more than can happen.
pub fn leaks(program: &Program, apart: bool) -> Option<Leaks> {
    let mut found = Leaks::new();
    for function in 0..program.functions.len() {
        for walk in walks(program, function, apart)? {
            for (opening, exit) in walk {
                found.entry(opening).or_default().insert(exit);
            }
        }
    }
    Some(found)
}

/// What is left open on each way through one function: openings, and the exits that forget them.
fn walks(program: &Program, function: usize, apart: bool) -> Option<Vec<Vec<(Mark, Mark)>>> {
    let mut found = Vec::new();
    let mut tape = Tape::default();
    loop {
        let mut walk =
            Walk { program, apart, tape, parameters: [None; 3], number: None, sessions: Vec::new(), left: Vec::new() };
        walk.root(&program.functions[function]);
        // A way without an end has left behind what it has.
        found.push(std::mem::take(&mut walk.left));
        tape = walk.tape;
        if found.len() > MAX_WALKS {
            return None;
        }
        if !tape.next() {
            return Some(found);
        }
    }
}

/// Decisions, in the order in which they were asked for.
#[derive(Default)]
struct Tape {
    taken: Vec<(usize, usize)>,
    at: usize,
}

impl Tape {
    fn choose(&mut self, among: usize) -> usize {
        if self.at == self.taken.len() {
            self.taken.push((0, among));
        }
        self.at += 1;
        self.taken[self.at - 1].0
    }

    /// Goes on to the next sequence of decisions; false when there is none.
    fn next(&mut self) -> bool {
        self.at = 0;
        while let Some((choice, among)) = self.taken.pop() {
            if choice + 1 < among {
                self.taken.push((choice + 1, among));
                return true;
            }
        }
        false
    }
}

struct Session {
    opening: Mark,
    written: bool,
    open: bool,
    /// Somebody else's.
    lent: bool,
}

struct Walk<'a> {
    program: &'a Program,
    apart: bool,
    tape: Tape,
    parameters: [Option<bool>; 3],
    number: Option<u8>,
    sessions: Vec<Session>,
    left: Vec<(Mark, Mark)>,
}

/// How a statement is left. Exits without a place give sessions up on purpose: with an error, or where one is dealt with.
enum Flow {
    Next,
    Break(Option<Mark>),
    Continue(Option<Mark>),
    Return {
        good: bool,
        exit: Option<Mark>,
    },
    /// Into a way that has no end.
    Never,
}

/// An error goes to whoever called.
const FAILED: Flow = Flow::Return { good: false, exit: None };

/// The variables of one call, scope by scope.
struct Frame {
    scopes: Vec<Vec<(Var, Option<usize>)>>,
    flags: HashMap<Flag, bool>,
    /// What is left open here is reported.
    root: bool,
    /// How many arms for errors stand around the place.
    error_arms: usize,
}

impl Frame {
    fn slot(&mut self, variable: Var) -> &mut Option<usize> {
        let slots = self.scopes.iter_mut().rev().flatten();
        &mut slots.into_iter().find(|(name, _)| *name == variable).expect("the variable is in scope").1
    }

    /// A way out at a place: in an arm for errors it gives up on purpose.
    fn exit(&self, mark: Mark) -> Option<Mark> {
        (self.error_arms == 0).then_some(mark)
    }

    fn declare(&mut self, variable: Var, session: Option<usize>) {
        self.scopes.last_mut().expect("there is a scope").push((variable, session));
    }
}

impl Walk<'_> {
    /// Runs a function that nobody calls.
    fn root(&mut self, function: &Function) {
        let mut frame = Frame { scopes: vec![Vec::new()], flags: HashMap::new(), root: true, error_arms: 0 };
        if let Some((variable, mark)) = function.parameter {
            let lent = self.program.variables[variable].kind == Kind::Lent;
            let session = self.open(mark, lent);
            frame.declare(variable, Some(session));
        }
        self.call(function, &mut frame);
    }

    /// Runs the body and the tail of a function.
    fn call(&mut self, function: &Function, frame: &mut Frame) -> Flow {
        let flow = match self.statements(&function.body, frame) {
            Flow::Next => match function.tail {
                Tail::Good(mark) => Flow::Return { good: true, exit: Some(mark) },
                Tail::Commit(variable, mark) => self.end(variable, Form::Question, frame, Some(mark)),
                Tail::Never => unreachable!("the body never gets to its end"),
            },
            flow => flow,
        };
        self.leave(frame, 0, &flow, function.body.end);
        flow
    }

    fn open(&mut self, opening: Mark, lent: bool) -> usize {
        self.sessions.push(Session { opening, written: false, open: true, lent });
        self.sessions.len() - 1
    }

    /// Drops what the scopes above `depth` hold.
    fn leave(&mut self, frame: &mut Frame, depth: usize, flow: &Flow, end: Mark) {
        let exit = match flow {
            Flow::Next => Some(end),
            Flow::Break(exit) | Flow::Continue(exit) | Flow::Return { exit, .. } => *exit,
            Flow::Never => None,
        };
        for (_, session) in frame.scopes.drain(depth..).rev().flat_map(|scope| scope.into_iter().rev()) {
            if let (Some(session), Some(exit)) = (session, exit) {
                self.forgotten(session, exit, frame.root);
            }
        }
    }

    fn forgotten(&mut self, session: usize, exit: Mark, root: bool) {
        let session = &mut self.sessions[session];
        if session.open && session.written && !session.lent && root {
            self.left.push((session.opening, exit));
        }
        session.open = session.lent;
    }

    fn block(&mut self, block: &Block, frame: &mut Frame) -> Flow {
        let depth = frame.scopes.len();
        frame.scopes.push(Vec::new());
        let flow = self.statements(block, frame);
        self.leave(frame, depth, &flow, block.end);
        flow
    }

    fn statements(&mut self, block: &Block, frame: &mut Frame) -> Flow {
        for statement in &block.statements {
            match self.statement(statement, frame) {
                Flow::Next => {}
                flow => return flow,
            }
        }
        Flow::Next
    }

    fn fails(&mut self) -> bool {
        self.tape.choose(2) == 1
    }

    /// A commit or a rollback of what a variable holds, which may fail; with `exit` it is what the function answers.
    fn end(&mut self, variable: Var, form: Form, frame: &mut Frame, exit: Option<Mark>) -> Flow {
        if let Some(session) = frame.slot(variable).take() {
            self.sessions[session].open = false;
            if self.fails() && form != Form::Ignored {
                return FAILED;
            }
        }
        exit.map_or(Flow::Next, |exit| Flow::Return { good: true, exit: frame.exit(exit) })
    }

    fn statement(&mut self, statement: &Statement, frame: &mut Frame) -> Flow {
        match statement {
            Statement::Open { variable, mark, .. } => {
                if self.fails() {
                    return FAILED;
                }
                let session = self.open(*mark, false);
                frame.declare(*variable, Some(session));
                Flow::Next
            }
            Statement::Nothing { variable } => {
                frame.declare(*variable, None);
                Flow::Next
            }
            Statement::Assign { variable, mark } => {
                if self.fails() {
                    return FAILED;
                }
                let session = self.open(*mark, false);
                if let Some(before) = frame.slot(*variable).replace(session) {
                    self.forgotten(before, *mark, frame.root);
                }
                Flow::Next
            }
            Statement::Write { variable, form } => {
                let Some(session) = *frame.slot(*variable) else { return Flow::Next };
                match self.fails() {
                    true if *form == Form::Ignored => {}
                    true => return FAILED,
                    false => self.sessions[session].written = true,
                }
                Flow::Next
            }
            Statement::Read { variable } => match *frame.slot(*variable) {
                Some(_) if self.fails() => FAILED,
                _ => Flow::Next,
            },
            Statement::Commit { variable, form } | Statement::Rollback { variable, form } => {
                self.end(*variable, *form, frame, None)
            }
            Statement::Drop { variable } => {
                if let Some(session) = frame.slot(*variable).take() {
                    self.sessions[session].open = false;
                }
                Flow::Next
            }
            Statement::Move { from, to } => {
                let session = frame.slot(*from).take();
                frame.declare(*to, session);
                Flow::Next
            }
            Statement::Call { function, variable, form } => self.called(*function, *variable, *form, frame),
            Statement::Check(form) => match self.fails() && *form != Form::Ignored {
                true => FAILED,
                false => Flow::Next,
            },
            Statement::NewFlag(flag) => {
                frame.flags.insert(*flag, false);
                Flow::Next
            }
            Statement::SetFlag(flag, value) => {
                frame.flags.insert(*flag, *value);
                Flow::Next
            }
            Statement::If { condition, then, otherwise } => match (self.holds(condition, frame), otherwise) {
                (true, _) => self.block(then, frame),
                (false, Some(otherwise)) => self.block(otherwise, frame),
                (false, None) => Flow::Next,
            },
            Statement::Match(arms) => {
                let arm = usize::from(self.number()).min(arms.len() - 1);
                self.block(&arms[arm], frame)
            }
            Statement::Loop { kind, body } => self.rounds(*kind, body, frame),
            Statement::Scope(body) => self.block(body, frame),
            Statement::Async { body, good, bad } => {
                let arms = std::mem::take(&mut frame.error_arms);
                let flow = self.block(body, frame);
                frame.error_arms = arms;
                match flow {
                    Flow::Next | Flow::Return { good: true, .. } => self.block(good, frame),
                    Flow::Return { good: false, .. } => {
                        frame.error_arms += 1;
                        let flow = self.block(bad, frame);
                        frame.error_arms -= 1;
                        flow
                    }
                    flow => flow,
                }
            }
            Statement::ReturnGood(mark) => Flow::Return { good: true, exit: frame.exit(*mark) },
            Statement::ReturnBad => FAILED,
            Statement::ReturnCommit(variable, mark) => self.end(*variable, Form::Question, frame, Some(*mark)),
            Statement::Break(mark) => Flow::Break(frame.exit(*mark)),
            Statement::Continue(mark) => Flow::Continue(frame.exit(*mark)),
        }
    }

    fn rounds(&mut self, kind: LoopKind, body: &Block, frame: &mut Frame) -> Flow {
        for _ in 0..ROUNDS {
            if kind != LoopKind::Forever && self.tape.choose(2) == 0 {
                return Flow::Next;
            }
            match self.block(body, frame) {
                Flow::Next | Flow::Continue(_) => {}
                Flow::Break(_) => return Flow::Next,
                flow => return flow,
            }
        }
        match kind {
            LoopKind::Forever => Flow::Never,
            _ => Flow::Next,
        }
    }

    fn called(&mut self, function: usize, variable: Option<Var>, form: Form, frame: &mut Frame) -> Flow {
        let function = &self.program.functions[function];
        let lent =
            function.parameter.is_some_and(|(parameter, _)| self.program.variables[parameter].kind == Kind::Lent);
        let good = match (variable, function.parameter) {
            // What it does to what it is lent is done here; the rest is between it and itself.
            (Some(variable), Some((parameter, _))) if lent => {
                let session = *frame.slot(variable);
                let mut inner =
                    Frame { scopes: vec![vec![(parameter, None)]], flags: HashMap::new(), root: false, error_arms: 0 };
                let before = session.map(|session| std::mem::replace(&mut self.sessions[session].lent, true));
                *inner.slot(parameter) = session;
                let known = (self.parameters, self.number);
                if self.apart {
                    (self.parameters, self.number) = ([None; 3], None);
                }
                let flow = self.call(function, &mut inner);
                if self.apart {
                    (self.parameters, self.number) = known;
                }
                if let (Some(session), Some(before)) = (session, before) {
                    self.sessions[session].lent = before;
                }
                match flow {
                    Flow::Never if self.apart => true,
                    Flow::Never => return Flow::Never,
                    flow => matches!(flow, Flow::Return { good: true, .. }) && !(self.apart && self.fails()),
                }
            }
            (Some(variable), _) => {
                frame.slot(variable).take();
                !self.fails()
            }
            (None, _) => !self.fails(),
        };
        match good || form == Form::Ignored {
            true => Flow::Next,
            false => FAILED,
        }
    }

    fn number(&mut self) -> u8 {
        match self.number {
            Some(number) => number,
            None => {
                // 3 is any other number: no program names it.
                let number = self.tape.choose(4) as u8;
                self.number = Some(number);
                number
            }
        }
    }

    fn holds(&mut self, condition: &Condition, frame: &Frame) -> bool {
        match condition {
            Condition::Parameter(number) => match self.parameters[*number] {
                Some(value) => value,
                None => {
                    let value = self.tape.choose(2) == 1;
                    self.parameters[*number] = Some(value);
                    value
                }
            },
            Condition::Number(number) => self.number() == *number,
            Condition::Flag(flag) => frame.flags.get(flag).copied().unwrap_or_default(),
            Condition::Ask => self.tape.choose(2) == 1,
            Condition::Not(one) => !self.holds(one, frame),
            Condition::And(one, other) => self.holds(one, frame) && self.holds(other, frame),
            Condition::Or(one, other) => self.holds(one, frame) || self.holds(other, frame),
        }
    }
}
