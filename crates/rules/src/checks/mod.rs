//! The list of all checks.

mod discarded_session;
mod ignored_release_result;
mod leaked_session;
mod missing_rollback;
mod nested_acquire;
mod session_held_across_await;
mod transaction_bypass;
mod unawaited_release;
mod unbalanced_begin;
mod uncommitted_transaction;
mod unguarded_session;

use crate::Check;

/// All checks, in the order of the rules' list. The two rules about comments are the engine's, which knows
/// what was silenced.
pub const ALL: &[Check] = &[
    uncommitted_transaction::CHECK,
    missing_rollback::CHECK,
    unbalanced_begin::CHECK,
    unawaited_release::CHECK,
    ignored_release_result::CHECK,
    discarded_session::CHECK,
    unguarded_session::CHECK,
    leaked_session::CHECK,
    transaction_bypass::CHECK,
    nested_acquire::CHECK,
    session_held_across_await::CHECK,
];
