//! What does this Rust text do? Outlines of files, and single items lowered to the IR.
//!
//! The only room that knows syn, proc-macro2 and the Rust lexer. The syntax tree never leaves it.

mod adapters;
mod blocks;
mod declarations;
mod edits;
mod glance;
mod imports;
mod lower;
mod module;
mod outline;
mod signature;
mod texts;
mod tokens;
mod types;

use sessionlint_diagnostics::{FileId, Span};
use sessionlint_ir::{
    Comment, Field, Frontend, FunctionItem, ImplHeader, Import, Outline, Signature, SyntaxError, TypeRef,
};
use std::path::Path;

/// The front end for Rust.
pub struct Rust;

impl Frontend for Rust {
    fn name(&self) -> &'static str {
        "Rust"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["rs"]
    }

    fn comment_marker(&self) -> &'static str {
        "//"
    }

    fn outline(&self, text: &str, file: FileId) -> Outline {
        outline::outline(text, file)
    }

    fn function(
        &self,
        text: &str,
        span: Span,
        macros: &dyn Fn(&[String]) -> Option<String>,
    ) -> Result<FunctionItem, SyntaxError> {
        declarations::function(text, span, macros)
    }

    fn signature(&self, text: &str, span: Span) -> Result<Signature, SyntaxError> {
        declarations::signature(text, span)
    }

    fn fields(&self, text: &str, span: Span) -> Result<(Vec<Field>, Vec<String>), SyntaxError> {
        declarations::struct_fields(text, span)
    }

    fn alias(&self, text: &str, span: Span) -> Result<(TypeRef, Vec<String>), SyntaxError> {
        declarations::alias(text, span)
    }

    fn impl_header(&self, text: &str, span: Span) -> Result<ImplHeader, SyntaxError> {
        declarations::impl_header(text, span)
    }

    fn imports(&self, text: &str, span: Span) -> Result<Vec<Import>, SyntaxError> {
        declarations::imports(text, span)
    }

    fn constant(&self, text: &str, span: Span) -> Result<(TypeRef, Option<String>), SyntaxError> {
        declarations::constant_text(text, span)
    }

    fn comments(&self, text: &str, file: FileId) -> Vec<Comment> {
        tokens::comments(text, file)
    }

    fn tokens<'t>(&self, text: &'t str) -> Vec<&'t str> {
        tokens::written(text)
    }

    fn next_names(&self, text: &str, from: usize, found: &mut [(usize, usize)]) -> (usize, usize) {
        tokens::next_names(text, from, found)
    }

    fn statement_end(&self, text: &str, start: u32) -> u32 {
        tokens::statement_end(text, start)
    }

    fn statement_start(&self, text: &str, from: u32, at: u32) -> Option<u32> {
        tokens::statement_start(text, from, at)
    }

    fn module(&self, inside: &Path) -> Vec<String> {
        module::path(inside)
    }

    fn is_balanced(&self, text: &str) -> bool {
        tokens::is_balanced(text)
    }
}

/// Parses the text of one item and hands the tree to `read`, unless the text is nested or chained
/// so deeply that a recursive parser could run out of stack.
pub(crate) fn parse<T: syn::parse::Parse, R>(
    text: &str,
    span: Span,
    read: impl FnOnce(&T) -> R,
) -> Result<R, SyntaxError> {
    if let Some(message) = tokens::too_deep(text) {
        return Err(SyntaxError { message: message.to_owned(), span, is_limit: true });
    }
    let of_macro = || syn::parse_str::<T>(&tokens::without_fragments(text)?).ok();
    let result = match syn::parse_str::<T>(text).or_else(|error| of_macro().ok_or(error)) {
        Ok(tree) => Ok(read(&tree)),
        Err(error) => {
            let range = error.span().byte_range();
            let at = span.start + range.start.min(text.len()) as u32;
            Err(SyntaxError { message: error.to_string(), span: Span::new(span.file, at, at), is_limit: false })
        }
    };
    // Without this every parsed text stays in a thread-local source map for ever.
    proc_macro2::extra::invalidate_current_thread_spans();
    result
}
