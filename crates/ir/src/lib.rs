//! What happens, in any language? Items as written, and function bodies as control-flow graphs.
//!
//! Nothing here knows a library, a rule or a grammar: front ends produce it, the analysis reads it.

mod body;
mod item;
mod print;
mod walk;

pub use body::{
    AggregateKind, Answer, Asked, BasicBlock, BlockId, Body, BodyKind, Call, Callee, Capture, Condition, ConditionId,
    DropCause, ExitHow, ExitKind, Flag, Literal, Local, LocalId, Operand, Place, Projection, Race, Rvalue, Statement,
    StatementKind, Terminator, Test, TestRole,
};
pub use item::{
    Field, FunctionItem, ImplHeader, Import, Item, ItemId, ItemKind, Outline, Parameter, Signature, TypeRef,
};
pub use print::{LineOf, local_name, place_name, text, type_name};
