//! The graph of one body while it is built: blocks, scopes, loops, and where exits go.

use sessionlint_diagnostics::{Gap, Span};
use sessionlint_ir::{
    Answer, Asked, BasicBlock, BlockId, Body, BodyKind, Capture, Condition, ConditionId, DropCause, Flag, Import,
    Local, LocalId, Place, Statement, StatementKind, Terminator, Test, TestRole, TypeRef,
};
use std::collections::{BTreeMap, BTreeSet};

/// Names that are visible, and locals that are dropped, until a scope ends.
#[derive(Default)]
pub(super) struct Scope {
    names: Vec<(String, LocalId)>,
    drops: Vec<LocalId>,
}

/// A loop that `break` and `continue` can leave.
#[derive(Clone)]
pub(super) struct LoopFrame {
    pub label: Option<String>,
    pub after: BlockId,
    pub head: BlockId,
    pub depth: usize,
    pub value: Place,
    /// A labelled block: `continue` and a `break` without label pass it by.
    pub is_block: bool,
    /// How many variables there were before it.
    pub locals: usize,
}

/// Where `return` and `?` go.
#[derive(Clone)]
pub(super) struct Target {
    pub place: Place,
    pub block: BlockId,
    pub depth: usize,
}

/// What is compared with more literals than this in one body is not followed.
const MAX_LITERALS: usize = 64;

/// A test of a condition that may stand elsewhere too.
struct Candidate {
    block: BlockId,
    condition: Stable,
    repeated: bool,
}

/// A condition that gives the same answer as long as its variables are not set again.
pub(super) struct Stable {
    /// One text for it and its opposite.
    pub key: String,
    /// Whether this is the opposite.
    pub negated: bool,
    /// The variables in it.
    pub roots: Vec<LocalId>,
    /// The text of what it compares with a literal, and where: the arms of one `match` stand at one place.
    pub value: Option<(String, BlockId)>,
}

pub(super) struct Frame {
    kind: BodyKind,
    pub span: Span,
    pub output: Option<TypeRef>,
    pub locals: Vec<Local>,
    pub params: Vec<LocalId>,
    captures: Vec<Capture>,
    blocks: Vec<(Vec<Statement>, Option<Terminator>)>,
    pub current: BlockId,
    pub children: Vec<Body>,
    pub imports: Vec<Import>,
    pub gaps: Vec<Gap>,
    scopes: Vec<Scope>,
    pub loops: Vec<LoopFrame>,
    pub targets: Vec<Target>,
    /// How many error arms are open around the current statement.
    pub error_arms: u32,
    /// How many branches are open around the current statement.
    pub branches: u32,
    /// What the statements before the current one, in its block, pass to a call and do nothing else with.
    pub told: Vec<Vec<String>>,
    /// Where the ways of the open branches come together again, the innermost last.
    pub joins: Vec<BlockId>,
    /// What the tests are that are written now.
    pub role: TestRole,
    /// The pattern that the tests that are written now are parts of.
    pub whole: Option<Span>,
    candidates: Vec<Candidate>,
    /// Blocks that end with a condition or pattern, and the names in it.
    asked: BTreeMap<BlockId, Asked>,
    /// Blocks that end with the test of a result whose error is only logged.
    only_logged: BTreeSet<BlockId>,
    answers: Vec<Answer>,
    /// Blocks that end with a test of whether a variable is set.
    pub flags: BTreeMap<BlockId, Flag>,
    reassigned: BTreeSet<LocalId>,
    /// Blocks in a loop with the variable from outside that they test.
    repeated: Vec<(BlockId, LocalId)>,
}

impl Frame {
    pub fn new(kind: BodyKind, output: Option<TypeRef>, span: Span) -> Self {
        let returned = Local { name: None, span, ty: None };
        let mut frame = Self {
            kind,
            span,
            output,
            locals: vec![returned],
            params: Vec::new(),
            captures: Vec::new(),
            blocks: Vec::new(),
            current: BlockId(0),
            children: Vec::new(),
            imports: Vec::new(),
            gaps: Vec::new(),
            scopes: vec![Scope::default()],
            loops: Vec::new(),
            targets: Vec::new(),
            error_arms: 0,
            branches: 0,
            told: Vec::new(),
            joins: Vec::new(),
            role: TestRole::Branch,
            whole: None,
            candidates: Vec::new(),
            asked: BTreeMap::new(),
            only_logged: BTreeSet::new(),
            answers: Vec::new(),
            flags: BTreeMap::new(),
            reassigned: BTreeSet::new(),
            repeated: Vec::new(),
        };
        frame.new_block();
        let exit = frame.new_block();
        frame.targets.push(Target { place: Place::local(Body::RETURN), block: exit, depth: 0 });
        frame
    }

    pub fn local(&mut self, name: Option<String>, span: Span, ty: Option<TypeRef>) -> LocalId {
        self.locals.push(Local { name, span, ty });
        LocalId(self.locals.len() as u32 - 1)
    }

    pub fn new_block(&mut self) -> BlockId {
        self.blocks.push((Vec::new(), None));
        BlockId(self.blocks.len() as u32 - 1)
    }

    pub fn push(&mut self, kind: StatementKind, span: Span) {
        self.blocks[self.current.index()].0.push(Statement { kind, span });
    }

    /// Ends the current block; the first end counts.
    pub fn terminate(&mut self, terminator: Terminator) {
        if let Terminator::Test { test, .. } = &terminator
            && let Test::Success(place) | Test::Failure(place) | Test::Bool(place) = test
            && place.projection.is_empty()
            && self.is_from_outside(place.local)
        {
            self.repeated.push((self.current, place.local));
        }
        let end = &mut self.blocks[self.current.index()].1;
        if end.is_none() {
            *end = Some(terminator);
        }
    }

    pub fn goto(&mut self, block: BlockId) {
        self.terminate(Terminator::Goto(block));
    }

    /// Ends the current block with a test and goes on where it holds.
    pub fn test(&mut self, test: Test, no: BlockId, span: Span) {
        let yes = self.new_block();
        let (role, span) = (self.role, self.whole.unwrap_or(span));
        self.terminate(Terminator::Test { test, yes, no, span, role });
        self.current = yes;
    }

    /// Ends the current block with a condition that may be tested elsewhere too.
    pub fn test_condition(&mut self, condition: Stable, yes: BlockId, no: BlockId, span: Span) {
        let looped = self.loops.iter().any(|open| !open.is_block);
        let repeated = looped && condition.roots.iter().all(|root| self.is_from_outside(*root));
        self.candidates.push(Candidate { block: self.current, condition, repeated });
        let (role, span) = (self.role, self.whole.unwrap_or(span));
        self.terminate(Terminator::Test { test: Test::Opaque, yes, no, span, role });
    }

    /// Notes the names in the test that ends the current block.
    pub fn ask(&mut self, names: Vec<String>, negated: bool) {
        if let Some(join) = self.joins.last().filter(|_| !names.is_empty()) {
            self.asked.insert(self.current, Asked { names, negated, join: *join });
        }
    }

    /// The number of an answer.
    pub fn answer(&mut self, answer: Answer) -> u32 {
        let known = self.answers.iter().position(|known| *known == answer);
        let at = known.unwrap_or_else(|| {
            self.answers.push(answer);
            self.answers.len() - 1
        });
        at as u32
    }

    /// Whether a variable stood there before the innermost loop that is open.
    fn is_from_outside(&self, local: LocalId) -> bool {
        let innermost = self.loops.iter().rev().find(|open| !open.is_block);
        innermost.is_some_and(|innermost| local.index() < innermost.locals)
    }

    pub fn push_scope(&mut self) {
        self.scopes.push(Scope::default());
    }

    pub fn scope_depth(&self) -> usize {
        self.scopes.len()
    }

    /// Ends the innermost scope: what it owns is dropped in reverse order.
    pub fn pop_scope(&mut self, cause: DropCause, span: Span) {
        let scope = self.scopes.pop().expect("a scope is open");
        self.drop_all(scope.drops.iter().rev().copied().collect(), cause, span);
    }

    /// What the innermost scope owns, the last first.
    pub fn scope_drops(&self) -> Vec<LocalId> {
        self.scopes.last().map(|scope| scope.drops.iter().rev().copied().collect()).unwrap_or_default()
    }

    pub fn drop_all(&mut self, locals: Vec<LocalId>, cause: DropCause, span: Span) {
        if !locals.is_empty() {
            self.push(StatementKind::Drop(locals, cause), span);
        }
    }

    /// Emits the drops of all scopes above `depth`, which stay open for the code that follows.
    pub fn drop_down_to(&mut self, depth: usize, cause: &DropCause, span: Span) {
        let locals = self.scopes[depth..].iter().rev().flat_map(|scope| scope.drops.iter().rev().copied()).collect();
        self.push(StatementKind::Drop(locals, cause.clone()), span);
    }

    /// Makes the innermost scope drop `local` at its end.
    pub fn own(&mut self, local: LocalId) {
        self.scopes.last_mut().expect("a scope is open").drops.push(local);
    }

    /// Makes `local` visible in, and dropped by, the innermost scope.
    pub fn declare(&mut self, local: LocalId) {
        self.declare_at(local, self.scopes.len() - 1);
    }

    /// The same for the scope with index `scope`.
    pub fn declare_at(&mut self, local: LocalId, scope: usize) {
        let name = self.locals[local.index()].name.clone();
        let scope = &mut self.scopes[scope];
        scope.drops.push(local);
        if let Some(name) = name {
            scope.names.push((name, local));
        }
    }

    /// Gives the innermost scope a temporary of the scope above it, whose life it extends.
    pub fn own_in_parent(&mut self, local: LocalId) {
        let parent = self.scopes.len().saturating_sub(2);
        self.scopes[parent].drops.push(local);
    }

    /// How many names the innermost scope has.
    pub fn names_here(&self) -> usize {
        self.scopes.last().map_or(0, |scope| scope.names.len())
    }

    /// The names that the innermost scope got since it had `known` of them.
    pub fn names_since(&self, known: usize) -> Vec<(String, LocalId)> {
        self.scopes.last().map(|scope| scope.names[known..].to_vec()).unwrap_or_default()
    }

    /// Gives a name of the innermost scope back to the variable that had it before, among the first `known` ones.
    pub fn renamed(&mut self, name: &str, local: LocalId, known: usize) -> Option<LocalId> {
        let names = &mut self.scopes.last_mut()?.names;
        let before = names[..known].iter().rev().find(|(known, _)| known == name)?.1;
        names.retain(|(_, other)| *other != local);
        Some(before)
    }

    pub fn lookup(&self, name: &str) -> Option<LocalId> {
        let names = self.scopes.iter().rev().flat_map(|scope| scope.names.iter().rev());
        names.into_iter().find(|(known, _)| known == name).map(|(_, local)| *local)
    }

    pub fn capture(&mut self, name: &str, outer: LocalId, span: Span, ty: Option<TypeRef>) -> LocalId {
        let inner = self.local(Some(name.to_owned()), span, ty);
        self.captures.push(Capture { outer, inner });
        // What is captured by value is dropped with the body.
        self.scopes[0].drops.push(inner);
        self.scopes[0].names.push((name.to_owned(), inner));
        inner
    }

    pub fn mark_reassigned(&mut self, local: LocalId) {
        self.reassigned.insert(local);
    }

    /// A variable of the program may be changed here in a way that is not followed.
    pub fn change(&mut self, local: LocalId, grows: bool, by_name: bool, span: Span) {
        if self.locals[local.index()].name.is_some() {
            self.reassigned.insert(local);
            self.push(StatementKind::Change { local, grows, by_name }, span);
        }
    }

    /// Where a condition or pattern begins: the block, and the number of the first one that it makes.
    pub fn begin_test(&self) -> (BlockId, usize) {
        (self.current, self.blocks.len())
    }

    /// Marks the tests of a condition or pattern that begins there as those whose error is only logged: of truth values, and of results
    /// where it is known on which side the error is.
    pub fn mark_ignored(&mut self, (first, made): (BlockId, usize), of_results: bool) {
        for at in std::iter::once(first.index()).chain(made..self.blocks.len()) {
            let Some(Terminator::Test { test, role, .. }) = &self.blocks[at].1 else { continue };
            let is_meant = match test {
                Test::Failure(_) | Test::Success(_) => of_results,
                Test::Bool(_) => true,
                _ => false,
            };
            if is_meant && *role != TestRole::Propagated {
                self.only_logged.insert(BlockId(at as u32));
            }
        }
    }

    pub fn finish(mut self) -> Body {
        // What is compared with several literals is tested as often as there are places where that is done. With very many of
        // them, ways are not told apart.
        let mut literals: BTreeMap<(&str, &[LocalId]), usize> = BTreeMap::new();
        for Candidate { condition, .. } in &self.candidates {
            if let Some((text, _)) = &condition.value {
                *literals.entry((text, &condition.roots)).or_default() += 1;
            }
        }
        let mut uses: BTreeMap<(&str, &[LocalId]), BTreeSet<BlockId>> = BTreeMap::new();
        for Candidate { block, condition, .. } in &self.candidates {
            let (text, place) = condition.value.as_ref().map_or((&condition.key, block), |(text, place)| (text, place));
            uses.entry((text, &condition.roots)).or_default().insert(*place);
        }
        let mut ids: BTreeMap<(&str, &[LocalId]), ConditionId> = BTreeMap::new();
        let mut values: BTreeMap<(&str, &[LocalId]), u32> = BTreeMap::new();
        let mut conditions = Vec::new();
        for Candidate { block, condition, repeated } in &self.candidates {
            let repeated = *repeated && condition.roots.iter().all(|root| !self.reassigned.contains(root));
            let text = condition.value.as_ref().map_or(&condition.key, |(text, _)| text);
            let roots = condition.roots.as_slice();
            let many = literals.get(&(text.as_str(), roots)).is_some_and(|count| *count > MAX_LITERALS);
            if many || (uses[&(text.as_str(), roots)].len() < 2 && !repeated) {
                continue;
            }
            let next = ConditionId(ids.len() as u32);
            let id = *ids.entry((&condition.key, roots)).or_insert(next);
            if id == next {
                let value = condition.value.as_ref().map(|(text, _)| {
                    let next = values.len() as u32;
                    *values.entry((text, roots)).or_insert(next)
                });
                conditions.push(Condition { roots: roots.to_vec(), value });
            }
            if let Some(Terminator::Test { test, .. }) = &mut self.blocks[block.index()].1 {
                *test = Test::Condition { id, negated: condition.negated };
            }
        }
        let unchanged = self.repeated.iter().filter(|(_, local)| !self.reassigned.contains(local));
        let repeated = unchanged.map(|(block, _)| *block).collect();
        Body {
            kind: self.kind,
            span: self.span,
            output: self.output,
            locals: self.locals,
            params: self.params,
            captures: self.captures,
            blocks: self
                .blocks
                .into_iter()
                .map(|(statements, end)| BasicBlock { statements, terminator: end.unwrap_or(Terminator::Diverge) })
                .collect(),
            children: self.children,
            imports: self.imports,
            conditions,
            repeated,
            asked: self.asked,
            only_logged: self.only_logged,
            answers: self.answers,
            flags: self.flags,
            gaps: self.gaps,
        }
    }
}
