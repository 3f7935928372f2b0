//! What does each library ask for, and what is configured? Data files checked into one [`Model`] and one [`Config`].
//!
//! Does no IO: texts come in, values or [`ConfigError`]s that point into the text come out.

mod calls;
mod checked;
mod config;
mod derived;
mod facts;
mod id;
mod intent;
mod learned;
mod library;
mod model;
mod nearest;
mod order;
mod outside;
mod own;
mod protocol;
mod raw;
mod rules;
mod standard;
mod typed;
mod versions;
mod work;

pub use calls::{CancelUnsafe, EndKind, Ending, Opening, Shape, Source};
pub use config::{Config, ConfigError, ConfigPlace, Override, RuleSetting, TestCode};
pub use derived::{Derived, Generated};
pub use facts::Library;
pub use id::{LibraryId, ProtocolId};
pub use intent::{Intent, Refusal};
pub use learned::{LearnedProtocol, LearnedWords};
pub use model::Model;
pub use nearest::nearest;

pub use protocol::{Change, DropClass, Engines, OnEngine, Protocol, ProtocolKind, RunsClosure, Setting};
pub use rules::{Precision, Profile, RuleInfo, RuleSet};
pub use standard::{Joins, Standard, Wraps};
pub use typed::{Around, Typed};
pub use versions::{InUse, Versions, allows, newest};
pub use work::{Rank, Work, WorkId};
