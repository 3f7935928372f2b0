//! Which sessions may be in which state here? A typestate dataflow over the IR, with names and types resolved
//! by an index of the workspace.
//!
//! The analysis states facts: what happens to each session on each way out ([`Event`]). Whether that is a
//! mistake is for the rules to say.

mod again;
mod asked;
mod at_hand;
mod branches;
mod callers;
mod capacity;
mod closures;
mod describe;
mod ends;
mod events;
mod fingerprint;
mod fixpoint;
mod flow;
mod grounds;
mod handlers;
mod index;
mod joins;
mod known;
mod last_turn;
mod learn;
mod liveness;
mod loops;
mod own_connection;
mod parameters;
mod question;
mod rare;
mod read_out;
mod receivers;
mod refine;
mod scratch;
mod shared;
mod show;
mod siblings;
mod solver;
mod sql;
mod summary;
mod told;
mod trace;
mod transfer;
mod turn;
mod value;
mod waited;
mod waiters;
mod workload;
mod world;

pub use again::Renewal;
pub use capacity::{Capacity, PoolSize};
pub use events::{Branch, Cause, CauseKind, Event, EventKind, ExitOrder, Report, Site};
pub use grounds::Basis;
pub use index::{FileData, Host, Index, ItemRef, Package, PackageId, Resolved, Scope, Ty, Unread, cancels};
pub use learn::{Learned, Proof, learn};
pub use show::View;
pub use sql::{Refusal, SessionState, SqlControl, SqlEffect, SqlTarget, may_begin, may_set_state};
use summary::function_segments;
pub use summary::{Analysis, function_path};
pub use value::SiteId;
pub use workload::Wait;
