//! Does a flag in what is passed rule out what a function does? `Batch { control: true, .. }` is passed, and the work is done where
//! `batch.control` is false. Only flags that are written out count.

use crate::index::ItemRef;
use crate::solver::Solver;
use crate::workload::{Deed, Workload};
use sessionlint_diagnostics::Span;
use sessionlint_ir::{AggregateKind, BlockId, Body, Call, Callee, Literal, Operand, Rvalue, StatementKind, Terminator};
use std::collections::{BTreeMap, BTreeSet};

impl Solver<'_> {
    /// Takes away the slow work that a function does only where a flag is not what this call passes.
    pub(super) fn without_ruled_out(&self, workload: &mut Workload, item: ItemRef, call: &Call) {
        let is_slow = |deed: &Deed| matches!(deed, Deed::Outside(_));
        if !workload.0.iter().any(|(deed, way)| is_slow(deed) && way.len() > 1) {
            return;
        }
        let flags = self.flags_behind(call);
        if flags.is_empty() {
            return;
        }
        let Some(function) = self.index.function(item) else { return };
        let Some(body) = &function.body else { return };
        workload.0.retain(|deed, way| {
            let at = way.get(1).filter(|_| is_slow(deed)).and_then(|at| block_of(body, *at));
            !at.is_some_and(|at| self.is_excluded(body, at, &flags))
        });
    }

    /// Whether all ways to a block pass a condition on a field that leads elsewhere, the flags being what they are.
    fn is_excluded(&self, body: &Body, at: BlockId, flags: &BTreeMap<String, bool>) -> bool {
        body.asked.iter().any(|(test, asked)| {
            let [field, owner] = asked.names.as_slice() else { return false };
            let Terminator::Test { yes, no, span, .. } = &body.blocks[test.index()].terminator else { return false };
            let Some(flag) = flags.get(field) else { return false };
            let data = self.index.host.data(span.file);
            let text = data.and_then(|data| data.text.get(span.start as usize..span.end as usize)).unwrap_or_default();
            // The field itself, and no comparison of it.
            let behind = text.split_once(&format!("{owner}.{field}")).map(|(_, behind)| behind.trim_start());
            if !behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(['&', '|', ')'])) {
                return false;
            }
            let taken = if *flag != asked.negated { *yes } else { *no };
            *test != at && !leads_around(body, BlockId(0), at, *test) && !leads_around(body, taken, at, *test)
        })
    }

    /// The flags that are written out in what a call is passed, by name: fields of a struct, and methods of a builder.
    fn flags_behind(&self, call: &Call) -> BTreeMap<String, bool> {
        let behind = self.variables_behind(call.args.iter());
        let (mut flags, mut doubtful) = (BTreeMap::new(), BTreeSet::new());
        let made = self.body.assignments().filter(|(to, _)| behind.contains(&to.local));
        for (name, value) in made.flat_map(|(_, value)| written_out(value)) {
            if *flags.entry(name.to_owned()).or_insert(value) != value {
                doubtful.insert(name.to_owned());
            }
        }
        flags.retain(|name, _| !doubtful.contains(name));
        flags
    }
}

/// The flags that a value is given by constants.
fn written_out(value: &Rvalue) -> Vec<(&str, bool)> {
    let constant = |operand: &Operand| match operand {
        Operand::Literal(Literal::Bool(value)) => Some(*value),
        _ => None,
    };
    match value {
        Rvalue::Aggregate(AggregateKind::Struct(_), fields) => {
            fields.iter().filter_map(|(name, operand)| Some((name.as_str(), constant(operand)?))).collect()
        }
        Rvalue::Call(Call { callee: Callee::Method { name, .. }, args, .. }) => match args.as_slice() {
            [only] => constant(only).map(|value| (name.as_str(), value)).into_iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The block in which a call stands.
fn block_of(body: &Body, at: Span) -> Option<BlockId> {
    let block = body.blocks.iter().position(|block| {
        block.statements.iter().any(|statement| match &statement.kind {
            StatementKind::Assign(_, Rvalue::Call(call)) => call.name_span == at,
            _ => false,
        })
    });
    block.map(|block| BlockId(block as u32))
}

/// Whether control can go from one block to another, or is there, without passing a third.
fn leads_around(body: &Body, from: BlockId, to: BlockId, around: BlockId) -> bool {
    let (mut seen, mut pending) = (BTreeSet::new(), vec![from]);
    while let Some(block) = pending.pop() {
        if block == to {
            return true;
        }
        if block != around && seen.insert(block) {
            pending.extend(body.blocks[block.index()].terminator.successors());
        }
    }
    false
}
