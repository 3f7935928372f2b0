//! What does this Rust text do? Outlines of files, and single items lowered to the IR.
//!
//! The only room that knows syn, proc-macro2 and the Rust lexer. The syntax tree never leaves it.

mod adapters;
mod blocks;
mod calls;
mod declarations;
mod edits;
mod frontend;
mod glance;
mod imports;
mod lower;
mod module;
mod outline;
mod parse;
mod signature;
mod texts;
mod tokens;
mod types;

pub use frontend::Rust;
