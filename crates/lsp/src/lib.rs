//! What does an editor see? A language server on standard input and output.
//!
//! Answers come from the same engine as everywhere else; texts that are not saved count instead of what the files say.

mod actions;
mod convert;
mod folder;
mod hover;
mod server;

pub use server::serve;
