//! What happens, in any language? Items as written, and function bodies as control-flow graphs.
//!
//! Nothing here knows a library, a rule or a grammar: front ends produce it, the analysis reads it.

mod body;
mod change;
mod control;
mod frontend;
mod glance;
mod id;
mod item;
mod print;
mod value;
mod walk;

pub use body::{
    BasicBlock, Body, BodyKind, Capture, DropCause, ExitHow, FunctionItem, Local, Statement, StatementKind,
};
pub use change::{Change, Declared, Rewrite};
pub use control::{Asked, Condition, Flag, Terminator, Test, TestRole};
pub use frontend::{Comment, Frontend, Language, Languages, Names, SyntaxError};
pub use glance::{Blocks, Glance};
pub use id::{BlockId, ConditionId, LocalId};
pub use item::{Field, ImplHeader, Import, Item, ItemId, ItemKind, Outline, Parameter, Signature, TypeRef};
pub use print::{LineOf, local_name, place_name, text, type_name};
pub use value::{AggregateKind, Answer, Call, Callee, ExitKind, Literal, Operand, Place, Projection, Race, Rvalue};
