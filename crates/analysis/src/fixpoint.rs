//! In which order are questions answered that ask each other, what functions do that call each other, say, and what is the answer where
//! they ask each other in a circle?
//!
//! A question is answered after those that it asks, however many they are: there is no depth. Questions that ask each other are
//! answered together, by rounds: in the first nothing is known of any of them, in each further one what the round before said; until nothing
//! changes. So an answer depends on the questions alone, not on which of them was asked first, or on which thread.

use crate::grounds::{self, Grounds};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock};

/// How many questions may be in progress on the stack of a thread. What lies deeper is answered first, from an empty stack.
const MAX_STACK: usize = 128;

/// What is asked, and how it is answered.
pub(crate) trait Equations {
    type Question: Clone + Eq + Hash;
    type Answer: Clone + PartialEq;

    /// How many rounds questions get that ask each other. What has not settled then is taken as it is, and says so.
    const ROUNDS: usize = 8;

    /// The answer to a question, which asks others of [`Fixpoint::answer`] with the same pass.
    fn answered(&self, question: &Self::Question, pass: &Pass<Self::Question, Self::Answer>) -> Self::Answer;

    /// The answer before anything is known.
    fn at_first(&self, question: &Self::Question) -> Self::Answer;

    /// An answer that had not settled when the rounds were over.
    fn unsettled(&self, answer: Self::Answer) -> Self::Answer;
}

/// The answers that are known, and what they stand on, for all threads.
pub(crate) struct Fixpoint<Q, A> {
    known: RwLock<FxHashMap<Q, Founded<A>>>,
}

/// An answer, and what it stands on where somebody wants to know.
type Founded<A> = (A, Option<Arc<Grounds>>);

/// The questions that one thread is about to answer. Copies are the same.
pub(crate) struct Pass<Q, A> {
    open: Rc<RefCell<Open<Q, A>>>,
}

impl<Q, A> Clone for Pass<Q, A> {
    fn clone(&self) -> Self {
        Self { open: Rc::clone(&self.open) }
    }
}

struct Open<Q, A> {
    /// What was asked and is not known yet, in this order.
    nodes: Vec<Node<Q, A>>,
    /// Where it stands there.
    places: FxHashMap<Q, usize>,
    /// What is in progress, the outermost first.
    running: Vec<usize>,
    /// What was too deep on the stack.
    postponed: Vec<Q>,
}

struct Node<Q, A> {
    question: Q,
    /// What is taken for its answer meanwhile.
    answer: A,
    /// The first node that it leads back to, as [`Tarjan` has it][1]. `None` where something was postponed that it needs.
    ///
    /// [1]: https://doi.org/10.1137/0201010
    low: Option<usize>,
    /// The open nodes that it asks.
    asks: BTreeSet<usize>,
    /// What its answer stands on.
    grounds: Option<Arc<Grounds>>,
}

impl<Q: Eq + Hash, A> Pass<Q, A> {
    /// Whether what was said of a question just now is its answer, and not what is taken for it meanwhile.
    pub fn is_done_with(&self, question: &Q) -> bool {
        let open = self.open.borrow();
        !open.places.contains_key(question) && open.postponed.is_empty()
    }
}

impl<Q, A> Default for Fixpoint<Q, A> {
    fn default() -> Self {
        Self { known: RwLock::default() }
    }
}

impl<Q, A> Default for Pass<Q, A> {
    fn default() -> Self {
        let open = Open { nodes: Vec::new(), places: FxHashMap::default(), running: Vec::new(), postponed: Vec::new() };
        Self { open: Rc::new(RefCell::new(open)) }
    }
}

impl<Q: Clone + Eq + Hash, A: Clone + PartialEq> Fixpoint<Q, A> {
    /// The answer that is known by now. Who asks stands on what it stands on.
    pub fn known(&self, question: &Q) -> Option<A> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (answer, grounds) = known.get(question)?;
        grounds::stand_on(grounds.as_ref());
        Some(answer.clone())
    }

    /// The answer to a question.
    pub fn answer(&self, equations: &impl Equations<Question = Q, Answer = A>, question: Q, pass: &Pass<Q, A>) -> A {
        if let Some(known) = self.known(&question) {
            return known;
        }
        if !pass.open.borrow().running.is_empty() {
            return self.visit(equations, question, pass);
        }
        let mut pending = vec![question];
        let mut seen = FxHashSet::default();
        loop {
            let Some(next) = pending.last() else { unreachable!("the first question is the last that is answered") };
            let answer = self.visit(equations, next.clone(), pass);
            let postponed = pass.open.borrow_mut().given_up();
            let before = pending.len();
            pending.extend(postponed.into_iter().filter(|question| seen.insert(question.clone())));
            if pending.len() > before {
                continue;
            }
            // Also where a circle is longer than the stack: nobody else is told then.
            pending.pop();
            if pending.is_empty() {
                return answer;
            }
        }
    }

    fn visit(&self, equations: &impl Equations<Question = Q, Answer = A>, question: Q, pass: &Pass<Q, A>) -> A {
        if let Some(known) = self.known(&question) {
            return known;
        }
        let index = {
            let mut open = pass.open.borrow_mut();
            if let Some(index) = open.places.get(&question).copied() {
                open.asked(index);
                return open.nodes[index].answer.clone();
            }
            if open.running.len() >= MAX_STACK {
                open.postpone(question.clone());
                return equations.at_first(&question);
            }
            open.enter(question.clone(), equations.at_first(&question))
        };
        let (answer, found) = grounds::of(|| equations.answered(&question, pass));
        let is_first = {
            let mut open = pass.open.borrow_mut();
            open.running.pop();
            open.nodes[index].stands_on(found);
            open.nodes[index].answer = answer.clone();
            open.nodes[index].low == Some(index)
        };
        if is_first && self.settle(equations, index, pass) {
            return self.known(&question).unwrap_or(answer);
        }
        let mut open = pass.open.borrow_mut();
        open.asked(index);
        open.nodes[index].answer.clone()
    }

    /// Answers the questions from `first` on, which all lead back to it. `false` when they turn out to need others that are in
    /// progress, or what was postponed.
    fn settle(&self, equations: &impl Equations<Question = Q, Answer = A>, first: usize, pass: &Pass<Q, A>) -> bool {
        let is_one = {
            let open = pass.open.borrow();
            open.nodes.len() == first + 1 && !open.nodes[first].asks.contains(&first)
        };
        let settled = if is_one {
            true
        } else {
            loop {
                let count = pass.open.borrow().nodes.len();
                match self.rounds(equations, first, pass) {
                    None => return false,
                    // Others came in.
                    Some(_) if pass.open.borrow().nodes.len() > count => {}
                    Some(settled) => break settled,
                }
            }
        };
        let (answers, grounds) = pass.open.borrow_mut().closed(first);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (question, answer) in answers {
            let answer = if settled { answer } else { equations.unsettled(answer) };
            known.entry(question).or_insert_with(|| (answer, grounds.clone()));
        }
        true
    }

    /// Goes through the rounds for the questions from `first` on: whether they settled. `None` when they need others. Ends early where
    /// further ones belong to them.
    fn rounds<E: Equations<Question = Q, Answer = A>>(
        &self,
        equations: &E,
        first: usize,
        pass: &Pass<Q, A>,
    ) -> Option<bool> {
        let count = pass.open.borrow().nodes.len();
        let mut changed: BTreeSet<usize> = (first..count).collect();
        for node in &mut pass.open.borrow_mut().nodes[first..] {
            (node.answer, node.low) = (equations.at_first(&node.question), Some(first));
        }
        for round in 0..E::ROUNDS {
            let mut answers = Vec::new();
            for index in first..count {
                let question = {
                    let mut open = pass.open.borrow_mut();
                    let node = &mut open.nodes[index];
                    if round > 0 && node.asks.is_disjoint(&changed) {
                        continue;
                    }
                    node.asks.clear();
                    let question = node.question.clone();
                    open.running.push(index);
                    question
                };
                let (answer, found) = grounds::of(|| equations.answered(&question, pass));
                let mut open = pass.open.borrow_mut();
                open.running.pop();
                open.nodes[index].stands_on(found);
                if open.nodes[index].low != Some(first) {
                    let low = open.nodes[index].low;
                    open.nodes[first].low = low;
                    return None;
                }
                answers.push((index, answer));
            }
            let mut open = pass.open.borrow_mut();
            if open.nodes.len() > count {
                return Some(false);
            }
            changed.clear();
            for (index, answer) in answers {
                if open.nodes[index].answer != answer {
                    open.nodes[index].answer = answer;
                    changed.insert(index);
                }
            }
            if changed.is_empty() {
                return Some(true);
            }
        }
        Some(false)
    }
}

impl<Q, A> Node<Q, A> {
    /// Its answer stands on this, beside what it stood on in earlier rounds.
    fn stands_on(&mut self, found: Option<Arc<Grounds>>) {
        add(&mut self.grounds, found);
    }
}

/// Adds grounds to others.
fn add(grounds: &mut Option<Arc<Grounds>>, more: Option<Arc<Grounds>>) {
    match (grounds.as_mut(), more) {
        (Some(grounds), Some(more)) => Arc::make_mut(grounds).extend(&more),
        (None, more) => *grounds = more,
        (Some(_), None) => {}
    }
}

impl<Q: Clone + Eq + Hash, A> Open<Q, A> {
    /// A question is in progress from now on: its place.
    fn enter(&mut self, question: Q, answer: A) -> usize {
        let index = self.nodes.len();
        self.places.insert(question.clone(), index);
        self.nodes.push(Node { question, answer, low: Some(index), asks: BTreeSet::new(), grounds: None });
        self.running.push(index);
        index
    }

    /// The question that is in progress asks an open one.
    fn asked(&mut self, index: usize) {
        let Some(asking) = self.running.last().copied() else { return };
        // `None` is the least.
        self.nodes[asking].low = self.nodes[asking].low.min(self.nodes[index].low);
        self.nodes[asking].asks.insert(index);
    }

    fn postpone(&mut self, question: Q) {
        if let Some(asking) = self.running.last().copied() {
            self.nodes[asking].low = None;
        }
        self.postponed.push(question);
    }

    /// Takes the questions from `first` on out, with what is taken for their answers, and what these stand on: all on the same.
    fn closed(&mut self, first: usize) -> (Vec<(Q, A)>, Option<Arc<Grounds>>) {
        let mut grounds = self.nodes[first].grounds.take();
        for node in &self.nodes[first + 1..] {
            add(&mut grounds, node.grounds.clone());
        }
        let closed: Vec<(Q, A)> = self.nodes.drain(first..).map(|node| (node.question, node.answer)).collect();
        for (question, _) in &closed {
            self.places.remove(question);
        }
        (closed, grounds)
    }

    /// Forgets what is not known yet: what was postponed.
    fn given_up(&mut self) -> Vec<Q> {
        self.nodes.clear();
        self.places.clear();
        std::mem::take(&mut self.postponed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Equations, Fixpoint, MAX_STACK, Pass};
    use std::cell::Cell;
    use std::collections::{BTreeMap, BTreeSet};

    /// Which nodes can be reached from one: the least answer to "myself, and what my successors reach".
    #[derive(Default)]
    struct Graph {
        edges: BTreeMap<u32, Vec<u32>>,
        fixpoint: Fixpoint<u32, BTreeSet<u32>>,
        asked: Cell<usize>,
        /// A node that never gives the same answer twice.
        restless: Option<u32>,
    }

    impl Equations for Graph {
        type Question = u32;
        type Answer = BTreeSet<u32>;

        fn answered(&self, node: &u32, pass: &Pass<u32, BTreeSet<u32>>) -> BTreeSet<u32> {
            self.asked.set(self.asked.get() + 1);
            let mut reached = BTreeSet::from([*node]);
            for next in self.edges.get(node).into_iter().flatten() {
                reached.extend(self.fixpoint.answer(self, *next, pass));
            }
            if self.restless == Some(*node) {
                reached.insert(1000 + reached.len() as u32);
            }
            reached
        }

        fn at_first(&self, _: &u32) -> BTreeSet<u32> {
            BTreeSet::new()
        }

        fn unsettled(&self, mut answer: BTreeSet<u32>) -> BTreeSet<u32> {
            answer.insert(u32::MAX);
            answer
        }
    }

    fn graph(edges: &[(u32, u32)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in edges {
            graph.edges.entry(*from).or_default().push(*to);
        }
        graph
    }

    fn ask(graph: &Graph, node: u32) -> Vec<u32> {
        graph.fixpoint.answer(graph, node, &Pass::default()).into_iter().collect()
    }

    #[test]
    fn what_asks_nothing_back_is_answered_once() {
        let graph = graph(&[(1, 2), (1, 3), (2, 4), (3, 4)]);
        assert_eq!(ask(&graph, 1), [1, 2, 3, 4]);
        assert_eq!(ask(&graph, 3), [3, 4]);
        assert_eq!(graph.asked.get(), 4);
    }

    #[test]
    fn circles_are_answered_the_same_from_wherever_they_are_asked() {
        let edges =
            [(1, 2), (2, 3), (3, 1), (3, 4), (4, 5), (5, 4), (5, 6), (6, 6), (2, 7), (7, 2), (8, 1), (8, 5), (7, 9)];
        let reach = |from: u32| {
            let mut found = BTreeSet::from([from]);
            for _ in 0..edges.len() {
                found.extend(
                    edges.iter().filter(|(from, _)| found.contains(from)).map(|(_, to)| *to).collect::<Vec<_>>(),
                );
            }
            found.into_iter().collect::<Vec<_>>()
        };
        for first in 1..10 {
            let graph = graph(&edges);
            ask(&graph, first);
            for node in 1..10 {
                assert_eq!(ask(&graph, node), reach(node), "{node}, {first} first");
            }
        }
    }

    #[test]
    fn chains_of_any_length_are_followed_to_their_end_in_linear_work() {
        let long = 5 * MAX_STACK as u32;
        let mut edges: Vec<(u32, u32)> = (0..long).map(|node| (node, node + 1)).collect();
        // Two ways at each step.
        edges.extend((0..long).map(|node| (node, node + 1)));
        let graph = graph(&edges);
        assert_eq!(ask(&graph, 0).len() as u32, long + 1);
        assert!(graph.asked.get() as u32 <= 3 * long, "{}", graph.asked.get());
    }

    #[test]
    fn what_does_not_settle_says_so() {
        let mut graph = graph(&[(1, 2), (2, 1), (3, 1)]);
        graph.restless = Some(1);
        let answer = ask(&graph, 1);
        assert!(answer.contains(&u32::MAX), "{answer:?}");
        let again = { ask(&graph, 3) };
        let mut other = self::graph(&[(1, 2), (2, 1), (3, 1)]);
        other.restless = Some(1);
        assert_eq!(ask(&other, 3), again);
        assert_eq!(ask(&other, 1), answer);
    }

    #[test]
    fn a_circle_longer_than_the_stack_ends() {
        let long = 3 * MAX_STACK as u32;
        let graph = graph(&(0..long).map(|node| (node, (node + 1) % long)).collect::<Vec<_>>());
        assert!(ask(&graph, 0).contains(&1));
    }
}
