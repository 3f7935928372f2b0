//! Which blocks does a loop consist of, and where is it left? In: a body and one of its blocks. Out: the loops around that.

use sessionlint_ir::{BlockId, Body};
use std::collections::BTreeSet;

/// A loop: what every turn begins with, and all that may be done in one.
pub(crate) struct Loop {
    pub head: BlockId,
    pub blocks: BTreeSet<BlockId>,
}

impl Loop {
    /// The loops that a block stands in.
    pub fn around(body: &Body, at: BlockId) -> Vec<Self> {
        let all = (0..).map(BlockId).zip(&body.blocks);
        // Blocks stand in the order in which they are made: what leads back is the end of a turn, or leaves a loop.
        let back: Vec<(BlockId, BlockId)> = all
            .flat_map(|(from, block)| block.terminator.successors().map(move |to| (from, to)))
            .filter(|(from, to)| to <= from && body.leads_to(*to, at) && body.leads_to(at, *from))
            .collect();
        let heads: BTreeSet<BlockId> =
            back.iter().map(|(_, to)| *to).filter(|head| body.leads_to(*head, *head)).collect();
        let of = |head: &BlockId| {
            let reached = reached(body, BlockId(0), Some(*head));
            // Nobody comes to the end of a turn but through its beginning.
            let ends = back.iter().filter(|(from, to)| to == head && !reached.contains(from));
            let ends: Vec<BlockId> = ends.map(|(from, _)| *from).collect();
            Self { head: *head, blocks: turn(body, *head, &ends) }
        };
        heads.iter().map(of).filter(|found| found.blocks.contains(&at)).collect()
    }

    /// The edges that leave it: the block inside, and the one outside.
    pub fn exits(&self, body: &Body) -> Vec<(BlockId, BlockId)> {
        let of = |from: &BlockId| {
            let from = *from;
            body.blocks[from.index()].terminator.successors().map(move |to| (from, to))
        };
        self.blocks.iter().flat_map(of).filter(|(_, to)| !self.blocks.contains(to)).collect()
    }

    /// The blocks that one turn comes to from its beginning without going through any of some blocks; the beginning, too, where the
    /// next turn is come to that way.
    pub fn reached_without(&self, body: &Body, without: &BTreeSet<BlockId>) -> BTreeSet<BlockId> {
        let mut seen = BTreeSet::new();
        let mut pending = vec![self.head];
        while let Some(block) = pending.pop() {
            if without.contains(&block) {
                continue;
            }
            let next = body.blocks[block.index()].terminator.successors();
            for next in next.filter(|next| self.blocks.contains(next)) {
                if seen.insert(next) && next != self.head {
                    pending.push(next);
                }
            }
        }
        seen
    }
}

/// The blocks that come to the end of a turn without its beginning, and the beginning.
fn turn(body: &Body, head: BlockId, ends: &[BlockId]) -> BTreeSet<BlockId> {
    let mut before: Vec<Vec<BlockId>> = vec![Vec::new(); body.blocks.len()];
    for (from, block) in (0..).map(BlockId).zip(&body.blocks) {
        block.terminator.successors().for_each(|to| before[to.index()].push(from));
    }
    let alive = reached(body, BlockId(0), None);
    let mut blocks = BTreeSet::from([head]);
    let mut pending = ends.to_vec();
    while let Some(block) = pending.pop() {
        if alive.contains(&block) && blocks.insert(block) {
            pending.extend(&before[block.index()]);
        }
    }
    blocks
}

/// The blocks that ways lead to from one, and that one, without going through another.
fn reached(body: &Body, from: BlockId, without: Option<BlockId>) -> BTreeSet<BlockId> {
    let mut seen = BTreeSet::new();
    let mut pending = vec![from];
    while let Some(block) = pending.pop() {
        if Some(block) != without && seen.insert(block) {
            pending.extend(body.blocks[block.index()].terminator.successors());
        }
    }
    seen
}
