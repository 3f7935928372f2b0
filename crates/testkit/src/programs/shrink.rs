//! What is the smallest program that still shows it? Statements are left out and blocks put in their place, as long as `shows` holds.

use super::{Block, Form, Program, Statement, Tail, Var};
use std::collections::BTreeSet;

/// A program in which nothing can be left out any more without `shows` failing. `shows` decides about programs that may not
/// compile as well; those that use what they do not declare are not asked about.
pub fn shrink(program: &Program, shows: &dyn Fn(&Program) -> bool) -> Program {
    let mut best = program.clone();
    loop {
        let smaller = candidates(&best).into_iter().find(|candidate| is_whole(candidate) && shows(candidate));
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

fn candidates(program: &Program) -> Vec<Program> {
    let mut found = Vec::new();
    let count = program.functions.len();
    // Without the last function, then without helpers that nobody calls.
    if count > 1 {
        let mut less = program.clone();
        less.functions.pop();
        found.push(less);
    }
    for function in 0..count {
        for path in paths(&program.functions[function].body) {
            for how in 0..4 {
                let mut less = program.clone();
                if change(&mut less.functions[function].body, &path, how) {
                    found.push(less);
                }
            }
        }
        if let Tail::Commit(_, mark) = program.functions[function].tail {
            let mut less = program.clone();
            less.functions[function].tail = Tail::Good(mark);
            found.push(less);
        }
    }
    found
}

/// The ways to all statements, as numbers of statement and block.
fn paths(block: &Block) -> Vec<Vec<(usize, usize)>> {
    let mut found = Vec::new();
    for (number, statement) in block.statements.iter().enumerate() {
        found.push(vec![(number, 0)]);
        let mut statement = statement.clone();
        for (place, inner) in statement.blocks_mut().into_iter().enumerate() {
            for path in paths(inner) {
                found.push(std::iter::once((number, place)).chain(path).collect());
            }
        }
    }
    found
}

fn change(block: &mut Block, path: &[(usize, usize)], how: usize) -> bool {
    let [(number, place), rest @ ..] = path else { return false };
    if !rest.is_empty() {
        let mut blocks = block.statements[*number].blocks_mut();
        return change(blocks[*place], rest, how);
    }
    match how {
        // Without it.
        0 => {
            block.statements.remove(*number);
            true
        }
        // What stands in its first or second block instead.
        1 | 2 => {
            let mut statement = block.statements[*number].clone();
            let Some(inner) = statement.blocks_mut().into_iter().nth(how - 1).map(|inner| inner.statements.clone())
            else {
                return false;
            };
            block.statements.splice(*number..=*number, inner);
            true
        }
        // Written in the usual way.
        _ => match &mut block.statements[*number] {
            Statement::Write { form, .. }
            | Statement::Commit { form, .. }
            | Statement::Rollback { form, .. }
            | Statement::Call { form, .. }
            | Statement::Check(form)
                if *form != Form::Question =>
            {
                *form = Form::Question;
                true
            }
            Statement::If { otherwise, .. } if otherwise.is_some() => {
                *otherwise = None;
                true
            }
            Statement::Open { helper, .. } if *helper => {
                *helper = false;
                true
            }
            _ => false,
        },
    }
}

/// Whether each variable and flag is declared before it is used, and nothing is used after it was surely moved.
fn is_whole(program: &Program) -> bool {
    program.functions.iter().all(|function| {
        let declared: BTreeSet<Var> = function.parameter.iter().map(|(variable, _)| *variable).collect();
        let mut flags = BTreeSet::new();
        let mut inner = declared.clone();
        let Some(gone) = whole(&function.body, &mut inner, &mut flags, &BTreeSet::new(), false) else { return false };
        match function.tail {
            Tail::Commit(variable, _) => {
                inner.contains(&variable) && !gone.contains(&variable) && !function.body.diverges()
            }
            Tail::Good(_) => !function.body.diverges(),
            Tail::Never => function.body.diverges(),
        }
    })
}

/// The variables that may be gone after a block; `None` when it uses what is not there.
fn whole(
    block: &Block,
    declared: &mut BTreeSet<Var>,
    flags: &mut BTreeSet<usize>,
    gone: &BTreeSet<Var>,
    looped: bool,
) -> Option<BTreeSet<Var>> {
    let mut gone = gone.clone();
    for (number, statement) in block.statements.iter().enumerate() {
        if statement.diverges() && number + 1 < block.statements.len() {
            return None;
        }
        let there = |variable: &Var, gone: &BTreeSet<Var>| declared.contains(variable) && !gone.contains(variable);
        match statement {
            Statement::Open { variable, .. } | Statement::Nothing { variable } => {
                declared.insert(*variable);
            }
            Statement::Assign { variable, .. } => {
                if !declared.contains(variable) {
                    return None;
                }
                gone.remove(variable);
            }
            Statement::Write { variable, .. } | Statement::Read { variable } => {
                there(variable, &gone).then_some(())?;
            }
            Statement::Commit { variable, .. }
            | Statement::Rollback { variable, .. }
            | Statement::Drop { variable }
            | Statement::ReturnCommit(variable, _) => {
                there(variable, &gone).then_some(())?;
                gone.insert(*variable);
            }
            Statement::Move { from, to } => {
                there(from, &gone).then_some(())?;
                gone.insert(*from);
                declared.insert(*to);
            }
            Statement::Call { variable: Some(variable), .. } => {
                there(variable, &gone).then_some(())?;
            }
            Statement::NewFlag(flag) => {
                flags.insert(*flag);
            }
            Statement::SetFlag(flag, _) if !flags.contains(flag) => return None,
            Statement::Break(_) | Statement::Continue(_) if !looped => return None,
            Statement::If { condition, .. } if !named(condition, flags) => return None,
            _ => {}
        }
        let mut after: BTreeSet<Var> = gone.clone();
        let mut copy = statement.clone();
        let is_loop = matches!(statement, Statement::Loop { .. });
        let is_async = matches!(statement, Statement::Async { .. });
        for (place, inner) in copy.blocks_mut().into_iter().enumerate() {
            let in_loop = is_loop || (looped && !(is_async && place == 0));
            let lost = whole(inner, &mut declared.clone(), &mut flags.clone(), &gone, in_loop)?;
            if !inner.diverges() {
                after.extend(lost);
            }
        }
        gone = after;
    }
    Some(gone)
}

fn named(condition: &super::Condition, flags: &BTreeSet<usize>) -> bool {
    use super::Condition;
    match condition {
        Condition::Flag(flag) => flags.contains(flag),
        Condition::Not(one) => named(one, flags),
        Condition::And(one, other) | Condition::Or(one, other) => named(one, flags) && named(other, flags),
        _ => true,
    }
}
