//! What does an editor see? A language server on standard input and output.
//!
//! Answers come from the same engine as everywhere else; texts that are not saved count instead of what the files say.

mod actions;
mod client;
mod convert;
mod documents;
mod findings;
mod folder;
mod hover;
mod progress;
mod server;
mod settings;
mod shown;
mod transport;

pub use server::serve;
