//! The list of all checks.

mod cancel_unsafe_begin;
mod discarded_session;
mod failed_commit;
mod ignored_release_result;
mod leaked_session;
mod missing_rollback;
mod nested_acquire;
mod pool_per_call;
mod pool_settings;
mod session_held_across_await;
mod session_state_leak;
mod transaction_bypass;
mod unawaited_release;
mod unbalanced_begin;
pub(crate) mod uncommitted_transaction;
mod undriven_connection;
mod unfinished_writer;
mod unguarded_session;

use crate::Check;

/// All checks, in the order of the rules' list. The two rules about comments are the engine's, which knows
/// what was silenced.
pub const ALL: &[Check] = &[
    uncommitted_transaction::CHECK,
    missing_rollback::CHECK,
    unbalanced_begin::CHECK,
    failed_commit::CHECK,
    unawaited_release::CHECK,
    ignored_release_result::CHECK,
    discarded_session::CHECK,
    unguarded_session::CHECK,
    leaked_session::CHECK,
    transaction_bypass::CHECK,
    nested_acquire::CHECK,
    session_held_across_await::CHECK,
    session_state_leak::CHECK,
    cancel_unsafe_begin::CHECK,
    pool_per_call::CHECK,
    pool_settings::CHECK,
    unfinished_writer::CHECK,
    undriven_connection::CHECK,
];
