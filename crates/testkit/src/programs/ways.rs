//! Where do the ways through a made program part, and where do they meet again?

use super::generate::Maker;
use super::scope::{Scope, merge, unmoved};
use super::{Block, Condition, Kind, LoopKind, Statement};

impl Maker {
    /// A block with a scope of its own. The variables of `scope` are as at its end, or as before when it is not reached.
    pub(super) fn block(&mut self, scope: &mut Scope, most: usize) -> (Block, bool) {
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
    pub(super) fn way_out(&mut self, scope: &Scope) -> Block {
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

    pub(super) fn branch(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
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

    pub(super) fn arms(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
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

    pub(super) fn round(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
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

    pub(super) fn async_block(&mut self, scope: &mut Scope, out: &mut Vec<Statement>) -> bool {
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
